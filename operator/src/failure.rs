//! From an API call that failed to the message for people, and to whether a retry can help.

use std::time::Duration;

use kube::core::Status;

use super::backoff;
use mlpipeline_core::status::Problem;

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The namespace is being deleted, and the pipeline with it: nothing to report and nothing to do.
    Ending,
    /// Somebody else wrote at the same time; the next reconcile resolves it.
    Conflict,
    /// The API server cannot be reached or does not work at the moment.
    Unavailable,
    /// The API server failed at this object; others may work.
    ServerError,
    /// An object of this name is still being deleted; the watch reports when it is gone.
    Leftover,
    /// A quota of the namespace is used up; it may be freed without a change of the pipeline.
    Quota,
    /// The spec was not checked to its end: a fault of the operator's.
    Unchecked,
    /// A claim keeps its size, class or modes; everything else is as the spec asks.
    VolumeNotChanged,
    /// Somebody keeps changing a child, which we set back ever more rarely.
    Contested,
    /// The operator, or the pipeline's namespace, lacks a permission.
    Forbidden,
    /// A port of the nodes is another Service's; it may be freed without a change of the pipeline.
    PortTaken,
    /// An object that is not ours has the name.
    NameTaken,
    /// The steps cannot work on the claim that the spec names.
    UnfitClaim,
    /// The API server rejects this child as it is. Something else may have to change: a policy, or an object in the way.
    Invalid,
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it means.
    pub class: Class,
    /// Which object: "Job iris-train-0f3a".
    pub object: String,
    /// The API server's message, or what we found.
    pub message: String,
    /// How long the API server asked to wait: at most our own longest wait.
    pub retry_after: Option<Duration>,
}

/// How many times in a row something may fail for a passing reason before it is reported.
const SILENT_FAILURES: u32 = 3;

impl Failure {
    /// A failure of a call about an object.
    #[must_use]
    pub fn of_call(object: &str, error: &kube::Error) -> Self {
        let (class, message, retry_after) = match error {
            kube::Error::Api(status) => {
                let seconds = status.details.as_ref().map(|details| details.retry_after_seconds);
                let wait = seconds
                    .filter(|seconds| *seconds > 0)
                    .map(|seconds| Duration::from_secs(seconds.into()).min(backoff::LONGEST));
                (classify(status), status.message.clone(), wait)
            }
            other => (Class::Unavailable, other.to_string(), None),
        };
        Self { class, object: object.to_owned(), message, retry_after }
    }

    /// Somebody else's object has the name that a child needs.
    #[must_use]
    pub fn name_taken(object: &str) -> Self {
        let message = format!(
            "{object} already exists and does not belong to this pipeline; delete or rename it, or give the pipeline \
             or step another name"
        );
        Self { class: Class::NameTaken, object: object.to_owned(), message, retry_after: None }
    }

    /// A child of an earlier pipeline of the same name is in the way until the garbage collector deletes it.
    #[must_use]
    pub fn leftover(object: &str) -> Self {
        let message = format!("{object} of an earlier pipeline of this name is still being deleted");
        Self { class: Class::Leftover, object: object.to_owned(), message, retry_after: None }
    }

    /// A child that is wanted again is still being deleted: a finalizer may hold it.
    #[must_use]
    pub fn being_deleted(object: &str) -> Self {
        let message = format!("{object} is being deleted; it is created again when it is gone");
        Self { class: Class::Leftover, object: object.to_owned(), message, retry_after: None }
    }

    /// A claim that is wanted and is being deleted: Kubernetes waits for the pods that mount it, and nothing takes a deletion back.
    #[must_use]
    pub fn claim_being_deleted(object: &str) -> Self {
        let message = format!(
            "{object} is being deleted, and its data go with the last pod that mounts it, unless its PersistentVolume has the reclaim policy \
             Retain; copy them now, while pods run. Another claim, which is empty, is made when it is gone"
        );
        Self { class: Class::Leftover, object: object.to_owned(), message, retry_after: None }
    }

    /// A child of which something else keeps changing these fields.
    #[must_use]
    pub fn contested(object: &str, fields: &[String]) -> Self {
        let way_out = if fields.iter().any(|field| field == ".spec.replicas") {
            "remove the other autoscaler, or have it leave this object alone: the step says how many pods there are, in replicas, or by serve.autoscaling"
        } else {
            "metadata.managedFields of the object names who (kubectl get --show-managed-fields); have it leave these fields alone"
        };
        let message = format!(
            "something else keeps changing {} of {object}, and the operator sets it back ever more rarely; {way_out}",
            fields.join(", ")
        );
        Self { class: Class::Contested, object: object.to_owned(), message, retry_after: None }
    }

