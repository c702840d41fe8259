//! SQL that the engine reads otherwise than it says, without a word: it is refused, with a way to write it that means one thing.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Query, SetExpr, SetOperator, SetQuantifier, Statement, TableFactor, Visit, Visitor,
};

/// What is wrong with a statement; `None` where it is read as it is written.
pub(super) fn refusal(statement: &Statement) -> Option<String> {
    match statement.visit(&mut Refusing::default()) {
        ControlFlow::Break(problem) => Some(problem.to_owned()),
        ControlFlow::Continue(()) => None,
    }
}

/// How many expressions may stand in one another, as the terms of a sum do: what a query is planned by looks at each with all that are in
/// it.
const MOST_DEPTH: usize = 1000;

#[derive(Default)]
struct Refusing {
    /// In how many expressions the current one stands.
    depth: usize,
}

impl Visitor for Refusing {
    type Break = &'static str;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        set_operations(&query.body)
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Self::Break> {
        match table {
            TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
                ControlFlow::Break(
                    "TABLESAMPLE would be left out, and all rows be read; select rows by their values, as with \
                     WHERE substr(md5(CAST(id AS VARCHAR)), 1, 1) = '0' for a sixteenth",
                )
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, _expr: &Expr) -> ControlFlow<Self::Break> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Self::Break> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return ControlFlow::Break(
                "more than 1,000 expressions stand in one another, as the terms of one sum or one OR do; write IN for a list of values, make rows \
                 of columns, or use a query within another",
            );
        }
        let right = match expr {
            Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => right.as_ref(),
            _ => return ControlFlow::Continue(()),
        };
        // What stands in parentheses is an expression of its own.
        match right {
            Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor, .. } => {
                ControlFlow::Break(
                    "AND and OR behind IS DISTINCT FROM would belong to its right side; put it in parentheses: \
                     (a IS DISTINCT FROM b) AND c",
                )
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

fn set_operations(body: &SetExpr) -> ControlFlow<&'static str> {
    let SetExpr::SetOperation { op, set_quantifier, left, right } = body else {
        return ControlFlow::Continue(());
    };
    let counts = matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName);
    if counts && matches!(op, SetOperator::Except | SetOperator::Minus | SetOperator::Intersect) {
        return ControlFlow::Break(
            "EXCEPT ALL and INTERSECT ALL would not count how often a row is there; leave ALL out, or count with GROUP BY",
        );
    }
    set_operations(left)?;
    set_operations(right)
}
