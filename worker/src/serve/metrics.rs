//! What the server counts, in Prometheus' text format.
//!
//! Owns the names, labels and buckets. Every label's values are bounded: endpoints and status codes of ours, and the first
//! classes of the model.

use std::time::Duration;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec,
    Opts, Registry, TextEncoder,
};

use super::process;
use crate::model::Predictions;

/// How many classes have a counter of their own; predictions of the others are counted together.
const MAX_CLASSES: usize = 100;

/// The label of the classes beyond [`MAX_CLASSES`].
const OTHER_CLASSES: &str = "other";

/// Bounds of the durations' buckets, in seconds: a prediction takes well under a millisecond, a large batch seconds.
const BUCKETS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What a request asked for, as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/`
    Root,
    /// `/health`
    Health,
    /// `/ready`
    Ready,
    /// `/predict`
    Predict,
    /// `/docs`
    Docs,
    /// `/openapi.json`
    OpenApi,
    /// `/metrics`
    Metrics,
    /// Anything else.
    Other,
}

impl Endpoint {
    /// The endpoint of a path.
    #[must_use]
    pub fn of(path: &str) -> Self {
        match path {
            "/" => Self::Root,
            "/health" => Self::Health,
            "/ready" => Self::Ready,
            "/predict" => Self::Predict,
            "/docs" => Self::Docs,
            "/openapi.json" => Self::OpenApi,
            "/metrics" => Self::Metrics,
            _ => Self::Other,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Predict => "predict",
            Self::Docs => "docs",
            Self::OpenApi => "openapi",
            Self::Metrics => "metrics",
            Self::Other => OTHER_CLASSES,
        }
    }
}

/// The server's counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    /// The two that a prediction touches, looked up once.
    predicted: IntCounter,
    predict_duration: Histogram,
    in_flight: IntGauge,
    rows: IntCounter,
    predictions: IntCounterVec,
    model: IntGaugeVec,
    resident_memory: Gauge,
    cpu_seconds: prometheus::Counter,
}

impl Metrics {
    /// Counters at zero.
    ///
    /// # Errors
    /// When two have one name.
    pub fn new() -> prometheus::Result<Self> {
        let counters = |name, help, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let requests =
            counters("mlpipeline_serve_requests_total", "Requests answered.", &["endpoint", "code"])?;
        let seconds = HistogramOpts::new(
            "mlpipeline_serve_request_duration_seconds",
            "Time from a request's head to its answer, its body's arrival included.",
        );
        let durations = HistogramVec::new(seconds.buckets(BUCKETS.to_vec()), &["endpoint"])?;
        let metrics = Self {
            predicted: requests.with_label_values(&[Endpoint::Predict.label(), "200"]),
            predict_duration: durations.with_label_values(&[Endpoint::Predict.label()]),
            requests,
            durations,
            in_flight: IntGauge::new("mlpipeline_serve_in_flight", "Requests being answered now.")?,
            rows: IntCounter::new("mlpipeline_serve_rows_total", "Rows predicted for.")?,
            predictions: counters(
                "mlpipeline_serve_predictions_total",
                "Rows predicted to be of a class; classes beyond the first hundred count as \"other\".",
                &["class"],
            )?,
            model: IntGaugeVec::new(
                Opts::new("mlpipeline_serve_model_info", "The model that is served; always 1."),
                &["revision", "algorithm"],
            )?,
            resident_memory: Gauge::new("process_resident_memory_bytes", "Resident memory size in bytes.")?,
            cpu_seconds: prometheus::Counter::new(
                "process_cpu_seconds_total",
                "Total user and system CPU time spent in seconds.",
            )?,
            registry: Registry::new(),
        };
        metrics.register()?;
        Ok(metrics)
    }

    fn register(&self) -> prometheus::Result<()> {
        self.registry.register(Box::new(self.requests.clone()))?;
        self.registry.register(Box::new(self.durations.clone()))?;
        self.registry.register(Box::new(self.in_flight.clone()))?;
        self.registry.register(Box::new(self.rows.clone()))?;
        self.registry.register(Box::new(self.predictions.clone()))?;
        self.registry.register(Box::new(self.model.clone()))?;
        self.registry.register(Box::new(self.resident_memory.clone()))?;
        self.registry.register(Box::new(self.cpu_seconds.clone()))
    }

    /// Says which model is served.
    pub fn set_model(&self, revision: &str, algorithm: &str) {
        self.model.with_label_values(&[revision, algorithm]).set(1);
    }

    /// Counts a request as being answered until the guard is dropped, be it answered or given up.
    #[must_use]
    pub fn begin_request(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answered request.
    pub fn count_request(&self, endpoint: Endpoint, code: u16, took: Duration) {
        if endpoint == Endpoint::Predict {
            self.predict_duration.observe(took.as_secs_f64());
        } else {
            self.durations.with_label_values(&[endpoint.label()]).observe(took.as_secs_f64());
        }
        if endpoint == Endpoint::Predict && code == 200 {
            self.predicted.inc();
        } else {
            self.requests.with_label_values(&[endpoint.label(), &code.to_string()]).inc();
        }
    }

    /// The text of `/metrics`.
    ///
    /// # Errors
    /// When a counter cannot be written, which the library does not say ever happens.
    pub fn text(&self) -> prometheus::Result<Vec<u8>> {
        if let Some(usage) = process::usage() {
            self.resident_memory.set(usage.resident_bytes);
            self.cpu_seconds.inc_by((usage.cpu_seconds - self.cpu_seconds.get()).max(0.0));
        }
        let mut text = Vec::with_capacity(8 << 10);
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The counters of what one model predicted.
#[derive(Debug)]
pub struct PredictionCounters {
    rows: IntCounter,
    /// One for each class, as far as classes have their own.
    classes: Vec<IntCounter>,
    others: Option<IntCounter>,
}

impl PredictionCounters {
    /// The counters of a model with these classes or other answers, none for numbers alone.
    #[must_use]
    pub fn new(metrics: &Metrics, labels: &[String]) -> Self {
        let counter = |label: &str| metrics.predictions.with_label_values(&[label]);
        Self {
            rows: metrics.rows.clone(),
            classes: labels.iter().take(MAX_CLASSES).map(|label| counter(label)).collect(),
            others: (labels.len() > MAX_CLASSES).then(|| counter(OTHER_CLASSES)),
        }
    }

    /// Counts predictions.
    pub fn count(&self, predictions: &Predictions) {
        self.rows.inc_by(predictions.len() as u64);
        let index: &[usize] = match predictions {
            Predictions::Classes { index, .. } | Predictions::Findings { index, .. } => index,
            Predictions::Numbers(_) => &[],
        };
        for class in index {
            if let Some(counter) = self.classes.get(*class).or(self.others.as_ref()) {
                counter.inc();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn text(metrics: &Metrics) -> String {
        String::from_utf8(metrics.text().expect("metrics")).expect("UTF-8")
    }

    #[test]
    fn requests_are_counted_by_endpoint_and_code() {
        let metrics = Metrics::new().expect("metrics");
        let _in_flight = metrics.begin_request();
        drop(metrics.begin_request());
        metrics.count_request(Endpoint::Predict, 200, Duration::from_micros(50));
        metrics.count_request(Endpoint::Predict, 422, Duration::from_millis(3));
        metrics.count_request(Endpoint::of("/nowhere"), 404, Duration::ZERO);
        let text = text(&metrics);
        for line in [
            "mlpipeline_serve_requests_total{code=\"200\",endpoint=\"predict\"} 1",
            "mlpipeline_serve_requests_total{code=\"422\",endpoint=\"predict\"} 1",
            "mlpipeline_serve_requests_total{code=\"404\",endpoint=\"other\"} 1",
            "mlpipeline_serve_request_duration_seconds_bucket{endpoint=\"predict\",le=\"0.0001\"} 1",
            "mlpipeline_serve_request_duration_seconds_count{endpoint=\"predict\"} 2",
            "mlpipeline_serve_in_flight 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn many_classes_do_not_make_many_series() {
        let metrics = Metrics::new().expect("metrics");
        let labels: Vec<String> = (0..500).map(|label| label.to_string()).collect();
        let counters = PredictionCounters::new(&metrics, &labels);
        counters.count(&Predictions::Classes {
            index: vec![0, 99, 100, 499],
            probabilities: Array2::zeros((4, 500)),
        });
        let text = text(&metrics);
        assert_eq!(text.matches("mlpipeline_serve_predictions_total{").count(), MAX_CLASSES + 1);
        assert!(text.contains("mlpipeline_serve_predictions_total{class=\"other\"} 2"), "{text}");
        assert!(text.contains("mlpipeline_serve_rows_total 4"), "{text}");
    }

    #[test]
    fn every_metric_has_help() {
        let metrics = Metrics::new().expect("metrics");
        metrics.set_model("abc", "logisticRegression");
        let text = text(&metrics);
        for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
            let name = line.split(' ').nth(2).expect("a name");
            assert!(text.contains(&format!("# HELP {name} ")), "{name} has no help");
        }
        assert!(
            text.contains("mlpipeline_serve_model_info{algorithm=\"logisticRegression\",revision=\"abc\"} 1")
        );
    }
}
