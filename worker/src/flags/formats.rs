//! Formats as they are typed.

use clap::ValueEnum;
use mlpipeline_crds::Format;

/// A format that can be read without a pattern, and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TableFormat {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
}

impl From<TableFormat> for Format {
    fn from(format: TableFormat) -> Self {
        match format {
            TableFormat::Csv => Self::Csv,
            TableFormat::Ndjson => Self::Ndjson,
            TableFormat::Parquet => Self::Parquet,
        }
    }
}
