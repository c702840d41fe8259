//! Rows put together as the requests that deliver them.
//!
//! Owns what is in a request. Must not know how it is sent, or what its answer means.

use bytes::Bytes;
use futures::stream::{Stream, try_unfold};
use futures::{StreamExt, TryStreamExt};

use super::JsonRows;
use super::delivered_prefix::DeliveredPrefix;
use crate::failure::StepError;

/// A body is closed when it has this many bytes, whatever the number of its rows: it is held in memory. All requests under way at
/// a time hold 64 MiB at most, but for rows that are longer than that by themselves.
const BODY_BYTES: usize = 1 << 20;

/// Rows of one request.
pub(super) struct RequestBatch {
    /// The number of the first row, from 1 on.
    pub(super) first: u64,
    /// How many there are.
    pub(super) rows: u64,
    pub(super) body: Bytes,
}

/// The requests for rows that follow those delivered, each with all that are delivered once it is accepted. What is in a request follows
/// from the rows and the first one's number alone, so that a repeated request is the same request.
pub(super) fn batches(
    rows: JsonRows,
    rows_per_request: Option<u32>,
    taken: DeliveredPrefix,
) -> impl Stream<Item = Result<(RequestBatch, DeliveredPrefix), StepError>> {
    // An array that the rows run out in asks once more behind their end.
    let rows = rows.fuse().boxed();
    try_unfold((rows, taken), move |(mut rows, mut taken)| async move {
        let batch = next_batch(&mut rows, rows_per_request, &mut taken).await?;
        Ok(batch.map(|batch| ((batch, taken.clone()), (rows, taken))))
    })
}

/// The rows of the next request, which are added to those delivered; `None` when there are no more.
async fn next_batch(
    rows: &mut JsonRows,
    rows_per_request: Option<u32>,
    taken: &mut DeliveredPrefix,
) -> Result<Option<RequestBatch>, StepError> {
    let first = taken.rows.saturating_add(1);
    let Some(most) = rows_per_request.map(u64::from) else {
        let Some(body) = rows.try_next().await? else { return Ok(None) };
        taken.add(&body);
        return Ok(Some(RequestBatch { first, rows: 1, body: body.into() }));
    };
    let (mut count, mut body) = (0, vec![b'[']);
    while count < most.max(1) && body.len() < BODY_BYTES {
        let Some(row) = rows.try_next().await? else { break };
        if count > 0 {
            body.push(b',');
        }
        taken.add(&row);
        body.extend(row);
        count += 1;
    }
    body.push(b']');
    Ok((count > 0).then(|| RequestBatch { first, rows: count, body: body.into() }))
}
