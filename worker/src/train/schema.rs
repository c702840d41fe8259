//! The schema of a model, from the rows that it was trained on.

use super::matrix::Rows;
use super::scaling::Scaling;
use super::task::Task;
use crate::model::{Feature, FeatureKind, FeatureSchema, Target};

/// Rows that examples are taken from.
const EXAMPLE_ROWS: usize = 10_000;

/// Describes the features and the target as they are in these rows.
pub(super) fn feature_schema(
    features: &[(String, FeatureKind)],
    target: &str,
    task: &Task,
    rows: &Rows<'_>,
) -> FeatureSchema {
    let scaling = Scaling::measure(rows);
    let statistics = scaling.min.iter().zip(&scaling.max).zip(&scaling.means).zip(examples(rows));
    let features = features.iter().zip(statistics).map(|((name, kind), (((min, max), mean), example))| {
        Feature { name: name.clone(), kind: *kind, min: *min, max: *max, mean: *mean, example }
    });
    FeatureSchema { features: features.collect(), target: describe_target(target, task, rows) }
}

fn describe_target(name: &str, task: &Task, rows: &Rows<'_>) -> Target {
    let name = name.to_owned();
    match task {
        Task::Classify { labels, .. } => Target::Class { name, labels: labels.clone() },
        Task::Regress { numbers, .. } => {
            let values = rows.numbers().iter().filter_map(|row| numbers.get(*row as usize));
            let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| {
                (min.min(*value), max.max(*value))
            });
            Target::Number { name, min, max }
        }
    }
}

/// The lower median of each column, over evenly spread rows: a value that occurs.
fn examples(rows: &Rows<'_>) -> Vec<f64> {
    let step = rows.len().div_ceil(EXAMPLE_ROWS).max(1);
    let sample: Vec<u32> = rows.numbers().iter().copied().step_by(step).collect();
    let sample = rows.select(&sample);
    let median = |column: usize| {
        let mut values: Vec<f64> = sample.iter().filter_map(|(_, row)| row.get(column).copied()).collect();
        if values.is_empty() {
            return 0.0;
        }
        let middle = (values.len() - 1) / 2;
        *values.select_nth_unstable_by(middle, f64::total_cmp).1
    };
    (0..rows.width()).map(median).collect()
}
