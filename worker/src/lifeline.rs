//! Ending when whoever started this process is gone, however it went: standard input is then at its end.
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

static BROKEN: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Watches standard input from a thread of its own. At its end, tells all who wait for [`broken`], and soon after ends the
/// process in any case.
pub fn watch() {
    thread::spawn(|| {
        // Nothing is ever sent; an error is as good an end as any.
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
        BROKEN.send_replace(true);
        thread::park_timeout(GRACE);
        std::process::exit(ExitCode::Internal.code());
    });
}

/// Ends once the lifeline is broken; never, where nobody watches.
pub async fn broken() {
    // The sender lives as long as the process.
    BROKEN.subscribe().wait_for(|broken| *broken).await.ok();
}
