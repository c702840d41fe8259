//! Raw rows: the values of a table or request as they come, before anything fitted sees them.

use super::Texts;

/// The form of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Numbers and booleans.
    Number,
    /// Texts.
    Text,
    /// Dates and times.
    Time,
}

/// A column to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// The form of its values.
    pub form: Form,
    /// Whether a value may be missing.
    pub optional: bool,
}

/// Rows that were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawRows {
    /// One number for each input column and row, row after row.
    pub numbers: Vec<f64>,
    /// The texts of each input column; none for columns of other forms.
    pub texts: Vec<Texts>,
    /// How many values of each input column are missing.
    pub missing: Vec<u64>,
}

impl RawRows {
    /// No rows of so many input columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self { numbers: Vec::new(), texts: vec![Texts::default(); columns], missing: vec![0; columns] }
    }
}
