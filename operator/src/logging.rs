//! The operator's log: where it goes, and its format.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::traces::{Traces, spans};

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts to log to standard error; `RUST_LOG` sets the level. Traces get their spans from the same source, and show in no log.
pub fn start(format: LogFormat, traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,kube_client=warn,kube_runtime=warn"));
    let is_json = match format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Text => false,
        LogFormat::Json => true,
    };
    // A second start, as in tests of one process, keeps the first one's logs.
    let _ = subscriber(filter, is_json, std::io::stderr, traces).try_init();
}

fn subscriber(
    filter: EnvFilter,
    is_json: bool,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
    traces: Option<&Traces>,
) -> impl Subscriber + Send + Sync {
    let lines = fmt::layer().with_writer(writer);
    let lines = match is_json {
        true => lines.json().flatten_event(true).boxed(),
        false => lines.boxed(),
    };
    let no_traces = filter_fn(|metadata| metadata.target() != spans::TARGET);
    let shown = filter.and(no_traces.with_max_level_hint(LevelFilter::TRACE));
    // Where traces are off this filter says so itself: a layer without a filter would have spans created that nobody wants.
    let is_on = traces.is_some();
    let ours = filter_fn(move |metadata| is_on && metadata.is_span() && metadata.target() == spans::TARGET);
    let ours = ours.with_max_level_hint(if is_on { LevelFilter::INFO } else { LevelFilter::OFF });
    tracing_subscriber::registry()
        .with(traces.map(Traces::layer).with_filter(ours))
        .with(lines.with_filter(shown))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Takes lines in place of standard error.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("the lines").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(is_json: bool, traces: Option<&Traces>, work: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(EnvFilter::new("trace"), is_json, move || writer.clone(), traces);
        tracing::subscriber::with_default(subscriber, work);
        let bytes = lines.0.lock().expect("the lines").clone();
        String::from_utf8(bytes).expect("text")
    }

    // One test: the interest in a span is cached for all threads, so a second log beside this one would show.
    #[tokio::test]
    async fn spans_of_traces_are_made_for_traces_alone_and_show_in_no_log() {
        let lines = logged(false, None, || {
            assert!(spans::part("observe").is_disabled(), "traces are off, however much is logged");
            tracing::trace!("a line");
        });
        assert!(lines.contains("a line"), "{lines}");
        let nowhere = Some("http://127.0.0.1:9");
        let traces = Traces::start(nowhere, "me", tokio::runtime::Handle::current()).expect("traces");
        for is_json in [false, true] {
            let lines = logged(is_json, traces.as_ref(), || {
                let span = spans::part("observe");
                assert!(!span.is_disabled());
                let _entered = span.entered();
                let _others = tracing::info_span!("others", of = 7).entered();
                tracing::info!("a line");
            });
            assert!(lines.contains("a line") && lines.contains("others"), "{lines}");
            assert!(!lines.contains("observe") && !lines.contains("part"), "{lines}");
        }
        traces.expect("they are asked for").flush().await;
    }
}
