//! Sorts that keep the order of rows whose keys are equal.
//!
//! The engine's sort does not: which of several equal rows comes first depends on how many rows a batch has, on what was spilled, and on the columns
//! that are read, and so would which row `row_number() … = 1` keeps. So the number of each row is the last key of every sort, and is left out of the
//! rows behind it.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::TryStreamExt;

/// The column of the numbers. Columns are found by their place, so that a table may have one of this name.
const NUMBER: &str = "row number";

/// How many rows a partition has room for in the numbers.
const PARTITION_ROWS: u64 = 1 << 48;

/// Makes the sorts of a plan stable.
#[derive(Debug)]
pub(super) struct StableSort;

impl PhysicalOptimizerRule for StableSort {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(stable).data()
    }

    fn name(&self) -> &'static str {
        "stable_sort"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn stable(plan: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        // Of equal rows, those of the first partition come first.
        let merge = SortPreservingMergeExec::new(merge.expr().clone(), Arc::clone(merge.input()))
            .with_fetch(merge.fetch())
            .with_round_robin_repartition(false);
        return Ok(Transformed::yes(Arc::new(merge)));
    }
    let Some(sort) = plan.downcast_ref::<SortExec>() else { return Ok(Transformed::no(plan)) };
    let schema = sort.schema();
    let number = Column::new(NUMBER, schema.fields().len());
    let keys = sort.expr().iter().cloned().chain([PhysicalSortExpr::new_default(Arc::new(number))]);
    let keys = LexOrdering::new(keys).ok_or_else(|| DataFusionError::Internal("no keys".to_owned()))?;
    let sorted = SortExec::new(keys, Arc::new(Numbered::new(Arc::clone(sort.input()))?))
        .with_fetch(sort.fetch())
        .with_preserve_partitioning(sort.preserve_partitioning());
    let columns = schema.fields().iter().enumerate().map(|(place, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), place));
        (column, field.name().clone())
    });
    Ok(Transformed::yes(Arc::new(ProjectionExec::try_new(columns, Arc::new(sorted))?)))
}

/// The rows of its input, each with its number as the last column: those of a later partition have larger ones.
#[derive(Debug)]
struct Numbered {
    input: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl Numbered {
    fn new(input: Arc<dyn ExecutionPlan>) -> Result<Self> {
        let rows = input.schema();
        let number = Arc::new(Field::new(NUMBER, DataType::UInt64, false));
        let fields: Vec<_> = rows.fields().iter().cloned().chain([number]).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, rows.metadata().clone()));
        let known = input.equivalence_properties();
        let orders = known.oeq_class().iter().cloned();
        let mut order = EquivalenceProperties::new_with_orderings(Arc::clone(&schema), orders);
        order.add_equivalence_group(known.eq_group().clone())?;
        let properties = PlanProperties::new(
            order,
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Ok(Self { input, schema, properties: Arc::new(properties) })
    }
}

impl DisplayAs for Numbered {
    fn fmt_as(&self, _form: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Numbered")
    }
}

impl ExecutionPlan for Numbered {
    fn name(&self) -> &'static str {
        "Numbered"
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
        Ok(Arc::new(Self::new(input)?))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = Arc::clone(&self.schema);
        let mut next = PARTITION_ROWS.saturating_mul(partition as u64);
        let rows = self.input.execute(partition, context)?.and_then({
            let schema = Arc::clone(&schema);
            move |batch| {
                let first = next;
                next = next.saturating_add(batch.num_rows() as u64);
                std::future::ready(numbered(&batch, &schema, first..next))
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// A batch with such numbers.
fn numbered(batch: &RecordBatch, schema: &SchemaRef, numbers: std::ops::Range<u64>) -> Result<RecordBatch> {
    let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(numbers));
    let columns = batch.columns().iter().cloned().chain([numbers]).collect();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
