//! A join that keeps the order of the rows that it reads one by one, those without a partner among them.
//!
//! The engine's hash join puts rows without a partner in their place only where its right side says that it is sorted; otherwise they
//! come at the end of each batch, and where batches end depends on the file's format. So the right side says that it is
//! sorted to the join alone, when nothing plans by it any more, and the join says nothing of it to what is above.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, OrderingRequirements, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, ReplaceChildrenOptions, replace_children_if_necessary,
};
use datafusion::physical_plan::{
    ChildStats, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    StatisticsArgs,
};

/// The join with rows without a partner in their place. `join` has two inputs, and gives every row of the second.
pub(super) fn keep_order(join: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let children: Vec<Arc<dyn ExecutionPlan>> = join.children().into_iter().cloned().collect();
    let [left, right] = children.as_slice() else { return Ok(join) };
    let schema = right.schema();
    let Some(first) = schema.fields().first() else { return Ok(join) };
    let sorted = PhysicalSortExpr::new_default(Arc::new(Column::new(first.name(), 0)));
    let sorted = EquivalenceProperties::new_with_orderings(Arc::clone(&schema), [[sorted]]);
    let right: Arc<dyn ExecutionPlan> = Arc::new(AssumedOrder::new(Arc::clone(right), sorted));
    let join = replace_children_if_necessary(join, vec![Arc::clone(left), right])?;
    let unsorted = EquivalenceProperties::new(join.schema());
    Ok(Arc::new(AssumedOrder::new(join, unsorted)))
}

/// The rows of its input, with something else said of their order.
#[derive(Debug)]
pub(super) struct AssumedOrder {
    input: Arc<dyn ExecutionPlan>,
    order: EquivalenceProperties,
    /// What the input must be sorted by, even where nothing above asks for it.
    required: Option<LexOrdering>,
    properties: Arc<PlanProperties>,
}

impl AssumedOrder {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, order: EquivalenceProperties) -> Self {
        let properties = PlanProperties::new(
            order.clone(),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, order, required: None, properties: Arc::new(properties) }
    }

    /// The sorted rows of a query within, which the engine would not sort where it sees no use in it.
    pub(super) fn required(sort: Arc<dyn ExecutionPlan>, by: LexOrdering) -> Self {
        let order = sort.equivalence_properties().clone();
        Self { required: Some(by), ..Self::new(sort, order) }
    }
}

impl DisplayAs for AssumedOrder {
    fn fmt_as(&self, _form: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AssumedOrder")
    }
}

impl ExecutionPlan for AssumedOrder {
    fn name(&self) -> &'static str {
        "AssumedOrder"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.required.clone().map(OrderingRequirements::from)]
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
        let required = self.required.clone();
        Ok(Arc::new(Self { required, ..Self::new(input, self.order.clone()) }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        self.replace_children(children, options)
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        inputs.first().cloned().ok_or_else(|| DataFusionError::Internal("no input".to_owned()))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}
