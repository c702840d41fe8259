//! What a step does, with the spec of its kind. Its kinds are those of the table in `mlpipeline_crds`.

use mlpipeline_crds::{Step, StepKind, step_kinds};
use serde::Deserialize;

use super::Descriptor;

macro_rules! define_action {
    ($($(#[$doc:meta])* $kind:ident $field:ident;)+) => {
        /// What a step does. It can be read from the fingerprint of an earlier run too, whose step was valid then.
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(clippy::large_enum_variant, reason = "there is one for each step of a spec, 64 at most")]
        pub enum ValidAction {
            $($(#[$doc])* $kind(mlpipeline_crds::$kind),)+
        }

        impl ValidAction {
            /// What a step that is of exactly one kind does.
            #[must_use]
            pub fn of(step: &Step) -> Option<Self> {
                match step.kind()? {
                    $(StepKind::$kind => step.$field.clone().map(Self::$kind),)+
                }
            }

            /// What its kind answers about it.
            #[must_use]
            pub fn descriptor(&self) -> &dyn Descriptor {
                match self {
                    $(Self::$kind(spec) => spec,)+
                }
            }

            /// The same, to be completed with what the pipeline says.
            pub fn descriptor_mut(&mut self) -> &mut dyn Descriptor {
                match self {
                    $(Self::$kind(spec) => spec,)+
                }
            }
        }
    };
}

step_kinds!(define_action);
