//! How the query engine's errors become ours: whose fault one is, and what a person can do.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use mlpipeline_crds::ExitCode;

use super::{engine_words, out_of_memory};
use crate::failure::{Failure, StepError, storage_reason};

/// What messages call the folder for what does not fit into memory. Whoever knows its path puts it behind these words.
pub(crate) const SCRATCH_FOLDER: &str = "the scratch folder";

/// Rows that a query could not compute, or a query that cannot be planned: a DataFusion error with its cause identified.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    exit_code: ExitCode,
    reason: &'static str,
    message: String,
}

impl Failure for QueryError {
    fn exit_code(&self) -> ExitCode {
        self.exit_code
    }

    fn reason(&self) -> &'static str {
        self.reason
    }
}

/// Tells whose fault an error of DataFusion is, and says it without DataFusion's own prefixes. Errors that come from
/// reading a table keep their own kind.
#[must_use]
pub fn query_error(error: &DataFusionError) -> StepError {
    if let Some(own) = own_error(error) {
        return own;
    }
    let root = error.find_root();
    let said = root.strip_backtrace();
    let text = engine_words::plain(&said);
    let of_spec = match engine_words::regex_problem(&text) {
        Some(problem) => Some(format!("a regular expression in the sql is not valid: {problem}")),
        None => engine_words::known(&said),
    };
    if let Some(message) = of_spec {
        return QueryError { exit_code: ExitCode::WrongSpec, reason: "QueryInvalid", message }.into();
    }
    let (exit_code, reason) = classify(root);
    let message = match reason {
        "OutOfMemory" => out_of_memory::message(&text),
        "Internal" => engine_words::internal(&text),
        "DataMalformed" => engine_words::of_data(&text),
        // What the engine writes itself goes nowhere else.
        _ if exit_code == ExitCode::StorageUnavailable => no_scratch(&text, reason),
        _ => engine_words::of_query(&text),
    };
    QueryError { exit_code, reason, message }.into()
}

/// What is said where rows that do not fit into memory cannot be written, or read again.
fn no_scratch(text: &str, reason: &str) -> String {
    let advice = match reason {
        "StorageFull" => {
            "; free some space there, name a larger folder (--scratch, TMPDIR; in a pod, a larger volume or limit of ephemeral storage), or \
             raise the memory, so that fewer rows go there"
        }
        _ => "",
    };
    format!("rows that do not fit into memory are kept in {SCRATCH_FOLDER}: {text}{advice}")
}

fn classify(root: &DataFusionError) -> (ExitCode, &'static str) {
    match root {
        DataFusionError::ResourcesExhausted(_) => (ExitCode::WrongSpec, "OutOfMemory"),
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { .. } => (ExitCode::WrongSpec, "ColumnNotFound"),
            _ => (ExitCode::WrongSpec, "QueryInvalid"),
        },
        DataFusionError::SQL(..)
        | DataFusionError::Plan(_)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Configuration(_) => (ExitCode::WrongSpec, "QueryInvalid"),
        DataFusionError::IoError(error) => (ExitCode::StorageUnavailable, storage_reason(error)),
        DataFusionError::ObjectStore(_) => (ExitCode::StorageUnavailable, "StorageUnavailable"),
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::IoError(_, error) => (ExitCode::StorageUnavailable, storage_reason(error)),
            ArrowError::MemoryError(_) => (ExitCode::WrongSpec, "OutOfMemory"),
            _ => (ExitCode::WrongData, "DataMalformed"),
        },
        DataFusionError::ParquetError(_) | DataFusionError::Execution(_) => {
            (ExitCode::WrongData, "DataMalformed")
        }
        _ => (ExitCode::Internal, "Internal"),
    }
}

/// An error that this crate's own table put into the stream.
pub(crate) fn own_error(error: &DataFusionError) -> Option<StepError> {
    let mut current: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = current {
        if let Some(own) = error.downcast_ref::<StepError>() {
            return Some(own.clone());
        }
        current = match error.downcast_ref::<DataFusionError>() {
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            _ => error.source(),
        };
    }
    None
}
