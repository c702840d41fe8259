//! What each kind of step needs to make sense. Must not know any of them.

use mlpipeline_crds::{PodSettings, step_kinds};

use super::errors::Errors;
use crate::step_kind::ValidAction;

/// A kind of step that is checked beside what the schema says. Each has a file here that does.
pub(super) trait Checked {
    /// Checks what the step does, with the settings that its pods have in the end.
    fn check(&self, pod: &PodSettings, path: &str, errors: &mut Errors);
}

macro_rules! check_each {
    ($($(#[$doc:meta])* $kind:ident $field:ident;)+) => {
        /// Checks what a step does, with the settings that its pods have in the end.
        pub(super) fn check_action(action: &ValidAction, pod: &PodSettings, path: &str, errors: &mut Errors) {
            match action {
                $(ValidAction::$kind(spec) => spec.check(pod, &format!("{path}.{}", stringify!($field)), errors),)+
            }
        }
    };
}

step_kinds!(check_each);
