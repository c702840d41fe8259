//! Spellings of other engines that mean one thing, written as this one reads them: `mod(a, b)`, `sign(x)` and `INTERVAL 7 DAY`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Interval,
    ObjectName, Statement, Value, ValueWithSpan, VisitMut, VisitorMut,
};

/// Rewrites a statement.
pub(super) fn spell(statement: &mut Statement) {
    // It never breaks off.
    let _ = statement.visit(&mut Spelling);
}

struct Spelling;

impl VisitorMut for Spelling {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        match expr {
            Expr::Interval(Interval { value, .. }) => quote(value),
            Expr::Function(function) => match function_name(function).as_deref() {
                Some("sign") => function.name = ObjectName::from(vec![Ident::new("signum")]),
                Some("mod") => {
                    if let Some(modulo) = modulo(function) {
                        *expr = modulo;
                    }
                }
                _ => {}
            },
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The number of an interval as a text: in the frame of a window there may be no other.
fn quote(value: &mut Expr) {
    if let Expr::Value(ValueWithSpan { value, .. }) = value
        && let Value::Number(number, _) = value
    {
        *value = Value::SingleQuotedString(number.to_string());
    }
}

/// The name of a function that is called without a schema, in lower case.
fn function_name(function: &Function) -> Option<String> {
    match function.name.0.as_slice() {
        [part] => part.as_ident().map(|name| name.value.to_lowercase()),
        _ => None,
    }
}

fn modulo(function: &Function) -> Option<Expr> {
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(left)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(right)),
        ] => {
            let nested = |side: &Expr| Box::new(Expr::Nested(Box::new(side.clone())));
            let remainder =
                Expr::BinaryOp { left: nested(left), op: BinaryOperator::Modulo, right: nested(right) };
            Some(Expr::Nested(Box::new(remainder)))
        }
        _ => None,
    }
}
