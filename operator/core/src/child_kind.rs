//! The table of child kinds: every list of them, here and in other crates, is derived from it.
//!
//! A new kind of child is a row here and one builder.

use k8s_openapi::Resource;
use mlpipeline_crds::Workload;
use serde::Serialize;

/// The table. It calls the macro that it is given with one row a kind: what it is, Kubernetes' own name, its type, and its plural as
/// a field's name.
#[macro_export]
macro_rules! child_kinds {
    ($with:ident) => {
        $with! {
            /// The claim of the volume that a pipeline's pods share.
            PersistentVolumeClaim(k8s_openapi::api::core::v1::PersistentVolumeClaim) persistent_volume_claims;
            /// One run to completion.
            Job(k8s_openapi::api::batch::v1::Job) jobs;
            /// Runs by schedule.
            CronJob(k8s_openapi::api::batch::v1::CronJob) cron_jobs;
            /// Long-running pods.
            Deployment(k8s_openapi::api::apps::v1::Deployment) deployments;
            /// Pods with names and volumes of their own.
            StatefulSet(k8s_openapi::api::apps::v1::StatefulSet) stateful_sets;
            /// A pod on each node.
            DaemonSet(k8s_openapi::api::apps::v1::DaemonSet) daemon_sets;
            /// An address for pods.
            Service(k8s_openapi::api::core::v1::Service) services;
            /// How many pods there are.
            HorizontalPodAutoscaler(k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler) horizontal_pod_autoscalers;
            /// How many pods may be away at a time.
            PodDisruptionBudget(k8s_openapi::api::policy::v1::PodDisruptionBudget) pod_disruption_budgets;
            /// A host name for a Service.
            Ingress(k8s_openapi::api::networking::v1::Ingress) ingresses;
        }
    };
}

macro_rules! define_kinds {
    ($($(#[$doc:meta])* $kind:ident($object:path) $field:ident;)+) => {
        /// A kind of child object, by Kubernetes' own name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ChildKind {
            $($(#[$doc])* $kind,)+
        }

        impl ChildKind {
            /// Every kind there is.
            pub const ALL: [Self; [$(ChildKind::$kind),+].len()] = [$(Self::$kind),+];

            const fn names(self) -> Names {
                match self {
                    $(Self::$kind => Names::of::<$object>(),)+
                }
            }
        }

        /// One object that should exist.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        #[expect(clippy::large_enum_variant, reason = "a few dozen of these live for as long as a reconcile")]
        pub enum Child {
            $($(#[$doc])* $kind($object),)+
        }

        impl Child {
            /// What kind of object it is.
            #[must_use]
            pub fn kind(&self) -> ChildKind {
                match self {
                    $(Self::$kind(_) => ChildKind::$kind,)+
                }
            }
        }
    };
}

child_kinds!(define_kinds);

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

    /// The kind that a manifest or an event names so; `None` of what is not a child.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.kind() == name)
    }

    /// The kind that keeps the pods of a long-running step; `None` where a Job does the work.
    #[must_use]
    pub const fn of_workload(workload: Workload) -> Option<Self> {
        match workload {
            Workload::Job => None,
            Workload::Deployment => Some(Self::Deployment),
            Workload::StatefulSet => Some(Self::StatefulSet),
            Workload::DaemonSet => Some(Self::DaemonSet),
        }
    }

    /// Whether children of this kind are applied again and again, so that they follow the spec. A Job is created once and never
    /// changed: it is named by what it does.
    #[must_use]
    pub const fn is_applied(self) -> bool {
        !matches!(self, Self::Job)
    }

    /// Whether a warning event of this reason about such a child explains why its pipeline waits, where no object's status says the same.
    #[must_use]
    pub fn is_explained_by(self, reason: &str) -> bool {
        match self {
            Self::PersistentVolumeClaim => true,
            Self::CronJob | Self::Job | Self::StatefulSet | Self::DaemonSet => reason == "FailedCreate",
            Self::Service => reason == "SyncLoadBalancerFailed",
            // A Deployment's status has what hinders its ReplicaSet; the rest has no pods that it could fail to create.
            Self::Deployment | Self::HorizontalPodAutoscaler | Self::PodDisruptionBudget | Self::Ingress => {
                false
            }
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
