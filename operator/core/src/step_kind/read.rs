//! A result of another step, as its reader names it.

/// One result of another step that a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// What the reader calls it: a table's name, "data", "model", "input".
    pub name: String,
    /// The step that makes it.
    pub step: String,
    /// Whether it is a model, which must have passed its gate.
    pub is_model: bool,
}

impl Read {
    /// Rows or files.
    pub(super) fn data(name: &str, step: &str) -> Self {
        Self { name: name.to_owned(), step: step.to_owned(), is_model: false }
    }

    /// A model.
    pub(super) fn model(step: &str) -> Self {
        Self { name: "model".to_owned(), step: step.to_owned(), is_model: true }
    }
}
