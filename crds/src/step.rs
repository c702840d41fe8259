//! One step of a pipeline, and its schedule.

use kube::KubeSchema;
use kube::core::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PodSettings;

// A kind's file has what users write of it, and what a worker gets of that.
mod import;
mod prepare;
mod run;
mod score;
mod serve;
mod train;

pub use import::*;
pub use prepare::*;
pub use run::*;
pub use score::*;
pub use serve::*;
pub use train::*;

/// One step: exactly one of prepare, train, import, serve, score and run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[x_kube(validation = exactly_one_kind())]
#[x_kube(validation = Rule::new("!has(self.schedule) || !has(self.serve)").message("a serve step runs all the time: leave out schedule").field_path(".schedule"))]
#[x_kube(validation = Rule::new("!has(self.schedule) || !has(self.prepare) || !has(self.prepare.continuous)").message("a continuous step runs all the time: leave out schedule").field_path(".schedule"))]
#[x_kube(validation = Rule::new("!has(self.parallelism) || has(self.run) || (has(self.train) && has(self.train.tune))").message("parallelism goes with a run step, and with a train step that tunes").field_path(".parallelism"))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The step's name: other steps refer to it, and its objects are named after it.
    #[schemars(length(min = 1, max = 40), regex(pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Extract, transform and check data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepare: Option<Prepare>,
    /// Train a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Train>,
    /// Take a model that was made elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
    /// Answer predictions over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serve: Option<Serve>,
    /// Predict for many rows at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Run any container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// Steps that must be done first although this one reads nothing of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "atomic"), inner(length(min = 1, max = 40)))]
    pub after: Vec<String>,
    /// Run again and again, at these times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// How often a failed attempt is repeated, where repeating can help; 3 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub retries: Option<i32>,
    /// The longest that the step may take, over all attempts: "90s", "30m", "2h", or "1h30m". No limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 20), regex(pattern = "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"))]
    pub timeout: Option<String>,
    /// How many pods of a run step's Job work at the same time, or measure the trials of a train step's `tune`; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub parallelism: Option<i32>,
    /// Any change of this token re-does the step and what follows from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 128))]
    pub rerun: Option<String>,
    /// Settings of this step's pods, over those of the pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<PodSettings>,
}

/// The table of kinds. It calls the macro that it is given with one row a kind: what it does, its type, and its field in a step. What
/// lists kinds, here and in other crates, is derived from it, and so are the modules of the kinds' files there.
#[macro_export]
macro_rules! step_kinds {
    ($with:ident) => {
        $with! {
            /// Extract, transform and check data.
            Prepare prepare;
            /// Train a model.
            Train train;
            /// Take a model that was made elsewhere.
            Import import;
            /// Answer predictions.
            Serve serve;
            /// Predict for many rows.
            Score score;
            /// Run any container.
            Run run;
        }
    };
}

/// The table of what a worker does: what becomes of a kind of step, its type, and the kind's field in a step. Of a kind that is not here a
/// worker does nothing. It calls the macro that it is given with one row each.
#[macro_export]
macro_rules! worker_actions {
    ($with:ident) => {
        $with! {
            /// Make a dataset.
            Prepare(PrepareStep) prepare;
            /// Make a model.
            Train(TrainStep) train;
            /// Publish a model that was made elsewhere.
            Import(ImportStep) import;
            /// Answer predictions until stopped. Publishes nothing.
            Serve(ServeStep) serve;
            /// Make predictions for a dataset.
            Score(ScoreStep) score;
        }
    };
}

