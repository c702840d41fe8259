//! Which parameters are tried: all of a grid, or drawn ones.
//!
//! Must not know of rows.

use std::collections::BTreeMap;

use mlpipeline_crds::{Algorithm, Range, Search, Space, Tune};
use serde_json::Value;

use super::super::shuffle::Shuffler;

/// Parameters that are tried together.
pub(super) type Parameters = BTreeMap<String, Value>;

/// How often a draw is repeated that was tried already.
const REPEATS: usize = 50;

/// The parameters of each trial, in the order in which equally good ones win.
pub(super) fn draw(tune: &Tune, algorithm: &Algorithm) -> Vec<Parameters> {
    let spaces = tune.spaces();
    let asked = tune.trials.unwrap_or(Tune::DEFAULT_TRIALS).unsigned_abs() as usize;
    let has_range = spaces.values().any(|space| matches!(space, Space::Range(_)));
    let is_all = tune.search.unwrap_or_default() == Search::Grid || (!has_range && tune.grid_size() <= asked);
    if is_all {
        return grid(&spaces);
    }
    let mut shuffler = Shuffler::new(tune.seed.unwrap_or(Tune::DEFAULT_SEED));
    let mut trials: Vec<Parameters> = Vec::with_capacity(asked);
    for _ in 0..asked.saturating_mul(REPEATS) {
        if trials.len() >= asked {
            break;
        }
        let one = |(name, space): (&&str, &Space)| {
            let value = match space {
                Space::Values(values) => {
                    let place = shuffler.below(values.len().max(1) as u64) as usize;
                    values.get(place).cloned().unwrap_or_default()
                }
                Space::Range(range) => number(*range, algorithm.is_whole(name), &mut shuffler),
            };
            ((*name).to_owned(), value)
        };
        let drawn: Parameters = spaces.iter().map(one).collect();
        if !trials.contains(&drawn) {
            trials.push(drawn);
        }
    }
    trials
}

/// Each value of each list with each of the others; the last parameter changes fastest.
fn grid(spaces: &BTreeMap<&str, Space>) -> Vec<Parameters> {
    let mut all = vec![Parameters::new()];
    for (name, space) in spaces {
        let Space::Values(values) = space else { continue };
        let with = |so_far: &Parameters, value: &Value| {
            let mut longer = so_far.clone();
            longer.insert((*name).to_owned(), value.clone());
            longer
        };
        all = all.iter().flat_map(|so_far| values.iter().map(move |value| with(so_far, value))).collect();
    }
    all
}

/// A number of a range. Six digits are kept: nobody reads more, and they do not depend on a machine's logarithms.
fn number(range: Range, is_whole: bool, shuffler: &mut Shuffler) -> Value {
    let Range { min, max, log } = range;
    let share = shuffler.fraction();
    if is_whole {
        let (low, high) = (min.round(), max.round());
        // Half a unit more at both ends, so that both ends are as likely as others.
        let (from, to) = (low - 0.5, high + 0.5);
        let drawn =
            if log && from > 0.0 { between_logarithms(from, to, share) } else { between(from, to, share) };
        return Value::from(drawn.round().clamp(low, high) as i64);
    }
    let drawn = if log { between_logarithms(min, max, share) } else { between(min, max, share) };
    let short = format!("{drawn:.5e}").parse().unwrap_or(drawn);
    Value::from(short.clamp(min, max))
}

/// A number between two, of which neither the difference nor the quotient need be a number.
fn between(from: f64, to: f64, share: f64) -> f64 {
    from * (1.0 - share) + to * share
}

fn between_logarithms(from: f64, to: f64, share: f64) -> f64 {
    between(from.ln(), to.ln(), share).exp()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drawn(tune: Value) -> Vec<Parameters> {
        let algorithm = serde_json::from_value(json!({"gradientBoosting": {}})).expect("an algorithm");
        draw(&serde_json::from_value(tune).expect("a search"), &algorithm)
    }

    #[test]
    fn a_grid_has_each_value_with_each_other() {
        let grid = drawn(json!({"parameters": {"maxDepth": [2, 3], "learningRate": [0.1, 0.2, 0.3]}}));
        assert_eq!(grid.len(), 6);
        assert_eq!(json!(grid[0]), json!({"learningRate": 0.1, "maxDepth": 2}));
        assert_eq!(json!(grid[1]), json!({"learningRate": 0.1, "maxDepth": 3}));
        // A grid that is no larger than the trials asked for is tried as a whole.
        assert_eq!(drawn(json!({"search": "random", "parameters": {"maxDepth": [2, 3]}})).len(), 2);
    }

    #[test]
    fn draws_stay_in_their_ranges_and_depend_on_the_seed_alone() {
        let tune = |seed: i64| {
            json!({"search": "random", "trials": 200, "seed": seed, "parameters": {
                "learningRate": {"min": 0.001, "max": 1, "log": true}, "maxDepth": {"min": 2, "max": 5}, "l2Regularization": {"min": 0, "max": 1},
            }})
        };
        let found = drawn(tune(3));
        assert_eq!(found, drawn(tune(3)));
        assert_ne!(found, drawn(tune(4)));
        assert_eq!(found.len(), 200);
        let of = |name: &str| {
            found.iter().map(|trial| trial[name].as_f64().expect("a number")).collect::<Vec<_>>()
        };
        assert!(of("learningRate").iter().all(|rate| (0.001..=1.0).contains(rate)));
        let small = of("learningRate").iter().filter(|rate| **rate < 0.0316).count();
        assert!((60..140).contains(&small), "half of the logarithms: {small}");
        for depth in 2..=5 {
            let count = of("maxDepth").iter().filter(|found| **found == f64::from(depth)).count();
            assert!(count > 20, "{depth}: {count}");
        }
        assert!(found.iter().all(|trial| trial["maxDepth"].is_i64()));
    }

    #[test]
    fn ranges_as_wide_as_numbers_are_drawn_from() {
        for range in [json!({"min": 1e-300, "max": 1e300, "log": true}), json!({"min": 0, "max": 1.7e308})] {
            let found =
                drawn(json!({"search": "random", "trials": 50, "parameters": {"l2Regularization": range}}));
            assert_eq!(found.len(), 50, "{range}");
        }
    }

    #[test]
    fn a_small_space_ends_when_all_of_it_is_tried() {
        let tune =
            json!({"search": "random", "trials": 50, "parameters": {"maxDepth": {"min": 1, "max": 3}}});
        assert_eq!(drawn(tune).len(), 3);
    }
}
