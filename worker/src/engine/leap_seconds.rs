//! Second 60 in texts that are cast to times: the engine takes it for the first one of the next minute, and it is none.
//!
//! It runs after types are made alike, when every cast stands there, also those that nobody wrote. Must not change other texts.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Cast, ScalarFunction, TryCast};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use datafusion::optimizer::AnalyzerRule;

use super::rewrite::rewrite;
use crate::clock_parts::{SECONDS, has_second_60};

/// Functions that cast their first argument, and whether what fails becomes null.
const CASTS: [(&str, bool); 4] =
    [("arrow_cast", false), ("arrow_try_cast", true), ("cast_to_type", false), ("try_cast_to_type", true)];

/// Puts the functions that look for second 60 into a plan.
#[derive(Debug)]
pub(super) struct LeapSeconds {
    refusing: Arc<ScalarUDF>,
    leaving_out: Arc<ScalarUDF>,
}

impl LeapSeconds {
    pub(super) fn new() -> Self {
        let function = |is_tried| {
            let signature = Signature::any(1, Volatility::Immutable);
            Arc::new(ScalarUDF::new_from_impl(WithoutSecond60 { is_tried, signature }))
        };
        Self { refusing: function(false), leaving_out: function(true) }
    }

    fn read(&self, expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
        match expr {
            Expr::Cast(Cast { expr, field }) if is_of_text(field.data_type(), &expr, schema) => {
                let expr = self.checked(*expr, false).into();
                Transformed::yes(Expr::Cast(Cast { expr, field }))
            }
            Expr::TryCast(TryCast { expr, field }) if is_of_text(field.data_type(), &expr, schema) => {
                let expr = self.checked(*expr, true).into();
                Transformed::yes(Expr::TryCast(TryCast { expr, field }))
            }
            Expr::ScalarFunction(call) => self.read_function(call, schema),
            other => Transformed::no(other),
        }
    }

    fn read_function(&self, call: ScalarFunction, schema: &DFSchema) -> Transformed<Expr> {
        let found = CASTS.iter().find(|(name, _)| *name == call.func.name()).map(|(_, is_tried)| *is_tried);
        let mut expr = Expr::ScalarFunction(call);
        let Some(is_tried) = found else { return Transformed::no(expr) };
        let Ok(to) = expr.get_type(schema) else { return Transformed::no(expr) };
        if let Expr::ScalarFunction(call) = &mut expr
            && let Some(first) = call.args.first_mut().filter(|first| is_of_text(&to, first, schema))
        {
            *first = self.checked(std::mem::take(first), is_tried);
            return Transformed::yes(expr);
        }
        Transformed::no(expr)
    }

    fn checked(&self, text: Expr, is_tried: bool) -> Expr {
        let function = if is_tried { &self.leaving_out } else { &self.refusing };
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), vec![text]))
    }
}

impl AnalyzerRule for LeapSeconds {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan, &|expr, schema| Ok(self.read(expr, schema)))
    }

    fn name(&self) -> &'static str {
        "leap_seconds"
    }
}

/// Whether a text that may have second 60 becomes a time, or a time of day.
fn is_of_text(to: &DataType, text: &Expr, schema: &DFSchema) -> bool {
    let is_time = matches!(to, DataType::Timestamp(..) | DataType::Time32(_) | DataType::Time64(_));
    is_time
        && match text {
            Expr::Literal(text, _) => text.try_as_str().flatten().is_some_and(has_second_60),
            // A type is that of all expressions within: it is asked for where it matters.
            other => other.get_type(schema).is_ok_and(|found| found.is_string()),
        }
}

/// Refuses a text with second 60.
///
/// # Errors
/// In the words in which the engine refuses texts that are no times.
pub(super) fn refuse_second_60(texts: &ColumnarValue) -> Result<()> {
    match first_of(texts)? {
        Some(text) => {
            Err(DataFusionError::Execution(format!("Error parsing timestamp from '{text}': {SECONDS}")))
        }
        None => Ok(()),
    }
}

/// The first text with second 60.
fn first_of(texts: &ColumnarValue) -> Result<Option<String>> {
    let found = |text: Option<&str>| text.filter(|text| has_second_60(text)).map(str::to_owned);
    match texts {
        ColumnarValue::Scalar(text) => Ok(found(text.try_as_str().flatten())),
        ColumnarValue::Array(texts) => Ok(plain(texts)?.as_string::<i32>().iter().find_map(found)),
    }
}

fn plain(texts: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(texts, &DataType::Utf8)?)
}

/// The text itself, unless it has second 60: that is an error, or null where the cast may fail.
#[derive(Debug, PartialEq, Eq, Hash)]
struct WithoutSecond60 {
    is_tried: bool,
    signature: Signature,
}

impl ScalarUDFImpl for WithoutSecond60 {
    fn name(&self) -> &'static str {
        if self.is_tried { "seconds_to_59_or_null" } else { "seconds_to_59" }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().ok_or_else(|| DataFusionError::Internal("an argument is expected".to_owned()))
    }

    /// Null stays null, so that joins are planned as they would be without it.
    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [texts] = <[ColumnarValue; 1]>::try_from(args.args)
            .map_err(|_| DataFusionError::Internal("one argument is expected".to_owned()))?;
        if !self.is_tried {
            refuse_second_60(&texts)?;
            return Ok(texts);
        }
        if first_of(&texts)?.is_none() {
            return Ok(texts);
        }
        match texts {
            ColumnarValue::Scalar(text) => {
                Ok(ColumnarValue::Scalar(ScalarValue::try_from(&text.data_type())?))
            }
            ColumnarValue::Array(texts) => {
                let kept: StringArray = plain(&texts)?
                    .as_string::<i32>()
                    .iter()
                    .map(|text| text.filter(|text| !has_second_60(text)))
                    .collect();
                Ok(ColumnarValue::Array(cast(&kept, texts.data_type())?))
            }
        }
    }
}
