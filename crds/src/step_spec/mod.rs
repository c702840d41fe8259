//! What the operator, or the laptop, hands to the worker: one step with everything resolved.

mod arguments;

use serde::{Deserialize, Serialize};

use crate::step_version::{DIGESTS_VERSION, NEWEST_FIELD_VERSION, OLDEST_STEP_SPEC_VERSION};
use crate::step_work::StepWork;
use crate::{DataSource, Delivery, Format, Revision, worker_actions};

/// One step for the worker to do. Paths are relative to the worker's storage folder and never leave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepSpec {
    /// From [`OLDEST_STEP_SPEC_VERSION`] to [`crate::STEP_SPEC_VERSION`]; a worker refuses any other. [`StepSpec::to_json`] writes the
    /// lowest version that can say the step, so that a pinned, older worker image still runs what it can run.
    pub version: u32,
    /// The pipeline's namespace.
    pub namespace: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The step's name.
    pub step: String,
    /// How the result is named.
    pub revision: RevisionRule,
    /// Revisions of this step to remove once it is done: those beyond the pipeline's history that nobody reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Revision>,
    /// What to do.
    pub action: Action,
}

impl StepSpec {
    /// The folder of all of this step's revisions, relative to the storage folder: namespace/pipeline/step.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{}/{}/{}", self.namespace, self.pipeline, self.step)
    }

    /// The lowest version that can say this step. Version 2 added `reading` to the sources, version 3 `concurrentRequests` to the
    /// delivery and `columns` to train steps, version 4 the digests of artifacts, `groupBy` of train steps, and `by` and `column` of
    /// their split, and version 5 parameters of algorithms, `tune`, train steps without a target, columns that are taken as
    /// `text`, `target` or `hash`, and import steps.
    #[must_use]
    pub fn lowest_version(&self) -> u32 {
        let has_reading = |source: &DataSource| matches!(source, DataSource::Uri { reading: Some(_), .. });
        let has_requests =
            self.action.delivery().is_some_and(|(delivery, _)| delivery.concurrent_requests.is_some());
        let of_kind = self.action.work().lowest_version();
        [
            (self.action.names_digests(), DIGESTS_VERSION),
            (has_requests, 3),
            (self.action.sources().into_iter().any(has_reading), 2),
        ]
        .into_iter()
        .filter_map(|(is_said, version)| is_said.then_some(version))
        .fold(of_kind, u32::max)
    }

    /// The step as the worker reads it, in the lowest version that can say it.
    ///
    /// # Errors
    /// None is known: all of it is plain data with text for keys.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Self { version: self.lowest_version(), ..self.clone() })
    }
}

/// How a result is named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RevisionRule {
    /// By this revision: a complete artifact of it means that there is nothing to do.
    Fixed(Revision),
    /// By [`Revision::of`] this fingerprint and the digest of what was produced: each run of a schedule does its work, and a run
    /// that brought nothing new ends at a revision that is there already.
    ByContent(Revision),
}

