//! What is wrong with a spec, and how it is collected: all of it at once. Must not know what makes sense.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: "spec.steps[2].train.target".
    pub path: String,
    /// What is wrong, with what was found.
    pub problem: String,
    /// What is allowed, or what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.problem)?;
        match &self.hint {
            Some(hint) => write!(formatter, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Collects errors, so that a user sees them all at once.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<FieldError>);

impl Errors {
    pub(super) fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(FieldError { path: path.into(), problem: problem.into(), hint: None });
    }

    pub(super) fn add_with_hint(
        &mut self,
        path: impl Into<String>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(FieldError { path: path.into(), problem: problem.into(), hint: Some(hint.into()) });
    }

    /// Adds an error for a number that is given and not between these two.
    pub(super) fn require_between(
        &mut self,
        number: Option<i32>,
        (min, max): (i32, i32),
        path: impl Into<String>,
    ) {
        if let Some(number) = number.filter(|number| !(min..=max).contains(number)) {
            self.add(path, format!("is {number}; {min} to {max} is allowed"));
        }
    }

    /// Adds an error for a number that is given and below 0.
    pub(super) fn require_not_negative<T: PartialOrd + Default + fmt::Display>(
        &mut self,
        number: Option<T>,
        path: impl Into<String>,
    ) {
        if let Some(number) = number.filter(|number| *number < T::default()) {
            self.add(path, format!("is {number}; 0 or more is allowed"));
        }
    }

    /// Adds an error for a number that is given and is none (.nan and .inf in YAML): no comparison with it means anything.
    pub(super) fn require_finite(&mut self, number: Option<f64>, path: impl Into<String>) {
        if let Some(number) = number.filter(|number| !number.is_finite()) {
            self.add(path, format!("is {number}; a finite number is needed"));
        }
    }

    /// Adds an error unless the condition holds.
    pub(super) fn require(&mut self, condition: bool, path: impl Into<String>, problem: impl Into<String>) {
        if !condition {
            self.add(path, problem);
        }
    }

    /// Everything that was collected, as the error of a check; nothing was wrong where there is none.
    pub(super) fn into_result(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
