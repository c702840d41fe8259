//! The watchdog: ends this process when the one that started it is gone, which closes standard input.
//!
//! Only for a starter that holds the other end of a pipe, as `kubectl mlpipeline local` does. Must not be used in a pod,
//! whose standard input is at its end from the start.

use std::io;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use mlpipeline_crds::ExitCode;
use tokio::sync::watch;

/// How long work may take to stop in order: to remove its drafts and scratch files.
const GRACE: Duration = Duration::from_secs(2);

static GONE: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Watches standard input from a thread of its own. At its end it wakes all who wait for [`starter_gone`], and soon after ends
/// the process in any case.
pub fn watch() {
    thread::spawn(|| {
        // Nothing is ever sent; an error is as good an end as any.
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
        GONE.send_replace(true);
        thread::park_timeout(GRACE);
        std::process::exit(ExitCode::Internal.code());
    });
}

/// Returns once the starter is gone; never, where nobody watches.
pub async fn starter_gone() {
    // The sender lives as long as the process.
    GONE.subscribe().wait_for(|gone| *gone).await.ok();
}
