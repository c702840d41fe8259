//! One thread that does nothing but talk to a receiver.
//!
//! A request goes from the task that makes it to the task of its connection, and the answer goes back. On several threads each of these
//! steps wakes another thread up, which takes longer than a receiver nearby takes to answer.

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::DeliverError;
use crate::failure::StepError;
use crate::until_signal::{STACK_BYTES, no_thread, stopped};

/// Does work on a thread of its own, with all tasks that it starts. It is dropped where nobody waits for its answer any more.
///
/// # Errors
/// Those of the work, or that there is no thread for it.
pub(super) async fn on_one_thread<Answer: Send + 'static>(
    work: impl Future<Output = Result<Answer, StepError>> + Send + 'static,
) -> Result<Answer, StepError> {
    let (_waiting, gone) = oneshot::channel::<()>();
    let done = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().thread_stack_size(STACK_BYTES).build();
        let runtime = runtime.map_err(|error| DeliverError::Internal(no_thread(&error)))?;
        runtime.block_on(async {
            // A task like those that it starts: between it and them, the runtime does not ask the system what came.
            let work = tokio::spawn(work);
            tokio::select! {
                answer = work => answer.map_err(DeliverError::lost)?,
                _ = gone => Err(stopped()),
            }
        })
    });
    done.await.map_err(DeliverError::lost)?
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn everything_is_done_on_one_thread_which_is_not_that_of_others() {
        let outer = std::thread::current().id();
        let [inner, task] = on_one_thread(async {
            let task = tokio::spawn(async { std::thread::current().id() });
            Ok([std::thread::current().id(), task.await.map_err(DeliverError::lost)?])
        })
        .await
        .expect("done");
        assert_eq!(inner, task);
        assert_ne!(inner, outer);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_dropped() {
        let (held, dropped) = mpsc::channel::<()>();
        let (began, begun) = oneshot::channel();
        let work = on_one_thread(async move {
            let _held = held;
            let _ = began.send(());
            std::future::pending::<Result<(), StepError>>().await
        });
        let task = tokio::spawn(work);
        begun.await.expect("it began");
        task.abort();
        // On another thread: this one has the runtime that drops the task.
        let ended = tokio::task::spawn_blocking(move || dropped.recv()).await.expect("a thread");
        assert!(ended.is_err(), "it ends with what it held");
    }
}
