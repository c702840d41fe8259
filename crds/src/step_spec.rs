//! What the operator, or the laptop, hands to the worker: one step with everything resolved.

use serde::{Deserialize, Serialize};

use crate::{Algorithm, Check, CrossValidation, Format, Gate, OnMismatch, Reading, Revision, Split};

/// The newest version of [`StepSpec`]: the one that knows every field. What each version added is in [`StepSpec::lowest_version`].
pub const STEP_SPEC_VERSION: u32 = 2;

/// The oldest version that a worker of this release still reads.
pub const OLDEST_STEP_SPEC_VERSION: u32 = 1;

/// The most bytes of one process argument that a step is handed over in. Linux refuses an argument of 128 KiB.
const ARGUMENT_LIMIT: usize = 100 << 10;

/// One step for the worker to do. Paths are relative to the worker's storage folder and never leave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepSpec {
    /// From [`OLDEST_STEP_SPEC_VERSION`] to [`STEP_SPEC_VERSION`]; a worker refuses any other. [`StepSpec::to_json`] writes the
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

    /// The lowest version that can say this step. Version 2 added `reading` to the sources.
    #[must_use]
    pub fn lowest_version(&self) -> u32 {
        let needs_reading = |source: &DataSource| matches!(source, DataSource::Uri { reading: Some(_), .. });
        if self.action.sources().into_iter().any(needs_reading) { 2 } else { OLDEST_STEP_SPEC_VERSION }
    }

    /// The step as the worker reads it, in the lowest version that can say it.
    ///
    /// # Errors
    /// None is known: all of it is plain data with text for keys.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Self { version: self.lowest_version(), ..self.clone() })
    }

    /// [`StepSpec::to_json`] as arguments of the worker's `step` command, which joins them: a long step has several, since Linux
    /// limits a single one. None begins with `-` or `@`, which the command would take for a flag or a file.
    ///
    /// # Errors
    /// As [`StepSpec::to_json`].
    pub fn to_arguments(&self) -> Result<Vec<String>, serde_json::Error> {
        Ok(into_arguments(&self.to_json()?, ARGUMENT_LIMIT))
    }
}

/// Splits a text into parts of at most so many bytes, none of which begins with `-` or `@`.
fn into_arguments(text: &str, limit: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > limit {
        let fits = |end: &usize| rest.get(*end..).is_some_and(|behind| !behind.starts_with(['-', '@']));
        // A text of nothing but dashes has no such place; a part without one is better than none at all.
        let end = (1..=limit).rev().find(fits).unwrap_or_else(|| rest.floor_char_boundary(limit).max(1));
        let Some((part, behind)) = rest.split_at_checked(end) else { break };
        parts.push(part.to_owned());
        rest = behind;
    }
    parts.push(rest.to_owned());
    parts
}

/// How a result is named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RevisionRule {
    /// By this revision: a complete artifact of it means that there is nothing to do.
    Fixed(Revision),
    /// By [`Revision::of`] this meaning and the digest of what was produced: each run of a schedule does its work, and a run
    /// that brought nothing new ends at a revision that is there already.
    ByContent(Revision),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// Make a dataset.
    Prepare(PrepareStep),
    /// Make a model.
    Train(TrainStep),
    /// Answer predictions until told to stop. Publishes nothing.
    Serve(ServeStep),
    /// Make predictions for a dataset.
    Score(ScoreStep),
}

impl Action {
    /// Where the result is delivered beside storage, and the format it has.
    #[must_use]
    pub fn delivery(&self) -> Option<(&Delivery, Format)> {
        match self {
            Self::Prepare(step) => step.delivery.as_ref().map(|delivery| (delivery, step.format)),
            Self::Score(step) => step.delivery.as_ref().map(|delivery| (delivery, step.format)),
            Self::Train(_) | Self::Serve(_) => None,
        }
    }

    /// What the step reads rows from.
    #[must_use]
    pub fn sources(&self) -> Vec<&DataSource> {
        match self {
            Self::Prepare(step) => step.inputs.iter().map(|input| &input.source).collect(),
            Self::Train(step) => vec![&step.data],
            Self::Score(step) => vec![&step.input],
            Self::Serve(_) => Vec::new(),
        }
    }

    /// The kind's name, as in a step of the resource.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Prepare(_) => "prepare",
            Self::Train(_) => "train",
            Self::Serve(_) => "serve",
            Self::Score(_) => "score",
        }
    }

    /// Whether the work goes on until the process is told to stop, rather than to an end of its own.
    #[must_use]
    pub fn is_long_running(&self) -> bool {
        match self {
            Self::Serve(_) => true,
            Self::Prepare(prepare) => prepare.continuous.is_some(),
            Self::Train(_) | Self::Score(_) => false,
        }
    }
}

