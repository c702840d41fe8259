//! Logs on stderr: text on a terminal, JSON elsewhere.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people; only warnings unless RUST_LOG says otherwise.
    Text,
    /// One object a line.
    Json,
}

/// Starts logging. RUST_LOG chooses what is logged.
pub fn start(format: Option<LogFormat>) {
    let terminal = stderr().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let quiet = match format {
        LogFormat::Text => "warn",
        LogFormat::Json => "info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // It fails when something else logs already; then that is used.
    let _ = match format {
        LogFormat::Text => logs.with_ansi(terminal).with_target(false).without_time().try_init(),
        LogFormat::Json => logs.json().flatten_event(true).try_init(),
    };
}
