//! score — predictions for many rows at once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::step_work::StepWork;
use crate::{
    DataReference, DataSource, Delivery, Digest, Format, OLDEST_STEP_SPEC_VERSION, Output, StepReference,
};

/// Predict for every row of a dataset with the newest model that passed its gate. The result is the input with the
/// prediction's columns beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Score {
    /// The train or import step whose model to use.
    pub model: StepReference,
    /// The rows to predict for.
    pub input: DataReference,
    /// How to write the result; Parquet when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
}

/// Predict for each row of a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScoreStep {
    /// The model's folder, relative to the storage folder.
    pub model: String,
    /// What the model's step reported of its content; another content is refused. Since version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_digest: Option<Digest>,
    /// The rows.
    pub input: DataSource,
    /// The result's format.
    pub format: Format,
    /// Where the result is delivered too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

impl ScoreStep {
    /// The first version of the step spec that knows the kind.
    pub(crate) const SINCE: u32 = OLDEST_STEP_SPEC_VERSION;
}

impl StepWork for ScoreStep {
    fn lowest_version(&self) -> u32 {
        Self::SINCE
    }

    fn delivery(&self) -> Option<(&Delivery, Format)> {
        self.delivery.as_ref().map(|delivery| (delivery, self.format))
    }

    fn sources(&self) -> Vec<&DataSource> {
        vec![&self.input]
    }

    fn uris_mut(&mut self) -> Vec<&mut String> {
        let input = self.input.uri_mut().into_iter();
        input.chain(self.delivery.as_mut().map(|delivery| &mut delivery.uri)).collect()
    }

    fn model_digest(&self) -> Option<&Digest> {
        self.model_digest.as_ref()
    }

    fn writes(&self) -> bool {
        true
    }

    fn is_long_running(&self) -> bool {
        false
    }
}
