//! Amounts that no machine is likely to have.

use std::collections::BTreeSet;

use crate::pipeline::ValidatedPipeline;
use crate::quantity::amount;

/// More cores than nearly all machines have.
const MANY_CORES: f64 = 1024.0;

/// A sentence for each step that asks for more than machines have.
pub(super) fn notes(pipeline: &ValidatedPipeline) -> Vec<String> {
    let of_step = pipeline.steps.iter().filter_map(|step| {
        let resources = step.pod.resources.as_ref()?;
        let amounts = [&resources.requests, &resources.limits].into_iter().flatten();
        let cores: BTreeSet<&str> = amounts
            .filter_map(|amounts| amounts.get("cpu"))
            .filter(|cores| amount(cores).is_some_and(|cores| cores > MANY_CORES))
            .map(|cores| cores.0.as_str())
            .collect();
        let cores = cores.first()?;
        Some(format!(
            "step {} asks for {cores} cores, and hardly a node has as many: its pods would wait forever; thousandths of a core have an m behind them, \
             such as 500m",
            step.name
        ))
    });
    of_step.collect()
}
