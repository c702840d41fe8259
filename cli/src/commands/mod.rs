//! One module a command: from its arguments to how it ended.

mod cluster;
pub mod lifeline;
pub mod local;
pub mod plan;
pub mod validate;

use crate::args::{Files, Place};
use crate::manifest::{Found, Manifests};
use crate::show;

/// Reads the files; says what is wrong with them on standard error.
pub fn read(files: &Files) -> Option<Manifests> {
    let manifests = Manifests::read(&files.files, files.namespace.as_deref());
    (!tell_problems(&manifests)).then_some(manifests)
}

/// Says what is wrong on standard error; whether anything is.
pub fn tell_problems(manifests: &Manifests) -> bool {
    for problem in &manifests.problems {
        show::error(&problem.to_string());
    }
    !manifests.problems.is_empty()
}

/// The pipeline that is meant.
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
        (None, _) => Err(format!("there is no pipeline of that name; there are {}", names.join(", "))),
    }
}
