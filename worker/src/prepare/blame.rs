//! Which row of which input has the value that a query could not compute with: the engine names the value alone.
//!
//! Owns the search and what is said of the place. No place is named rather than a wrong one.

use std::collections::BTreeSet;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use super::suspects::{Suspect, Suspects};
use super::written::with_expressions;
use crate::engine::FailedValue;
use crate::failure::StepError;

/// The name of the column with rows' numbers; no CSV or JSON has it by chance.
const ROW: &str = "\u{1}row";

/// The most expressions of a query whose values are looked for: each is a search through an input.
const MOST_SEARCHES: usize = 8;

/// The most places that a message names.
const MOST_PLACES: usize = 3;

/// The error with the place of the value that it names, and what the query does with it, where that can be known.
pub(super) async fn with_place(error: StepError, session: &SessionContext, plan: LogicalPlan) -> StepError {
    let error = with_expressions(error, &plan);
    let Some(failed) = FailedValue::in_message(&error.message) else { return error };
    let state = session.state();
    // A plan that cannot be searched must not hide the error.
    let Ok(plan) = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}) else {
        return error;
    };
    let suspects = Suspects::of(&plan, &failed);
    let mut is_sure = suspects.are_all && suspects.found.len() <= MOST_SEARCHES;
    let mut places = Vec::new();
    for suspect in suspects.found.iter().take(MOST_SEARCHES) {
        let Ok(rows) = rows(session, suspect).await else {
            is_sure = false;
            continue;
        };
        is_sure &= rows.len() < 2;
        if let Some(row) = rows.first() {
            let place = format!("row {row} of {}, {}", suspect.table, columns(&suspect.columns));
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    if places.is_empty() {
        return error;
    }
    let example = if is_sure && places.len() == 1 { "" } else { "for example " };
    places.truncate(MOST_PLACES);
    let message = format!("{}. The value is {example}in {}", error.message, places.join(", or in "));
    StepError { message, ..error }
}

/// The first two of the rows, counted from 1.
async fn rows(session: &SessionContext, suspect: &Suspect) -> Result<Vec<u64>, DataFusionError> {
    let frame = session.table(TableReference::bare(suspect.table.as_str())).await?;
    let numbered = frame.window(vec![row_number().alias(ROW)])?;
    let found = numbered.filter(suspect.condition.clone())?.select_columns(&[ROW])?.limit(0, Some(2))?;
    let batches = found.collect().await?;
    let numbers = batches.iter().filter_map(|batch| batch.column(0).as_primitive_opt::<UInt64Type>());
    Ok(numbers.flat_map(|numbers| numbers.values().iter().copied()).collect())
}

fn columns(names: &BTreeSet<String>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("column{} {}", if quoted.len() == 1 { "" } else { "s" }, quoted.join(" and "))
}
