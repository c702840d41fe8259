//! Logs on stderr: text on a terminal, JSON elsewhere.

use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

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
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
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

/// A level by its name in any case; what other programs call a warning is one here too.
fn parsed(level: &str) -> Option<LevelFilter> {
    let level = level.trim();
    if level.eq_ignore_ascii_case("warning") {
        return Some(LevelFilter::WARN);
    }
    level.parse().ok()
}
