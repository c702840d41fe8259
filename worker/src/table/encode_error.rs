//! Why rows cannot be written in a format.

use std::io;

use datafusion::arrow::error::ArrowError;
use parquet::errors::ParquetError;

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A column that the format cannot hold.
    #[error("{0}")]
    Column(String),
    /// A value that the format cannot hold.
    #[error("{0}")]
    Value(String),
}
