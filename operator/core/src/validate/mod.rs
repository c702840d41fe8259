//! From a spec to a [`ValidatedPipeline`], or to every error in it at once.
//!
//! The API server's schema and rules catch most mistakes before this; what they cannot see (references, cycles, cron, file
//! formats) is found here, and so is all the rest where there is no API server: on a laptop, or with an older CRD installed.

mod actions;
mod continuous;
mod data;
mod order;
mod output;
mod pod;
mod prepare;
mod references;
mod run;
mod serve;
mod steps;
mod train;

use std::fmt;

use mlpipeline_crds::MLPipeline;
use serde::Serialize;

use super::pipeline::ValidatedPipeline;
use super::quoted::quoted;

pub use references::closest;

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
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(FieldError { path: path.into(), problem: problem.into(), hint: None });
    }

    fn add_with_hint(
        &mut self,
        path: impl Into<String>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(FieldError { path: path.into(), problem: problem.into(), hint: Some(hint.into()) });
    }

    /// Adds an error for a number that is given and not between these two.
    fn require_between(&mut self, number: Option<i32>, (min, max): (i32, i32), path: impl Into<String>) {
        if let Some(number) = number.filter(|number| !(min..=max).contains(number)) {
            self.add(path, format!("is {number}; {min} to {max} is allowed"));
        }
    }

    /// Adds an error for a number that is given and below 0.
    fn require_not_negative<T: PartialOrd + Default + fmt::Display>(
        &mut self,
        number: Option<T>,
        path: impl Into<String>,
    ) {
        if let Some(number) = number.filter(|number| *number < T::default()) {
            self.add(path, format!("is {number}; 0 or more is allowed"));
        }
    }

    /// Adds an error for a number that is given and is none (.nan and .inf in YAML): no comparison with it means anything.
    fn require_finite(&mut self, number: Option<f64>, path: impl Into<String>) {
        if let Some(number) = number.filter(|number| !number.is_finite()) {
            self.add(path, format!("is {number}; a finite number is needed"));
        }
    }

    /// Adds an error unless the condition holds.
    fn require(&mut self, condition: bool, path: impl Into<String>, problem: impl Into<String>) {
        if !condition {
            self.add(path, problem);
        }
    }
}

/// Checks a pipeline.
///
/// # Errors
/// Everything that is wrong with it, in the order of the spec.
pub fn validate(resource: &MLPipeline) -> Result<ValidatedPipeline, Vec<FieldError>> {
    let mut errors = Errors::default();
    let name = resource.metadata.name.clone().unwrap_or_default();
    errors.require(!name.is_empty(), "metadata.name", "is missing: name the pipeline");
    errors.require(
        is_dns_name(&name) || name.is_empty(),
        "metadata.name",
        format!(
            "{} is not a valid name: lower-case letters, digits, - and . are allowed, 253 at most",
            quoted(&name)
        ),
    );
    let spec = &resource.spec;
    let history = spec.history.unwrap_or(3);
    errors.require_between(Some(history), (1, 100), "spec.history");
    errors.require(
        spec.image.as_ref().is_none_or(|image| !image.trim().is_empty()),
        "spec.image",
        "is empty: name an image, or leave it out for the operator's own",
    );
    let volume = spec.storage.clone().and_then(|storage| storage.volume).unwrap_or_default();
    pod::check_volume(&volume, &mut errors);
    pod::check_settings(spec.pod.as_ref(), None, "spec.pod", &mut errors);
    let namespace = resource.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let steps = steps::validate_steps(spec, &namespace, &mut errors);
    if !errors.0.is_empty() {
        return Err(errors.0);
    }
    Ok(ValidatedPipeline {
        namespace,
        name,
        uid: resource.metadata.uid.clone().unwrap_or_default(),
        generation: resource.metadata.generation,
        suspend: spec.suspend.unwrap_or_default(),
        history: usize::try_from(history).unwrap_or(1),
        image: spec.image.clone(),
        volume,
        steps,
    })
}

/// Whether this is a DNS subdomain, which is what Kubernetes takes for most names.
fn is_dns_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

/// Whether this is a DNS label, of any length.
fn is_dns_label(label: &str) -> bool {
    let edge = |character: Option<char>| {
        character.is_some_and(|edge| edge.is_ascii_lowercase() || edge.is_ascii_digit())
    };
    edge(label.chars().next())
        && edge(label.chars().last())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