macro_rules! define_actions {
    ($($(#[$doc:meta])* $kind:ident($step:ident) $field:ident;)+) => {
        /// What a step does.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(clippy::large_enum_variant, reason = "a process has one step, and a plan one for each step")]
        pub enum Action {
            $($(#[$doc])* $kind(crate::$step),)+
        }

        impl Action {
            /// The name of every kind, with the first version of the step spec that knows it.
            pub const SINCE: &[(&str, u32)] = &[$((stringify!($field), crate::$step::SINCE)),+];

            /// The kind's name, as in a step of the resource.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => stringify!($field),)+
                }
            }

            fn work(&self) -> &dyn StepWork {
                match self {
                    $(Self::$kind(step) => step,)+
                }
            }

            fn work_mut(&mut self) -> &mut dyn StepWork {
                match self {
                    $(Self::$kind(step) => step,)+
                }
            }
        }

        /// The newest version of [`StepSpec`]: the one that knows every field, and every kind. What each version added is in
        /// [`StepSpec::lowest_version`].
        pub const STEP_SPEC_VERSION: u32 = newest(&[NEWEST_FIELD_VERSION, $(crate::$step::SINCE),+]);
    };
}

worker_actions!(define_actions);

const fn newest(versions: &[u32]) -> u32 {
    match versions {
        [] => OLDEST_STEP_SPEC_VERSION,
        [first, rest @ ..] => {
            let of_rest = newest(rest);
            if *first > of_rest { *first } else { of_rest }
        }
    }
}

impl Action {
    /// Where the result is delivered beside storage, and the format it has.
    #[must_use]
    pub fn delivery(&self) -> Option<(&Delivery, Format)> {
        self.work().delivery()
    }

    /// What the step reads rows from.
    #[must_use]
    pub fn sources(&self) -> Vec<&DataSource> {
        self.work().sources()
    }

    /// Whether it writes to storage.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.work().writes()
    }

    /// Whether it says of an artifact that it reads which content it must have.
    fn names_digests(&self) -> bool {
        self.work().model_digest().is_some()
            || self.sources().into_iter().any(|source| match source {
                DataSource::Artifact { digest, .. } => digest.is_some(),
                DataSource::Uri { .. } => false,
            })
    }

    /// Every URI that the step reads from or delivers to.
    pub fn uris_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.work_mut().uris_mut().into_iter()
    }

    /// Whether the work continues until the process is stopped, rather than to an end of its own.
    #[must_use]
    pub fn is_long_running(&self) -> bool {
        self.work().is_long_running()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(source: serde_json::Value) -> StepSpec {
        let spec = json!({
            "version": STEP_SPEC_VERSION, "namespace": "ml", "pipeline": "iris", "step": "data",
            "revision": {"fixed": "0123456789ab"},
            "action": {"prepare": {"inputs": [{"name": "t", "source": source}], "format": "csv"}},
        });
        serde_json::from_value(spec).expect("a step")
    }

    #[test]
    fn the_lowest_version_that_can_say_a_step_is_written() {
        let plain = step(json!({"uri": {"uri": "file:a.csv"}}));
        let reading = step(json!({"uri": {"uri": "file:a.csv", "reading": {"delimiter": ";"}}}));
        let mut concurrent = plain.clone();
        if let Action::Prepare(step) = &mut concurrent.action {
            let delivery = json!({"uri": "http://api/", "concurrentRequests": 4});
            step.delivery = Some(serde_json::from_value(delivery).expect("a delivery"));
        }
        let named =
            step(json!({"artifact": {"path": "ml/iris/rows/0123456789ab", "digest": "d".repeat(64)}}));
        let unnamed = step(json!({"artifact": {"path": "ml/iris/rows/0123456789ab"}}));
        let trains = |fields: serde_json::Value| {
            let mut action = json!({
                "data": {"uri": {"uri": "file:a.csv"}}, "target": "y", "algorithm": {"logisticRegression": {}},
            });
            fields.as_object().expect("fields").iter().for_each(|(name, value)| action[name] = value.clone());
            StepSpec {
                action: serde_json::from_value(json!({"train": action})).expect("an action"),
                ..plain.clone()
            }
        };
        let shuffled = trains(json!({"split": {"test": 0.2, "seed": 1}}));
        let hashed = trains(json!({"split": {"test": 0.2, "by": "hash"}}));
        let grouped = trains(json!({"groupBy": "customer"}));
        let stopping = trains(
            json!({"algorithm": {"gradientBoosting": {"earlyStopping": "auto"}}, "groupBy": "customer"}),
        );
        let tuned = trains(json!({"tune": {"parameters": {"alpha": [1, 2]}}}));
        let untargeted = trains(json!({"target": null, "algorithm": {"kMeans": {}}}));
        let hashed_column = trains(json!({"columns": [{"name": "zip", "as": "hash"}]}));
        let scaled = trains(json!({"scale": "minMax"}));
        let scaled_column = trains(json!({"columns": [{"name": "age", "scale": "standard"}]}));
        let of_one = [(shuffled, 1), (plain, 1), (unnamed, 1)];
        let of_more = [
            (reading, 2),
            (concurrent, 3),
            (named, 4),
            (hashed, 4),
            (grouped, 4),
            (stopping, 5),
            (tuned, 5),
            (untargeted, 5),
            (hashed_column, 5),
            (scaled, 5),
            (scaled_column, 5),
        ];
        for (spec, version) in of_one.into_iter().chain(of_more) {
            let written: StepSpec = serde_json::from_str(&spec.to_json().expect("JSON")).expect("a step");
            assert_eq!(written, StepSpec { version, ..spec });
        }
    }
}
