//! What the report says of how a model was measured, and of what matters to it.
//!
//! Owns these sentences. What is measured is `evaluate`'s.

use mlpipeline_crds::{Gate, Metric};

use super::bootstrap::FEWEST_GROUPS;
use super::keys::Keys;
use super::notes::short;
use super::untested;
use crate::evaluation::{Details, Evaluation, FindingDetails, MeasuredOn};

/// How many columns the report names.
const MOST_NAMED: usize = 3;

/// What a person should know of how the model was measured.
pub(super) fn remarks(evaluation: &Evaluation, keys: &Keys, gate: Option<&Gate>) -> Vec<String> {
    let mut remarks = Vec::new();
    let is_found = matches!(evaluation.details, Details::Findings(_));
    let is_tuned = evaluation.tuning.is_some();
    if evaluation.measured_on == MeasuredOn::TrainRows && !is_found {
        let way = if is_tuned { "set split" } else { "set split or crossValidation" };
        remarks.push(format!("metrics are of the rows that the model learnt from, which flatters it: {way}"));
    }
    if evaluation.measured_on == MeasuredOn::Folds && is_tuned {
        remarks.push(
            "metrics are of folds by which the parameters were chosen, which flatters them: set split"
                .to_owned(),
        );
    }
    if matches!(evaluation.details, Details::Numbers(_))
        && !evaluation.metrics.contains_key(Metric::R2.name())
    {
        let rows = match evaluation.measured_on {
            MeasuredOn::Folds => "every row of a fold",
            MeasuredOn::TestRows | MeasuredOn::TrainRows => "every row measured",
        };
        remarks.push(format!("r2 is not measured: the target is the same in {rows}"));
    }
    if let Details::Findings(details) = &evaluation.details {
        remarks.extend(of_findings(evaluation, details));
    }
    remarks.extend(of_groups(evaluation, keys));
    remarks.extend(untested::remarks(evaluation, keys));
    remarks.extend(not_better(evaluation, gate));
    remarks
}

/// That rows of a group were drawn together for intervals, or that there were too few groups for any.
fn of_groups(evaluation: &Evaluation, keys: &Keys) -> Option<String> {
    let is_found = matches!(evaluation.details, Details::Findings(_));
    if evaluation.measured_on != MeasuredOn::TestRows || keys.groups.is_none() {
        return None;
    }
    match &evaluation.intervals {
        Some(_) => Some("intervals are of draws of whole groups (groupBy), not of rows".to_owned()),
        None if is_found => None,
        None => Some(format!(
            "metrics have no interval: the rows that were kept back are of fewer than {FEWEST_GROUPS} groups"
        )),
    }
}

/// The cluster of rows that are of none.
const NOISE: &str = "-1";

/// What to know of what was found without a target.
fn of_findings(evaluation: &Evaluation, details: &FindingDetails) -> Option<String> {
    let is_measured = |metric: Metric| evaluation.metrics.contains_key(metric.name());
    if is_measured(Metric::OutlierShare) {
        return None;
    }
    if is_measured(Metric::ExplainedVariance) {
        let named = details.explained_variance.iter().take(MOST_NAMED).enumerate();
        let named: Vec<String> =
            named.map(|(place, share)| format!("component_{} {share:.4}", place + 1)).collect();
        return Some(format!("the share of the variance that components keep: {}", named.join(", ")));
    }
    let rows: u64 = details.answers.iter().map(|answer| answer.rows).sum();
    if rows == 0 {
        return Some("explainedVariance is not measured: no column varies in the rows measured".to_owned());
    }
    let silhouette = Metric::Silhouette.name();
    let noise = details.answers.iter().find(|answer| answer.answer == NOISE).map(|noise| noise.rows);
    if let Some(noise) = noise.filter(|noise| *noise > 0) {
        return Some(format!(
            "{noise} of {rows} rows are noise (cluster {NOISE}), and {silhouette} is of the others"
        ));
    }
    if details.answers.len() == 1 {
        let parameter = if is_measured(Metric::Inertia) { "nClusters" } else { "nComponents" };
        return Some(format!(
            "{silhouette} is not measured: the model has one cluster; set {parameter} to 2 or more"
        ));
    }
    if !is_measured(Metric::Silhouette) {
        return Some(format!(
            "{silhouette} is not measured: it needs rows of at least two clusters, and fewer clusters than rows"
        ));
    }
    (details.measured_rows < rows)
        .then(|| format!("{silhouette} is of {} of {rows} rows, evenly spread", details.measured_rows))
}

/// Says so where the model is no better than one that knows only the target.
fn not_better(evaluation: &Evaluation, gate: Option<&Gate>) -> Option<String> {
    let main = Metric::main(&evaluation.metrics, gate.map(|gate| gate.metric))?;
    let known = evaluation.naive.as_ref()?;
    let (own, naive) = (*evaluation.metrics.get(main.name())?, *known.metrics.get(main.name())?);
    let is_better = if main.smaller_is_better() { own < naive } else { own > naive };
    (!is_better).then(|| {
        format!(
            "{name} {own:.4} does not beat the naive baseline's {naive:.4}, which always answers {}",
            known.answers,
            name = main.name()
        )
    })
}

/// Names the columns that the model answers by.
pub(super) fn most_important(evaluation: &Evaluation) -> Option<String> {
    let found = evaluation.importance.as_ref()?;
    let named = found.columns.iter().filter(|column| column.mean > 0.0).take(MOST_NAMED);
    let named: Vec<String> =
        named.map(|column| format!("{} {:.4}", short(&column.column), column.mean)).collect();
    (!named.is_empty()).then(|| {
        format!(
            "what matters most, by how far {} falls when it is shuffled: {}",
            found.metric,
            named.join(", ")
        )
    })
}
