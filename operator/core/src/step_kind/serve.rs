//! serve: a model that answers predictions.

use mlpipeline_crds::{
    Action, Gate, Metric, Output, PodSettings, ReplicaVolume, Run, Serve, ServeStep, ServiceSettings,
    ServiceType, StepKind, Workload,
};
use serde_json::{Value, json};

use super::{
    Descriptor, Doer, ExposedPort, Exposure, LocalPods, NOTHING_TO_SHARE, Outside, Places, Read, Readiness,
    Replicas,
};
use crate::piece::PlannedPiece;

/// The name of the port that answers predictions.
pub(crate) const SERVE_PORT_NAME: &str = "http";
/// The port that serve steps listen on.
pub(crate) const SERVE_PORT: i32 = 8000;

/// The port that predictions are answered on inside the cluster. A headless Service maps none: its clients find the pods, and their port.
pub(crate) fn service_port(settings: &ServiceSettings) -> i32 {
    match settings.service_type.unwrap_or_default() {
        ServiceType::Headless => SERVE_PORT,
        ServiceType::ClusterIP | ServiceType::NodePort | ServiceType::LoadBalancer => {
            settings.port.unwrap_or(ServiceSettings::DEFAULT_PORT)
        }
    }
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

    fn inbox(&self) -> Option<&str> {
        None
    }

    fn outside(&self) -> Vec<(String, Outside<'_>)> {
        Vec::new()
    }

    fn is_continuous(&self) -> bool {
        false
    }

    fn workload(&self) -> Workload {
        Workload::Deployment
    }

    fn replicas(&self) -> Replicas {
        match &self.autoscaling {
            None => Replicas::Fixed(self.replicas.unwrap_or(1)),
            Some(autoscaling) => Replicas::Autoscaled { fewest: autoscaling.min_replicas.unwrap_or(1) },
        }
    }

    fn exposure(&self) -> Option<Exposure> {
        let settings = self.service.clone().unwrap_or_default();
        let port = ExposedPort {
            name: SERVE_PORT_NAME.to_owned(),
            port: service_port(&settings),
            target: SERVE_PORT_NAME.to_owned(),
            node_port: settings.node_port,
        };
        Some(Exposure {
            service_type: settings.service_type.unwrap_or_default(),
            ports: vec![port],
            only_own_node: false,
        })
    }

    fn node_ports(&self) -> Vec<(String, i32)> {
        let port = self.service.as_ref().and_then(|service| service.node_port);
        port.map(|port| ("service.nodePort".to_owned(), port)).into_iter().collect()
    }

    fn replica_volume(&self) -> Option<&ReplicaVolume> {
        None
    }

    fn container(&self) -> Option<&Run> {
        None
    }

    fn serving(&self) -> Option<&Serve> {
        Some(self)
    }

    fn serving_mut(&mut self) -> Option<&mut Serve> {
        Some(self)
    }

    fn searches_by(&self) -> Option<Metric> {
        None
    }

    fn is_indexed(&self) -> bool {
        false
    }

    fn pieces(&self, _: Option<i32>) -> Vec<PlannedPiece> {
        vec![PlannedPiece::COMMIT]
    }

    fn against_parallelism(&self, _: bool) -> Vec<&'static str> {
        vec![NOTHING_TO_SHARE]
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

    fn execution_settings(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }

    fn gate(&self) -> Option<&Gate> {
        None
    }

    fn doer(&self, places: &dyn Places) -> Doer<'_> {
        let model_digest = places.digest("model");
        Doer::worker(Action::Serve(ServeStep { model: places.artifact("model"), model_digest }))
    }

    fn local(&self) -> LocalPods {
        LocalPods {
            ports: vec![SERVE_PORT_NAME.to_owned()],
            readiness: Readiness::Http,
            replicas: usize::try_from(Descriptor::replicas(self).fewest()).unwrap_or_default(),
        }
    }
}
