//! Reads a request's body within limits on size, time and the memory of all bodies together.
//!
//! Owns the limits before parsing. A body that is too large is refused before any of it is kept: by its declared length where
//! there is one, else at the byte that exceeds the limit. Which body gives way where there is no memory for another is `receiving`'s.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::receiving::{Receiving, Seat};

/// How many of the largest bodies may lie in memory at once, before they are whole; more are put off with 503.
const LARGEST_AT_ONCE: usize = 8;

/// How many times the largest body is read and thrown away, so that a client which sends first and reads then gets to see
/// the answer instead of a broken connection.
const DISCARDED_AT_MOST: u64 = 8;

/// How long to wait for the memory of a body that was asked to give way, before another one is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Which part of the time that a body may take it has in any case, when others need its memory: a sixteenth, as connections have.
const UNDISTURBED: u32 = 16;

/// What a body may cost.
#[derive(Clone, Debug)]
pub struct BodyLimits {
    max_bytes: usize,
    timeout: Duration,
    /// The bytes that bodies may still take together.
    memory: Arc<Semaphore>,
    /// The bodies that are on their way.
    receiving: Arc<Receiving>,
}

/// A whole body, and its share of the memory.
#[derive(Debug)]
pub struct ReceivedBody {
    /// The body.
    pub bytes: Bytes,
    /// Given back when the body is dropped; none for a body that came at once, whose memory is the connection's.
    _memory: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than allowed.
    #[error("the body is larger than the {limit} bytes that a request may have; send fewer rows at once")]
    TooLarge {
        /// The most bytes.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("the body did not arrive within {0:?}")]
    TooSlow(Duration),
    /// Others needed its memory, and it was on its way for longest.
    #[error(
        "the body was on its way for longest, and other requests need the memory that it takes; send fewer rows at once"
    )]
    GaveWay,
    /// Others take up all the memory for bodies.
    #[error("too many large requests at once; try again")]
    Busy,
    /// The connection broke, or the encoding is wrong.
    #[error("the body did not arrive whole")]
    Broken,
}

impl BodyLimits {
    /// Limits of `max_bytes` and `timeout` a body.
    #[must_use]
    pub fn new(max_bytes: usize, timeout: Duration) -> Self {
        let memory = max_bytes.saturating_mul(LARGEST_AT_ONCE).clamp(1 << 16, Semaphore::MAX_PERMITS);
        let receiving = Arc::new(Receiving::new(timeout / UNDISTURBED));
        Self { max_bytes, timeout, memory: Arc::new(Semaphore::new(memory)), receiving }
    }

    /// The most bytes of a body.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Reads a body to its end.
    ///
    /// # Errors
    /// When it is too large, too slow, broken, or there is no memory for it now.
    pub async fn read(&self, headers: &HeaderMap, body: Body) -> Result<ReceivedBody, BodyError> {
        let read = async {
            if body.size_hint().lower() > self.max_bytes as u64 {
                // Who expects "100 Continue" has sent nothing yet and reads our answer first.
                if !headers.contains_key(header::EXPECT) {
                    discard(body, self.max_bytes as u64).await;
                }
                return Err(BodyError::TooLarge { limit: self.max_bytes });
            }
            let seat = self.receiving.begin();
            tokio::select! {
                whole = self.collect(body, &seat) => whole,
                () = seat.gives_way() => Err(BodyError::GaveWay),
            }
        };
        tokio::time::timeout(self.timeout, read).await.unwrap_or(Err(BodyError::TooSlow(self.timeout)))
    }

    async fn collect(&self, mut body: Body, seat: &Seat) -> Result<ReceivedBody, BodyError> {
        let mut whole = BytesMut::new();
        let mut memory: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            if whole.len().saturating_add(data.len()) > self.max_bytes {
                discard(body, self.max_bytes as u64).await;
                return Err(BodyError::TooLarge { limit: self.max_bytes });
            }
            if whole.is_empty() && body.is_end_stream() {
                return Ok(ReceivedBody { bytes: data, _memory: None });
            }
            let size = u32::try_from(data.len()).map_err(|_| BodyError::Busy)?;
            let more = self.memory(size).await?;
            seat.holds_memory();
            match &mut memory {
                Some(memory) => memory.merge(more),
                None => memory = Some(more),
            }
            whole.extend_from_slice(&data);
        }
        Ok(ReceivedBody { bytes: whole.freeze(), _memory: memory })
    }
}

impl BodyLimits {
    /// The memory for so many bytes more, once there is some: where all is taken, the body that is on its way for longest gives way.
    async fn memory(&self, size: u32) -> Result<OwnedSemaphorePermit, BodyError> {
        loop {
            if let Ok(memory) = Arc::clone(&self.memory).try_acquire_many_owned(size) {
                return Ok(memory);
            }
            if !self.receiving.ask_to_give_way() {
                return Err(BodyError::Busy);
            }
            let freed = tokio::time::timeout(LOOK_AGAIN, Arc::clone(&self.memory).acquire_many_owned(size));
            if let Ok(memory) = freed.await {
                return memory.map_err(|_| BodyError::Busy);
            }
        }
    }
}

