//! What a model without a target finds in rows, and what is measured of it.
//!
//! Owns which of its answers become which metric. What silhouettes are is `silhouette`'s, and what becomes of the outcomes is
//! `evaluation`'s.

use mlpipeline_crds::Metric;

use super::error::TrainError;
use super::matrix::Rows;
use super::measure::{Predict, over_blocks};
use super::scaling::Scaling;
use super::silhouette::{compared, silhouettes};
use crate::evaluation::{FindingOutcomes, Metrics, Outcomes};
use crate::model::{Finding, Predictions};

/// The answers of all rows, in their order.
#[derive(Debug, Default)]
struct Found {
    index: Vec<usize>,
    /// Row after row.
    numbers: Vec<f64>,
}

/// What a model finds. `rows` are what it is asked with, and `seen` the same rows as the new model sees them, between which
/// distances are measured.
pub(super) fn measure_findings(
    finding: &Finding,
    rows: &Rows<'_>,
    seen: &Rows<'_>,
    predict: &Predict<'_>,
) -> Result<Outcomes, TrainError> {
    let parts = over_blocks(
        rows,
        predict,
        |_| Found::default(),
        |part, row, _, predictions| {
            if let Predictions::Findings { index, numbers } = predictions {
                part.index.extend(index.get(row).copied());
                part.numbers.extend(numbers.row(row));
            }
        },
    )?;
    let mut found = Found::default();
    for mut part in parts {
        found.index.append(&mut part.index);
        found.numbers.append(&mut part.numbers);
    }
    let mut answers = vec![0; finding.answers().len()];
    for answer in &found.index {
        if let Some(count) = answers.get_mut(*answer) {
            *count += 1;
        }
    }
    let outcomes = match finding {
        Finding::Clusters { count } => {
            let inertia = found.numbers.iter().map(|distance| distance * distance).sum();
            let totals = Metrics::from([(Metric::Inertia.name().to_owned(), inertia)]);
            FindingOutcomes {
                answers,
                per_row: separation(seen, &found.index, *count),
                totals,
                explained: Vec::new(),
            }
        }
        Finding::Mixture { count } => FindingOutcomes {
            answers,
            per_row: separation(seen, &found.index, *count),
            ..FindingOutcomes::default()
        },
        Finding::Density { count } => FindingOutcomes {
            answers,
            per_row: separation_without_noise(seen, &found.index, *count),
            ..FindingOutcomes::default()
        },
        Finding::Outliers => {
            let is_outlier = found.index.iter().map(|answer| if *answer == 0 { 0.0 } else { 1.0 }).collect();
            FindingOutcomes {
                answers,
                per_row: Some((Metric::OutlierShare, is_outlier)),
                ..FindingOutcomes::default()
            }
        }
        Finding::Components { count } => {
            let explained = explained(seen, &found.numbers, *count);
            let total = explained.iter().sum();
            let totals = Metrics::from([(Metric::ExplainedVariance.name().to_owned(), total)]);
            FindingOutcomes { totals, explained, ..FindingOutcomes::default() }
        }
    };
    Ok(Outcomes::Findings(outcomes))
}

/// The share of the columns' variance that each component has; undefined where no column varies.
fn explained(rows: &Rows<'_>, components: &[f64], count: usize) -> Vec<f64> {
    let scaling = Scaling::measure(rows);
    // In the unit of the column that varies most, so that no square overflows.
    let unit = scaling.min.iter().zip(&scaling.max).fold(0.0, |most: f64, (min, max)| most.max(max - min));
    let columns = scaling.deviations.iter().zip(scaling.min.iter().zip(&scaling.max));
    let varied = columns.filter(|(_, (min, max))| min < max);
    let total: f64 = varied.map(|(deviation, _)| (deviation / unit) * (deviation / unit)).sum();
    let rows = rows.len().max(1) as f64;
    let variance = |component: usize| {
        let values = || components.iter().skip(component).step_by(count.max(1)).map(|value| value / unit);
        let mean = values().sum::<f64>() / rows;
        values().map(|value| (value - mean) * (value - mean)).sum::<f64>() / rows
    };
    (0..count).map(|component| variance(component) / total).collect()
}

/// The silhouettes of evenly spread rows that are of a cluster; the first answer is that of none.
fn separation_without_noise(rows: &Rows<'_>, answers: &[usize], count: usize) -> Option<(Metric, Vec<f64>)> {
    let clustered = || rows.numbers().iter().zip(answers).filter(|(_, answer)| **answer > 0);
    let numbers: Vec<u32> = clustered().map(|(row, _)| *row).collect();
    let clusters: Vec<usize> = clustered().map(|(_, answer)| answer - 1).collect();
    separation(&rows.select(&numbers), &clusters, count)
}

/// The silhouettes of evenly spread rows.
fn separation(rows: &Rows<'_>, clusters: &[usize], count: usize) -> Option<(Metric, Vec<f64>)> {
    let places = compared(rows.len(), rows.width());
    let numbers: Vec<u32> = places.iter().filter_map(|place| rows.numbers().get(*place).copied()).collect();
    let clusters: Vec<usize> = places.iter().filter_map(|place| clusters.get(*place).copied()).collect();
    Some((Metric::Silhouette, silhouettes(&rows.select(&numbers), &clusters, count)?))
}
