//! What the report says of the columns: what they were taken as where that is not plain, and what looks wrong with them.
//!
//! Owns these sentences and their bounds. Rows are sampled, so that a large table costs no more than a small one.

use mlpipeline_crds::{Scale, beginning};

use super::columns::Treatment;
use super::interactions;
use super::matrix::Rows;
use super::nearly_numbers::others;
use super::samples::Samples;
use super::task::Task;
use crate::model::FeatureKind;

/// How many columns a sentence names.
const NAMED: usize = 5;

/// The longest name that is shown whole, in characters.
const NAME_SHOWN: usize = 40;

/// With fewer rows than this, what looks wrong is chance.
const FEWEST_ROWS: usize = 50;

/// The most rows that are looked at.
pub(super) const SAMPLED: usize = 10_000;

/// From this correlation with the target on, or this share of rows whose class a category alone tells, a feature is suspicious.
const NEAR_PERFECT: f64 = 0.9999;

/// Sentences about the columns, over these rows.
pub(super) fn notes(samples: &Samples, rows: &Rows<'_>) -> Vec<String> {
    let of = |wanted: fn(&Treatment) -> bool| {
        let columns = samples.columns.iter().filter(|column| wanted(&column.treatment));
        named(columns.map(|column| column.name.clone()).collect())
    };
    let columns = || samples.columns.iter().enumerate();
    let missing = |wanted: fn(&Treatment) -> bool| {
        let found = columns().zip(&samples.missing).filter(|(_, missing)| **missing > 0);
        let found = found.filter(|((_, column), _)| wanted(&column.treatment));
        named(
            found.map(|((_, column), missing)| format!("{} ({missing} rows)", short(&column.name))).collect(),
        )
    };
    let left_out = |is_prose: bool| {
        let of_texts = samples.left_out.iter().filter(|column| column.no_numbers.is_none());
        let left_out = of_texts.filter(|column| column.is_prose == is_prose);
        named(left_out.map(|column| column.name.clone()).collect())
    };
    let step = rows.len().div_ceil(SAMPLED).max(1);
    let sample: Vec<u32> = rows.numbers().iter().copied().step_by(step).collect();
    let sample = rows.select(&sample);
    let suspicious = |wrong: &dyn Fn(usize) -> bool| {
        if sample.len() < FEWEST_ROWS {
            return None;
        }
        named(columns().filter(|(place, _)| wrong(*place)).map(|(_, column)| column.name.clone()).collect())
    };
    let sentences = [
        ("taken as categories", of(|treatment| matches!(treatment, Treatment::Category(_)))),
        ("taken as places in an order", of(|treatment| matches!(treatment, Treatment::Ordinal))),
        ("taken as dates", of(|treatment| matches!(treatment, Treatment::Time(_)))),
        ("learnt from by their words", of(|treatment| matches!(treatment, Treatment::Text(_)))),
        (
            "taken as the mean of the target for each text",
            of(|treatment| matches!(treatment, Treatment::Target)),
        ),
        ("taken as the hash of each text", of(|treatment| matches!(treatment, Treatment::Hash(_)))),
        ("scaled by mean and standard deviation", scaled(samples, Scale::Standard)),
        ("scaled to 0 to 1", scaled(samples, Scale::MinMax)),
        ("learnt from as products too", named(interactions::names(&samples.products, &samples.columns))),
        (of_missing(samples), missing(is_imputed)),
        (
            "a missing text has 0 in all columns of its words or of its hash",
            missing(|treatment| matches!(treatment, Treatment::Text(_) | Treatment::Hash(_))),
        ),
        ("a missing text is -1", missing(|treatment| matches!(treatment, Treatment::Ordinal))),
        ("a missing text has a mean of its own", missing(|treatment| matches!(treatment, Treatment::Target))),
        ("left out, since nearly each row has another text (an id, or free text)", left_out(false)),
        (
            "left out, since nearly each row has another text; take it as text to learn from its words",
            left_out(true),
        ),
        (
            "the same value in every row, so nothing is learnt from it",
            suspicious(&|place| is_constant(&sample, place)),
        ),
        (
            "looks like the number of the row (an id); leave it out",
            suspicious(&|place| is_id(samples, rows, place)),
        ),
        (
            "predicts the target nearly without error by itself; make sure that it is known when predictions are made",
            suspicious(&|place| is_near_perfect(samples, &sample, place)),
        ),
    ];
    let of_columns = sentences.into_iter().filter_map(|(what, names)| Some(format!("{what}: {}", names?)));
    let of_columns = of_columns.collect::<Vec<String>>().into_iter();
    of_columns.chain(nearly_numbers(samples)).chain(samples.task.amounts()).collect()
}

/// The columns with a scale.
fn scaled(samples: &Samples, scale: Scale) -> Option<String> {
    let columns = samples.columns.iter().filter(|column| column.scale == scale);
    named(columns.map(|column| column.name.clone()).collect())
}