/// Reads on and keeps nothing, up to some times the largest body.
async fn discard(mut body: Body, max_bytes: u64) {
    let mut left = max_bytes.saturating_mul(DISCARDED_AT_MOST).max(64 << 20);
    while let Some(Ok(frame)) = body.frame().await {
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        if size > left {
            return;
        }
        left -= size;
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use futures::{StreamExt, stream};

    use super::*;

    fn limits() -> BodyLimits {
        BodyLimits::new(10, Duration::from_secs(5))
    }

    fn chunks(sizes: &[usize]) -> Body {
        let chunks: Vec<Result<Bytes, std::io::Error>> =
            sizes.iter().map(|size| Ok(Bytes::from(vec![b'x'; *size]))).collect();
        Body::from_stream(stream::iter(chunks))
    }

    async fn read(body: Body) -> Result<usize, BodyError> {
        limits().read(&HeaderMap::new(), body).await.map(|received| received.bytes.len())
    }

    #[tokio::test]
    async fn bodies_up_to_the_limit_are_read_whole() {
        assert_eq!(read(Body::from("0123456789")).await, Ok(10));
        assert_eq!(read(chunks(&[4, 0, 6])).await, Ok(10));
        assert_eq!(read(Body::empty()).await, Ok(0));
    }

    #[tokio::test]
    async fn larger_bodies_are_refused_whether_their_length_is_declared_or_not() {
        assert_eq!(read(Body::from("0123456789a")).await, Err(BodyError::TooLarge { limit: 10 }));
        assert_eq!(read(chunks(&[4, 7])).await, Err(BodyError::TooLarge { limit: 10 }));
    }

    #[tokio::test]
    async fn a_client_that_asks_first_is_answered_without_reading() {
        let headers = HeaderMap::from_iter([(header::EXPECT, HeaderValue::from_static("100-continue"))]);
        let endless = http_body_util::StreamBody::new(stream::pending::<
            Result<hyper::body::Frame<Bytes>, std::io::Error>,
        >());
        assert!(matches!(
            BodyLimits::new(10, Duration::from_millis(20)).read(&headers, Body::new(endless)).await,
            Err(BodyError::TooSlow(_))
        ));
        let read = limits().read(&headers, Body::from("0123456789a")).await;
        assert!(matches!(read, Err(BodyError::TooLarge { .. })));
    }

    /// A body that begins and never comes to its end.
    fn half(size: usize) -> Body {
        let begin = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; size]))]);
        Body::from_stream(begin.chain(stream::pending()))
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_stay_half_sent_give_way_after_their_time_and_not_before() {
        let size = 1 << 16;
        let limits = BodyLimits::new(size, Duration::from_secs(16));
        let mut halves: Vec<_> = (0..LARGEST_AT_ONCE)
            .map(|_| {
                let limits = limits.clone();
                tokio::spawn(async move { limits.read(&HeaderMap::new(), half(size)).await.map(|_| ()) })
            })
            .collect();
        tokio::time::advance(Duration::from_millis(500)).await;
        let early = limits.read(&HeaderMap::new(), chunks(&[4, 6])).await;
        assert!(matches!(early, Err(BodyError::Busy)), "{early:?}");
        tokio::time::advance(Duration::from_secs(1)).await;
        let held = limits.read(&HeaderMap::new(), chunks(&[4, 6])).await.expect("one gives way");
        assert_eq!(held.bytes.len(), 10);
        // One, and that the first; the others stay until their time is over.
        let first = halves.remove(0).await.expect("it ends");
        assert_eq!(first, Err(BodyError::GaveWay));
        assert!(halves.iter().all(|half| !half.is_finished()));
        for half in halves {
            assert_eq!(half.await.expect("it ends"), Err(BodyError::TooSlow(Duration::from_secs(16))));
        }
    }

    #[tokio::test]
    async fn memory_is_bounded_over_all_bodies_and_given_back() {
        let limits = BodyLimits::new(1 << 16, Duration::from_secs(5));
        let size = 1 << 15;
        let mut held = Vec::new();
        let busy = loop {
            match limits.read(&HeaderMap::new(), chunks(&[size, size])).await {
                Ok(body) => held.push(body),
                Err(error) => break error,
            }
            assert!(held.len() <= LARGEST_AT_ONCE);
        };
        assert_eq!((busy, held.len()), (BodyError::Busy, LARGEST_AT_ONCE));
        held.pop();
        assert!(limits.read(&HeaderMap::new(), chunks(&[size, size])).await.is_ok());
    }
}
