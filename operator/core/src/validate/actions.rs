//! What each kind of step needs to make sense.

use mlpipeline_crds::PodSettings;

use super::errors::Errors;
use super::{data, import, output, prepare, run, serve, train};
use crate::step_kind::ValidAction;

/// Checks what a step does, with the settings that its pods have in the end.
pub(super) fn check_action(action: &ValidAction, pod: &PodSettings, path: &str, errors: &mut Errors) {
    match action {
        ValidAction::Prepare(prepare) => prepare::check(prepare, &format!("{path}.prepare"), errors),
        ValidAction::Train(train) => train::check(train, &format!("{path}.train"), errors),
        ValidAction::Import(import) => import::check(import, &format!("{path}.import"), errors),
        ValidAction::Serve(serve) => serve::check(serve, pod, &format!("{path}.serve"), errors),
        ValidAction::Score(score) => {
            data::check(&score.input, &format!("{path}.score.input"), errors);
            output::check(score.output.as_ref(), &format!("{path}.score.output"), errors);
        }
        ValidAction::Run(run) => run::check(run, pod, &format!("{path}.run"), errors),
    }
}