    /// A run that the cluster deletes after its end, since something else keeps saying so.
    #[must_use]
    pub fn expires(object: &str) -> Self {
        let message = format!(
            "{object} is deleted some time after its end by ttlSecondsAfterFinished, which something else sets again: its step would run \
             again each time; leave Jobs with the label mlpipeline.dev/pipeline out of that policy"
        );
        Self { class: Class::Contested, object: object.to_owned(), message, retry_after: None }
    }

    /// The claim that the spec names does not allow what its steps need.
    #[must_use]
    pub fn unfit_claim(object: &str, problem: &str, place: &str) -> Self {
        let message = format!("the access mode of {object} {problem} ({place})");
        Self { class: Class::UnfitClaim, object: object.to_owned(), message, retry_after: None }
    }

    /// The spec was not checked to its end: the program stops, or the check itself failed.
    #[must_use]
    pub fn unchecked(stopped: &tokio::task::JoinError) -> Self {
        let message = format!("the spec was not checked to its end: {stopped}");
        Self { class: Class::Unchecked, object: "reconcile".to_owned(), message, retry_after: None }
    }

    /// A reconcile that timed out.
    #[must_use]
    pub fn too_slow(limit: Duration) -> Self {
        let message = format!("timed out after {} s", limit.as_secs());
        Self { class: Class::Unavailable, object: "reconcile".to_owned(), message, retry_after: None }
    }

    /// How long to wait before the next attempt, after so many failures in a row. `random` is in [0, 1).
    #[must_use]
    pub fn wait(&self, failures: u32, random: f64) -> Duration {
        // What is invalid seldom becomes valid by itself, and nothing reports when a policy that rejected it is removed.
        let is_lasting = matches!(
            self.class,
            Class::Invalid | Class::UnfitClaim | Class::VolumeNotChanged | Class::Contested
        );
        let failures = if is_lasting { u32::MAX } else { failures };
        backoff::wait(failures, random).max(self.retry_after.unwrap_or_default())
    }

    /// Whether nothing failed: something has to be deleted first, and the watch reports when it is.
    #[must_use]
    pub fn is_wait(&self) -> bool {
        self.class == Class::Leftover
    }

    /// Whether the other children would fail for the same reason now.
    #[must_use]
    pub fn stops_the_rest(&self) -> bool {
        matches!(self.class, Class::Ending | Class::Unavailable)
    }

    /// The problem to report after so many failures in a row; none for what passes by itself in a moment.
    #[must_use]
    pub fn problem(&self, failures: u32) -> Option<Problem> {
        let (reason, transient) = match self.class {
            Class::Ending => return None,
            Class::Conflict | Class::Unavailable | Class::ServerError if failures < SILENT_FAILURES => {
                return None;
            }
            Class::Conflict | Class::Contested => ("Conflict", true),
            Class::Unavailable | Class::ServerError => ("ApiServerUnavailable", true),
            Class::Leftover => ("WaitingForDeletion", true),
            Class::Quota => ("QuotaExceeded", true),
            Class::Unchecked => ("InternalError", false),
            Class::VolumeNotChanged => ("VolumeNotChanged", false),
            Class::Forbidden => ("Forbidden", false),
            Class::PortTaken => ("PortTaken", false),
            Class::NameTaken => ("NameTaken", false),
            Class::UnfitClaim => ("UnfitClaim", false),
            Class::Invalid => ("InvalidChild", false),
        };
        let message = match self.class {
            Class::NameTaken
            | Class::Leftover
            | Class::UnfitClaim
            | Class::VolumeNotChanged
            | Class::Contested => self.message.clone(),
            Class::Quota => format!("{} exceeds a quota of the namespace: {}", self.object, self.message),
            Class::Forbidden => format!("{} is forbidden: {}{}", self.object, self.message, self.role_hint()),
            Class::Invalid => format!("the API server rejects {}: {}", self.object, self.message),
            _ => format!("{}: {}", self.object, self.message),
        };
        Some(Problem { reason: reason.to_owned(), message, transient })
    }
}

