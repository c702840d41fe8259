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
        LogFormat::Text => LevelFilter::WARN,
        LogFormat::Json => LevelFilter::INFO,
    };
    let level = std::env::var(LEVEL_VARIABLE).ok();
    let chosen = level.as_deref().and_then(parsed);
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(directives(chosen.unwrap_or(quiet))));
    let redaction = Arc::new(Secrets::of(std::env::vars_os()).redaction());
    let writer = move || CleanStderr { redaction: Arc::clone(&redaction), format };
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

/// What is logged at a level. Where no more than that is asked for, a database's notices are not: it writes as many as it likes, each as
/// long as it likes.
fn directives(level: LevelFilter) -> String {
    if level == LevelFilter::INFO { format!("{level},tokio_postgres=warn") } else { level.to_string() }
}

/// Standard error, to which no secret value is written. An event comes in one piece.
struct CleanStderr {
    redaction: Arc<Redaction>,
    format: LogFormat,
}

impl Write for CleanStderr {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // Signs that control a terminal are the formatter's business: it writes some itself.
        let clean = self.redaction.searched(&String::from_utf8_lossy(event));
        stderr().write_all(clean.as_deref().unwrap_or(unsearched(self.format)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// The line in the place of one that cannot be searched for secrets.
fn unsearched(format: LogFormat) -> &'static str {
    match format {
        LogFormat::Text => {
            " WARN a line is left out: it is escaped in too many ways to be searched for secrets\n"
        }
        LogFormat::Json => {
            "{\"level\":\"WARN\",\"message\":\"a line is left out: it is escaped in too many ways to be searched for secrets\"}\n"
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_of_a_database_are_logged_where_more_than_usual_is_asked_for() {
        for (level, expected) in [
            (LevelFilter::WARN, "warn"),
            (LevelFilter::INFO, "info,tokio_postgres=warn"),
            (LevelFilter::DEBUG, "debug"),
            (LevelFilter::OFF, "off"),
        ] {
            let directives = directives(level);
            assert_eq!(directives, expected);
            assert_eq!(EnvFilter::new(&directives).max_level_hint(), Some(level));
        }
    }

    #[test]
    fn a_line_in_the_place_of_another_is_one_of_its_format() {
        for format in [LogFormat::Text, LogFormat::Json] {
            assert_eq!(unsearched(format).lines().count(), 1);
        }
        serde_json::from_str::<serde_json::Value>(unsearched(LogFormat::Json)).expect("JSON");
    }
}
