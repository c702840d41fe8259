//! Sessions: the one configuration of the engine, and the memory that all sessions share.

use std::path::Path;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::compared_intervals::ComparedIntervals;
use super::days_and_numbers::DaysAndNumbers;
use super::decimals_and_doubles::DecimalsAndDoubles;
use super::exact_doubles::ExactDoubles;
use super::exact_whole::ExactWhole;
use super::faithful::Faithful;
use super::far_times::FarTimes;
use super::finite::FiniteCasts;
use super::forgotten_order::ForgottenOrder;
use super::keyed_conditions::KeyedConditions;
use super::leap_seconds::LeapSeconds;
use super::lifted_conditions::LiftedConditions;
use super::numbers::Numbers;
use super::one_form::OneForm;
use super::ordered::OrderedPartitions;
use super::overflow::CheckedArithmetic;
use super::read_ahead::ReadAhead;
use super::spelled::Spelled;
use super::stable_sort::StableSort;
use super::truth_values::TruthValues;
use super::{BATCH_ROWS, aggregates, functions, zones};

/// Into how many partitions a large table is divided, whatever the cores: sums over partitions are then the same everywhere.
pub(crate) const PARTITIONS: usize = 16;

/// How many consumers of memory an out-of-memory message names.
const CONSUMERS_NAMED: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(2);

/// The most fields of a batch of rows that stream by: where there are many columns, a batch has fewer rows.
const BATCH_FIELDS: usize = 1 << 18;

/// The most rows of such a batch. The allocator keeps a few MiB for each thread and size where values take more than 64 KiB a column; half
/// of that leaves room for longer ones.
const STREAM_ROWS: usize = 4096;

/// What a session's configuration holds where rows are read from the first to the last, so that partitions would only wait for each other.
#[derive(Debug)]
pub(crate) struct InOneStream;

/// What sessions share: a limit of memory, and a folder for what does not fit.
///
/// # Errors
/// When the folder cannot be used.
pub(crate) fn runtime(scratch: &Path, memory_limit: usize) -> Result<Arc<RuntimeEnv>, DataFusionError> {
    let pool = TrackConsumersPool::new(FairSpillPool::new(memory_limit), CONSUMERS_NAMED);
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(pool))
        .with_temp_file_path(scratch)
        // The disk is what bounds it; the error then says which one is full.
        .with_max_temp_directory_size(u64::MAX)
        .build_arc()
}

/// A new session: no tables, the worker's configuration, the shared memory.
///
/// Large tables have a fixed number of partitions, each a run of consecutive rows, and what partitions give is put together in
/// their order. So rows come out in the order in which they went in unless the query orders them, groups come out in the order
/// in which they were first seen, and floating-point statistics are computed in one order: the same input gives the same bytes on a
/// laptop and on a server with other cores. Nothing is repartitioned by hashes, which would mix that order.
pub(crate) fn session(runtime: Arc<RuntimeEnv>, ahead: Arc<ReadAhead>) -> SessionContext {
    let mut config = SessionConfig::new()
        .with_target_partitions(PARTITIONS)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false)
        .with_repartition_aggregations(false)
        .with_repartition_joins(false)
        .with_repartition_windows(false)
        .with_repartition_sorts(false)
        .with_round_robin_repartition(false)
        .with_parquet_pruning(false)
        .with_collect_statistics(false)
        .with_extension(ahead);
    let options = config.options_mut();
    options.execution.parquet.enable_page_index = false;
    options.execution.parquet.bloom_filter_on_read = false;
    // Partitions would take files of each other's, whichever is done first.
    options.execution.enable_file_stream_work_stealing = false;
    // The engine compares what two of its planners say of nulls, and one of them is wrong for IS NOT TRUE.
    options.execution.skip_physical_aggregate_schema_check = true;
    // Rows of a query within are in the order that it says.
    options.sql_parser.enable_subquery_sort_elimination = false;
    // Both take whichever of equal rows suits them.
    options.optimizer.enable_topk_aggregation = false;
    options.optimizer.enable_sort_pushdown = false;
    // A filter that is learnt while a query runs depends on which partition was first.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    let pool = Arc::clone(&runtime.memory_pool);
    let mut rules: Vec<Arc<dyn AnalyzerRule + Send + Sync>> = vec![
        Arc::new(LiftedConditions),
        Arc::new(Spelled),
        Arc::new(TruthValues),
        Arc::new(DaysAndNumbers),
        Arc::new(Numbers),
        Arc::new(DecimalsAndDoubles),
        Arc::new(ExactWhole::new()),
        Arc::new(Faithful),
        Arc::new(FarTimes),
    ];
    rules.extend(Analyzer::new().rules);
    rules.push(Arc::new(LeapSeconds::new()));
    rules.push(Arc::new(CheckedArithmetic::new()));
    rules.push(Arc::new(ComparedIntervals::new()));
    rules.push(Arc::new(OneForm::new()));
    rules.push(Arc::new(FiniteCasts::new()));
    rules.push(Arc::new(ExactDoubles::new()));
    rules.push(Arc::new(KeyedConditions));
    // Filters are pushed down before; this pushes one below an outer join whose sides were exchanged, to the wrong side.
    let physical = PhysicalOptimizer::new().rules.into_iter();
    let physical = physical.filter(|rule| !rule.name().starts_with("FilterPushdown"));
    let first: Arc<dyn PhysicalOptimizerRule + Send + Sync> = Arc::new(ForgottenOrder);
    let physical = std::iter::once(first).chain(physical).collect();
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        // Those of the engine come after.
        .with_expr_planners(vec![Arc::new(TruthValues)])
        .with_default_features()
        .with_analyzer_rules(rules)
        .with_physical_optimizer_rules(physical)
        .with_physical_optimizer_rule(Arc::new(OrderedPartitions))
        .with_physical_optimizer_rule(Arc::new(StableSort))
        .build();
    let session = SessionContext::new_with_state(state);
    // The zone of TIMESTAMP WITH TIME ZONE. Functions are made before, so that times without a zone stay such.
    session.state_ref().write().config_mut().options_mut().execution.time_zone = Some(zones::UTC.to_owned());
    aggregates::register(&session);
    functions::register(&session, &pool);
    session
}

/// The same session for a table of so many columns, with those within objects, whose rows are read once, from the first to the last, and are not queried.
pub(crate) fn streaming(session: &SessionContext, columns: usize) -> SessionContext {
    let batch_rows = (BATCH_FIELDS / columns.max(1)).clamp(1, STREAM_ROWS);
    let config = session
        .copied_config()
        .with_batch_size(batch_rows)
        .with_extension(Arc::new(InOneStream))
        // The tables are those of the session; a new catalog would take the place of theirs.
        .with_create_default_catalog_and_schema(false);
    let state = SessionStateBuilder::new_from_existing(session.state()).with_config(config).build();
    SessionContext::new_with_state(state)
}
