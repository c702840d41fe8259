//! A loaded model with all that is derived from it once: how rows are read, how answers are written, its pages.
//!
//! Owns the prediction for a whole body. Must not know of requests.

use axum::http::HeaderValue;
use bytes::Bytes;
use ndarray::ArrayView2;

use super::answer::AnswerForm;
use super::docs;
use super::limits::ServingLimits;
use super::metrics::{Metrics, PredictionCounters};
use super::openapi;
use super::rows::{Problem, RowFeatures, RowsError, read_rows};
use crate::model::{Model, ModelError};

/// How many numbers an answer may hold: rows times classes. It bounds the memory of one request whatever the model.
const MAX_ANSWER_NUMBERS: usize = 1_000_000;

/// How many values the rows of a request may have, those that a row leaves out among them: rows times features. A body of the size that
/// is allowed by default holds fewer.
const MAX_GIVEN_NUMBERS: usize = 1 << 22;

/// How much work is done right where the request was read, in bytes to parse plus numbers to answer: some tenths of a
/// millisecond. More goes to a thread of its own, so that small requests never wait behind large ones.
const SMALL_WORK: usize = 32 << 10;

/// How many digits of its digest stand for a model that has no revision.
const DIGEST_LENGTH: usize = 12;

/// A model that is ready to answer.
#[derive(Debug)]
pub struct LoadedModel {
    model: Model,
    features: RowFeatures,
    form: AnswerForm,
    counters: PredictionCounters,
    max_rows: usize,
    /// The fewest bytes of a row's JSON.
    min_row_bytes: usize,
    /// The revision, as text.
    pub revision: String,
    /// The revision, as a header.
    pub revision_header: HeaderValue,
    /// The page at `/docs`.
    pub docs: docs::Page,
    /// The document at `/openapi.json`.
    pub openapi: Bytes,
}

impl LoadedModel {
    /// Derives everything from a model.
    #[must_use]
    pub fn new(model: Model, limits: ServingLimits, metrics: &Metrics) -> Self {
        let schema = model.schema();
        let target = &schema.target;
        let answers: Vec<String> = target.answers().iter().map(ToString::to_string).collect();
        let features = RowFeatures::new(&schema.features, model.largest_value());
        let info = model.info();
        let revision = match &info.revision {
            Some(revision) => revision.to_string(),
            None => info.digest.as_str().chars().take(DIGEST_LENGTH).collect(),
        };
        metrics.set_model(&revision, &info.algorithm);
        let max_rows = limits
            .max_rows
            .min(MAX_ANSWER_NUMBERS / target.answer_width())
            .min(MAX_GIVEN_NUMBERS / schema.features.len().max(1))
            .max(1);
        let limits = ServingLimits { max_rows, ..limits };
        Self {
            form: AnswerForm::new(target),
            counters: PredictionCounters::new(metrics, &answers),
            max_rows,
            // {"name":0} and a comma for each feature that a row must have.
            min_row_bytes: 2 + features.required().map(|name| name.len() + 5).sum::<usize>(),
            docs: docs::Page::new(&model, &revision, limits),
            openapi: openapi::document(&model, &revision, limits).to_string().into(),
            // Hexadecimal digits are always a header.
            revision_header: HeaderValue::from_str(&revision).unwrap_or(HeaderValue::from_static("unknown")),
            revision,
            features,
            model,
        }
    }

    /// What it predicts and its revision, for people.
    #[must_use]
    pub fn name(&self) -> String {
        format!("model {} of {}", self.revision, self.model.schema().target.name())
    }

    /// The features that a row must have.
    #[must_use]
    pub fn features(&self) -> &RowFeatures {
        &self.features
    }

    /// Whether a body of this size takes so little time that it may be answered on the spot.
    #[must_use]
    pub fn is_small_work(&self, body_bytes: usize) -> bool {
        let rows = body_bytes / self.min_row_bytes + 1;
        let schema = self.model.schema();
        // A row may leave out features that can be missing, and takes their place in memory all the same.
        let numbers = rows.saturating_mul(schema.target.answer_width() + schema.features.len());
        body_bytes.saturating_add(numbers) <= SMALL_WORK
    }

    /// The answer's JSON for the JSON of a request's body.
    ///
    /// # Errors
    /// When the body gives no rows, or a row's numbers are so large that nothing can be predicted from them.
    pub fn answer(&self, body: &[u8]) -> Result<Vec<u8>, RowsError> {
        let rows = read_rows(body, &self.features, self.max_rows)?;
        let shape = (rows.count, self.features.names().len());
        let wrong = |row: usize, problem: String| RowsError::Wrong {
            problems: vec![Problem { row, feature: None, problem }],
            total: 1,
        };
        let view =
            ArrayView2::from_shape(shape, &rows.raw.numbers).map_err(|error| wrong(0, error.to_string()))?;
        let predictions =
            self.model.with_texts(&rows.raw.texts).predict(view).map_err(|error| match error {
                ModelError::Overflow { row } => {
                    wrong(row, "has numbers so large that nothing can be predicted from them".into())
                }
                ModelError::Unforeseen { row, problem } => wrong(row, problem),
                ModelError::Answer { row: Some(row), problem } => wrong(row, problem),
                other => wrong(0, other.to_string()),
            })?;
        self.counters.count(&predictions);
        Ok(self.form.write(&predictions, rows.single))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_models::{class, feature, limits, model};
    use super::*;
    use crate::model::{Feature, FeatureKind};

    #[test]
    fn d7_rows_that_leave_out_thousands_of_features_are_refused_before_they_take_their_memory() {
        let optional = |at| Feature { optional: true, ..feature(&format!("f{at}"), FeatureKind::Float) };
        let features = (0..4000).map(optional).collect();
        let limits = ServingLimits { max_rows: 100_000, ..limits() };
        let model = LoadedModel::new(
            model(features, class("y", &["a", "b"])),
            limits,
            &Metrics::new().expect("metrics"),
        );
        let most = MAX_GIVEN_NUMBERS / 4000;
        let body = format!("[{}]", vec!["{}"; 25_000].join(","));
        assert!(
            matches!(model.answer(body.as_bytes()), Err(RowsError::TooManyRows { limit }) if limit == most)
        );
        assert!(!model.is_small_work(1000), "a thousand bytes may be five hundred rows of 4,000 features");
    }
}
