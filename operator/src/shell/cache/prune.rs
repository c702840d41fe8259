//! What is dropped from objects before they are kept: all that nobody here reads. A cluster's pods are mostly their specs.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

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
        if let Some(spec) = &mut self.spec {
            // A Job is created and never changed: only how many pods it runs is read again.
            spec.template = PodTemplateSpec::default();
            spec.selector = None;
            spec.pod_failure_policy = None;
        }
    }
}

impl Prune for Pod {
    fn prune(&mut self) {
        self.spec = None;
        self.metadata =
            ObjectMeta { managed_fields: None, annotations: None, ..std::mem::take(&mut self.metadata) };
        if let Some(status) = &mut self.status {
            status.init_container_statuses = None;
            status.ephemeral_container_statuses = None;
            status.pod_ips = None;
            status.host_ips = None;
        }
    }
}
