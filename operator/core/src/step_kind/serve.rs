//! serve: a model that answers predictions.

use mlpipeline_crds::{Output, PodSettings, Serve, StepKind, Workload};
use serde_json::{Value, json};

use super::{Descriptor, LocalPods, Read, Readiness};
use crate::child_kind::ChildKind;
use crate::piece::Piece;

/// The fewest pods of a step whose number an autoscaler sets; `None` for any other.
pub(crate) fn fewest_autoscaled(serve: &Serve) -> Option<i32> {
    serve.autoscaling.as_ref().map(|autoscaling| autoscaling.min_replicas.unwrap_or(1))
}

impl Descriptor for Serve {
    fn kind(&self) -> StepKind {
        StepKind::Serve
    }

    fn reads(&self) -> Vec<Read> {
        vec![Read::model(&self.model.step)]
    }

    fn watches(&self) -> Option<&str> {
        None
    }

    fn workload(&self) -> Workload {
        Workload::Deployment
    }

    fn companions(&self) -> Vec<ChildKind> {
        vec![
            ChildKind::Service,
            ChildKind::HorizontalPodAutoscaler,
            ChildKind::PodDisruptionBudget,
            ChildKind::Ingress,
        ]
    }

    fn is_worker(&self) -> bool {
        true
    }

    fn is_indexed(&self) -> bool {
        false
    }

    fn pieces(&self) -> &'static [Piece] {
        &[Piece::Commit]
    }

    fn needs_storage(&self) -> bool {
        true
    }

    fn credentials(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn output(&self) -> Option<&Output> {
        None
    }

    fn fingerprint(&self, _: &PodSettings) -> Value {
        json!({ "model": self.model })
    }

    fn local(&self) -> LocalPods {
        let replicas = fewest_autoscaled(self).or(self.replicas).unwrap_or(1);
        LocalPods {
            ports: vec!["http".to_owned()],
            readiness: Readiness::Http,
            replicas: usize::try_from(replicas).unwrap_or_default(),
        }
    }
}
