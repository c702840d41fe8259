//! The query engine: DataFusion as this worker configures it, so that the same input gives the same bytes on every machine.
//!
//! Owns the configuration, the order of partitions, how many are read at once, arithmetic that overflows, which numbers are one, functions that are guarded or
//! corrected, SQL that is spelled otherwise elsewhere, and what the engine's errors mean. Must not know tables, steps or storage.

mod aggregates;
mod assumed_order;
mod bits;
mod canonical;
mod cast;
mod compared_intervals;
mod correlated;
mod dates_of_digits;
mod days_and_numbers;
mod decimals_and_doubles;
mod duration_parts;
mod engine_words;
mod error;
mod exact_doubles;
mod exact_literals;
mod exact_whole;
mod failed_value;
mod faithful;
mod far_times;
mod finite;
mod foreign_nan;
mod forgotten_order;
mod functions;
mod keyed_conditions;
mod leap_seconds;
mod lifted_conditions;
mod like_escape;
mod minutes;
mod nullable;
mod number_types;
mod numbers;
mod one_form;
mod ordered;
mod out_of_memory;
mod overflow;
mod read_ahead;
mod rewrite;
mod session;
mod shifts;
mod similar_to;
mod spelled;
mod sql_types;
mod stable_sort;
mod subqueries;
mod truth_values;
mod until_failed;
mod zones;

/// Rows in a batch.
const BATCH_ROWS: usize = 8192;

pub(crate) use error::SCRATCH_FOLDER;
pub(crate) use error::own_error;
pub use error::query_error;
pub(crate) use failed_value::{FailedValue, with_divisors};
pub(crate) use far_times::compares;
pub(crate) use foreign_nan::{batch_with_positive_nan, values_with_positive_nan, with_positive_nan};
pub(crate) use read_ahead::ReadAhead;
pub(crate) use session::{InOneStream, PARTITIONS, runtime, session, streaming};
pub(crate) use sql_types::in_sql;
pub(crate) use truth_values::{IS_DISTINCT, IS_NOT_DISTINCT};
pub(crate) use until_failed::until_failed;