impl Failure {
    /// What to do where the operator itself lacks a permission, recognised by the API server's wording.
    fn role_hint(&self) -> &'static str {
        if self.message.contains("cannot set an ownerRef") {
            "; this cluster asks for the right to delete an object whose owner is changed: write storage.volume.retain as it was before, \
             let somebody with that right change metadata.ownerReferences, or give it to the operator"
        } else if self.message.contains(" cannot ") {
            "; allow it in the operator's Role (deploy/config/rbac/operator-role.yaml)"
        } else {
            ""
        }
    }
}

/// The class of an API server's response. By its machine-readable reason, except for quotas and ports, which have none.
fn classify(status: &Status) -> Class {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    if causes.iter().any(|cause| cause.reason == "NamespaceTerminating") {
        return Class::Ending;
    }
    // The last one is said until what a new quota has used is counted.
    let of_quota = ["exceeded quota", "failed quota", "status unknown for quota"];
    match (status.code, status.reason.as_str()) {
        (403, _) if of_quota.iter().any(|words| status.message.contains(words)) => Class::Quota,
        (403, _) if is_of_admission(&status.message) => Class::Invalid,
        (401 | 403, _) => Class::Forbidden,
        (409, _) => Class::Conflict,
        // The namespace itself is gone.
        (404, _) => Class::Ending,
        (422, _) if status.message.contains("port is already allocated") => Class::PortTaken,
        (400 | 405 | 413 | 415 | 422, _) | (_, "Invalid") => Class::Invalid,
        // Server-side apply responds like this to an object that it cannot merge: an entry that stands twice in a list.
        (500, _) if status.message.contains("failed to create typed patch object") => Class::Invalid,
        (500, _) => Class::ServerError,
        _ => Class::Unavailable,
    }
}

