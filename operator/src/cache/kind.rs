//! The kinds of children that live on and are applied, and how to speak of each.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::discovery::ApiResource;

/// A kind of child that is applied, in contrast to Jobs, which are created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// PersistentVolumeClaim.
    Claim,
    /// CronJob.
    CronJob,
    /// Deployment.
    Deployment,
    /// StatefulSet.
    StatefulSet,
    /// DaemonSet.
    DaemonSet,
    /// Service.
    Service,
    /// HorizontalPodAutoscaler.
    Autoscaler,
    /// PodDisruptionBudget.
    Budget,
    /// Ingress.
    Ingress,
}

impl Kind {
    /// How the API server names it.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        match self {
            Self::Claim => ApiResource::erase::<PersistentVolumeClaim>(&()),
            Self::CronJob => ApiResource::erase::<CronJob>(&()),
            Self::Deployment => ApiResource::erase::<Deployment>(&()),
            Self::StatefulSet => ApiResource::erase::<StatefulSet>(&()),
            Self::DaemonSet => ApiResource::erase::<DaemonSet>(&()),
            Self::Service => ApiResource::erase::<Service>(&()),
            Self::Autoscaler => ApiResource::erase::<HorizontalPodAutoscaler>(&()),
            Self::Budget => ApiResource::erase::<PodDisruptionBudget>(&()),
            Self::Ingress => ApiResource::erase::<Ingress>(&()),
        }
    }
}
