//! Minimising a smooth convex function by limited-memory BFGS.
//!
//! After J. Nocedal and S. J. Wright, "Numerical Optimization" (2nd ed., 2006), algorithms 7.4 and 7.5; steps are accepted by
//! the Wolfe conditions in the approximate form of W. W. Hager and H. Zhang, "A new conjugate gradient method with guaranteed
//! descent and an efficient line search" (SIAM J. Optim. 16, 2005), which still works where differences of the function's
//! values are lost in rounding, and so reaches the minimum to nearly all digits. argmin's line searches do not: they stop
//! with an error there.

use std::collections::VecDeque;

use super::vector::{add, dot, largest};

/// How many past steps shape the next one. Weak penalties leave long flat valleys: with 10 steps, as is usual, data that are
/// nearly separable take three times the iterations.
const MEMORY: usize = 40;

/// The fewest past steps, however long a step is.
const LEAST_MEMORY: usize = 5;

/// How many numbers the past steps may hold in all: 64 MiB.
const MEMORY_NUMBERS: usize = 8 << 20;

/// A step must win at least this share of what the slope promises.
const DECREASE: f64 = 1e-4;

/// A step must flatten the slope to at most this share.
const CURVATURE: f64 = 0.9;

/// By how much, relative to the value, rounding may move the function's value.
const VALUE_NOISE: f64 = 1e-12;

/// The most evaluations on one line.
const LINE_EVALUATIONS: usize = 40;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// The most iterations.
    pub iterations: usize,
    /// The largest absolute entry of the gradient at which the minimum is reached.
    pub gradient: f64,
}

/// Where the search ended.
#[derive(Clone, Debug)]
pub struct Minimum {
    /// The best point found.
    pub point: Vec<f64>,
    /// The largest absolute entry of the gradient there.
    pub gradient: f64,
    /// Iterations made.
    pub iterations: usize,
}

impl Minimum {
    /// What a person is to do where the minimum was not reached within so many iterations: more of them help only where the search would
    /// have gone on. `raise` is what to raise then.
    pub(super) fn not_converged(&self, what: &str, most: usize, raise: &str) -> String {
        let iterations = self.iterations;
        if iterations < most {
            return format!(
                "{what} did not converge: after {iterations} iterations its solver finds no better weights; set scale: standard, and \
                 look for absurd values in the features"
            );
        }
        format!("{what} did not converge in {iterations} iterations: raise {raise}")
    }
}

/// A point with the function's value and gradient there.
struct Evaluated {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A past step: how the point moved, how the gradient moved, and one over the product of the two.
struct Step {
    point: Vec<f64>,
    gradient: Vec<f64>,
    inverse: f64,
}

/// Minimises `function`, which gives its value at a point and writes its gradient, from a starting point. The function must be
/// scaled so that its second derivatives are at most about 1: then the first step is a sound one.
pub fn minimise(start: Vec<f64>, stop: Stop, mut function: impl FnMut(&[f64], &mut [f64]) -> f64) -> Minimum {
    let mut evaluate = |point: Vec<f64>| {
        let mut gradient = vec![0.0; point.len()];
        let value = function(&point, &mut gradient);
        Evaluated { point, value, gradient }
    };
    let mut now = evaluate(start);
    let mut memory: VecDeque<Step> = VecDeque::new();
    let depth = (MEMORY_NUMBERS / (2 * now.point.len()).max(1)).clamp(LEAST_MEMORY, MEMORY);
    let mut iterations = 0;
    while iterations < stop.iterations && largest(&now.gradient) > stop.gradient {
        let mut direction = descent(&now.gradient, &memory);
        let mut slope = dot(&direction, &now.gradient);
        if slope >= 0.0 || slope.is_nan() {
            // Rounding spoilt the memory: begin again with the steepest descent.
            memory.clear();
            direction = now.gradient.iter().map(|entry| -entry).collect();
            slope = -dot(&now.gradient, &now.gradient);
        }
        let Some(next) = line_search(&now, &direction, slope, &mut evaluate) else {
            if memory.is_empty() {
                break;
            }
            memory.clear();
            continue;
        };
        iterations += 1;
        remember(&mut memory, depth, &now, &next);
        now = next;
    }
    Minimum { gradient: largest(&now.gradient), point: now.point, iterations }
}

/// Algorithm 7.4: minus the inverse of the approximated second derivatives, times the gradient.
fn descent(gradient: &[f64], memory: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|entry| -entry).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for step in memory.iter().rev() {
        let share = step.inverse * dot(&step.point, &direction);
        add(&mut direction, -share, &step.gradient);
        shares.push(share);
    }
    if let Some(last) = memory.back() {
        let scale = 1.0 / (last.inverse * dot(&last.gradient, &last.gradient));
        direction.iter_mut().for_each(|entry| *entry *= scale);
    }
    for (step, share) in memory.iter().zip(shares.into_iter().rev()) {
        let other = step.inverse * dot(&step.gradient, &direction);
        add(&mut direction, share - other, &step.point);
    }
    direction
}

