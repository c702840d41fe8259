//! Times that are written without seconds, as `'2024-01-31 10:00'`: the engine does not read them, and SQL does.
//!
//! Only texts of the query are read so; what rows hold is not touched.

use std::sync::LazyLock;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr::{Between, Cast, InList, TryCast};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, lit};
use regex::Regex;

use super::far_times::compares;

/// Adds the seconds to texts that are cast to a time, or stand beside one.
pub(super) fn read(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    // A type is that of all expressions within: it is asked for where there is such a text.
    let is_time =
        |expr: &Expr| expr.get_type(schema).is_ok_and(|found| matches!(found, DataType::Timestamp(..)));
    match expr {
        Expr::Cast(Cast { expr, field }) if is_timestamp(field.data_type()) => {
            with_seconds(*expr).update_data(|text| Expr::Cast(Cast { expr: text.into(), field }))
        }
        Expr::TryCast(TryCast { expr, field }) if is_timestamp(field.data_type()) => {
            with_seconds(*expr).update_data(|text| Expr::TryCast(TryCast { expr: text.into(), field }))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let (left, right) = match (has_minutes(&left), has_minutes(&right)) {
                (false, true) if is_time(&left) => (Transformed::no(*left), with_seconds(*right)),
                (true, false) if is_time(&right) => (with_seconds(*left), Transformed::no(*right)),
                _ => (Transformed::no(*left), Transformed::no(*right)),
            };
            let transformed = left.transformed || right.transformed;
            let binary = BinaryExpr { left: left.data.into(), op, right: right.data.into() };
            Transformed::new_transformed(Expr::BinaryExpr(binary), transformed)
        }
        Expr::Between(Between { expr, negated, low, high })
            if (has_minutes(&low) || has_minutes(&high)) && is_time(&expr) =>
        {
            let (low, high) = (with_seconds(*low).data.into(), with_seconds(*high).data.into());
            Transformed::yes(Expr::Between(Between { expr, negated, low, high }))
        }
        Expr::InList(InList { expr, list, negated }) if list.iter().any(has_minutes) && is_time(&expr) => {
            let list = list.into_iter().map(|item| with_seconds(item).data).collect();
            Transformed::yes(Expr::InList(InList { expr, list, negated }))
        }
        other => Transformed::no(other),
    }
}

fn is_timestamp(found: &DataType) -> bool {
    matches!(found, DataType::Timestamp(..))
}

fn has_minutes(expr: &Expr) -> bool {
    completed(expr).is_some()
}

fn with_seconds(expr: Expr) -> Transformed<Expr> {
    match completed(&expr) {
        Some(text) => Transformed::yes(lit(ScalarValue::Utf8(Some(text)))),
        None => Transformed::no(expr),
    }
}

/// The text of a time with its seconds, where it is one without them.
fn completed(expr: &Expr) -> Option<String> {
    static MINUTES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(\d{4}-\d{2}-\d{2}[ Tt]\d{2}:\d{2})(Z|z| ?[+-]\d{2}(?::?\d{2})?)?$").ok()
    });
    let Expr::Literal(value, _) = expr else { return None };
    let found = MINUTES.as_ref()?.captures(value.try_as_str()??)?;
    let zone = found.get(2).map_or("", |zone| zone.as_str());
    Some(format!("{}:00{zone}", found.get(1)?.as_str()))
}
