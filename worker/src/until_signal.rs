//! The runtime that work runs on, and its end: when it is done, or when a signal asks for it.
//!
//! One multi-threaded runtime serves prepare, train and score: while their work keeps the cores busy, nobody waits for an
//! answer, and what they fetch, they fetch before they compute. Parsing, encoding, hashing and fitting run on threads of
//! their own, so that timers and signals are always heard. What still keeps its thread, as the plan of an enormous query
//! does, is ended with the process.

use std::io;
use std::time::Duration;

use mlpipeline_crds::ExitCode;
use tokio::runtime::Builder;
use tokio::signal::unix::{self, SignalKind, signal};

use crate::cancellation::Cancellation;
use crate::failure::StepError;
use crate::watchdog;

/// How much stack a thread may take. What a query is planned by calls itself for each of its parts, and so does what lets go of one that was
/// read and refused, of which the longest has hundreds of thousands. It is address space; memory is what is used of it.
pub const STACK_BYTES: usize = 512 << 20;

/// How long work and threads that compute may take to notice that they should stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// The signal of what is written beyond the limit of a file's size, which would end the process.
const SIGXFSZ: i32 = 25;

/// What is said where the system gives no thread.
#[must_use]
pub fn no_thread(problem: &impl std::fmt::Display) -> String {
    format!(
        "cannot start a thread: {problem}. Each takes up to {} MiB of address space, of which little is used: is the address space limited \
         (ulimit -v, prlimit --as), or the number of threads (ulimit -u, the pod's pids)? Raise that limit, or limit memory by a control \
         group instead",
        STACK_BYTES >> 20
    )
}

/// Runs work until it is done or a signal asks the process to stop. Work that `drains` then ends by itself, and so does work whose result
/// is about to get its name: a report that says that nothing was published must be true. Any other is dropped, and its drafts with it. Where
/// it keeps its thread even so, `end_stuck` is called, to end the process.
///
/// # Errors
/// What the work answers, or that it was stopped.
pub fn until_signal<Answer>(
    cancellation: &Cancellation,
    drains: bool,
    end_stuck: impl FnOnce() + Send + 'static,
    work: impl Future<Output = Result<Answer, StepError>>,
) -> Result<Answer, StepError> {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(|error| internal("Internal", &no_thread(&error)))?;
    let answer = runtime.block_on(async {
        // Whoever listens gets an error for what is written beyond the limit of a file's size, and is not killed.
        let _beyond_the_limit = signal(SignalKind::from_raw(SIGXFSZ));
        // Before the work begins: a server that has said where it answers can be stopped.
        let [terminate, interrupt] = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let (terminate, interrupt) = (heard(terminate)?, heard(interrupt)?);
        // On another thread than the work.
        tokio::spawn(stop(terminate, interrupt, cancellation.clone(), (!drains).then_some(end_stuck)));
        let mut work = Box::pin(work);
        tokio::select! {
            answer = &mut work => match answer {
                // What it says of its own end is not why it ended.
                Err(_) if cancellation.is_cancelled() && !drains && !cancellation.is_publishing() => {
                    return Err(stopped());
                }
                answer => return answer,
            },
            () = cancellation.cancelled() => {}
        }
        // Nothing begins to be published from now on.
        if drains || cancellation.is_publishing() {
            return work.await;
        }
        tokio::select! {
            // It has its turn to note the last answers.
            biased;
            answer = &mut work => answer.map_err(|_| stopped()),
            () = cancellation.drained() => Err(stopped()),
        }
    });
    runtime.shutdown_timeout(STOP_GRACE);
    answer
}

/// Asks the work to stop when a signal comes or the starter is gone, and ends what does not.
async fn stop(
    mut terminate: unix::Signal,
    mut interrupt: unix::Signal,
    cancellation: Cancellation,
    end_stuck: Option<impl FnOnce()>,
) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = watchdog::starter_gone() => {}
    }
    cancellation.cancel();
    if let Some(end_stuck) = end_stuck {
        tokio::time::sleep(STOP_GRACE).await;
        cancellation.drained().await;
        // A disk that takes its time with the last of a result: whoever sent the signal ends the process where it takes too long.
        if !cancellation.is_publishing() {
            end_stuck();
        }
    }
}

/// What is said of work that was asked to stop before it was done.
#[must_use]
pub fn stopped() -> StepError {
    internal("Stopped", "stopped before it was done; nothing was published")
}

fn heard(signal: io::Result<unix::Signal>) -> Result<unix::Signal, StepError> {
    signal.map_err(|error| internal("Internal", &format!("signals cannot be received: {error}")))
}

fn internal(reason: &'static str, message: &str) -> StepError {
    StepError { exit_code: ExitCode::Internal, reason, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::process::{self, Command};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_result_that_is_about_to_get_its_name_gets_it_and_is_reported() {
        let cancellation = Cancellation::default();
        let answer = until_signal(&cancellation, false, || panic!("the process is ended"), async {
            assert!(cancellation.begin_publishing());
            cancellation.cancel();
            tokio::task::yield_now().await;
            Ok("published")
        });
        assert_eq!(answer.ok(), Some("published"));
    }

    #[test]
    fn the_answers_under_way_are_waited_for_before_work_is_dropped() {
        let cancellation = Cancellation::default();
        let (noted, note) = mpsc::channel();
        let answer = until_signal(&cancellation, false, || panic!("the process is ended"), async {
            let draining = cancellation.draining();
            cancellation.cancel();
            // The cancellation is heard in between.
            tokio::task::yield_now().await;
            noted.send("the last answer").expect("the test");
            drop(draining);
            std::future::pending::<Result<(), StepError>>().await
        });
        assert_eq!(answer.expect_err("it was stopped").reason, "Stopped");
        assert_eq!(note.recv().ok(), Some("the last answer"));
    }

    /// In one test, since a signal is for the whole process.
    #[test]
    fn a_signal_stops_work_that_waits_and_work_that_keeps_its_thread() {
        let terminate = || {
            let ended = Command::new("kill").args(["-TERM", &process::id().to_string()]).status();
            assert!(ended.expect("kill").success());
        };
        let (ended, end) = mpsc::channel();
        let waits =
            until_signal(&Cancellation::default(), false, move || ended.send(()).expect("the test"), async {
                terminate();
                std::future::pending::<Result<(), StepError>>().await
            });
        assert_eq!(waits.expect_err("it was stopped").reason, "Stopped");
        assert!(end.recv().is_err(), "the process is not ended in the middle of work that stops");

        let (ended, end) = mpsc::channel();
        let stuck =
            until_signal(&Cancellation::default(), false, move || ended.send(()).expect("the work"), async {
                terminate();
                end.recv().expect("the end of the process");
                Ok("the process would have ended")
            });
        assert_eq!(stuck.ok(), Some("the process would have ended"));
    }
}
