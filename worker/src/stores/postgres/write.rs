//! Writing: all rows of a table replaced in one transaction. Readers see the old rows until the new ones are all there.

use std::time::Duration;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::util::display::FormatOptions;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::RecordBatchStream;
use futures::{SinkExt, StreamExt};
use mlpipeline_crds::TableLocation;
use tokio_postgres::types::ToSql;
use tokio_postgres::{CopyInSink, Transaction};

use super::catalogue::{self, Column};
use super::connection::{Link, qualified};
use super::copy_text::{CopyText, plain};
use super::quote;
use super::types::{fits, sql_type};
use crate::column_words::{MOST_NAMED, listed, type_words};
use crate::credentials::Credentials;
use crate::engine::query_error;
use crate::failure::StepError;
use crate::network::Network;
use crate::stores::StoreError;

/// About how many bytes are sent at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// The longest name of a column; longer ones would be cut off.
const NAME_BYTES: usize = 63;

/// How long the database may take to delete the old rows, and to end the load with what hangs on it: indices, triggers.
const LOAD_LIMIT: Duration = Duration::from_secs(3600);

/// Makes these rows the content of a table, which is made where it is missing. Says how many there are.
///
/// # Errors
/// When the table's columns are others, the database refuses a row, or it does not answer. Then the table is as it was.
pub(crate) async fn replace(
    location: &TableLocation,
    rows: SendableRecordBatchStream,
    credentials: &Credentials,
    network: &Network,
) -> Result<u64, StepError> {
    let (mut client, link) = Link::open(location, credentials, network).await?;
    let schema = RecordBatchStream::schema(rows.as_ref().get_ref());
    let made = columns(&schema).map_err(|problem| link.answer.spec(problem))?;
    let begun = link.wait("begin", client.transaction()).await?;
    take_over(&link, &begun, location, &schema, &made).await?;
    let names: Vec<String> = schema.fields().iter().map(|field| quote(field.name())).collect();
    let copy = format!("COPY {} ({}) FROM STDIN", qualified(location), names.join(", "));
    let sink = link.wait("write the table", begun.copy_in::<_, Bytes>(&copy)).await?;
    let loaded = load(&link, sink, rows).await?;
    link.wait_for(LOAD_LIMIT, "commit", begun.commit()).await?;
    Ok(loaded)
}

/// Locks the table, for writers but not for readers, and empties it; makes it where it is missing.
async fn take_over(
    link: &Link,
    begun: &Transaction<'_>,
    location: &TableLocation,
    schema: &Schema,
    made: &[String],
) -> Result<(), StoreError> {
    let table = qualified(location);
    let idle_timeout = link.idle_timeout.as_millis();
    let limit = format!("SET LOCAL lock_timeout = {idle_timeout}");
    link.wait("set a time limit", begun.batch_execute(&limit)).await?;
    // Of two that would make the table, the second waits, and finds it.
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
    let parameters: [&(dyn ToSql + Sync); 1] = [&table];
    let locked = begun.execute(lock, &parameters);
    link.wait_for(link.idle_timeout.saturating_mul(2), "lock the table", locked).await?;
    let Some(found) = catalogue::find(link, begun, location).await? else {
        let create = format!("CREATE TABLE {table} ({})", made.join(", "));
        return link.wait("make the table", begun.batch_execute(&create)).await;
    };
    if !found.is_table {
        return Err(link
            .answer
            .refused("it is a view or a foreign table, and rows go into a table".to_owned()));
    }
    compare(schema, &found.columns, made).map_err(|problem| link.answer.content(problem))?;
    let lock = format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE");
    let locked = begun.batch_execute(&lock);
    link.wait_for(link.idle_timeout.saturating_mul(2), "lock the table", locked).await?;
    // TRUNCATE would lock readers out, and show them an empty table afterwards.
    let delete = format!("DELETE FROM {table}");
    link.wait_for(LOAD_LIMIT, "delete the old rows", begun.batch_execute(&delete)).await
}

/// The columns of a new table, with their types.
fn columns(schema: &Schema) -> Result<Vec<String>, String> {
    let columns = schema.fields().iter().map(|field| {
        let name = field.name();
        if name.is_empty() || name.len() > NAME_BYTES || name.contains('\0') {
            return Err(format!(
                "the result's column \"{name}\" cannot be one of PostgreSQL's, whose names have 1 to {NAME_BYTES} bytes; name it otherwise with AS"
            ));
        }
        let sql_type = sql_type(field.data_type()).ok_or_else(|| {
            format!(
                "the result's column \"{name}\" has the type {}, which PostgreSQL has none for; leave it out or cast it",
                type_words(field.data_type())
            )
        })?;
        Ok(format!("{} {sql_type}", quote(name)))
    });
    columns.collect()
}

/// Refuses a table whose columns are not those of the result, whatever their order.
fn compare(schema: &Schema, found: &[Column], made: &[String]) -> Result<(), String> {
    let writable = |column: &&Column| !column.computed;
    let same = schema.fields().len() == found.iter().filter(writable).count()
        && schema.fields().iter().all(|field| {
            let column = found.iter().filter(writable).find(|column| column.name == *field.name());
            column.is_some_and(|column| fits(field.data_type(), column.kind))
        });
    if same {
        return Ok(());
    }
    let mut said = Vec::new();
    for (field, made) in schema.fields().iter().zip(made) {
        let column = found.iter().filter(writable).find(|column| column.name == *field.name());
        match column {
            Some(column) if fits(field.data_type(), column.kind) => {}
            Some(column) => said.push(format!("{made} is {} in the table", column.sql_type)),
            None => said.push(format!("{made} is not in the table")),
        }
    }
    let missing = found
        .iter()
        .filter(writable)
        .filter(|column| schema.fields().iter().all(|field| *field.name() != column.name));
    said.extend(
        missing.map(|column| format!("{} {} is not in the result", quote(&column.name), column.sql_type)),
    );
    Err(format!(
        "the table's columns are not the result's: {}. Change the sql, or remove the table: it is made again",
        listed(&said, MOST_NAMED)
    ))
}

async fn load(
    link: &Link,
    sink: CopyInSink<Bytes>,
    mut rows: SendableRecordBatchStream,
) -> Result<u64, StepError> {
    let mut sink = Box::pin(sink);
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|error| query_error(&error))?;
        let chunks = encode(&batch).map_err(|problem| link.answer.content(problem))?;
        for chunk in chunks {
            let sent = link.wait("write the table", sink.send(chunk)).await;
            if sent.is_err() {
                // The server has ended the load, and says why at its end.
                link.wait("write the table", sink.as_mut().finish()).await?;
                sent?;
            }
        }
    }
    Ok(link.wait_for(LOAD_LIMIT, "write the table", sink.as_mut().finish()).await?)
}

fn encode(batch: &RecordBatch) -> Result<Vec<Bytes>, String> {
    let columns = plain(batch).map_err(|error| error.to_string())?;
    // An error is never written as the value's text.
    let options = FormatOptions::new().with_display_error(false);
    let writer = CopyText::new(&columns, &options).map_err(|error| error.to_string())?;
    let (mut chunks, mut text) = (Vec::new(), String::new());
    for row in 0..batch.num_rows() {
        writer.add(row, &mut text).map_err(|_| "a value that cannot be written as text".to_owned())?;
        if text.len() >= CHUNK_BYTES {
            chunks.push(Bytes::from(std::mem::take(&mut text)));
        }
    }
    chunks.push(Bytes::from(text));
    Ok(chunks)
}
