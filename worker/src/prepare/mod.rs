//! prepare: tables in, one query, a checked table out.
//!
//! Owns the query's rules and the checks. Must not know formats or storage layout: `table` and `artifact` do.
//!
//! The same inputs and SQL give the same bytes, on any machine: rows keep the order of the inputs unless the SQL orders them,
//! groups come in the order in which they first occur, and sums are added in that order. Left out are functions that are
//! meant to differ, such as `random()`, `uuid()` and `now()`. Whole numbers that do not fit, a division of them by zero and a
//! cast that fails, fail the step.

mod args;
mod blame;
mod check_rules;
mod check_text;
mod checks;
mod error;
mod everyday_sql;
mod exact_number;
mod long_numbers;
mod query;
mod refused_sql;
mod suspects;
mod unknown_function;
mod unused_order;
mod written;

use std::io::Write;
use std::path::Path;

use mlpipeline_crds::{Check, Format, PrepareInput, PrepareStep, StepReport, StepSpec};

pub use self::args::PrepareArgs;
pub use self::error::PrepareError;
pub(crate) use self::query::Expectation;
use crate::WorkContext;
use crate::artifact::{Draft, Kind};
use crate::deliver::{self, Finished, Product};
use crate::engine::query_error;
use crate::failure::StepError;
use crate::table::{self, KnownColumns, Written};

/// The name of the file that holds a dataset's rows, with its extension.
fn file_name(format: Format) -> String {
    format!("data.{}", format.extension())
}

/// Does a prepare step: makes the dataset, checks it, and publishes it. Nothing is published when a check fails.
///
/// # Errors
/// When an input, the query, a check or storage fails.
pub(crate) async fn run(
    step: &PrepareStep,
    spec: &StepSpec,
    context: &WorkContext,
) -> Result<StepReport, StepError> {
    // Storage first: a volume that cannot be written is known before a long download.
    let folder = context.storage.step_folder(&spec.folder())?;
    let mut draft = Draft::begin(folder.path())?.stopped_by(&context.cancellation);
    let path = draft.path(&file_name(step.format))?;
    let written = make(&step.inputs, step.sql.as_deref(), &step.checks, step.format, &path, context).await?;
    draft.set_columns(written.columns.clone());
    let mut report = StepReport::succeeded(None);
    report.rows = Some(written.rows);
    if written.rows == 0 {
        report.message = Some("the result has no rows".to_owned());
    }
    let finished =
        Finished { draft, kind: Kind::Dataset, product: Product::written(&path, step.format, &written) };
    let draft = deliver::before_publishing(finished, step.delivery.as_ref(), spec, context).await?;
    let rule = spec.revision.clone();
    // Hashing a large file is work for a core, and syncing waits for the disk.
    let published = tokio::task::spawn_blocking(move || draft.publish(Kind::Dataset, report, &rule)).await;
    Ok(published.map_err(PrepareError::lost)??.report())
}

/// Writes the query's result to a file and checks it.
///
/// # Errors
/// When an input, the query, a check or the file fails.
pub async fn make(
    inputs: &[PrepareInput],
    sql: Option<&str>,
    checks: &[Check],
    format: Format,
    path: &Path,
    context: &WorkContext,
) -> Result<Written, StepError> {
    let nothing = Expectation { known: KnownColumns::default(), look: &mut |_| Ok(()) };
    make_of(inputs, sql, checks, format, path, context, nothing).await
}

/// As [`make`], with what is known of the inputs' columns.
///
/// # Errors
/// As [`make`], and what is answered to the columns.
pub(crate) async fn make_of(
    inputs: &[PrepareInput],
    sql: Option<&str>,
    checks: &[Check],
    format: Format,
    path: &Path,
    context: &WorkContext,
    expectation: Expectation<'_>,
) -> Result<Written, StepError> {
    let session = context.session();
    query::register(&session, inputs, context, expectation).await?;
    let result = query::plan(&session, inputs, sql).await?;
    let plan = result.logical_plan().clone();
    let rows = match result.execute_stream().await {
        Ok(rows) => rows,
        Err(error) => return Err(blame::with_place(query_error(&error), &session, plan).await),
    };
    let written = match table::write(rows, format, path, context.progress).await {
        Ok(written) => written,
        Err(error) => return Err(blame::with_place(error, &session, plan).await),
    };
    if !checks.is_empty() {
        checks::run(checks, path, format, &written, context).await?;
    }
    Ok(written)
}

/// Writes the query's result, which is not checked, to an output that messages call `path`.
///
/// # Errors
/// When an input, the query or the output fails.
pub async fn write_rows(
    inputs: &[PrepareInput],
    sql: Option<&str>,
    format: Format,
    (output, path): (impl Write + Send + 'static, &Path),
    context: &WorkContext,
) -> Result<Written, StepError> {
    let session = context.session();
    let nothing = Expectation { known: KnownColumns::default(), look: &mut |_| Ok(()) };
    query::register(&session, inputs, context, nothing).await?;
    let result = query::plan(&session, inputs, sql).await?;
    let plan = result.logical_plan().clone();
    let rows = match result.execute_stream().await {
        Ok(rows) => rows,
        Err(error) => return Err(blame::with_place(query_error(&error), &session, plan).await),
    };
    match table::write_to(rows, format, output, path, context.progress).await {
        Ok(written) => Ok(written),
        Err(error) => Err(blame::with_place(error, &session, plan).await),
    }
}
