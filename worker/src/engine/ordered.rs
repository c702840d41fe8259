//! Partitions put together in their order, where the engine would take whichever has rows first.

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::JoinType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, replace_children_if_necessary,
};
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{Stream, StreamExt, TryStreamExt, stream};

use super::BATCH_ROWS;
use super::assumed_order::keep_order;
use super::read_ahead::ReadAhead;

/// How many batches of a partition may wait for those before it.
const BATCHES_AHEAD: usize = 2;

/// Replaces the engine's way of putting partitions together by [`InOrder`].
#[derive(Debug)]
pub(super) struct OrderedPartitions;

impl PhysicalOptimizerRule for OrderedPartitions {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(ordered).data()?;
        // Whoever runs a plan of several partitions puts them together as they come.
        Ok(if is_divided(&plan) { Arc::new(InOrder::new(plan, None)) } else { plan })
    }

    fn name(&self) -> &'static str {
        "ordered_partitions"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn is_divided(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.output_partitioning().partition_count() > 1
}

fn ordered(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(coalesce) = plan.downcast_ref::<CoalescePartitionsExec>() {
        let ordered = InOrder::new(Arc::clone(coalesce.input()), coalesce.fetch());
        return Ok(Transformed::yes(Arc::new(ordered)));
    }
    let hash = plan.downcast_ref::<HashJoinExec>().map(HashJoinExec::join_type);
    let nested = plan.downcast_ref::<NestedLoopJoinExec>().map(NestedLoopJoinExec::join_type);
    if hash.is_some_and(|join| *join == JoinType::Right) {
        return Ok(Transformed::yes(keep_order(plan)?));
    }
    let Some(join) = hash.or(nested) else { return Ok(Transformed::no(plan)) };
    // Rows of the left side without a partner come from whichever partition of the right side ends last.
    let ends_with_left_rows = matches!(
        join,
        JoinType::Left | JoinType::Full | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark
    );
    // Rows of the right side without a partner come at the end of its batches.
    let depends_on_batches = *join == JoinType::Full;
    let children: Vec<Arc<dyn ExecutionPlan>> = plan.children().into_iter().cloned().collect();
    match children.as_slice() {
        [left, right] if depends_on_batches || ends_with_left_rows && is_divided(right) => {
            let mut right = InOrder::new(Arc::clone(right), None);
            right.even_batches = depends_on_batches;
            let children: Vec<Arc<dyn ExecutionPlan>> = vec![Arc::clone(left), Arc::new(right)];
            Ok(Transformed::yes(replace_children_if_necessary(plan, children)?))
        }
        _ => Ok(Transformed::no(plan)),
    }
}

/// The rows of all partitions, one partition after the other. As many are computed at the same time as [`ReadAhead`] says; those
/// that are ahead wait with a few batches.
#[derive(Debug)]
struct InOrder {
    input: Arc<dyn ExecutionPlan>,
    /// The most rows.
    fetch: Option<usize>,
    /// Whether every batch but the last has the same number of rows, wherever those of the input end.
    even_batches: bool,
    properties: Arc<PlanProperties>,
}

impl InOrder {
    fn new(input: Arc<dyn ExecutionPlan>, fetch: Option<usize>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { input, fetch, even_batches: false, properties: Arc::new(properties) }
    }
}

impl DisplayAs for InOrder {
    fn fmt_as(&self, _form: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "InOrder")
    }
}

impl ExecutionPlan for InOrder {
    fn name(&self) -> &'static str {
        "InOrder"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| DataFusionError::Internal("no input".to_owned()))?;
        let even_batches = self.even_batches;
        Ok(Arc::new(Self { even_batches, ..Self::new(input, self.fetch) }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(&self, _partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.input.schema();
        let count = self.input.output_partitioning().partition_count();
        let ahead = context.session_config().get_extension::<ReadAhead>();
        let at_once = ahead.map_or(1, |ahead| ahead.at_once());
        let (input, received) = (Arc::clone(&self.input), Arc::clone(&schema));
        let start = move |part| {
            // Each has a task of its own, which begins to work at once.
            let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&received), BATCHES_AHEAD);
            let (input, context, rows) = (Arc::clone(&input), Arc::clone(&context), builder.tx());
            builder.spawn(async move {
                let mut batches = input.execute(part, context)?;
                while let Some(batch) = batches.next().await {
                    let failed = batch.is_err();
                    // Whoever received the rows may have enough of them.
                    if rows.send(batch).await.is_err() || failed {
                        break;
                    }
                }
                Ok(())
            });
            builder.build()
        };
        // The one whose turn it is counts too, and the next begins when it has ended.
        let parts = match at_once.saturating_sub(1) {
            0 => stream::iter(0..count).flat_map(start).boxed(),
            waiting => {
                stream::iter(0..count).map(move |part| ready(start(part))).buffered(waiting).flatten().boxed()
            }
        };
        if self.even_batches {
            let even = even_batches(Arc::clone(&schema), parts);
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, even)));
        }
        let Some(fetch) = self.fetch else {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, parts)));
        };
        let limited = stream::try_unfold((Box::pin(parts), fetch), async |(mut parts, rows)| {
            if rows == 0 {
                return Ok(None);
            }
            let Some(batch) = parts.try_next().await? else { return Ok(None) };
            let taken = batch.num_rows().min(rows);
            Ok(Some((batch.slice(0, taken), (parts, rows - taken))))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, limited)))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }
}

/// The rows in batches of [`BATCH_ROWS`].
fn even_batches(
    schema: SchemaRef,
    rows: impl Stream<Item = Result<RecordBatch>> + Send + 'static,
) -> impl Stream<Item = Result<RecordBatch>> + Send {
    let start = (Box::pin(rows), BatchCoalescer::new(schema, BATCH_ROWS), false);
    stream::try_unfold(start, async |(mut rows, mut even, mut ended)| {
        loop {
            if let Some(batch) = even.next_completed_batch() {
                return Ok(Some((batch, (rows, even, ended))));
            }
            if ended {
                return Ok(None);
            }
            match rows.try_next().await? {
                Some(batch) => even.push_batch(batch)?,
                None => {
                    even.finish_buffered_batch()?;
                    ended = true;
                }
            }
        }
    })
}
