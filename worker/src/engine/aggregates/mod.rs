//! Functions over rows that the engine answers wrongly at times without a word, each in the place of the engine's own.
//!
//! Owns which these are, and what they compute. Must not change what is asked of them: names, arguments and types are the engine's, but that a mean of
//! decimals is a number with all its digits, and that of whole numbers is not one of doubles.

mod compensated;
mod corrected;
mod decimal_mean;
mod distinct;
mod extremes;
mod filtered;
mod group_means;
mod group_totals;
mod mean;
mod moving;
mod moving_pairs;
mod percentile;
mod plain_nan;
mod sum;
mod totals;
mod two_stacks;

use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::SessionContext;

use corrected::{Corrected, Correction};
use extremes::Extreme;
use mean::Mean;
use moving::Statistic;
use moving_pairs::Pairs;
use sum::CheckedSum;

/// Each function that is corrected, by its first name in the engine. `sum` and `avg` are ones of their own.
const CORRECTED: [(&str, Correction); 19] = [
    ("min", Correction::Extreme(Extreme::Least)),
    ("max", Correction::Extreme(Extreme::Greatest)),
    ("var_samp", Correction::Moving(Statistic::Variance { sample: true })),
    ("var_pop", Correction::Moving(Statistic::Variance { sample: false })),
    ("stddev", Correction::Moving(Statistic::Deviation { sample: true })),
    ("stddev_pop", Correction::Moving(Statistic::Deviation { sample: false })),
    ("percentile_cont", Correction::Percentile),
    ("corr", Correction::Pairs(Pairs::Correlation)),
    ("covar_samp", Correction::Pairs(Pairs::Covariance { sample: true })),
    ("covar_pop", Correction::Pairs(Pairs::Covariance { sample: false })),
    ("regr_slope", Correction::Pairs(Pairs::Slope)),
    ("regr_intercept", Correction::Pairs(Pairs::Intercept)),
    ("regr_count", Correction::Pairs(Pairs::Count)),
    ("regr_r2", Correction::Pairs(Pairs::R2)),
    ("regr_avgx", Correction::Pairs(Pairs::AvgX)),
    ("regr_avgy", Correction::Pairs(Pairs::AvgY)),
    ("regr_sxx", Correction::Pairs(Pairs::Sxx)),
    ("regr_syy", Correction::Pairs(Pairs::Syy)),
    ("regr_sxy", Correction::Pairs(Pairs::Sxy)),
];

/// The mean, as the engine calls it.
const MEAN: &str = "avg";

/// Puts them in the place of the engine's.
pub(super) fn register(session: &SessionContext) {
    session.register_udaf(AggregateUDF::new_from_impl(CheckedSum::new()));
    if let Ok(mean) = session.udaf(MEAN) {
        session.register_udaf(AggregateUDF::new_from_impl(Mean::new(mean)));
    }
    for (name, correction) in CORRECTED {
        // A function that the engine no longer has is refused by its planner; the test below fails on it.
        if let Ok(function) = session.udaf(name) {
            session.register_udaf(AggregateUDF::new_from_impl(Corrected::new(function, correction)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_has_every_function_that_is_corrected() {
        let session = SessionContext::new();
        for name in CORRECTED.iter().map(|(name, _)| *name).chain([MEAN]) {
            assert!(session.udaf(name).is_ok(), "{name}");
        }
    }
}
