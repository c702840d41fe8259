//! Classes of which a part of the rows has none: which these are, and what a person can do.
//!
//! Owns the advice, which must be such that the step can follow it: rows that are kept back by a value of theirs cannot be stratified.

use super::error::TrainError;
use super::keys::Keys;
use super::matrix::Rows;
use super::samples::Samples;
use super::split::Parted;
use crate::evaluation::{Evaluation, Folds, MeasuredOn};

/// The classes of which at least one fold measures no row; none of a regression.
pub(super) fn untested_in_folds(samples: &Samples, folds: &[Parted]) -> Vec<String> {
    let mut untested: Vec<String> = Vec::new();
    for fold in folds {
        let missing = samples.task.missing_classes(&Rows::new(&samples.raw, &fold.test));
        untested.extend(missing.into_iter().filter(|class| !untested.contains(class)).collect::<Vec<_>>());
    }
    untested
}

/// Checks that there is a row of each class to learn from: without one, it has no weights that could be learnt.
///
/// # Errors
/// Where a class has none; the message names it.
pub(super) fn check_learnt(samples: &Samples, rows: &Rows<'_>) -> Result<(), TrainError> {
    let missing = samples.task.missing_classes(rows);
    let Some(class) = missing.first() else { return Ok(()) };
    let advice = samples.task.amounts().unwrap_or_else(|| {
        let more = match &samples.keys {
            Keys { times: Some(_), .. } => "keep fewer rows back, or use fewer folds",
            Keys { groups: Some(_), .. } => "give rows of it in more groups",
            Keys { hashes: Some(_), .. } => "give more rows of it, or take another split.seed",
            Keys { .. } => "set split.stratify to true",
        };
        format!("{more}, or leave such rows out in a prepare step")
    });
    Err(TrainError::Data(format!(
        "no row of class \"{class}\" is among the {} rows to learn from; {advice}",
        rows.len()
    )))
}

/// What a person should know of classes that were not measured.
pub(super) fn remarks(evaluation: &Evaluation, keys: &Keys) -> Vec<String> {
    let mut remarks = Vec::new();
    if evaluation.measured_on == MeasuredOn::TestRows && !evaluation.untested_classes.is_empty() {
        remarks.push(format!(
            "no test row has the class {}, so the metrics say nothing about it; {}",
            evaluation.untested_classes.join(", "),
            for_test_rows(keys)
        ));
    }
    let folds = evaluation.folds.as_ref().map(|folds: &Folds| ("fold", &folds.untested_classes));
    let trials = evaluation.tuning.as_ref().map(|tuning| ("fold of tune", &tuning.untested_classes));
    for (what, classes) in folds.into_iter().chain(trials).filter(|(_, classes)| !classes.is_empty()) {
        remarks.push(format!(
            "a {what} has no row of the class {}, so its metrics say nothing about it; {}",
            classes.join(", "),
            for_folds(keys)
        ));
    }
    remarks
}

fn for_test_rows(keys: &Keys) -> &'static str {
    match keys {
        Keys { times: Some(_), .. } => "keep more rows back with split.test, or give newer rows of it",
        Keys { groups: Some(_), .. } => {
            "keep more rows back with split.test, take another split.seed, or give rows of it in more groups"
        }
        Keys { hashes: Some(_), .. } => {
            "keep more rows back with split.test, take another split.seed, or give more rows of it"
        }
        Keys { .. } => "set split.stratify to true, or give more rows of it",
    }
}

fn for_folds(keys: &Keys) -> &'static str {
    match keys {
        Keys { groups: Some(_), .. } => "use fewer folds, or give rows of it in more groups",
        Keys { .. } => "use fewer folds, or give more rows of it",
    }
}
