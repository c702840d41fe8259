//! What the model card says beside the evaluation: what the data are like.
//!
//! Owns these words. They depend on the step's fingerprint and its data alone, not on where the data lie or what the gate says: what is
//! in an artifact must be the same wherever it is made.

use mlpipeline_crds::{Algorithm, Scale, beginning};

use super::columns::{Column, Treatment};
use super::parameters::parameters;
use super::samples::Samples;
use crate::card::{Card, CardColumn};
use crate::evaluation::Evaluation;
use crate::model::{Feature, FeatureKind, FeatureSchema, Model, Values};
use crate::preprocess::{Texts, TimeKind, shown_time};

/// How many texts of a column are named.
const MOST_TEXTS: usize = 3;

/// The longest text that is named, in characters.
const TEXT_SHOWN: usize = 40;

/// The card of a model.
pub(super) fn card(
    given: &Algorithm,
    model: &Model,
    samples: &Samples,
    evaluation: &Evaluation,
    notes: &[String],
    mut lineage: Vec<(&'static str, String)>,
) -> Vec<u8> {
    lineage.push(("model.json, SHA-256", model.info().digest.to_string()));
    let algorithm = &model.info().algorithm;
    let card = Card {
        target: model.schema().target.name(),
        algorithm,
        parameters: parameters(given, algorithm),
        evaluation,
        columns: columns(model.schema(), samples),
        notes,
        lineage,
    };
    card.to_html().into_bytes()
}

fn columns(schema: &FeatureSchema, samples: &Samples) -> Vec<CardColumn> {
    let column = |(place, feature): (usize, &Feature)| CardColumn {
        name: feature.name.clone(),
        taken_as: taken_as(&feature.values, samples.columns.get(place)),
        missing: samples.missing.get(place).copied().unwrap_or_default(),
        values: values(&feature.values, samples.texts.get(place)),
    };
    schema.features.iter().enumerate().map(column).collect()
}

fn taken_as(values: &Values, column: Option<&Column>) -> String {
    let role = role(values, column.map(|column| column.treatment));
    match column.map(|column| column.scale) {
        Some(Scale::Standard) => format!("{role}, scaled by mean and standard deviation"),
        Some(Scale::MinMax) => format!("{role}, scaled to 0 to 1"),
        Some(Scale::None) | None => role.to_owned(),
    }
}

fn role(values: &Values, treatment: Option<Treatment>) -> &'static str {
    match (values, treatment) {
        (Values::Text(_), Some(Treatment::Text(_))) => "text",
        (Values::Text(_), Some(Treatment::Ordinal)) => "place in an order",
        (Values::Text(_), Some(Treatment::Target)) => "mean of the target",
        (Values::Text(_), Some(Treatment::Hash(_))) => "hashed text",
        (values, _) => form(values),
    }
}

fn form(values: &Values) -> &'static str {
    match values {
        Values::Number(number) => match number.kind {
            FeatureKind::Float => "number",
            FeatureKind::Integer => "whole number",
            FeatureKind::Boolean => "true or false",
        },
        Values::Text(_) => "category",
        Values::Time(time) => match time.kind {
            TimeKind::Date => "date",
            TimeKind::Timestamp => "time",
        },
    }
}

fn values(values: &Values, texts: Option<&Texts>) -> String {
    match values {
        Values::Number(number) => {
            let [min, max, mean] = [number.min, number.max, number.mean].map(short_number);
            format!("{min} to {max}, mean {mean}")
        }
        Values::Time(time) => {
            format!("{} to {}", shown_time(time.min, time.kind), shown_time(time.max, time.kind))
        }
        Values::Text(text) => {
            let common = text.common.iter().take(MOST_TEXTS);
            let common: Vec<String> = common.map(|text| beginning(text, TEXT_SHOWN)).collect();
            format!("{} different, most often {}", texts.map_or(0, Texts::len), common.join(", "))
        }
    }
}

/// A number with four significant digits.
fn short_number(value: f64) -> String {
    let digits = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    if !(-4.0..6.0).contains(&digits) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.*}", (3.0 - digits).max(0.0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let found = [0.0, 1.0, 2.34567, -1234.5, 12.5, 1e-9, 2.5e12, 150.0].map(short_number);
        assert_eq!(found, ["0", "1", "2.346", "-1234", "12.5", "1.000e-9", "2.500e12", "150"]);
    }
}