fn remember(memory: &mut VecDeque<Step>, depth: usize, from: &Evaluated, to: &Evaluated) {
    let difference =
        |to: &[f64], from: &[f64]| to.iter().zip(from).map(|(to, from)| to - from).collect::<Vec<_>>();
    let point = difference(&to.point, &from.point);
    let gradient = difference(&to.gradient, &from.gradient);
    let product = dot(&point, &gradient);
    // Without curvature along the step, the approximation would not stay positive.
    if product > f64::EPSILON * dot(&gradient, &gradient) {
        if memory.len() >= depth {
            memory.pop_front();
        }
        memory.push_back(Step { point, gradient, inverse: 1.0 / product });
    }
}

/// Finds a step along a direction of descent that meets the Wolfe conditions. The slope of a convex function only grows along
/// a line, so that a bracket with a slope of each sign always holds the minimum, and a secant of the slopes finds it.
fn line_search(
    from: &Evaluated,
    direction: &[f64],
    slope: f64,
    evaluate: &mut impl FnMut(Vec<f64>) -> Evaluated,
) -> Option<Evaluated> {
    let (mut low, mut low_slope) = (0.0, slope);
    let mut high: Option<(f64, f64)> = None;
    let mut length = 1.0;
    for _ in 0..LINE_EVALUATIONS {
        let mut point = from.point.clone();
        add(&mut point, length, direction);
        let next = evaluate(point);
        let next_slope = dot(&next.gradient, direction);
        let finite = next.value.is_finite() && next_slope.is_finite();
        let decreased = next.value <= from.value + DECREASE * length * slope;
        let flat = next.value <= from.value + VALUE_NOISE * from.value.abs()
            && next_slope <= (1.0 - 2.0 * DECREASE) * slope.abs();
        if !finite || !(decreased || flat) {
            high = Some((length, if finite { next_slope } else { f64::INFINITY }));
        } else if next_slope < CURVATURE * slope {
            (low, low_slope) = (length, next_slope);
        } else {
            return Some(next);
        }
        length = match high {
            None => length * 4.0,
            Some((high, high_slope)) => {
                let share = -low_slope / (high_slope - low_slope);
                let share = if share.is_finite() { share.clamp(0.1, 0.9) } else { 0.5 };
                low + share * (high - low)
            }
        };
        if !length.is_finite() {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STOP: Stop = Stop { iterations: 500, gradient: 1e-10 };

    #[test]
    fn more_iterations_are_advised_only_where_they_were_used_up() {
        let advice = |iterations| {
            Minimum { point: Vec::new(), gradient: 1.0, iterations }.not_converged("it", 200, "maxIterations")
        };
        assert_eq!(advice(200), "it did not converge in 200 iterations: raise maxIterations");
        for stalled in [0, 40] {
            assert!(advice(stalled).contains("set scale: standard") && !advice(stalled).contains("raise"));
        }
    }

    #[test]
    fn a_convex_function_that_is_no_quadratic_is_minimised_to_nearly_all_digits() {
        // Sum of log(cosh(x - c)) weighted by w: minimum at c, second derivatives from w down to 0 far away.
        let (centres, weights) = ([3.0, -40.0, 0.5], [1.0, 0.01, 1e-4]);
        let found = minimise(vec![0.0; 3], Stop { gradient: 1e-13, ..STOP }, |x, gradient| {
            let mut value = 0.0;
            for (index, x) in x.iter().enumerate() {
                let distance = x - centres[index];
                value += weights[index] * (distance.abs() + (-2.0 * distance.abs()).exp().ln_1p());
                gradient[index] = weights[index] * distance.tanh();
            }
            value
        });
        for (found, centre) in found.point.iter().zip(centres) {
            assert!((found - centre).abs() < 1e-8, "{found} {centre}");
        }
    }

    #[test]
    fn a_function_that_overflows_is_bracketed_back() {
        // Steps of length 1 along the gradient land where the exponentials are infinite.
        let found = minimise(vec![1.0], STOP, |x, gradient| {
            let (up, down) = ((50.0 * x[0]).exp(), (-50.0 * x[0]).exp());
            gradient[0] = 50.0 * (up - down);
            up + down
        });
        assert!(found.point[0].abs() < 1e-12, "{found:?}");
    }

    proptest! {
        #[test]
        fn quadratics_are_solved(diagonal in prop::collection::vec(1e-4..1.0_f64, 1..30), at in -100.0..100.0_f64) {
            let found = minimise(vec![0.0; diagonal.len()], STOP, |x, gradient| {
                let mut value = 0.0;
                for ((x, d), g) in x.iter().zip(&diagonal).zip(gradient) {
                    *g = d * (x - at);
                    value += 0.5 * d * (x - at) * (x - at);
                }
                value
            });
            prop_assert!(found.gradient <= STOP.gradient, "{}", found.gradient);
            prop_assert!(found.point.iter().all(|x| (x - at).abs() < 1e-5));
        }
    }
}
