//! Logs on stderr: text on a terminal, JSON elsewhere; without the values of secrets, whichever library writes them.

use std::io::{self, IsTerminal, Write, stderr};
use std::sync::Arc;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use crate::credentials::Secrets;
use crate::redaction::Redaction;

/// The variable that ConfigMaps of many services have: one level for everything. RUST_LOG, which says more, comes before it.
const LEVEL_VARIABLE: &str = "LOG_LEVEL";

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; only warnings unless RUST_LOG or LOG_LEVEL says otherwise.
    Text,
    /// One object a line.
    Json,
}

/// Starts logging. RUST_LOG chooses what is logged, or else LOG_LEVEL how much of it.
pub fn start(format: Option<LogFormat>) {
    let terminal = stderr().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let quiet = match format {
        LogFormat::Text => "warn",
        LogFormat::Json => "info",
    };
    let level = std::env::var(LEVEL_VARIABLE).ok();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| match level.as_deref().map(parsed) {
        Some(Some(level)) => EnvFilter::default().add_directive(level.into()),
        Some(None) | None => EnvFilter::new(quiet),
    });
    let redaction = Arc::new(Secrets::of(std::env::vars_os()).redaction());
    let writer = move || CleanStderr(Arc::clone(&redaction));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // It fails when something else logs already; then that is used.
    let _ = match format {
        LogFormat::Text => logs.with_ansi(terminal).with_target(false).without_time().try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
    if let Some(level) = level.filter(|level| parsed(level).is_none()) {
        tracing::warn!(
            "the variable {LEVEL_VARIABLE} is {level:?}: it can be error, warn, info, debug, trace or off, and is left out of account"
        );
    }
}

/// Standard error, to which no secret value is written. An event comes in one piece.
struct CleanStderr(Arc<Redaction>);

impl Write for CleanStderr {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // Signs that control a terminal are the formatter's business: it writes some itself.
        let clean = self.0.without_secrets(&String::from_utf8_lossy(event));
        stderr().write_all(clean.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// A level by its name in any case; what other programs call a warning is one here too.
fn parsed(level: &str) -> Option<LevelFilter> {
    let level = level.trim();
    if level.eq_ignore_ascii_case("warning") {
        return Some(LevelFilter::WARN);
    }
    level.parse().ok()
}
