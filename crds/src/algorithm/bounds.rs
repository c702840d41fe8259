//! The bounds that parameters have, and the words for a value beyond them.

use super::ParameterProblem;

/// A number that is given must be finite, and 0 or more.
pub(super) fn not_negative(parameter: &'static str, value: Option<f64>) -> Option<ParameterProblem> {
    let value = value?;
    let problem = if !value.is_finite() {
        format!("is {value}; a finite number is needed")
    } else if value < 0.0 {
        format!("is {value}; 0 or more is allowed")
    } else {
        return None;
    };
    Some(ParameterProblem { parameter, problem })
}

/// A whole number that is given must be within these bounds.
pub(super) fn between(
    parameter: &'static str,
    value: Option<i32>,
    (min, max): (i32, i32),
) -> Option<ParameterProblem> {
    let value = value.filter(|value| !(min..=max).contains(value))?;
    Some(ParameterProblem { parameter, problem: format!("is {value}; {min} to {max} is allowed") })
}
