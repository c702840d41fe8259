//! One module a command: from its arguments to its exit status.

mod cluster;
pub mod local;
pub mod plan;
mod source;
pub mod trials;
pub mod validate;
pub mod watchdog;

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

/// The pipeline that the arguments choose.
pub fn choose(found: Vec<Found>, place: &Place) -> Result<Found, String> {
    let names: Vec<String> = found.iter().map(|found| found.pipeline.name.clone()).collect();
    let mut fitting: Vec<Found> = match &place.pipeline {
        Some(name) => found.into_iter().filter(|found| found.pipeline.name == *name).collect(),
        None => found,
    };
    match (fitting.pop(), fitting.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(format!(
            "the files hold several pipelines: {}; choose one with --pipeline NAME",
            names.join(", ")
        )),
        (None, _) => Err(format!("no pipeline has that name; there are {}", names.join(", "))),
    }
}