/// Whether a refusal is admission's: a plug-in of the API server, a webhook or a policy refuses the object, whoever sends it. Where a right
/// is lacking, the API server names the user and the verb.
fn is_of_admission(message: &str) -> bool {
    let is_refusal = message.contains(" is forbidden: ") || message.contains("denied the request");
    let of_owner = ["cannot set an ownerRef", "cannot set blockOwnerDeletion"];
    let is_right = message.contains("User \"") && message.contains(" cannot ");
    is_refusal && !is_right && !of_owner.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::response::{StatusCause, StatusDetails};

    fn answer(code: u16, reason: &str, message: &str) -> Failure {
        let status = Status { code, ..Status::failure(message, reason) };
        Failure::of_call("Job a-b", &kube::Error::Api(Box::new(status)))
    }

    #[test]
    fn each_kind_of_response_is_named_for_people() {
        let table = [
            (403, "Forbidden", "exceeded quota: small, requested: count/jobs.batch=1", "QuotaExceeded", true),
            (403, "Forbidden", "User \"x\" cannot create resource \"jobs\"", "Forbidden", false),
            (401, "Unauthorized", "Unauthorized", "Forbidden", false),
            (
                403,
                "Forbidden",
                "persistentvolumeclaims \"a\" is forbidden: only dynamically provisioned pvc can be resized",
                "InvalidChild",
                false,
            ),
            (403, "Forbidden", "admission webhook \"x\" denied the request: no", "InvalidChild", false),
            (422, "Invalid", "spec.template: Invalid value", "InvalidChild", false),
            (422, "Invalid", "Invalid value: 30080: provided port is already allocated", "PortTaken", false),
            (400, "BadRequest", "admission webhook denied it", "InvalidChild", false),
            (409, "Conflict", "the object was modified", "Conflict", true),
            (500, "InternalError", "etcd", "ApiServerUnavailable", true),
            (
                500,
                "InternalError",
                "failed to create typed patch object: duplicate entries for key",
                "InvalidChild",
                false,
            ),
            (503, "ServiceUnavailable", "starting", "ApiServerUnavailable", true),
            (429, "TooManyRequests", "slow down", "ApiServerUnavailable", true),
        ];
        for (code, reason, message, expected, transient) in table {
            let problem = answer(code, reason, message).problem(9).expect("a problem");
            assert_eq!(
                (problem.reason.as_str(), problem.transient),
                (expected, transient),
                "{code} {message}"
            );
            assert!(problem.message.contains(message) && problem.message.contains("Job a-b"), "{problem:?}");
        }
    }

    #[test]
    fn a_server_error_at_one_object_does_not_stop_the_others() {
        assert!(!answer(500, "InternalError", "failed calling webhook").stops_the_rest());
        assert!(answer(503, "ServiceUnavailable", "starting").stops_the_rest());
    }

    #[test]
    fn what_passes_by_itself_is_not_reported_at_once() {
        assert_eq!(answer(500, "InternalError", "").problem(1), None);
        assert_eq!(answer(409, "Conflict", "").problem(2), None);
        assert!(answer(422, "Invalid", "").problem(1).is_some());
    }

    #[test]
    fn what_is_invalid_is_retried_every_few_minutes_and_all_else_soon() {
        assert_eq!(answer(422, "Invalid", "").wait(1, 1.0), backoff::LONGEST);
        assert_eq!(answer(422, "Invalid", "").wait(1, 0.0), backoff::LONGEST / 2);
        for code in [403, 409, 429, 500, 503] {
            assert_eq!(answer(code, "", "").wait(1, 1.0), Duration::from_secs(1));
        }
        assert_eq!(Failure::name_taken("Job a").wait(3, 1.0), Duration::from_secs(4));
    }

    #[test]
    fn d3_a_child_that_something_else_keeps_changing_is_named_with_the_way_out() {
        let fields = [".spec.replicas".to_owned(), ".metadata.labels.a".to_owned()];
        for (fields, way_out) in
            [(&fields[..], "remove the other autoscaler"), (&fields[1..], "managedFields")]
        {
            let problem = Failure::contested("Deployment a", fields).problem(1).expect("a problem");
            assert_eq!((problem.reason.as_str(), problem.transient), ("Conflict", true));
            let said = format!("keeps changing {} of Deployment a", fields.join(", "));
            assert!(
                problem.message.contains(&said) && problem.message.contains(way_out),
                "{}",
                problem.message
            );
        }
    }

    #[test]
    fn d3_a_run_that_a_policy_lets_expire_is_named_with_the_way_out() {
        let failure = Failure::expires("Job a");
        let problem = failure.problem(1).expect("a problem");
        assert_eq!(problem.reason, "Conflict");
        assert!(
            problem.message.starts_with("Job a is deleted some time after its end"),
            "{}",
            problem.message
        );
        assert_eq!(failure.wait(1, 1.0), backoff::LONGEST, "a policy seldom changes");
    }

    #[test]
    fn d1_whoever_deletes_a_claim_learns_to_copy_its_data_while_pods_mount_it() {
        let problem = Failure::claim_being_deleted("PersistentVolumeClaim a").problem(1).expect("a problem");
        assert_eq!((problem.reason.as_str(), problem.transient), ("WaitingForDeletion", true));
        for part in
            ["PersistentVolumeClaim a is being deleted", "the last pod that mounts it", "copy them now"]
        {
            assert!(problem.message.contains(part), "{part}: {}", problem.message);
        }
        assert!(!problem.message.contains("finalizer"), "{}", problem.message);
    }

    #[test]
    fn a_namespace_that_is_deleted_is_not_a_problem_of_its_pipelines() {
        let mut status = Status { code: 403, ..Status::failure("is being terminated", "Forbidden") };
        let cause = StatusCause {
            reason: "NamespaceTerminating".into(),
            message: String::new(),
            field: "metadata.namespace".into(),
        };
        status.details = Some(StatusDetails { causes: vec![cause], ..no_details() });
        let failure = Failure::of_call("Job a", &kube::Error::Api(Box::new(status)));
        assert_eq!((failure.class, failure.problem(99)), (Class::Ending, None));
    }

    #[test]
    fn q4_the_wait_that_the_api_server_asks_for_is_respected() {
        let asks = |seconds| {
            let mut status = Status { code: 429, ..Status::failure("", "TooManyRequests") };
            status.details = Some(StatusDetails { retry_after_seconds: seconds, ..no_details() });
            Failure::of_call("Job a", &kube::Error::Api(Box::new(status)))
        };
        assert_eq!(asks(7).wait(1, 1.0), Duration::from_secs(7));
        assert_eq!(
            asks(7).wait(6, 1.0),
            Duration::from_secs(32),
            "it does not take the place of our own wait"
        );
        assert_eq!(asks(100_000).wait(1, 1.0), backoff::LONGEST);
    }

    fn no_details() -> StatusDetails {
        StatusDetails {
            name: String::new(),
            group: String::new(),
            kind: String::new(),
            uid: String::new(),
            causes: Vec::new(),
            retry_after_seconds: 0,
        }
    }
}
