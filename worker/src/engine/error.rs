//! How the query engine's errors become ours: whose fault one is, and what a person can do.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use mlpipeline_crds::ExitCode;

use super::out_of_memory;
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
    let text = plain(&root.strip_backtrace());
    if let Some(problem) = regex_problem(&text) {
        let message = format!("a regular expression in the sql is not valid: {problem}");
        return QueryError { exit_code: ExitCode::WrongSpec, reason: "QueryInvalid", message }.into();
    }
    let (exit_code, reason) = classify(root);
    let message = match reason {
        "OutOfMemory" => out_of_memory::message(&text),
        "Internal" => format!(
            "the query engine cannot do this: {text}; write the query in another way, for example in two steps"
        ),
        // What the engine writes itself goes nowhere else.
        _ if exit_code == ExitCode::StorageUnavailable => no_scratch(&text, reason),
        _ => with_advice(without_signatures(text)),
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

/// The engine's words without what it says to its own developers.
fn plain(text: &str) -> String {
    const ASIDES: [&str; 2] = ["This issue was likely caused by a bug", "Please help us to resolve this"];
    let mut plain = text.replace("Internal error: ", "");
    for aside in ASIDES {
        plain.truncate(plain.find(aside).unwrap_or(plain.len()));
    }
    // Errors hold errors, and each begins with the name of its kind.
    const KINDS: [&str; 8] = [
        "Execution error: ",
        "Error during planning: ",
        "Arrow error: ",
        "Arithmetic overflow: ",
        "Cast error: ",
        "Parser error: ",
        "Compute error: ",
        "Invalid argument error: ",
    ];
    let mut rest = plain.trim().trim_end_matches(['.', '\n']);
    while let Some(inner) = KINDS.iter().find_map(|kind| rest.strip_prefix(kind)) {
        rest = inner;
    }
    rest.to_owned()
}

/// What is wrong with a regular expression, on one line, where the engine did not take one; `None` for other errors. The engine says
/// it in a way of its own in each function.
fn regex_problem(text: &str) -> Option<String> {
    /// What stands before the reason, or before the expression alone.
    const NOT_COMPILED: &str = "Regular expression did not compile: ";
    if let Some((_, parsed)) = text.split_once("regex parse error:") {
        let (pattern, problem) = parsed.split_once("error: ")?;
        let problem = problem.lines().next().unwrap_or_default().trim();
        let pattern = pattern.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        return Some(format!("{problem}, in {pattern:?}"));
    }
    let is_too_large = text.contains("CompiledTooBig(") || text.contains("Compiled regex exceeds size limit");
    if is_too_large {
        return Some("compiled, it is larger than is allowed; write it with fewer repetitions".to_owned());
    }
    text.split_once(NOT_COMPILED).map(|(_, pattern)| format!("it is {:?}", pattern.trim()))
}

/// What is said of a function whose arguments have other types than it takes, without the attempts to make them fit.
fn without_signatures(text: String) -> String {
    const MATCHES: &str = "No function matches the given name and argument types '";
    let types = text.split_once(MATCHES).and_then(|(_, rest)| rest.split_once('\''));
    if let Some((call, _)) = types.filter(|_| text.contains("user-defined coercion failed")) {
        return format!("no function takes what {call} is given: make the arguments alike with CAST(x AS …)");
    }
    match text.split_once(", errors: ") {
        Some((function, attempts)) if function.contains("failed to match any signature") => {
            let found = attempts.split_once("No function matches ").map_or("", |(_, found)| found);
            let call = found.split_once(". You might").map_or(found, |(call, _)| call);
            if call.is_empty() {
                function.to_owned()
            } else {
                format!("{function}: no function matches {call}")
            }
        }
        _ => text,
    }
}

/// The name that two values of a query have, where that is why it cannot be planned.
fn repeated_name(text: &str) -> Option<&str> {
    let name = match text.split_once("duplicate unqualified field name ") {
        Some((_, rest)) => rest,
        None => text.split_once("Projections require unique expression names but the expression ")?.1,
    };
    name.strip_prefix('"')?.split_once('"').map(|(name, _)| name)
}

/// What to do about values that a query cannot compute with.
fn with_advice(text: String) -> String {
    if let Some(name) = repeated_name(&text) {
        return format!(
            "two values of the query have the same name, in which casts are not distinguished: {name}; give each a name with AS, in a query \
             within where they are summed up: SELECT sum(a), sum(b) FROM (SELECT CAST(x AS DOUBLE) AS a, x AS b FROM t)"
        );
    }
    let advice = if text.contains("Cannot cast timezone to different timezone") {
        "; there is a time that its time zone does not have or has twice, since clocks are set there: correct such rows, as with CASE WHEN x = '…' THEN x + INTERVAL '1 hour' ELSE x END, leave them out with WHERE, or stay in UTC"
    } else if text.contains("Date arithmetic overflow") || text.contains("Timestamp out of range") {
        "; the date is outside of those that its type holds: leave such rows out with WHERE, or make them null with CASE"
    } else if text.contains("string size overflow") {
        "; make a shorter text"
    } else if text.contains("Cannot cast") {
        "; such values become null with TRY_CAST(x AS …)"
    } else if text.starts_with("Overflow happened on") || text.contains("overflow") {
        "; the result is too large for a whole number of its type: compute with CAST(x AS DOUBLE) or CAST(x AS DECIMAL(38, 0))"
    } else if text.contains("Divide by zero") {
        "; divide by nullif(x, 0), which gives null: a condition beside it may be looked at later"
    } else if text.contains("failed to match any signature") || text.contains("No function matches") {
        "; a column without any value is text, unless reading.types names its type"
    } else {
        ""
    };
    format!("{text}{advice}")
}

/// An error that this crate's own table put into the stream.
fn own_error(error: &DataFusionError) -> Option<StepError> {
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
