//! What a search has measured so far, kept on storage: a search that was stopped continues, and pods that share one find each other's trials.
//!
//! A value counts only for the same rows in the same order, and the same search.

use std::hash::Hasher;

use mlpipeline_crds::TrainStep;
use twox_hash::XxHash64;

use super::super::error::TrainError;
use super::super::samples::Samples;
use super::super::training_rows::row_hashes;
use crate::artifact::Kept;

/// What a trial came to in one fold: the metric, or why there is none.
pub(super) type Value = Result<f64, String>;

/// Where a value belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) round: usize,
    pub(super) fold: usize,
    pub(super) trial: usize,
}

/// The values of one search.
pub(super) struct Measured<'a> {
    kept: &'a Kept,
    /// What the values are of.
    of: u64,
}

impl<'a> Measured<'a> {
    /// Those of a search over these of the samples' rows.
    pub(super) fn new(kept: &'a Kept, step: &TrainStep, samples: &Samples, rows: &[u32]) -> Self {
        // Where the rows come from, the gate, and how many pods work change no value.
        let of_columns = (&step.target, &step.features, &step.columns, &step.scale, &step.interactions);
        let meaning = (of_columns, &step.group_by, &step.algorithm, &step.tune);
        let mut hasher = XxHash64::with_seed(0);
        hasher.write(env!("CARGO_PKG_VERSION").as_bytes());
        hasher.write(&serde_json::to_vec(&meaning).unwrap_or_default());
        row_hashes(samples, rows).into_iter().for_each(|hash| hasher.write_u64(hash));
        let groups = samples.keys.groups.as_deref().unwrap_or_default();
        rows.iter().filter_map(|row| groups.get(*row as usize)).for_each(|group| hasher.write_u32(*group));
        Self { kept, of: hasher.finish() }
    }

    /// The value of a place, if it was measured.
    pub(super) fn get(&self, place: Place) -> Option<Value> {
        parse(&self.kept.read(&name(place))?, self.of)
    }

    /// Keeps the value of a place.
    ///
    /// # Errors
    /// When storage refuses.
    pub(super) fn put(&self, place: Place, value: &Value) -> Result<(), TrainError> {
        Ok(self.kept.write(&name(place), format(value, self.of).as_bytes())?)
    }
}

fn name(Place { round, fold, trial }: Place) -> String {
    format!("round-{round}-fold-{fold}-trial-{trial}")
}

/// A number is written as Rust shows it, which reads back as the same bits.
fn format(value: &Value, of: u64) -> String {
    match value {
        Ok(value) => format!("{of:016x} value {value}"),
        Err(failure) => format!("{of:016x} failure {failure}"),
    }
}

fn parse(bytes: &[u8], of: u64) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix(&format!("{of:016x} "))?;
    match rest.split_once(' ')? {
        ("value", number) => number.parse::<f64>().ok().filter(|number| number.is_finite()).map(Ok),
        ("failure", failure) => Some(Err(failure.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_back_to_the_last_bit_and_only_for_what_it_was_measured_of() {
        for value in [Ok(0.1 + 0.2), Ok(-5e-324), Ok(1e300), Err("too few rows\nof a class".to_owned())] {
            let text = format(&value, 7);
            assert_eq!(parse(text.as_bytes(), 7), Some(value));
            assert_eq!(parse(text.as_bytes(), 8), None);
        }
    }

    #[test]
    fn what_is_not_a_value_counts_as_not_measured() {
        let of = "0000000000000007";
        for text in [
            "",
            of,
            "0000000000000007 ",
            "0000000000000007 value",
            "0000000000000007 value x",
            "0000000000000007 value NaN",
            "0000000000000007 other 1",
        ] {
            assert_eq!(parse(text.as_bytes(), 7), None, "{text}");
        }
        assert_eq!(parse(b"\xff", 7), None);
    }
}
