//! Reading: one COPY of a table, as one statement of the database sees it.

use std::pin::Pin;

use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use mlpipeline_crds::TableLocation;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyOutStream;
use tokio_postgres::types::Type;

use super::catalogue;
use super::connection::{Link, qualified};
use super::decode::Batch;
use crate::credentials::Credentials;
use crate::failure::StepError;
use crate::network::Network;

/// A batch is closed at this many rows or bytes.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 16 << 20;

/// Reads a table or view. Nulls stay apart from empty text. The rows come in the order in which the database holds them, which
/// is not an order that it promises.
///
/// # Errors
/// When the table cannot be found or read, or holds what Arrow has no place for.
pub(crate) async fn read(
    location: &TableLocation,
    credentials: &Credentials,
    network: &Network,
) -> Result<SendableRecordBatchStream, StepError> {
    let (client, link) = Link::open(location, credentials, network).await?;
    let Some(found) = catalogue::find(&link, &client, location).await? else {
        return Err(catalogue::missing(&link, &client, location).await.into());
    };
    if found.columns.is_empty() {
        return Err(link.answer.content("the table has no columns".to_owned()).into());
    }
    let select: Vec<String> = found.columns.iter().map(|column| column.kind.select(&column.name)).collect();
    let copy =
        format!("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT binary)", select.join(", "), qualified(location));
    let rows = link.wait("read the table", client.copy_out(&copy)).await?;
    let types = vec![Type::BYTEA; found.columns.len()];
    let rows = Box::pin(BinaryCopyOutStream::new(rows, &types));
    let reader = Reader {
        rows,
        batch: Batch::new(&found.columns),
        ended: false,
        read: 0,
        limit: network.max_download,
        link,
        _client: client,
    };
    let schema = reader.batch.schema();
    let batches = stream::try_unfold(reader, async |mut reader| {
        let batch = reader.next().await.map_err(|error| DataFusionError::External(Box::new(error)))?;
        Ok(batch.map(|batch| (batch, reader)))
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
}

struct Reader {
    rows: Pin<Box<BinaryCopyOutStream>>,
    batch: Batch,
    ended: bool,
    /// Bytes so far, and the most that are read.
    read: u64,
    limit: u64,
    link: Link,
    /// Without it the connection would end.
    _client: Client,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>, StepError> {
        while !self.ended && self.batch.rows < BATCH_ROWS && self.batch.bytes < BATCH_BYTES {
            let row = async { self.rows.next().await.transpose() };
            let Some(row) = self.link.wait("read the table", row).await? else {
                // The stream must not be asked again.
                self.ended = true;
                break;
            };
            self.batch.add(&row).map_err(|problem| self.link.answer.content(problem))?;
        }
        if self.batch.rows == 0 {
            return Ok(None);
        }
        self.read = self.read.saturating_add(self.batch.bytes as u64);
        if self.read > self.limit {
            let problem =
                format!("the table exceeds the limit of {} bytes; raise it with --max-download", self.limit);
            return Err(self.link.answer.refused(problem).into());
        }
        let batch = self.batch.take().map_err(|error| self.link.answer.content(error.to_string()));
        Ok(Some(batch?))
    }
}
