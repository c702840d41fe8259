//! The total time of work at a store: whatever it answers, and however slowly, there is an end.

use std::time::{Duration, Instant};

use crate::failure::StepError;
use crate::stores::StoreError;

/// Waits for a store, at most for the time that fetching from it or delivering to it may take.
///
/// # Errors
/// What the work answers, or that it took longer.
pub(crate) async fn within<T>(
    limit: Duration,
    place: &str,
    work: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    within_since(Instant::now(), limit, place, work).await
}

/// The same of a part of work that began then.
///
/// # Errors
/// As [`within`].
pub(crate) async fn within_since<T>(
    begin: Instant,
    limit: Duration,
    place: &str,
    work: impl Future<Output = Result<T, StepError>>,
) -> Result<T, StepError> {
    tokio::time::timeout(limit.saturating_sub(begin.elapsed()), work).await.unwrap_or_else(|_| {
        let problem =
            format!("it did not complete within {limit:?}; a longer time is given with --fetch-timeout");
        Err(StoreError::Unreachable { place: place.to_owned(), problem }.into())
    })
}
