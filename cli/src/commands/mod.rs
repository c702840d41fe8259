//! One module a command: from its arguments to its exit status.

mod cluster;
pub mod local;
pub mod plan;
mod source;
pub mod trials;
pub mod validate;
pub mod watchdog;

use std::collections::BTreeSet;

use crate::args::{Files, Place};
use crate::manifest::{Found, Manifests, Namespace};
use crate::show;

/// Reads the files; prints what is wrong with them on standard error.
pub fn read(files: &Files, namespace: Namespace<'_>) -> Option<Manifests> {
    let manifests = Manifests::read(&files.files, namespace);
    (!report_problems(&manifests)).then_some(manifests)
}

/// Prints what is wrong on standard error; returns whether anything is.
pub fn report_problems(manifests: &Manifests) -> bool {
    for problem in &manifests.problems {
        show::error(&problem.to_string());
    }
    !manifests.problems.is_empty()
}

/// The pipeline that the arguments choose, by its name or as NAMESPACE/NAME.
pub fn choose(found: Vec<Found>, place: &Place) -> Result<Found, String> {
    let full = |found: &Found| format!("{}/{}", found.pipeline.namespace, found.pipeline.name);
    let names: Vec<String> = found.iter().map(|found| found.pipeline.name.clone()).collect();
    let is_ambiguous = names.iter().collect::<BTreeSet<_>>().len() < names.len();
    let listed = if is_ambiguous { found.iter().map(full).collect() } else { names }.join(", ");
    let mut fitting: Vec<Found> = match &place.pipeline {
        Some(name) => {
            found.into_iter().filter(|found| found.pipeline.name == *name || full(found) == *name).collect()
        }
        None => found,
    };
    match (fitting.pop(), fitting.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) if fitting.iter().any(|other| full(other) == full(&last)) => {
            Err(format!("several files hold the pipeline {}: name one of the files only", full(&last)))
        }
        (Some(_), false) => {
            let form = if is_ambiguous { "NAMESPACE/NAME" } else { "NAME" };
            Err(format!("the files hold several pipelines: {listed}; choose one with --pipeline {form}"))
        }
        (None, _) => Err(format!("no pipeline has that name; there are {listed}")),
    }
}
