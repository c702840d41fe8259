//! What the database says of a table's columns.

use mlpipeline_crds::TableLocation;
use tokio_postgres::types::ToSql;

use super::connection::Link;
use super::types::Kind;
use crate::stores::StoreError;

/// How many names a message lists.
const SHOWN: usize = 40;

/// Columns in their order, with the type under a domain, and whether they are computed by the database.
const COLUMNS: &str = "
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), b.typname::text,
           CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
           a.attgenerated <> '' OR a.attidentity = 'a', c.relkind::text
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY a.attnum";

const TABLES: &str = "
    SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1 LIMIT 41";

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// Its type as SQL writes it: "numeric(10,2)".
    pub(super) sql_type: String,
    /// What it is read as.
    pub(super) kind: Kind,
    /// Whether the database computes it, so that nobody can write it.
    pub(super) computed: bool,
}

/// A table or view.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// Its columns in their order.
    pub(super) columns: Vec<Column>,
    /// Whether it is a table, so that it can be written as one.
    pub(super) is_table: bool,
}

/// Looks a table or view up; `None` when there is none.
pub(super) async fn find(
    link: &Link,
    client: &impl tokio_postgres::GenericClient,
    location: &TableLocation,
) -> Result<Option<Relation>, StoreError> {
    let parameters: [&(dyn ToSql + Sync); 2] = [&location.schema, &location.table];
    let rows = link.wait("look the table up", client.query(COLUMNS, &parameters)).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let field = |error: tokio_postgres::Error| link.answer.of("look the table up", &error);
    let kind: String = first.try_get(5).map_err(field)?;
    let mut columns = Vec::with_capacity(rows.len());
    for row in &rows {
        // A table without columns has one row without a name.
        let Some(name) = row.try_get::<_, Option<String>>(0).map_err(field)? else { continue };
        let base: Option<String> = row.try_get(2).map_err(field)?;
        let modifier: i32 = row.try_get(3).map_err(field)?;
        columns.push(Column {
            name,
            sql_type: row.try_get(1).map_err(field)?,
            kind: Kind::of(&base.unwrap_or_default(), modifier),
            computed: row.try_get::<_, Option<bool>>(4).map_err(field)?.unwrap_or_default(),
        });
    }
    Ok(Some(Relation { columns, is_table: matches!(kind.as_str(), "r" | "p") }))
}

/// The error for a table that is not there, with those that are.
pub(super) async fn missing(
    link: &Link,
    client: &tokio_postgres::Client,
    location: &TableLocation,
) -> StoreError {
    let TableLocation { schema, table, .. } = location;
    let found = link.wait("list the tables", client.query(TABLES, &[schema])).await;
    let names: Vec<String> =
        found.into_iter().flatten().filter_map(|row| row.try_get::<_, String>(0).ok()).collect();
    let more = if names.len() > SHOWN { ", …" } else { "" };
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    let there = if names.is_empty() { "none".to_owned() } else { format!("{shown}{more}") };
    link.answer.not_found(format!(
        "there is no table {table} in the schema {schema} that this user may see; there are {there}"
    ))
}
