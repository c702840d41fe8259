//! The schema of a model, from the rows that it was trained on.

use super::columns::Treatment;
use super::matrix::Rows;
use super::samples::Samples;
use super::scaling::Scaling;
use crate::model::{Feature, FeatureSchema, NumberValues, Target, TextValues, TimeValues, Values};

/// Rows that examples are taken from.
const EXAMPLE_ROWS: usize = 10_000;

/// How many columns' values are held at once for it.
const EXAMPLE_COLUMNS: usize = 64;

/// How many texts of a column pages propose.
const COMMON_TEXTS: usize = 20;

/// The longest text that pages propose, in bytes.
const COMMON_TEXT_LIMIT: usize = 128;

/// Describes the features as they are in these raw rows.
pub(super) fn feature_schema(samples: &Samples, target: Target, rows: &Rows<'_>) -> FeatureSchema {
    let scaling = Scaling::measure(rows);
    let examples = examples(rows);
    let features = samples.columns.iter().enumerate().map(|(place, column)| {
        let optional = samples.is_optional(place);
        let numbers = if optional || !matches!(column.treatment, Treatment::Number(_)) {
            Numbers::of_known(rows, place)
        } else {
            let at = |numbers: &[f64]| numbers.get(place).copied().unwrap_or_default();
            Numbers {
                min: at(&scaling.min),
                max: at(&scaling.max),
                mean: at(&scaling.means),
                example: at(&examples),
            }
        };
        let Numbers { min, max, mean, example } = numbers;
        let values = match column.treatment {
            Treatment::Number(kind) => Values::Number(NumberValues { kind, min, max, mean, example }),
            Treatment::Time(kind) => {
                Values::Time(TimeValues { kind, min: min as i64, max: max as i64, example: example as i64 })
            }
            Treatment::Category(_)
            | Treatment::Ordinal
            | Treatment::Text(_)
            | Treatment::Target
            | Treatment::Hash(_) => Values::Text(TextValues { common: common(samples, rows, place) }),
        };
        Feature { name: column.name.clone(), optional, values }
    });
    FeatureSchema { features: features.collect(), target }
}

/// What the numbers of a column are like.
struct Numbers {
    min: f64,
    max: f64,
    mean: f64,
    example: f64,
}

impl Numbers {
    /// Of the values that are not missing; 0 where all are.
    fn of_known(rows: &Rows<'_>, place: usize) -> Self {
        let values = rows.iter().filter_map(|(_, row)| row.get(place).copied());
        let mut known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        if known.is_empty() {
            return Self { min: 0.0, max: 0.0, mean: 0.0, example: 0.0 };
        }
        let min = known.iter().copied().fold(f64::INFINITY, f64::min);
        let max = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mean = (known.iter().sum::<f64>() / known.len() as f64).max(min).min(max);
        let middle = (known.len() - 1) / 2;
        let example = *known.select_nth_unstable_by(middle, f64::total_cmp).1;
        Self { min, max, mean, example }
    }
}

/// The most frequent texts of a column, the most frequent first.
fn common(samples: &Samples, rows: &Rows<'_>, place: usize) -> Vec<String> {
    let Some(texts) = samples.texts.get(place) else { return Vec::new() };
    let mut counts = vec![0_u64; texts.len()];
    for (_, row) in rows.iter() {
        let text = row.get(place).copied().filter(|text| *text >= 0.0);
        if let Some(count) = text.and_then(|text| counts.get_mut(text as usize)) {
            *count += 1;
        }
    }
    let mut counted: Vec<(u64, &str)> =
        counts.into_iter().zip(texts.iter()).filter(|(count, _)| *count > 0).collect();
    counted.sort_by(|ours, theirs| theirs.0.cmp(&ours.0).then(ours.1.cmp(theirs.1)));
    let is_short = |text: &&str| text.len() <= COMMON_TEXT_LIMIT;
    let short = || counted.iter().map(|(_, text)| *text).filter(is_short);
    match (short().next(), counted.first()) {
        // Of long texts alone, the start of one is the example that pages need.
        (None, Some((_, text))) => {
            let end =
                (0..=COMMON_TEXT_LIMIT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
            vec![text.get(..end).unwrap_or_default().to_owned()]
        }
        _ => short().take(COMMON_TEXTS).map(str::to_owned).collect(),
    }
}

/// The lower median of each column, over evenly spread rows: a value that occurs.
fn examples(rows: &Rows<'_>) -> Vec<f64> {
    let step = rows.len().div_ceil(EXAMPLE_ROWS).max(1);
    let sample: Vec<u32> = rows.numbers().iter().copied().step_by(step).collect();
    let sample = rows.select(&sample);
    let median = |mut values: Vec<f64>| {
        if values.is_empty() {
            return 0.0;
        }
        let middle = (values.len() - 1) / 2;
        *values.select_nth_unstable_by(middle, f64::total_cmp).1
    };
    let mut medians = Vec::with_capacity(rows.width());
    // Rows that are in a file are read once for many columns.
    for start in (0..rows.width()).step_by(EXAMPLE_COLUMNS) {
        let mut columns = vec![Vec::with_capacity(sample.len()); EXAMPLE_COLUMNS.min(rows.width() - start)];
        for (_, row) in sample.iter() {
            let of_row = row.get(start..).unwrap_or_default();
            columns.iter_mut().zip(of_row).for_each(|(column, value)| column.push(*value));
        }
        medians.extend(columns.into_iter().map(median));
    }
    medians
}
