//! What a continuous step needs: one input whose files come one by one, and nobody else who takes them.

use std::collections::BTreeMap;

use mlpipeline_crds::{Input, MLPipelineSpec, Prepare, Step};

use super::errors::Errors;
use crate::duration::parse_duration;
use crate::format::replaces;
use crate::quoted::quoted;
use crate::step_kind::ValidAction;

/// The shortest and longest time between two polls for new files, in seconds.
const POLL_SECONDS: (u64, u64) = (1, 3600);

/// Checks a prepare step that has `continuous`.
pub(super) fn check(prepare: &Prepare, path: &str, errors: &mut Errors) {
    let interval = prepare.continuous.as_ref().and_then(|continuous| continuous.poll_interval.as_deref());
    if let Some(text) = interval {
        let seconds = parse_duration(text);
        if !seconds.is_some_and(|seconds| (POLL_SECONDS.0..=POLL_SECONDS.1).contains(&seconds)) {
            errors.add_with_hint(
                format!("{path}.continuous.pollInterval"),
                format!("{} is not a valid duration from one second to an hour", quoted(text)),
                "write hours, minutes and seconds: \"5s\", \"1m30s\", \"1h\"",
            );
        }
    }
    let output = prepare.output.as_ref();
    errors.require(
        output.is_none_or(|output| output.uri.is_none() || output.format.is_none()),
        format!("{path}.output.format"),
        "is that of files, and a continuous step that sends its results keeps none of them: leave it out",
    );
    let uri = output.and_then(|output| output.uri.as_deref());
    errors.require(
        uri.is_none_or(|uri| !replaces(uri)),
        format!("{path}.output.uri"),
        "continuous steps send results over http or hand them to another step: one object or table would hold those of the last file only",
    );
    let [input] = prepare.inputs.as_slice() else {
        errors.add(
            format!("{path}.inputs"),
            format!(
                "a continuous step has exactly one input, whose files it takes as they come; this has {}",
                prepare.inputs.len()
            ),
        );
        return;
    };
    check_input(input, &format!("{path}.inputs[0]"), errors);
}

fn check_input(input: &Input, path: &str, errors: &mut Errors) {
    errors.require(
        input.sha256.is_none(),
        format!("{path}.sha256"),
        "is that of one content, and a continuous step reads new files: leave it out",
    );
    let Some(uri) = &input.uri else { return };
    let Some(pattern) = uri.strip_prefix("file:") else {
        errors.add_with_hint(
            format!("{path}.uri"),
            format!("{} cannot be watched for new files", quoted(uri)),
            "write file:folder/*.csv, files on the pipeline's volume, or read another continuous step; a schedule fetches a URL again and again",
        );
        return;
    };
    // Files are moved from where they are found, which must never be a folder of artifacts: those lie below the
    // namespace's, whose name no first part with a wildcard may meet by chance.
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let is_own = parts.len() >= 2 && parts.first().is_some_and(|first| !first.contains('*'));
    if !is_own {
        errors.add_with_hint(
            format!("{path}.uri"),
            format!("{} names no folder of its own to watch", quoted(uri)),
            "write file:FOLDER/NAME, where only parts after the first have a *: file:inbox/*.csv",
        );
    }
}

/// Checks that no file could go to either of two steps, and that none is taken from where artifacts lie.
pub(super) fn check_all(spec: &MLPipelineSpec, namespace: &str, errors: &mut Errors) {
    let mut takers: BTreeMap<String, &Step> = BTreeMap::new();
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(action) = ValidAction::of(step) else { continue };
        let descriptor = action.descriptor();
        let path = format!("spec.steps[{index}].{}.inputs[0]", descriptor.kind().name());
        let inbox = descriptor.inbox();
        let folder = inbox
            .and_then(|uri| uri.strip_prefix("file:"))
            .and_then(|path| path.split('/').find(|part| !part.is_empty() && *part != "."));
        if let Some(uri) = inbox.filter(|_| folder == Some(namespace)) {
            errors.add_with_hint(
                format!("{path}.uri"),
                format!("{} is where the artifacts of namespace {namespace} lie, and taking files there would break them", quoted(uri)),
                "watch another folder, or read a continuous step by its name",
            );
        }
        let Some(place) = inbox.or_else(|| descriptor.watches()) else { continue };
        if let Some(other) = takers.insert(place.to_owned(), step) {
            errors.add_with_hint(
                path,
                format!(
                    "{} is read by {} too, and each file goes to one step only",
                    quoted(place),
                    quoted(&other.name)
                ),
                "let a third step read what one of the two makes, or have the files written twice",
            );
        }
    }
}
