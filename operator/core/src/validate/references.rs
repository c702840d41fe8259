//! References between steps: that they lead somewhere, to something of the right kind.

use mlpipeline_crds::{MLPipelineSpec, Step, StepKind};

use super::Errors;
use super::steps::is_long_running;
use crate::quoted::quoted;

/// What a reference must lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// A dataset, predictions, or the files of a run step.
    Data,
    /// Files that come one by one: a continuous step's.
    Files,
    /// A model.
    Model,
    /// Anything that runs to completion.
    Result,
}

/// Checks every reference of a step to another.
pub(super) fn check_references(spec: &MLPipelineSpec, step: &Step, path: &str, errors: &mut Errors) {
    let mut check =
        |reference: &str, path: String, wanted| check_reference(spec, step, reference, path, wanted, errors);
    if let Some(prepare) = &step.prepare {
        let wanted = if prepare.continuous.is_some() { Wanted::Files } else { Wanted::Data };
        for (index, input) in prepare.inputs.iter().enumerate() {
            if let Some(reference) = &input.step {
                check(reference, format!("{path}.prepare.inputs[{index}].step"), wanted);
            }
        }
    }
    if let Some(reference) = step.train.as_ref().and_then(|train| train.data.step.as_ref()) {
        check(reference, format!("{path}.train.data.step"), Wanted::Data);
    }
    if let Some(serve) = &step.serve {
        check(&serve.model.step, format!("{path}.serve.model.step"), Wanted::Model);
    }
    if let Some(score) = &step.score {
        check(&score.model.step, format!("{path}.score.model.step"), Wanted::Model);
        if let Some(reference) = &score.input.step {
            check(reference, format!("{path}.score.input.step"), Wanted::Data);
        }
    }
    for (index, input) in step.run.iter().flat_map(|run| &run.inputs).enumerate() {
        check(&input.step, format!("{path}.run.inputs[{index}].step"), Wanted::Result);
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
    wanted: Wanted,
    errors: &mut Errors,
) {
    let Some(found) = check_exists(spec, step, reference, &path, errors) else { return };
    let Some(kind) = found.kind() else { return };
    let is_long_running = is_long_running(found);
    let flows = found.prepare.as_ref().is_some_and(|prepare| prepare.continuous.is_some());
    if flows && wanted != Wanted::Files {
        errors.add_with_hint(
            path,
            format!("{} is continuous: it makes file after file, and never a result that is done", quoted(reference)),
            "only another continuous step can read it; a step with a schedule can read its files, at file:NAMESPACE/PIPELINE/STEP/published/*",
        );
        return;
    }
    let fits = match wanted {
        Wanted::Files => flows,
        Wanted::Model => kind == StepKind::Train,
        Wanted::Data => kind != StepKind::Train && !is_long_running,
        Wanted::Result => !is_long_running,
    };
    if !fits {
        let needs = match wanted {
            Wanted::Model => "a train step",
            Wanted::Files => "another continuous step, or files at a uri file:FOLDER/NAME",
            Wanted::Data => "a prepare, score or run step that makes data",
            Wanted::Result => "a step that runs to completion",
        };
        errors.add(path, format!("{} is a {} step; this needs {needs}", quoted(reference), kind.name()));
    }
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
