//! `validate`: everything that is wrong with some files, at once.

use serde_json::json;

use crate::args::{Output, Validate};
use crate::exit_status::ExitStatus;
use crate::manifest::Manifests;
use crate::show;

/// Checks the files.
pub fn run(arguments: &Validate) -> ExitStatus {
    let files = &arguments.files;
    let manifests = Manifests::read(&files.files, files.namespace.as_deref().into());
    let is_valid = manifests.problems.is_empty();
    let names: Vec<String> = manifests
        .pipelines
        .iter()
        .map(|found| format!("{}/{}", found.pipeline.namespace, found.pipeline.name))
        .collect();
    if files.output == Some(Output::Json) {
        show::json(&json!({
            "valid": is_valid,
            "pipelines": names,
            "errors": manifests.problems,
            "notes": manifests.notes,
        }));
    } else {
        for note in &manifests.notes {
            show::note(note);
        }
        super::report_problems(&manifests);
        for found in &manifests.pipelines {
            let pipeline = &found.pipeline;
            let steps = match pipeline.steps.len() {
                1 => "1 step".to_owned(),
                count => format!("{count} steps"),
            };
            let (file, namespace, name) = (found.file.display(), &pipeline.namespace, &pipeline.name);
            show::line(&format!("{file}: pipeline {namespace}/{name} is valid, {steps}"));
        }
    }
    if is_valid { ExitStatus::Success } else { ExitStatus::Failure }
}
