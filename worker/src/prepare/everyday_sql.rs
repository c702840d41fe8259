//! Spellings of other engines that mean one thing, written as this one reads them: `mod(a, b)`, `sign(x)`, `INTERVAL 7 DAY`, and
//! `CAST(x AS VARCHAR(2))`, whose length this one leaves out. IS DISTINCT FROM becomes an operator, as other comparisons are, and numbers that are
//! compared keep their digits (`long_numbers`).

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CharacterLength, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, Interval, ObjectName, Select, SelectItem, Statement, Value, ValueWithSpan,
    VisitMut, VisitorMut,
};

use super::long_numbers;
use crate::engine::{IS_DISTINCT, IS_NOT_DISTINCT};

/// Rewrites a statement.
pub(super) fn spell(statement: &mut Statement) {
    // It never breaks off.
    let _ = statement.visit(&mut Spelling);
}

struct Spelling;

impl VisitorMut for Spelling {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Self::Break> {
        select.projection.iter_mut().for_each(keep_name);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Self::Break> {
        long_numbers::spell(expr);
        match expr {
            Expr::Interval(Interval { value, .. }) => quote(value),
            Expr::Cast { data_type, .. } => {
                if let Some(length) = length(data_type) {
                    *data_type = DataType::Varchar(None);
                    *expr = cut(expr.clone(), length);
                }
            }
            Expr::IsDistinctFrom(left, right) => *expr = operation(left, IS_DISTINCT, right),
            Expr::IsNotDistinctFrom(left, right) => *expr = operation(left, IS_NOT_DISTINCT, right),
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

/// A comparison that is no operator to the parser.
fn operation(left: &Expr, name: &str, right: &Expr) -> Expr {
    let op = BinaryOperator::Custom(name.to_owned());
    Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right.clone()) }
}

/// How long a text of this type may be. One of CHAR is filled up with spaces too, and refused.
fn length(found: &DataType) -> Option<u64> {
    match found {
        DataType::Varchar(Some(CharacterLength::IntegerLength { length, .. }))
        | DataType::Nvarchar(Some(CharacterLength::IntegerLength { length, .. }))
        | DataType::CharVarying(Some(CharacterLength::IntegerLength { length, .. }))
        | DataType::CharacterVarying(Some(CharacterLength::IntegerLength { length, .. })) => Some(*length),
        _ => None,
    }
}

/// Names a column of the result that is cut as its source, which is what a cast is called.
fn keep_name(item: &mut SelectItem) {
    let SelectItem::UnnamedExpr(expr) = item else { return };
    let Expr::Cast { expr: source, data_type, .. } = &*expr else { return };
    let alias = match source.as_ref() {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(path) => path.last(),
        _ => None,
    };
    if let Some(alias) = alias.filter(|_| length(data_type).is_some()) {
        *item = SelectItem::ExprWithAlias { alias: alias.clone(), expr: expr.clone() };
    }
}

/// The beginning of a text.
fn cut(text: Expr, length: u64) -> Expr {
    let number = |number: u64| Some(Box::new(Expr::Value(Value::Number(number.to_string(), false).into())));
    Expr::Substring {
        expr: Box::new(text),
        substring_from: number(1),
        substring_for: number(length),
        special: true,
        shorthand: true,
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
