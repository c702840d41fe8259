//! Metrics of regressions, as scikit-learn defines them; but the R² of a constant target is undefined.

use mlpipeline_crds::Metric;

use super::outcomes::NumberOutcomes;

/// One metric; not a number where it is undefined.
pub(super) fn number_metric(metric: Metric, outcomes: &NumberOutcomes) -> f64 {
    let count = outcomes.actual.len() as f64;
    let errors = || outcomes.rows().map(|(actual, predicted)| actual - predicted);
    let squares = || errors().map(|error| error * error).sum::<f64>();
    match metric {
        Metric::R2 => {
            let mean = outcomes.actual.iter().sum::<f64>() / count;
            let spread = outcomes.actual.iter().map(|actual| (actual - mean) * (actual - mean)).sum::<f64>();
            // Of a constant target no share of the spread can be explained: there is none, whatever rounding makes of its mean.
            let varies = outcomes.actual.windows(2).any(|pair| pair.first() != pair.last());
            if varies && spread > 0.0 { 1.0 - squares() / spread } else { f64::NAN }
        }
        Metric::Rmse => (squares() / count).sqrt(),
        Metric::Mae => errors().map(f64::abs).sum::<f64>() / count,
        Metric::MedianAbsoluteError => median(errors().map(f64::abs).collect()),
        Metric::Mape => {
            let share =
                |(actual, predicted): (f64, f64)| (actual - predicted).abs() / actual.abs().max(f64::EPSILON);
            outcomes.rows().map(share).sum::<f64>() / count
        }
        Metric::Mase => {
            let shares = outcomes.rows().zip(&outcomes.scales);
            let shares: Vec<f64> = shares
                .filter(|(_, scale)| **scale > 0.0)
                .map(|((actual, predicted), scale)| (actual - predicted).abs() / scale)
                .collect();
            shares.iter().sum::<f64>() / shares.len() as f64
        }
        Metric::Pinball => outcomes.quantile().map_or(f64::NAN, |quantile| {
            let loss = |error: f64| if error >= 0.0 { quantile * error } else { (quantile - 1.0) * error };
            errors().map(loss).sum::<f64>() / count
        }),
        Metric::Accuracy
        | Metric::BalancedAccuracy
        | Metric::F1Macro
        | Metric::F1Weighted
        | Metric::PrecisionMacro
        | Metric::PrecisionWeighted
        | Metric::RecallMacro
        | Metric::RecallWeighted
        | Metric::RocAuc
        | Metric::AveragePrecision
        | Metric::LogLoss
        | Metric::BrierScore
        | Metric::CalibrationError
        | Metric::Silhouette
        | Metric::Inertia
        | Metric::OutlierShare
        | Metric::ExplainedVariance => f64::NAN,
    }
}

/// The number in the middle, or the mean of the two there.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return f64::NAN;
    }
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if is_odd { upper } else { lower / 2.0 + upper / 2.0 }
}
