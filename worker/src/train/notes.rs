//! What the report says of the columns: what they were taken as where that is not plain, and what looks wrong with them.
//!
//! Owns these sentences and their bounds. Rows are sampled, so that a large table costs no more than a small one.

use mlpipeline_crds::{Scale, beginning};

use super::columns::Treatment;
use super::interactions;
use super::leaks::{FEWEST_ROWS, is_near_perfect};
use super::matrix::Rows;
use super::nearly_numbers::others;
use super::sampled_rows::SampledRows;
use super::samples::Samples;
use crate::model::FeatureKind;

/// How many columns a sentence names.
const NAMED: usize = 5;

/// The longest name that is shown whole, in characters.
const NAME_SHOWN: usize = 40;

/// The most rows that are looked at.
pub(super) const SAMPLED: usize = 10_000;

/// The most numbers that are read altogether: where rows are in a file, each look at a column reads whole rows.
const MOST_READ: usize = 1 << 30;

/// Whole numbers of so small a range would be different in all rows with a probability of less than e to the power of minus this.
const SURELY_IDS: f64 = 5.0;

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
    let width = samples.columns.len().max(1);
    let most = (MOST_READ / width.saturating_mul(width)).clamp(FEWEST_ROWS, SAMPLED);
    let sample = SampledRows::of(rows, most);
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
            "another whole number in each row, and so perhaps an id; leave it out unless its size says something",
            suspicious(&|place| is_shuffled_id(samples, &sample, place) && !is_id(samples, rows, place)),
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

/// The first of these names, and how many more there are; none of none.
pub(super) fn named(names: Vec<String>) -> Option<String> {
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

fn is_constant(rows: &SampledRows, place: usize) -> bool {
    let first = rows.values(place).next().map(|(_, value)| value.to_bits());
    rows.values(place).all(|(_, value)| Some(value.to_bits()) == first)
}

fn is_whole(samples: &Samples, place: usize) -> bool {
    let treatment = samples.columns.get(place).map(|column| column.treatment);
    treatment == Some(Treatment::Number(FeatureKind::Integer))
}

/// Whether the values are whole numbers, another one in each row, and so close to each other that measured ones would repeat: of n
/// numbers that are drawn from a range, all are different with a probability of about e^(-n² / (2 range)).
fn is_shuffled_id(samples: &Samples, rows: &SampledRows, place: usize) -> bool {
    if !is_whole(samples, place) {
        return false;
    }
    let mut numbers: Vec<f64> = rows.values(place).map(|(_, value)| value).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    let (Some(least), Some(most)) = (numbers.first(), numbers.last()) else { return false };
    let (count, range) = (numbers.len() as f64, most - least + 1.0);
    // A missing value is not less than another.
    let are_different = numbers.windows(2).all(|pair| matches!(pair, [low, high] if low < high));
    are_different && count * count / (2.0 * range) >= SURELY_IDS
}

/// Whether the values are the whole numbers from one to another, each once and in order, either up or down.
fn is_id(samples: &Samples, rows: &Rows<'_>, place: usize) -> bool {
    let mut numbered = rows.iter().map(|(number, row)| (number, row.get(place).copied().unwrap_or(f64::NAN)));
    let (Some((first, start)), true) = (numbered.next(), is_whole(samples, place)) else { return false };
    let offset = |number: usize, value: f64| value - start - (number as f64 - first as f64);
    numbered.all(|(number, value)| offset(number, value) == 0.0)
}
