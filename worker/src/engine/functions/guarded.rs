//! A function of the engine behind a guard: in everything but its values it is the engine's own.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};

use super::guard::Guard;
use super::texts_beside;

#[derive(Debug)]
pub(super) struct Guarded {
    function: Arc<ScalarUDF>,
    guard: Guard,
    signature: Signature,
    pool: Arc<dyn MemoryPool>,
}

impl Guarded {
    pub(super) fn new(function: Arc<ScalarUDF>, guard: Guard, pool: Arc<dyn MemoryPool>) -> Self {
        let signature = match guard {
            Guard::TextsAsOthers => Signature::user_defined(function.signature().volatility),
            _ => function.signature().clone(),
        };
        Self { function, guard, signature, pool }
    }
}

// A session has one pool, so that two of its functions differ by function and guard alone.
impl PartialEq for Guarded {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.guard == other.guard
    }
}

impl Eq for Guarded {}

impl Hash for Guarded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
        self.guard.hash(state);
    }
}

// It stays as it is when the configuration changes: the session's time zone is that of casts alone.
impl ScalarUDFImpl for Guarded {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        self.function.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match self.guard {
            Guard::TextsAsOthers => texts_beside::coerced(&self.function, types),
            _ => self.function.coerce_types(types),
        }
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.function.simplify(args, info)
    }

    fn is_strict(&self) -> bool {
        self.function.is_strict()
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.function.evaluate_bounds(inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        let order = self.function.output_ordering(inputs);
        if self.guard == Guard::OrderUnknown { order.or(Ok(SortProperties::Unordered)) } else { order }
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.function.preserves_lex_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.guard.invoke(&self.function, args, &self.pool)
    }
}