/// Rows to read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum DataSource {
    /// The result of a step: its folder, relative to the storage folder. One with a manifest is a dataset of the worker's; one
    /// without holds the files that a run step wrote, all of one format.
    #[serde(rename_all = "camelCase")]
    Artifact {
        /// namespace/pipeline/step/revision.
        path: String,
    },
    /// Data at a URI: http(s)://…, s3://…, postgres://… or file:PATH.
    #[serde(rename_all = "camelCase")]
    Uri {
        /// Where the data are.
        uri: String,
        /// Their format; by the extension when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        format: Option<Format>,
        /// The names of a header-less CSV file's columns.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        columns: Vec<String>,
        /// The regular expression whose named groups are a text file's columns.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
        /// What becomes of lines in which it is not found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_mismatch: Option<OnMismatch>,
        /// How text is read where it is not the way of the format; since version 2.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reading: Option<Box<Reading>>,
        /// The only content that is accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sha256: Option<String>,
        /// What the names of the environment variables with the credentials begin with; without it, those that programs for
        /// the store read by custom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credentials: Option<String>,
    },
}

/// A place outside of storage where a result goes too, before it counts as finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delivery {
    /// http(s)://…, s3://… or postgres://….
    pub uri: String,
    /// What the names of the environment variables with the credentials begin with, as in [`DataSource::Uri`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<String>,
    /// Over HTTP, the rows of a request's JSON array; absent, a request is the JSON object of one row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_request: Option<u32>,
}

/// Make a dataset from inputs by SQL, check it, and publish it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareStep {
    /// The tables.
    #[serde(default)]
    pub inputs: Vec<PrepareInput>,
    /// The query; absent, the only input is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// What must hold of the result, which the checks know as the table `output`.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The result's format.
    pub format: Format,
    /// Where the result is delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Do this for each file that the only input's uri names, now and later, until told to stop. Publishes no artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuous: Option<ContinuousStep>,
}

/// The folder below a continuous step's own, into which its results are renamed when they are whole.
pub const PUBLISHED_FOLDER: &str = "published";

/// How files are processed as they come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContinuousStep {
    /// Seconds between two looks for new files.
    pub poll_seconds: u32,
    /// How many processed files are kept.
    pub keep: u32,
}

/// One table of a prepare step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrepareInput {
    /// The table's name.
    pub name: String,
    /// Its rows.
    pub source: DataSource,
}

/// Make a model from a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrainStep {
    /// The rows to learn from.
    pub data: DataSource,
    /// The column to predict.
    pub target: String,
    /// The columns to predict from; all but the target when empty.
    #[serde(default)]
    pub features: Vec<String>,
    /// How to learn.
    pub algorithm: Algorithm,
    /// Rows kept back to measure with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// k-fold cross-validation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validation: Option<CrossValidation>,
    /// What the model must reach; the verdict goes into the report, and a refusal is no failure of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// The model that is served now, to be measured on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineModel>,
}

/// The model to compare a new one with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BaselineModel {
    /// Its revision.
    pub revision: Revision,
    /// Its folder, relative to the storage folder.
    pub path: String,
}

/// Answer predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServeStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
}

/// Predict for each row of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoreStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
    /// The rows.
    pub input: DataSource,
    /// The result's format.
    pub format: Format,
    /// Where the result is delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
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
        for (spec, version) in [(plain, 1), (reading, 2)] {
            let written: StepSpec = serde_json::from_str(&spec.to_json().expect("JSON")).expect("a step");
            assert_eq!(written, StepSpec { version, ..spec });
        }
    }

    #[test]
    fn a_long_step_is_split_into_arguments_that_together_are_the_step() {
        let mut spec = step(json!({"uri": {"uri": "file:a.csv"}}));
        if let Action::Prepare(prepare) = &mut spec.action {
            prepare.sql = Some(format!("SELECT '{}'", "é-@".repeat(100_000)));
        }
        let arguments = spec.to_arguments().expect("arguments");
        assert_eq!(arguments.concat(), spec.to_json().expect("JSON"));
        assert!(arguments.len() > 3, "{}", arguments.len());
        for argument in &arguments {
            assert!(argument.len() <= ARGUMENT_LIMIT && !argument.starts_with(['-', '@']), "{argument:.9}");
        }
        assert_eq!(into_arguments("a-b", 1).concat(), "a-b");
        assert_eq!(into_arguments("----", 2).concat(), "----");
        assert_eq!(into_arguments("", 2), [""]);
    }
}
