//! The query of a prepare step: one SELECT over the inputs, and nothing else.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{SchemaError, TableReference};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use mlpipeline_crds::PrepareInput;

use super::PrepareError;
use super::everyday_sql::spell;
use super::refused_sql::refusal;
use super::{unknown_function, unused_order};
use crate::WorkContext;
use crate::engine::{query_error, streaming};
use crate::failure::StepError;
use crate::table::{self, KnownColumns};

/// The most columns of a table that a message lists.
const COLUMNS_SHOWN: usize = 60;

/// What is known of the inputs' columns before they are opened.
pub(crate) struct Expectation<'a> {
    /// What they are, as far as it is known.
    pub known: KnownColumns,
    /// Gets the columns of each input before anything is made of them, and may refuse them.
    pub look: &'a mut (dyn FnMut(&SchemaRef) -> Result<(), StepError> + Send),
}

/// Opens the inputs as tables of a session.
pub(super) async fn register(
    session: &SessionContext,
    inputs: &[PrepareInput],
    context: &WorkContext,
    Expectation { known, look }: Expectation<'_>,
) -> Result<(), StepError> {
    for input in inputs {
        let table = table::provider_of(&input.source, &input.name, known.clone(), context).await?;
        look(&table.schema())?;
        let mut names = vec![input.name.clone()];
        // SQL reads Iris without quotes as iris; both shall find the table.
        let folded = input.name.to_lowercase();
        if folded != input.name && !inputs.iter().any(|other| other.name == folded) {
            names.push(folded);
        }
        for name in names {
            session
                .register_table(TableReference::bare(name), Arc::clone(&table))
                .map_err(|error| query_error(&error))?;
        }
    }
    Ok(())
}

/// Plans the query, or the copy of the only input where there is none.
pub(super) async fn plan(
    session: &SessionContext,
    inputs: &[PrepareInput],
    sql: Option<&str>,
) -> Result<DataFrame, StepError> {
    match (sql, inputs) {
        (Some(sql), _) => select(session, sql).await,
        (None, [input]) => {
            let name = TableReference::bare(input.name.as_str());
            let table = session.table(name.clone()).await.map_err(|error| query_error(&error))?;
            let columns = table::leaves(table.schema().fields());
            streaming(session, columns).table(name).await.map_err(|error| query_error(&error))
        }
        (None, inputs) => {
            let text = format!(
                "without sql exactly one input is copied, and there are {}; write sql to say what becomes of them",
                inputs.len()
            );
            Err(PrepareError::Query(text).into())
        }
    }
}

/// Plans one SELECT. Statements that write, change settings or look into the machine are refused, and there is no way to
/// name a file as a table.
pub(super) async fn select(session: &SessionContext, sql: &str) -> Result<DataFrame, StepError> {
    let mut statement = only_statement(sql)?;
    let with_all_orders = match &mut statement {
        Statement::Statement(inner) if matches!(inner.as_ref(), SqlStatement::Query(_)) => {
            if let Some(problem) = refusal(inner) {
                return Err(PrepareError::Query(problem).into());
            }
            spell(inner);
            let written = inner.clone();
            unused_order::leave_out(inner);
            Some(written).filter(|written| *written != *inner)
        }
        other => {
            let text = other.to_string();
            let verb: String = text.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
            let problem = format!("the sql is {verb}…, and only one SELECT is allowed");
            return Err(PrepareError::Query(problem).into());
        }
    };
    if let Some(written) = with_all_orders {
        let planned = session.state().statement_to_plan(Statement::Statement(written)).await;
        if let Err(error) = planned.and_then(|plan| unused_order::check(&plan)) {
            return Err(explain(session, &error).await);
        }
    }
    let plan = match session.state().statement_to_plan(statement).await {
        Ok(plan) => plan,
        Err(error) => return Err(explain(session, &error).await),
    };
    let rules = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    if let Err(error) = rules.verify_plan(&plan) {
        return Err(
            PrepareError::Query(format!("only one SELECT is allowed: {}", error.strip_backtrace())).into()
        );
    }
    match session.execute_logical_plan(plan).await {
        Ok(frame) => Ok(frame),
        Err(error) => Err(explain(session, &error).await),
    }
}

/// The longest query. A longer one would take more of the stack to be let go of than a thread has.
const SQL_BYTES: usize = 512 << 10;

fn only_statement(sql: &str) -> Result<Statement, PrepareError> {
    if sql.len() > SQL_BYTES {
        return Err(PrepareError::Query(format!(
            "the sql has {} bytes, and may have {SQL_BYTES}; make a table of a long list of values, or use several steps",
            sql.len()
        )));
    }
    let parsed = DFParserBuilder::new(sql).build().and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| {
        PrepareError::Query(format!("the sql cannot be read: {}", query_error(&error).message))
    })?;
    let count = statements.len();
    statements.pop_front().filter(|_| count == 1).ok_or_else(|| {
        PrepareError::Query(format!("the sql has {count} statements, and exactly one SELECT is expected"))
    })
}

/// An error of planning, with the tables and columns there are.
async fn explain(session: &SessionContext, error: &DataFusionError) -> StepError {
    let plain = query_error(error);
    let tables = tables(session).await;
    let root = error.find_root();
    let unknown_column = match root {
        DataFusionError::SchemaError(schema_error, _) => match schema_error.as_ref() {
            SchemaError::FieldNotFound { field, .. } => Some(field.name.clone()),
            _ => None,
        },
        _ => None,
    };
    if let DataFusionError::SchemaError(schema_error, _) = root
        && let SchemaError::AmbiguousReference { field } = schema_error.as_ref()
    {
        let name = &field.name;
        // A name with its table is beside a value that the query calls so, as in ORDER BY.
        if let Some(table) = &field.relation {
            let text = format!(
                "\"{name}\" is a column of {table} and also a value that the query calls so: give the value another name with AS, or its name last: \
                 SELECT v AS {name} FROM (SELECT … AS v, {name} AS o FROM {table}) AS q ORDER BY o; {tables}"
            );
            return PrepareError::Query(text).into();
        }
        let text = format!(
            "column \"{name}\" is in several tables; write the table before it, as in TABLE.{name}; {tables}"
        );
        return PrepareError::Query(text).into();
    }
    match unknown_column {
        Some(name) => {
            let text = format!("column \"{name}\" not found; {tables}. {QUOTING}");
            PrepareError::Unknown(text).into()
        }
        None => {
            let message = unknown_function::hint(session, &root.strip_backtrace());
            StepError { message: format!("{}; {tables}", message.unwrap_or(plain.message)), ..plain }
        }
    }
}

const QUOTING: &str =
    "A name with upper case, spaces or other signs is written in double quotes: \"Petal Width\"";

async fn tables(session: &SessionContext) -> String {
    let mut described = Vec::new();
    let names = session
        .catalog("datafusion")
        .and_then(|catalog| catalog.schema("public"))
        .map(|schema| schema.table_names());
    let mut names = names.unwrap_or_default();
    names.sort();
    for name in names {
        let Ok(table) = session.table(TableReference::bare(name.as_str())).await else { continue };
        let columns: Vec<&str> =
            table.schema().fields().iter().map(|field| field.name().as_str()).take(COLUMNS_SHOWN).collect();
        let more = table.schema().fields().len().saturating_sub(COLUMNS_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        described.push(format!("{name} ({}{more})", columns.join(", ")));
    }
    if described.is_empty() {
        "there are no tables".to_owned()
    } else {
        format!("the tables are {}", described.join("; "))
    }
}