macro_rules! define_kinds {
    ($($(#[$doc:meta])* $kind:ident $field:ident;)+) => {
        /// What a step does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        pub enum StepKind {
            $($(#[$doc])* $kind,)+
        }

        impl StepKind {
            /// Every kind there is.
            pub const ALL: [Self; [$(Self::$kind),+].len()] = [$(Self::$kind),+];

            /// The name of the kind's field in a step.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => stringify!($field),)+
                }
            }
        }

        impl Step {
            /// Every kind that the step names.
            #[must_use]
            pub fn kinds(&self) -> Vec<StepKind> {
                // All fields are named, so that one that is neither a kind of the table nor listed here does not compile.
                let Self {
                    $($field,)+
                    name: _,
                    after: _,
                    schedule: _,
                    retries: _,
                    timeout: _,
                    parallelism: _,
                    rerun: _,
                    pod: _,
                } = self;
                let present = [$((StepKind::$kind, $field.is_some())),+];
                present.into_iter().filter(|(_, is_present)| *is_present).map(|(kind, _)| kind).collect()
            }
        }
    };
}

step_kinds!(define_kinds);

/// The API server's rule that a step names one kind.
fn exactly_one_kind() -> Rule {
    let present = StepKind::ALL.map(|kind| format!("has(self.{})", kind.name())).join(", ");
    let message = format!("a step is exactly one of {}", StepKind::listed());
    Rule::new(format!("[{present}].filter(x, x).size() == 1")).message(message.as_str())
}

impl StepKind {
    /// The names of all kinds, for a sentence.
    #[must_use]
    pub fn listed() -> String {
        in_words(&Self::ALL.map(Self::name), "and")
    }

    /// The names of the kinds of which this holds, for a sentence: "train or import".
    #[must_use]
    pub fn any_that(holds: impl Fn(Self) -> bool) -> String {
        let names: Vec<&str> = Self::ALL.into_iter().filter(|kind| holds(*kind)).map(Self::name).collect();
        in_words(&names, "or")
    }

    /// Whether its result is a model.
    #[must_use]
    pub fn makes_model(self) -> bool {
        match self {
            Self::Train | Self::Import => true,
            Self::Prepare | Self::Serve | Self::Score | Self::Run => false,
        }
    }

    /// Whether its result is a dataset of the worker's.
    #[must_use]
    pub fn makes_dataset(self) -> bool {
        match self {
            Self::Prepare | Self::Score => true,
            Self::Train | Self::Import | Self::Serve | Self::Run => false,
        }
    }

    /// Whether its pods answer predictions.
    #[must_use]
    pub fn answers_predictions(self) -> bool {
        match self {
            Self::Serve => true,
            Self::Prepare | Self::Train | Self::Import | Self::Score | Self::Run => false,
        }
    }
}

fn in_words(names: &[&str], last_word: &str) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [others @ .., last] => format!("{} {last_word} {last}", others.join(", ")),
    }
}

/// A step's result, named where another step reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepReference {
    /// The step whose result to read.
    #[schemars(length(min = 1, max = 40))]
    pub step: String,
}

/// When a step runs again. The fields mean what they mean in a CronJob.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// Five fields as in crontab (minute, hour, day of month, month, day of week), or @hourly, @daily, @weekly, @monthly, @yearly.
    #[schemars(length(min = 1, max = 128))]
    pub cron: String,
    /// The IANA name of the time zone that the cron fields speak of; that of the cluster's controller manager when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
    /// What to do when the run before is not over; Forbid when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency_policy: Option<ConcurrencyPolicy>,
    /// How late a run may start before it is left out, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub starting_deadline_seconds: Option<i64>,
    /// Start no further runs of this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// What to do when a run is due and the one before is not over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConcurrencyPolicy {
    /// Run both.
    Allow,
    /// Leave the new one out.
    #[default]
    Forbid,
    /// Stop the old one.
    Replace,
}

impl Step {
    /// The step's kind, where it is exactly one.
    #[must_use]
    pub fn kind(&self) -> Option<StepKind> {
        if let [only] = self.kinds().as_slice() { Some(*only) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_that_list_kinds_list_each() {
        let description = schemars::schema_for!(Step).get("description").cloned();
        let expected = format!("One step: exactly one of {}.", StepKind::listed());
        assert_eq!(description, Some(expected.into()));
        assert_eq!(StepKind::any_that(StepKind::makes_model), "train or import");
        assert_eq!(StepKind::any_that(|kind| kind == StepKind::Run), "run");
    }
}
