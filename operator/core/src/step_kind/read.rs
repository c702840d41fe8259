//! What a step reads: results of other steps, and places outside of the pipeline.

use mlpipeline_crds::DataReference;

/// One result of another step that a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What the reader calls it: a table's name, "data", "model", "input".
    pub name: String,
    /// The step that makes it.
    pub step: String,
    /// What it must be.
    pub wanted: Wanted,
    /// The field that names the step, in the spec of the reader's kind.
    pub field: String,
}

/// What a result must be to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A dataset, predictions, or the files of a run step.
    Data,
    /// A model. It must have passed its gate.
    Model,
    /// The result of anything that runs to completion.
    Result,
}

impl Read {
    /// Rows or files.
    pub(super) fn data(name: &str, step: &str, field: impl Into<String>) -> Self {
        Self { name: name.to_owned(), step: step.to_owned(), wanted: Wanted::Data, field: field.into() }
    }

    /// A model.
    pub(super) fn model(step: &str) -> Self {
        Self {
            name: "model".to_owned(),
            step: step.to_owned(),
            wanted: Wanted::Model,
            field: "model.step".to_owned(),
        }
    }

    /// Whether it is a model.
    #[must_use]
    pub fn is_model(&self) -> bool {
        self.wanted == Wanted::Model
    }
}

/// A place outside of the pipeline that a step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside<'a> {
    /// Where it is.
    pub uri: &'a str,
    /// The Secret with its credentials.
    pub secret: Option<&'a str>,
}

impl<'a> Outside<'a> {
    /// The place of rows, where they are not another step's.
    pub(super) fn of(rows: &'a DataReference) -> Option<Self> {
        Some(Self { uri: rows.uri.as_deref()?, secret: rows.secret.as_deref() })
    }
}
