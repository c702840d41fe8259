//! The parts of dates and times, by whole numbers alone.
//!
//! The calendar is that of H. Hinnant, "chrono-compatible low-level date algorithms" (`civil_from_days`): a year begins in
//! March, so that the leap day is its last, and days count from the March of year 0, so that no number is negative.

use super::graph::{Graph, Name};
use super::value::{Type, doubles, integers};
use crate::preprocess::{TimeKind, TimeTransform};

/// A missing time: what pandas has for one.
pub(super) const MISSING_TIME: i64 = i64::MIN;

const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;
const MILLISECONDS_OF_AN_HOUR: i64 = 3_600_000;

/// Days from the first of March of year 0 to 1970.
const DAYS_BEFORE_1970: i64 = 719_468;

/// Days of 400 years, after which the calendar repeats.
const DAYS_OF_AN_ERA: i64 = 146_097;

/// The model's columns of a time in milliseconds since 1970, one value each.
pub(super) fn time_columns(graph: &mut Graph, input: &str, transform: &TimeTransform) -> Vec<Name> {
    let takes_missing = transform.missing || transform.impute.is_some();
    let missing = takes_missing.then(|| graph.with("Equal", input, integers(&[1], &[MISSING_TIME])));
    let time = match &missing {
        Some(missing) => {
            let impute = graph.constant(integers(&[1], &[transform.impute.unwrap_or_default()]));
            graph.op("Where", &[missing, &impute, input])
        }
        None => input.to_owned(),
    };
    let exact = graph.cast(&time, Type::Double);
    let mut parts = vec![graph.with("Div", &exact, doubles(&[1], &[MILLISECONDS_OF_A_DAY as f64]))];
    let whole = calendar(graph, &time, transform.kind);
    parts.extend(whole.iter().map(|part| graph.cast(part, Type::Double)).collect::<Vec<_>>());
    if let Some(missing) = missing.filter(|_| transform.indicator || transform.missing) {
        if transform.missing {
            let none = graph.constant(doubles(&[1], &[f64::NAN]));
            parts = parts.iter().map(|part| graph.op("Where", &[&missing, &none, part])).collect();
        }
        if transform.indicator {
            parts.push(graph.cast(&missing, Type::Double));
        }
    }
    parts
}

/// Year, month, day of the month, day of the week and, of timestamps, the hour.
fn calendar(graph: &mut Graph, time: &str, kind: TimeKind) -> Vec<Name> {
    let mut whole = Whole(graph);
    let time = whole.number("Add", time, DAYS_BEFORE_1970 * MILLISECONDS_OF_A_DAY);
    let day = whole.number("Div", &time, MILLISECONDS_OF_A_DAY);
    let era = whole.number("Div", &day, DAYS_OF_AN_ERA);
    let day_of_era = whole.number("Mod", &day, DAYS_OF_AN_ERA);
    // Leap days before this one: every four years, not every hundred, but every four hundred.
    let fours = whole.number("Div", &day_of_era, 1_460);
    let hundreds = whole.number("Div", &day_of_era, 36_524);
    let last = whole.number("Div", &day_of_era, 146_096);
    let plain = whole.sum(&day_of_era, &[("Sub", &fours), ("Add", &hundreds), ("Sub", &last)]);
    let year_of_era = whole.number("Div", &plain, 365);
    let days = whole.number("Mul", &year_of_era, 365);
    let fours = whole.number("Div", &year_of_era, 4);
    let hundreds = whole.number("Div", &year_of_era, 100);
    let day_of_year = whole.sum(&day_of_era, &[("Sub", &days), ("Sub", &fours), ("Add", &hundreds)]);
    // Months from March on have 31, 30, 31, 30, 31 days, and again.
    let scaled = whole.number("Mul", &day_of_year, 5);
    let scaled = whole.number("Add", &scaled, 2);
    let month = whole.number("Div", &scaled, 153);
    let scaled = whole.number("Mul", &month, 153);
    let scaled = whole.number("Add", &scaled, 2);
    let before = whole.number("Div", &scaled, 5);
    let day_of_month = whole.sum(&day_of_year, &[("Sub", &before)]);
    let day_of_month = whole.number("Add", &day_of_month, 1);
    // January and February are of the next year.
    let is_late = whole.number("Greater", &month, 9);
    let late = whole.0.cast(&is_late, Type::Int64);
    let twelve = whole.number("Mul", &late, 12);
    let month = whole.number("Add", &month, 3);
    let month = whole.sum(&month, &[("Sub", &twelve)]);
    let years = whole.number("Mul", &era, 400);
    let year = whole.sum(&years, &[("Add", &year_of_era), ("Add", &late)]);
    // The first of March of year 0 was a Wednesday, and a week begins with Monday, which is 1.
    let weekday = whole.number("Add", &day, 2);
    let weekday = whole.number("Mod", &weekday, 7);
    let weekday = whole.number("Add", &weekday, 1);
    let mut parts = vec![year, month, day_of_month, weekday];
    if kind == TimeKind::Timestamp {
        let rest = whole.number("Mod", &time, MILLISECONDS_OF_A_DAY);
        parts.push(whole.number("Div", &rest, MILLISECONDS_OF_AN_HOUR));
    }
    parts
}

/// A graph that computes with whole numbers.
struct Whole<'a>(&'a mut Graph);

impl Whole<'_> {
    fn number(&mut self, op: &str, value: &str, number: i64) -> Name {
        self.0.with(op, value, integers(&[1], &[number]))
    }

    fn sum(&mut self, first: &str, others: &[(&str, &str)]) -> Name {
        others.iter().fold(first.to_owned(), |sum, (op, value)| self.0.op(op, &[&sum, value]))
    }
}
