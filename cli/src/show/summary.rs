//! The summary of a local run once nothing more starts by itself: the table, what failed and what to do, and where models
//! are served.

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use mlpipeline_crds::StepState;
use serde_json::{Value, json};

use super::plain::plain;
use super::table::{Cell, Tone, table};
use crate::local::{Engine, Row};
use crate::state::own_file;

/// How many lines of a failed run's log are shown.
const TAIL_LINES: usize = 8;
/// How much of the end of a log is read, in bytes.
const TAIL_BYTES: u64 = 16 << 10;
/// How long a serving step may take to describe itself.
const TIMEOUT: Duration = Duration::from_secs(1);
/// The longest description that is read, in bytes.
const DESCRIPTION_LIMIT: u64 = 4 << 20;

/// Prints the summary.
pub fn summary(engine: &Engine, as_json: bool) {
    let rows = engine.rows();
    if as_json {
        return super::json(&document(engine, &rows));
    }
    table(&["STEP", "KIND", "STATE", "REVISION", "TIME", "DETAILS"], rows.iter().map(cells).collect());
    for row in rows.iter().filter(|row| row.ran) {
        if let Some(note) = &row.note {
            super::note(&format!("{}: {}", row.step, plain(&note.replace('\n', " "))));
        }
    }
    let failed: Vec<&Row> = rows.iter().filter(|row| row.state == StepState::Failed).collect();
    for row in &failed {
        print_failure(row);
    }
    if !failed.is_empty() {
        super::line("\nFix this and start again: what is finished does not run again.");
    }
    for row in &rows {
        if let Some(url) = row.url.as_deref().filter(|_| row.state == StepState::Serving) {
            print_endpoint(engine, row, url);
        }
    }
    if !engine.long_running.is_empty() {
        super::line("\nCtrl-C stops everything.");
    }
}

fn document(engine: &Engine, rows: &[Row]) -> Value {
    let endpoints = engine.long_running.iter().flat_map(|(step, live)| {
        live.endpoints
            .iter()
            .map(move |endpoint| json!({ "step": step, "name": endpoint.name, "url": endpoint.url() }))
    });
    json!({
        "namespace": engine.pipeline.namespace,
        "pipeline": engine.pipeline.name,
        "ok": engine.is_well(),
        "steps": rows,
        "endpoints": endpoints.collect::<Vec<_>>(),
    })
}

fn cells(row: &Row) -> Vec<Cell> {
    vec![
        Cell::plain(&row.step),
        Cell::plain(row.kind.name()),
        Cell::toned(format!("{:?}", row.state), Tone::of(row.state)),
        Cell::plain(row.revision.as_deref().unwrap_or("-")),
        Cell::plain(row.seconds.map_or("-".to_owned(), |seconds| format!("{seconds:.1} s"))),
        Cell::plain(&row.message),
    ]
}

fn print_failure(row: &Row) {
    let style = Tone::Bad.style();
    super::line(&format!("\n{style}{} failed:{style:#} {}", row.step, row.message));
    let Some(log) = &row.log else { return };
    for line in tail(log) {
        super::line(&format!("  | {line}"));
    }
    super::line(&format!("  log: {}", log.display()));
}

/// The last lines of a log.
fn tail(log: &Path) -> Vec<String> {
    let read = || {
        let mut file = own_file::open_to_read(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let text = String::from_utf8_lossy(&read().unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(TAIL_LINES)).map(|line| plain(line)).collect()
}

fn print_endpoint(engine: &Engine, row: &Row, url: &str) {
    super::line(&format!("\n{} answers at {url}", row.step));
    if !row.kind.answers_predictions() {
        return;
    }
    super::line(&format!("  docs:  {url}/docs"));
    let step = engine.pipeline.step(&row.step);
    let needs_key =
        step.and_then(|step| step.action.descriptor().serving()).is_some_and(|serve| serve.auth.is_some());
    let key = if needs_key { " -H \"X-API-Key: $API_KEY\"" } else { "" };
    if let Some(example) = example(url) {
        super::line(&format!(
            "  try:   curl -s {url}/predict{key} -H 'Content-Type: application/json' -d '{example}'"
        ));
    }
}

/// A row to predict for, as the served model's own description has it.
fn example(url: &str) -> Option<String> {
    let address = url.strip_prefix("http://")?;
    let mut stream = TcpStream::connect_timeout(&address.parse().ok()?, TIMEOUT).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    // HTTP/1.0, so that the answer is not in chunks and ends with the connection.
    write!(stream, "GET /openapi.json HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.take(DESCRIPTION_LIMIT).read_to_end(&mut answer).ok()?;
    let text = String::from_utf8(answer).ok()?;
    let (_, body) = text.split_once("\r\n\r\n")?;
    let description: Value = serde_json::from_str(body).ok()?;
    let example =
        description.pointer("/paths/~1predict/post/requestBody/content/application~1json/example")?;
    Some(example.to_string().replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_of_a_container_does_not_control_the_terminal() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        std::fs::write(&log, "good\t1\n\u{1b}]0;title\u{7}\u{1b}[2Jred\r\u{9b}31m\u{202e}txt\n")
            .expect("a log");
        assert_eq!(tail(&log), ["good\t1", "]0;title[2Jred31mtxt"]);
    }
}