/// About columns, the target among them, of numbers but for a few texts.
fn nearly_numbers(samples: &Samples) -> Vec<String> {
    let kept = samples.columns.iter().zip(&samples.texts);
    let kept =
        kept.filter(|(column, _)| matches!(column.treatment, Treatment::Category(_)) && !column.asked_for);
    let kept = kept.filter_map(|(column, texts)| Some((column.name.as_str(), others(texts.iter())?)));
    let left_out = samples.left_out.iter();
    let left_out = left_out.filter_map(|column| Some((column.name.as_str(), column.no_numbers.clone()?)));
    let target = samples.task.texts().and_then(|labels| Some(("the target", others(labels)?)));
    let all = left_out.chain(kept).chain(target).take(NAMED);
    all.map(|(name, others)| not_all_numbers(name, &others)).collect()
}

fn not_all_numbers(column: &str, others: &[String]) -> String {
    let shown: Vec<String> = others.iter().map(|text| format!("\"{}\"", short(text))).collect();
    format!(
        "{} has numbers but for {}, and so was read as texts: where these stand for missing values, name them in reading.nullValues",
        short(column),
        shown.join(", ")
    )
}

/// Whether missing values of a column are imputed, or have a column of their own.
fn is_imputed(treatment: &Treatment) -> bool {
    match treatment {
        Treatment::Number(_) | Treatment::Category(_) | Treatment::Time(_) => true,
        Treatment::Ordinal | Treatment::Text(_) | Treatment::Target | Treatment::Hash(_) => false,
    }
}

/// What became of missing values.
fn of_missing(samples: &Samples) -> &'static str {
    if samples.task.most_codes().is_some() {
        "missing values are kept, and each split learnt which way they go"
    } else if samples.task.takes_missing() {
        "missing numbers and dates are kept, and each split learnt which way they go"
    } else {
        "missing values were imputed or have a column of their own"
    }
}

fn named(names: Vec<String>) -> Option<String> {
    let more = names.len().saturating_sub(NAMED);
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| short(name)).collect();
    match (shown.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(shown.join(", ")),
        (false, more) => Some(format!("{} and {more} more", shown.join(", "))),
    }
}

/// A name, cut where it is long.
pub(super) fn short(name: &str) -> String {
    beginning(name, NAME_SHOWN)
}

fn values<'a>(rows: &Rows<'a>, place: usize) -> impl Iterator<Item = (usize, f64)> + use<'a> {
    rows.iter().map(move |(number, row)| (number, row.get(place).copied().unwrap_or(f64::NAN)))
}

fn is_constant(rows: &Rows<'_>, place: usize) -> bool {
    let first = values(rows, place).next().map(|(_, value)| value.to_bits());
    values(rows, place).all(|(_, value)| Some(value.to_bits()) == first)
}

/// Whether the values are the whole numbers from one to another, each once and in order, either up or down.
fn is_id(samples: &Samples, rows: &Rows<'_>, place: usize) -> bool {
    let is_whole = samples
        .columns
        .get(place)
        .is_some_and(|column| column.treatment == Treatment::Number(FeatureKind::Integer));
    let mut numbered = values(rows, place);
    let (Some((first, start)), true) = (numbered.next(), is_whole) else { return false };
    let offset = |number: usize, value: f64| value - start - (number as f64 - first as f64);
    numbered.all(|(number, value)| offset(number, value) == 0.0)
}

fn is_near_perfect(samples: &Samples, rows: &Rows<'_>, place: usize) -> bool {
    let treatment = samples.columns.get(place).map(|column| column.treatment);
    match (&samples.task, treatment) {
        (Task::Regress { numbers, .. }, Some(Treatment::Number(_))) => {
            let pairs = values(rows, place)
                .filter_map(|(number, value)| Some((value, *numbers.get(number)?)))
                .filter(|(value, _)| !value.is_nan());
            correlation(pairs.collect()).abs() >= NEAR_PERFECT
        }
        (
            Task::Classify { classes, labels, .. },
            Some(Treatment::Category(_) | Treatment::Target | Treatment::Hash(_)),
        ) => {
            let texts = samples.texts.get(place).map_or(0, crate::preprocess::Texts::len);
            // With few rows a text, a text tells its row and not its class.
            if texts == 0 || texts * 10 > rows.len() {
                return false;
            }
            let mut counts = vec![0_u64; (texts + 1) * labels.len()];
            for (number, value) in values(rows, place) {
                let text = if value.is_nan() { texts } else { value as usize };
                let class = classes.get(number).map_or(0, |class| *class as usize);
                if let Some(count) = counts.get_mut(text * labels.len() + class) {
                    *count += 1;
                }
            }
            let told = |counts: &[u64]| counts.iter().max().copied().unwrap_or_default();
            let right: u64 = counts.chunks(labels.len().max(1)).map(told).sum();
            right as f64 >= NEAR_PERFECT * rows.len() as f64
        }
        _ => false,
    }
}

/// Pearson's correlation; 0 where one side does not vary.
fn correlation(pairs: Vec<(f64, f64)>) -> f64 {
    let count = pairs.len().max(1) as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / count, y + pair.1 / count));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (a, b) in &pairs {
        xx += (a - x) * (a - x);
        yy += (b - y) * (b - y);
        xy += (a - x) * (b - y);
    }
    let correlation = xy / (xx * yy).sqrt();
    if correlation.is_finite() { correlation } else { 0.0 }
}
