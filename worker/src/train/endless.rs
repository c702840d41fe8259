//! What the report says of weights without a limit.
//!
//! Owns the sentence. Whether there are such weights is the algorithm's to say.

use super::error::TrainError;
use super::interactions::names;
use super::matrix::Rows;
use super::notes::named;
use super::part_name::part_name;
use super::prepared::Prepared;
use super::samples::Samples;
use super::separation::Endless;
use super::task::Task;
use crate::model::Predictor;

/// Which columns of a model that was learned from these rows have weights without a limit, and what to do; nothing where there are none.
///
/// # Errors
/// When rows cannot be read.
pub(super) fn sentence(
    samples: &Samples,
    prepared: &Prepared<'_>,
    predictor: &Predictor,
    rows: &[u32],
) -> Result<Option<String>, TrainError> {
    let rows = Rows::new(&prepared.matrix, rows);
    let found = match &samples.task {
        Task::Classify { learner, labels, classes } => {
            learner.endless(&rows, classes, labels.len(), predictor)
        }
        Task::Regress { learner, numbers } => learner.endless(&rows, numbers, predictor),
        Task::Find { .. } => None,
    };
    rows.check()?;
    let Some(Endless { places, why, penalty }) = found else { return Ok(None) };
    let all = part_names(samples, prepared);
    let of_places = places.iter().filter_map(|place| all.get(*place).cloned()).collect();
    Ok(named(of_places).map(|columns| {
        format!(
            "weights have no limit without a penalty, since {why}: {columns}; {penalty}, put such a category together with others, or \
             leave the column out"
        )
    }))
}

/// What the model's columns are called.
fn part_names(samples: &Samples, prepared: &Prepared<'_>) -> Vec<String> {
    let transforms = samples.columns.iter().zip(prepared.preprocessing.transforms());
    let parts = transforms.flat_map(|(column, transform)| {
        (0..transform.width()).map(move |part| part_name(&column.name, transform, part))
    });
    parts.chain(names(prepared.preprocessing.products(), &samples.columns)).collect()
}
