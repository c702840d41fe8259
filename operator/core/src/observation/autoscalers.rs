//! What autoscalers say of themselves.

use jiff::SignedDuration;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;

use crate::observed::{Overdue, PodIssue};

/// How long an autoscaler may be without metrics: those of pods that have just started come later.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// The reason of an autoscaler whose step is scaled to zero: it has nothing to do.
const SCALED_TO_ZERO: &str = "ScalingDisabled";

/// Why an autoscaler does not set the number of pods.
pub(super) fn issue(autoscaler: &HorizontalPodAutoscaler) -> Option<Overdue> {
    let conditions = autoscaler.status.as_ref()?.conditions.iter().flatten();
    let failed = conditions.into_iter().find(|condition| {
        matches!(condition.type_.as_str(), "AbleToScale" | "ScalingActive")
            && condition.status == "False"
            && condition.reason.as_deref() != Some(SCALED_TO_ZERO)
    })?;
    let since = failed.last_transition_time.as_ref()?.0;
    Some(Overdue {
        from: since.saturating_add(GRACE).ok()?,
        pod_issue: PodIssue {
            reason: failed.reason.clone().unwrap_or_else(|| "ScalingInactive".to_owned()),
            message: format!(
                "the autoscaler does not set the number of pods: {}",
                failed.message.as_deref().unwrap_or("it gives no reason")
            ),
        },
    })
}
