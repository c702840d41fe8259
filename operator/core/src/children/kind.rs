//! The kinds of objects that a pipeline has as children, and what every table of them is derived from.
//!
//! A new kind of child is a variant here and in [`super::Child`], and one builder: the compiler names every other place.

use k8s_openapi::Resource;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;

/// A kind of child object, by Kubernetes' own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChildKind {
    /// The claim of the volume that a pipeline's pods share.
    PersistentVolumeClaim,
    /// One run to completion.
    Job,
    /// Runs by schedule.
    CronJob,
    /// Pods that run all the time.
    Deployment,
    /// Pods with names and volumes of their own.
    StatefulSet,
    /// A pod on each node.
    DaemonSet,
    /// An address for pods.
    Service,
    /// How many pods there are.
    HorizontalPodAutoscaler,
    /// How many pods may be away at a time.
    PodDisruptionBudget,
    /// A host name for a Service.
    Ingress,
}

/// How the API server calls a kind.
struct Names {
    kind: &'static str,
    api_version: &'static str,
    plural: &'static str,
}

impl Names {
    const fn of<K: Resource>() -> Self {
        Self { kind: K::KIND, api_version: K::API_VERSION, plural: K::URL_PATH_SEGMENT }
    }
}

impl ChildKind {
    /// Every kind there is.
    pub const ALL: [Self; 10] = [
        Self::PersistentVolumeClaim,
        Self::Job,
        Self::CronJob,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Service,
        Self::HorizontalPodAutoscaler,
        Self::PodDisruptionBudget,
        Self::Ingress,
    ];

    /// The kind in a manifest: "Deployment".
    #[must_use]
    pub const fn kind(self) -> &'static str {
        self.names().kind
    }

    /// The group and version in a manifest: "apps/v1".
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        self.names().api_version
    }

    /// The resource in the API server's paths and in Roles: "deployments".
    #[must_use]
    pub const fn plural(self) -> &'static str {
        self.names().plural
    }

    /// Whether children of this kind are applied again and again, so that they follow the spec. A Job is created once and never
    /// changed: it is named by what it does.
    #[must_use]
    pub const fn is_applied(self) -> bool {
        !matches!(self, Self::Job)
    }

    const fn names(self) -> Names {
        match self {
            Self::PersistentVolumeClaim => Names::of::<PersistentVolumeClaim>(),
            Self::Job => Names::of::<Job>(),
            Self::CronJob => Names::of::<CronJob>(),
            Self::Deployment => Names::of::<Deployment>(),
            Self::StatefulSet => Names::of::<StatefulSet>(),
            Self::DaemonSet => Names::of::<DaemonSet>(),
            Self::Service => Names::of::<Service>(),
            Self::HorizontalPodAutoscaler => Names::of::<HorizontalPodAutoscaler>(),
            Self::PodDisruptionBudget => Names::of::<PodDisruptionBudget>(),
            Self::Ingress => Names::of::<Ingress>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_under_kubernetes_names() {
        let names: Vec<String> = ChildKind::ALL
            .iter()
            .map(|kind| {
                assert_eq!(kind.kind(), format!("{kind:?}"));
                format!("{}/{}", kind.api_version(), kind.plural())
            })
            .collect();
        assert_eq!(
            names,
            [
                "v1/persistentvolumeclaims",
                "batch/v1/jobs",
                "batch/v1/cronjobs",
                "apps/v1/deployments",
                "apps/v1/statefulsets",
                "apps/v1/daemonsets",
                "v1/services",
                "autoscaling/v2/horizontalpodautoscalers",
                "policy/v1/poddisruptionbudgets",
                "networking.k8s.io/v1/ingresses",
            ]
        );
    }
}
