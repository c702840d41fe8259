//! Functions over rows that the engine answers wrongly at times without a word, each in the place of the engine's own.
//!
//! Owns which these are, and what they compute. Must not change what is asked of them: names, arguments and types are the engine's, but that a mean of
//! decimals is a number with all its digits.

mod decimal_mean;
mod extremes;
mod mended;
mod moving;
mod moving_pairs;
mod percentile;
mod sum;
mod two_stacks;

use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::AggregateUDF;
use datafusion::prelude::SessionContext;

use extremes::Extreme;
use mended::{Mend, Mended};
use moving::Statistic;
use moving_pairs::Pairs;
use sum::CheckedSum;

/// Each function that is mended, by its first name in the engine. `sum` is one of its own.
const MENDED: [(&str, Mend); 20] = [
    ("avg", Mend::Mean),
    ("min", Mend::Extreme(Extreme::Least)),
    ("max", Mend::Extreme(Extreme::Greatest)),
    ("var_samp", Mend::Moving(Statistic::Variance { sample: true })),
    ("var_pop", Mend::Moving(Statistic::Variance { sample: false })),
    ("stddev", Mend::Moving(Statistic::Deviation { sample: true })),
    ("stddev_pop", Mend::Moving(Statistic::Deviation { sample: false })),
    ("percentile_cont", Mend::Percentile),
    ("corr", Mend::Pairs(Pairs::Correlation)),
    ("covar_samp", Mend::Pairs(Pairs::Covariance { sample: true })),
    ("covar_pop", Mend::Pairs(Pairs::Covariance { sample: false })),
    ("regr_slope", Mend::Pairs(Pairs::Slope)),
    ("regr_intercept", Mend::Pairs(Pairs::Intercept)),
    ("regr_count", Mend::Pairs(Pairs::Count)),
    ("regr_r2", Mend::Pairs(Pairs::R2)),
    ("regr_avgx", Mend::Pairs(Pairs::AvgX)),
    ("regr_avgy", Mend::Pairs(Pairs::AvgY)),
    ("regr_sxx", Mend::Pairs(Pairs::Sxx)),
    ("regr_syy", Mend::Pairs(Pairs::Syy)),
    ("regr_sxy", Mend::Pairs(Pairs::Sxy)),
];

/// Puts them in the place of the engine's.
pub(super) fn register(session: &SessionContext) {
    session.register_udaf(AggregateUDF::new_from_impl(CheckedSum::new()));
    for (name, mend) in MENDED {
        // A function that the engine no longer has is refused by its planner; the test below fails on it.
        if let Ok(function) = session.udaf(name) {
            session.register_udaf(AggregateUDF::new_from_impl(Mended::new(function, mend)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_has_every_function_that_is_mended() {
        let session = SessionContext::new();
        for (name, _) in MENDED {
            assert!(session.udaf(name).is_ok(), "{name}");
        }
    }
}
