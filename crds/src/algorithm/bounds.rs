//! The bounds that parameters have, and the words for a value beyond them.

use super::ParameterProblem;
use crate::Shown;

/// A number that is given must be finite, and 0 or more.
pub(super) fn not_negative(parameter: &'static str, value: Option<f64>) -> Option<ParameterProblem> {
    let value = value?;
    let problem = if !value.is_finite() {
        format!("is {}; a finite number is needed", Shown(value))
    } else if value < 0.0 {
        format!("is {}; 0 or more is allowed", Shown(value))
    } else {
        return None;
    };
    Some(ParameterProblem { parameter, problem })
}

/// A number that is given must be finite.
pub(super) fn finite(parameter: &'static str, value: Option<f64>) -> Option<ParameterProblem> {
    let value = value.filter(|value| !value.is_finite())?;
    Some(ParameterProblem { parameter, problem: format!("is {}; a finite number is needed", Shown(value)) })
}

/// A number that is given must be finite, and more than 0.
pub(super) fn positive(parameter: &'static str, value: Option<f64>) -> Option<ParameterProblem> {
    let value = value.filter(|value| !(value.is_finite() && *value > 0.0))?;
    Some(ParameterProblem {
        parameter,
        problem: format!("is {}; a number of more than 0 is allowed", Shown(value)),
    })
}

/// A share that is given must be more than 0, and at most 1.
pub(super) fn share(parameter: &'static str, value: Option<f64>) -> Option<ParameterProblem> {
    let value = value.filter(|value| !(*value > 0.0 && *value <= 1.0))?;
    Some(ParameterProblem {
        parameter,
        problem: format!("is {}; more than 0 and at most 1 is allowed", Shown(value)),
    })
}

/// A share that is given must be more than 0, and less than 1.
pub(super) fn inner_share(parameter: &'static str, value: Option<f64>) -> Option<ParameterProblem> {
    let value = value.filter(|value| !(*value > 0.0 && *value < 1.0))?;
    Some(ParameterProblem {
        parameter,
        problem: format!("is {}; more than 0 and less than 1 is allowed", Shown(value)),
    })
}

/// A number that is given must be within these bounds.
pub(super) fn within(
    parameter: &'static str,
    value: Option<f64>,
    (min, max): (f64, f64),
) -> Option<ParameterProblem> {
    let value = value.filter(|value| !(min..=max).contains(value))?;
    let problem = format!("is {}; {} to {} is allowed", Shown(value), Shown(min), Shown(max));
    Some(ParameterProblem { parameter, problem })
}

/// A whole number that is given must be within these bounds.
pub(super) fn between<T: Copy + PartialOrd + std::fmt::Display>(
    parameter: &'static str,
    value: Option<T>,
    (min, max): (T, T),
) -> Option<ParameterProblem> {
    let value = value.filter(|value| !(min..=max).contains(value))?;
    Some(ParameterProblem { parameter, problem: format!("is {value}; {min} to {max} is allowed") })
}
