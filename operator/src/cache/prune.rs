//! What is dropped from objects before they are kept: all that nobody here reads. A cluster's pods are mostly their specs.

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};

/// What may be dropped from a kind of object.
pub trait Prune {
    /// Drops it.
    fn prune(&mut self);
}

/// Whole objects are needed where they are compared with what they should be, but never who owns which field.
macro_rules! prune_metadata_only {
    ($($kind:ty),+ $(,)?) => {
        $(impl Prune for $kind {
            fn prune(&mut self) {
                self.metadata.managed_fields = None;
            }
        })+
    };
}

prune_metadata_only!(
    k8s_openapi::api::apps::v1::DaemonSet,
    k8s_openapi::api::apps::v1::Deployment,
    k8s_openapi::api::apps::v1::StatefulSet,
    k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler,
    k8s_openapi::api::batch::v1::CronJob,
    k8s_openapi::api::core::v1::PersistentVolumeClaim,
    k8s_openapi::api::core::v1::Service,
    k8s_openapi::api::networking::v1::Ingress,
    k8s_openapi::api::policy::v1::PodDisruptionBudget,
);

impl Prune for Job {
    fn prune(&mut self) {
        self.metadata.managed_fields = None;
        self.metadata.finalizers = None;
        // A Job is created and never changed: only how many pods it runs, and for how long, is read again.
        self.spec = self.spec.take().map(|spec| JobSpec {
            active_deadline_seconds: spec.active_deadline_seconds,
            backoff_limit: spec.backoff_limit,
            completion_mode: spec.completion_mode,
            completions: spec.completions,
            parallelism: spec.parallelism,
            suspend: spec.suspend,
            ..JobSpec::default()
        });
        if let Some(status) = &mut self.status {
            // How the controller counts is its own affair.
            status.uncounted_terminated_pods = None;
            status.ready = None;
            status.terminating = None;
        }
    }
}

impl Prune for Pod {
    fn prune(&mut self) {
        self.spec = None;
        self.metadata.managed_fields = None;
        self.metadata.annotations = None;
        self.metadata.finalizers = None;
        let Some(status) = self.status.take() else { return };
        // The conditions that are read are that no node was found, and that the cluster takes the pod away.
        let mut conditions = status.conditions.unwrap_or_default();
        conditions.retain(|condition| {
            matches!(
                (condition.type_.as_str(), condition.status.as_str()),
                ("PodScheduled", "False") | ("DisruptionTarget", "True")
            )
        });
        let containers = status.container_statuses.map(|all| all.into_iter().map(essence).collect());
        self.status = Some(PodStatus {
            phase: status.phase,
            reason: status.reason,
            message: status.message,
            conditions: (!conditions.is_empty()).then_some(conditions),
            container_statuses: containers,
            ..PodStatus::default()
        });
    }
}

/// What is read of a container: its image, and how it stands and stood.
fn essence(status: ContainerStatus) -> ContainerStatus {
    ContainerStatus {
        name: status.name,
        image: status.image,
        state: status.state,
        // How a container ended before matters as long as it is not well again.
        last_state: status.last_state.filter(|_| !status.ready),
        ..ContainerStatus::default()
    }
}
