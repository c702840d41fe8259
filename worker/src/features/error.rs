//! What is wrong with a column or value that should be a feature.

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;

/// A column or value that is not a feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureError {
    /// A column that is not there.
    #[error("column \"{name}\" not found; columns are {columns}")]
    NotFound {
        /// The column.
        name: String,
        /// The columns that there are.
        columns: String,
    },
    /// A column of a type that holds no such values.
    #[error("column \"{name}\" holds {kind}, and {expected}; {advice}")]
    Type {
        /// The column.
        name: String,
        /// What it holds.
        kind: String,
        /// What it should hold.
        expected: &'static str,
        /// What to do.
        advice: String,
    },
    /// A value that is not of the column's form.
    #[error("column \"{name}\" {found} in row {row}, and {expected}; {advice}")]
    Value {
        /// The column.
        name: String,
        /// What is there instead.
        found: String,
        /// The row, from 1, a header not counted.
        row: u64,
        /// What should be there.
        expected: &'static str,
        /// What to do.
        advice: String,
    },
}

impl Failure for FeatureError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::WrongData
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "ColumnNotFound",
            Self::Type { .. } | Self::Value { .. } => "WrongFeature",
        }
    }
}
