//! References between steps: that they lead somewhere, to something of the right kind.

use mlpipeline_crds::{MLPipelineSpec, Step, StepKind};

use super::errors::Errors;
use super::long_running::is_long_running;
use crate::quoted::quoted;
use crate::step_kind::{ValidAction, Wanted};

/// What a reference must lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    /// A result that is read.
    Read(Wanted),
    /// Files that come one by one: a continuous step's.
    Files,
}

/// Checks every reference of a step to another.
pub(super) fn check_references(spec: &MLPipelineSpec, step: &Step, path: &str, errors: &mut Errors) {
    if let Some(action) = ValidAction::of(step) {
        let descriptor = action.descriptor();
        let kind = descriptor.kind().name();
        for read in descriptor.reads() {
            let path = format!("{path}.{kind}.{}", read.field);
            check_reference(spec, step, &read.step, path, Target::Read(read.wanted), errors);
        }
        if let Some(watched) = descriptor.watches() {
            let path = format!("{path}.{kind}.inputs[0].step");
            check_reference(spec, step, watched, path, Target::Files, errors);
        }
    }
    for (index, reference) in step.after.iter().enumerate() {
        check_exists(spec, step, reference, &format!("{path}.after[{index}]"), errors);
    }
}

fn check_exists<'a>(
    spec: &'a MLPipelineSpec,
    step: &Step,
    reference: &str,
    path: &str,
    errors: &mut Errors,
) -> Option<&'a Step> {
    if reference == step.name {
        errors.add(path, format!("{} is the step itself", quoted(reference)));
        return None;
    }
    let found = spec.steps.iter().find(|other| other.name == reference);
    if found.is_none() {
        let names: Vec<&str> =
            spec.steps.iter().map(|other| other.name.as_str()).filter(|name| *name != step.name).collect();
        let hint = match closest(reference, names.iter().copied()) {
            Some(name) => format!("did you mean {}?", quoted(name)),
            None if names.is_empty() => "there is no other step".to_owned(),
            None => format!("there are {}", names.join(", ")),
        };
        errors.add_with_hint(path, format!("there is no step {}", quoted(reference)), hint);
    }
    found
}

fn check_reference(
    spec: &MLPipelineSpec,
    step: &Step,
    reference: &str,
    path: String,
    target: Target,
    errors: &mut Errors,
) {
    let Some(found) = check_exists(spec, step, reference, &path, errors) else { return };
    let Some(kind) = found.kind() else { return };
    let is_long_running = is_long_running(found);
    let flows = ValidAction::of(found).is_some_and(|action| action.descriptor().is_continuous());
    if flows && target != Target::Files {
        errors.add_with_hint(
            path,
            format!("{} is continuous: it makes file after file, and never a result that is done", quoted(reference)),
            "only another continuous step can read it; a step with a schedule can read its files, at file:NAMESPACE/PIPELINE/STEP/published/*",
        );
        return;
    }
    let fits = match target {
        Target::Files => flows,
        Target::Read(Wanted::Model) => kind.makes_model(),
        Target::Read(Wanted::Data) => !kind.makes_model() && !is_long_running,
        Target::Read(Wanted::Result) => !is_long_running,
    };
    if !fits {
        let needs = match target {
            Target::Files => "another continuous step, or files at a uri file:FOLDER/NAME".to_owned(),
            Target::Read(Wanted::Model) => of_kinds(&StepKind::any_that(StepKind::makes_model)),
            Target::Read(Wanted::Data) => {
                let makes_data = |kind: StepKind| !kind.makes_model() && !kind.answers_predictions();
                format!("{} that makes data", of_kinds(&StepKind::any_that(makes_data)))
            }
            Target::Read(Wanted::Result) => "a step that runs to completion".to_owned(),
        };
        errors.add(path, format!("{} is {}; this needs {needs}", quoted(reference), of_kinds(kind.name())));
    }
}

/// A step of one of these kinds, in words.
fn of_kinds(kinds: &str) -> String {
    let article = if kinds.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {kinds} step")
}

/// The candidate that was probably meant: the one fewest edits away, where that is few enough.
pub fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .map(|candidate| (strsim::osa_distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_a_strange_one_finds_none() {
        let names = ["data", "train", "api"];
        assert_eq!(closest("trian", names.into_iter()), Some("train"));
        assert_eq!(closest("dat", names.into_iter()), Some("data"));
        assert_eq!(closest("something", names.into_iter()), None);
    }
}
