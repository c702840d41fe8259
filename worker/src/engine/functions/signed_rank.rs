//! Numbers of rows in a window as signed ones: the engine counts without a sign, so that the difference of two ranks would overflow.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::{SortOptions, cast};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{
    ExpressionArgs, PartitionEvaluatorArgs, WindowFunctionSimplification, WindowUDFFieldArgs,
};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

/// The functions of windows that count, by their names in the engine.
pub(super) const RANKS: [&str; 4] = ["row_number", "rank", "dense_rank", "ntile"];

/// A function of the engine that counts, with signed numbers.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SignedRank {
    function: Arc<WindowUDF>,
}

impl SignedRank {
    pub(super) fn new(function: Arc<WindowUDF>) -> Self {
        Self { function }
    }
}

impl WindowUDFImpl for SignedRank {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn expressions(&self, args: ExpressionArgs<'_>) -> Vec<Arc<dyn PhysicalExpr>> {
        self.function.expressions(args)
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Signed { counts: self.function.partition_evaluator_factory(args)? }))
    }

    fn simplify(&self) -> Option<WindowFunctionSimplification> {
        self.function.simplify()
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let field = self.function.field(args)?;
        Ok(Field::new(field.name(), DataType::Int64, field.is_nullable()).into())
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.function.sort_options()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        self.function.reverse_expr()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.function.inner().limit_effect(args)
    }
}

/// What the engine counts, with a sign.
#[derive(Debug)]
struct Signed {
    counts: Box<dyn PartitionEvaluator>,
}

fn signed(counts: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(counts, &DataType::Int64)?)
}

impl PartitionEvaluator for Signed {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.counts.memoize(state)
    }

    fn get_range(&self, row: usize, rows: usize) -> Result<Range<usize>> {
        self.counts.get_range(row, rows)
    }

    fn is_causal(&self) -> bool {
        self.counts.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        signed(&self.counts.evaluate_all(values, rows)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.counts.evaluate(values, range)?.cast_to(&DataType::Int64)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        signed(&self.counts.evaluate_all_with_rank(rows, ranks)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.counts.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.counts.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.counts.include_rank()
    }
}
