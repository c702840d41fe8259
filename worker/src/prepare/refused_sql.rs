//! SQL that the engine reads otherwise than it says, without a word: it is refused, with a way to write it that means one thing.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CharacterLength, DataType, Expr, GroupByExpr, Join, JoinOperator, Query, Select,
    SelectItem, SetExpr, SetOperator, SetQuantifier, Statement, TableFactor, TableWithJoins, Visit, Visitor,
    visit_expressions,
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
        left_out_of_query(query)?;
        set_operations(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if !select.connect_by.is_empty() {
            return ControlFlow::Break(
                "CONNECT BY would be left out; a query that goes from row to row is WITH RECURSIVE",
            );
        }
        left_out_of_select(select)?;
        select.from.iter().try_for_each(joins)
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Self::Break> {
        match table {
            TableFactor::NestedJoin { table_with_joins, .. } => joins(table_with_joins),
            other => table_factor(other),
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
            Expr::BinaryOp { op: BinaryOperator::BitwiseXor, .. } => {
                return ControlFlow::Break(
                    "^ is a power in some engines and the exclusive or in others; a power is power(x, 2), and the exclusive or of whole numbers (a | b) - \
                     (a & b)",
                );
            }
            Expr::Cast { data_type, .. } if has_length(data_type) => {
                return ControlFlow::Break(
                    "the length of CHAR would be left out; cut a text by CAST(x AS VARCHAR(2)), and fill one up by rpad(x, 2, ' ')",
                );
            }
            Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) => right.as_ref(),
            Expr::InSubquery { expr, .. } if matches!(expr.as_ref(), Expr::Tuple(_)) => {
                return ControlFlow::Break(
                    "several values are not looked for by IN; write EXISTS (SELECT 1 FROM b WHERE b.x = a.x AND b.y = a.y), or NOT EXISTS",
                );
            }
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

/// Clauses around a query that the engine does not read.
fn left_out_of_query(query: &Query) -> ControlFlow<&'static str> {
    if !query.locks.is_empty() || query.for_clause.is_some() {
        return ControlFlow::Break("FOR UPDATE, SHARE, XML and JSON would be left out; leave them out");
    }
    if query.settings.is_some() || query.format_clause.is_some() {
        return ControlFlow::Break("SETTINGS and FORMAT would be left out; the step says what its format is");
    }
    ControlFlow::Continue(())
}

/// Clauses of a SELECT that the engine does not read.
fn left_out_of_select(select: &Select) -> ControlFlow<&'static str> {
    if select.prewhere.is_some() {
        return ControlFlow::Break("PREWHERE would be left out, and all rows be read; write WHERE");
    }
    let (GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers)) = &select.group_by;
    if !modifiers.is_empty() {
        return ControlFlow::Break(
            "WITH ROLLUP, CUBE and TOTALS would be left out; write GROUP BY ROLLUP (g), CUBE (g, h) or GROUPING SETS ((g), ())",
        );
    }
    if !select.distribute_by.is_empty() || select.value_table_mode.is_some() {
        return ControlFlow::Break("DISTRIBUTE BY, AS VALUE and AS STRUCT would be left out; leave them out");
    }
    let has_pattern = |item: &SelectItem| match item {
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
            options.opt_ilike.is_some() || options.opt_rename.is_some()
        }
        _ => false,
    };
    if select.exclude.is_some() || select.projection.iter().any(has_pattern) {
        return ControlFlow::Break(
            "ILIKE and RENAME behind *, and EXCLUDE behind other columns, would be left out; name the columns, or write * EXCLUDE (a, b)",
        );
    }
    ControlFlow::Continue(())
}

/// Whether it is the type of texts of a length.
fn has_length(found: &DataType) -> bool {
    match found {
        DataType::Char(length) | DataType::Character(length) => {
            matches!(length, Some(CharacterLength::IntegerLength { .. }))
        }
        _ => false,
    }
}

fn joins(tables: &TableWithJoins) -> ControlFlow<&'static str> {
    let is_half = |join: &Join| matches!(join.join_operator, JoinOperator::Semi(_) | JoinOperator::Anti(_));
    if tables.joins.iter().any(is_half) {
        return ControlFlow::Break(
            "SEMI JOIN and ANTI JOIN have a side: write LEFT SEMI JOIN for the rows of the left table that have a partner, LEFT ANTI JOIN for those \
             that have none",
        );
    }
    if tables.joins.iter().any(|join| join.global) {
        return ControlFlow::Break("GLOBAL would be left out of the JOIN; leave it out");
    }
    ControlFlow::Continue(())
}

fn table_factor(table: &TableFactor) -> ControlFlow<&'static str> {
    match table {
        TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => {
            ControlFlow::Break(
                "TABLESAMPLE would be left out, and all rows be read; select rows by their values, as with \
                 WHERE substr(md5(CAST(id AS VARCHAR)), 1, 1) = '0' for a sixteenth",
            )
        }
        TableFactor::Table { with_hints, version, partitions, index_hints, with_ordinality, .. }
            if *with_ordinality
                || version.is_some()
                || !(with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty()) =>
        {
            ControlFlow::Break(
                "hints, versions, partitions and ORDINALITY of a table would be left out; leave them out, and number rows by row_number() OVER ()",
            )
        }
        TableFactor::Pivot { .. } => ControlFlow::Break(
            "PIVOT is written with an aggregate for each column: SELECT k, sum(v) FILTER (WHERE name = 'a') AS a, sum(v) FILTER (WHERE name = 'b') AS \
             b FROM t GROUP BY k",
        ),
        TableFactor::Unpivot { .. } => ControlFlow::Break(
            "UNPIVOT is written with a SELECT for each column: SELECT id, 'a' AS name, a AS value FROM t UNION ALL SELECT id, 'b', b FROM t",
        ),
        TableFactor::UNNEST { array_exprs, .. } if array_exprs.iter().any(has_column) => {
            ControlFlow::Break(UNNEST)
        }
        TableFactor::Function { name, args, .. }
            if name.to_string().eq_ignore_ascii_case("unnest") && args.iter().any(has_column) =>
        {
            ControlFlow::Break(UNNEST)
        }
        _ => ControlFlow::Continue(()),
    }
}

const UNNEST: &str = "unnest in FROM does not see the rows of the tables beside it; write SELECT id, unnest(tags) AS tag FROM t, in a query within where \
                      more is done with it";

/// Whether there is a column in an expression.
fn has_column(expr: &impl Visit) -> bool {
    visit_expressions(expr, |expr| match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
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
