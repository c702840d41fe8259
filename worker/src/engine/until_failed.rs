//! A stream that ends with its first error.
//!
//! Whoever works on several batches at once asks for the next one before it has seen that one failed, and plans of the engine that have
//! failed may panic when they are asked again.

use datafusion::arrow::array::RecordBatch;
use futures::{Stream, TryStreamExt, stream};

/// The batches up to the first error, which is the last.
pub(crate) fn until_failed<Error>(
    batches: impl Stream<Item = Result<RecordBatch, Error>> + Unpin,
) -> impl Stream<Item = Result<RecordBatch, Error>> {
    stream::try_unfold(batches, async |mut batches| {
        Ok(batches.try_next().await?.map(|batch| (batch, batches)))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::datatypes::Schema;
    use futures::StreamExt;

    use super::*;

    #[tokio::test]
    async fn nothing_is_asked_for_after_an_error() {
        let batch = || RecordBatch::new_empty(Arc::new(Schema::empty()));
        let mut asked = 0;
        let batches = stream::poll_fn(|_| {
            asked += 1;
            std::task::Poll::Ready(match asked {
                1 => Some(Ok(batch())),
                2 => Some(Err("failed")),
                _ => panic!("asked again"),
            })
        });
        let ahead = until_failed(batches).map(std::future::ready).buffered(4);
        let found: Vec<bool> = ahead.map(|batch| batch.is_ok()).collect().await;
        assert_eq!(found, [true, false]);
    }
}
