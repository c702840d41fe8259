//! How a reconcile ended before its status is published: the status and the requeue follow from it.

use std::time::Duration;

use jiff::Timestamp;
use mlpipeline_core::status::{self, Problem};
use mlpipeline_core::validate::FieldError;
use mlpipeline_crds::MLPipelineStatus;

use super::error::ReconcileError;
use super::planned::Planned;
use crate::context::Context;
use crate::failure::Failure;
use crate::reconcile_state::ReconcileState;

/// How a reconcile ended before its status is published.
pub(super) enum Outcome {
    /// The spec is not valid. Nothing is retried until it changes.
    Invalid(Vec<FieldError>),
    /// A permission is missing. The watches retry by themselves, and every pipeline is reconciled when access is granted.
    Blocked(Problem),
    /// A call failed before anything was planned, or all of it took too long.
    Failed(Failure),
    /// There is a plan, and it was applied as far as possible.
    Planned(Box<Planned>),
}

impl Outcome {
    /// The status to publish; `None` for a failure that may pass in a moment. `failures` counts those in a row, and
    /// `suspend` reads what the spec asks for, where it can be read.
    pub(super) fn status(
        &self,
        generation: Option<i64>,
        suspend: impl Fn() -> Option<bool>,
        failures: u32,
        before: Option<&MLPipelineStatus>,
        now: Timestamp,
    ) -> Option<MLPipelineStatus> {
        let held = |problem: &Problem| status::held(generation, suspend(), problem, before, now);
        match self {
            Self::Invalid(errors) => Some(status::invalid(generation, suspend(), errors, before, now)),
            Self::Blocked(problem) => Some(held(problem)),
            Self::Failed(failure) => failure.problem(failures).as_ref().map(held),
            Self::Planned(planned) => Some(planned.status(before, now)),
        }
    }

    /// When to reconcile again although nothing changes.
    ///
    /// # Errors
    /// When something failed in this reconcile.
    pub(super) fn requeue(
        &self,
        published: Result<Option<Duration>, Failure>,
        failures: u32,
        context: &Context,
        uid: &str,
        now: Timestamp,
    ) -> Result<Option<Duration>, ReconcileError> {
        let retry = |failure: &Failure, failures: u32| {
            let wait = failure.wait(failures, rand::random()).max(context.throttle.remaining());
            Err(ReconcileError::new(failure, wait))
        };
        match (self, published) {
            (Self::Failed(failure), published) => {
                if let Err(error) = published {
                    tracing::debug!("{}: {}", error.object, error.message);
                }
                retry(failure, failures)
            }
            (_, Err(failure)) => retry(&failure, context.states.with(uid, ReconcileState::count_failure)),
            (outcome, Ok(delayed)) => {
                context.states.with(uid, |state| state.failures = 0);
                match outcome {
                    Self::Planned(planned) => planned.requeue(delayed, now),
                    Self::Invalid(_) | Self::Blocked(_) | Self::Failed(_) => Ok(delayed),
                }
            }
        }
    }
}
