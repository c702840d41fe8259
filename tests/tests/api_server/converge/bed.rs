//! Three nodes with what the drawn pipelines ask a cluster for: storage classes, claims, a priority class and a service account.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, PersistentVolumeClaim, Pod};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::notes::notes;
use mlpipeline_core::validate::validate;
use mlpipeline_crds::MLPipeline;
use serde_json::{Value, json};

use super::super::nodes::{Cluster, NODES};
use super::super::operator_bed::Bed;
use super::super::pipelines::{Pipelines, pipeline};
use super::outcome::{self, Outcome};
use super::provisioner::Provisioner;

pub struct Convergence {
    pub bed: Bed,
    pub pipelines: Pipelines,
    _cluster: Cluster,
    _provisioner: Provisioner,
}

/// The name of the pipeline of this number.
pub fn name(case: usize) -> String {
    format!("p{case}")
}

/// How nodes may mount a claim of the bed's.
fn mode_of(claim: &str) -> &'static str {
    match claim {
        "many" => "ReadWriteMany",
        "one" => "ReadWriteOnce",
        _ => "ReadWriteOncePod",
    }
}

impl Convergence {
    /// A bed for so many pipelines.
    pub async fn start(cases: usize) -> Self {
        let cluster = Cluster::large().await;
        let mut bed = Bed::on(cluster.control_plane, "converge").await;
        bed.account("worker").await;
        let client = bed.client.clone();
        for node in NODES {
            let labels = Patch::Merge(json!({"metadata": {"labels": {"pool": "ml"}}}));
            Api::<Node>::all(client.clone()).patch(node, &PatchParams::default(), &labels).await.unwrap();
        }
        let once = PostParams::default();
        for (class, grows) in [("fast", true), ("fixed", false)] {
            let class = json!({
                "metadata": {"name": class}, "provisioner": "example.com/played", "allowVolumeExpansion": grows,
            });
            let class: StorageClass = serde_json::from_value(class).unwrap();
            Api::all(client.clone()).create(&once, &class).await.unwrap();
        }
        let class = json!({"metadata": {"name": "high"}, "value": 1000});
        let class: PriorityClass = serde_json::from_value(class).unwrap();
        Api::all(client.clone()).create(&once, &class).await.unwrap();
        let singles = (0..cases).map(|case| format!("single-{case}"));
        for name in ["many", "one"].map(str::to_owned).into_iter().chain(singles) {
            let claim = json!({"metadata": {"name": name}, "spec": {
                "accessModes": [mode_of(&name)], "resources": {"requests": {"storage": "1Gi"}},
            }});
            let claim: PersistentVolumeClaim = serde_json::from_value(claim).unwrap();
            bed.api().create(&once, &claim).await.unwrap();
        }
        let pipelines = Pipelines::new(client.clone(), bed.namespace.name());
        let provisioner = Provisioner::start(client, bed.namespace.name());
        Self { bed, pipelines, _cluster: cluster, _provisioner: provisioner }
    }

    /// Whether `validate` takes it, and notes nothing that keeps pods from a cluster like this one. A claim that the spec names is one of the
    /// bed's: what validate would say of a volume of the same modes holds for it.
    pub fn is_valid(&self, spec: &Value) -> bool {
        let mut resource = pipeline("p0", spec);
        resource["metadata"]["namespace"] = json!(self.bed.namespace.name());
        let claim = spec.pointer("/storage/volume/claimName").and_then(Value::as_str);
        if let Some(claim) = claim {
            resource["spec"]["storage"] = json!({"volume": {"accessModes": [mode_of(claim)]}});
        }
        let resource: MLPipeline = serde_json::from_value(resource).unwrap();
        validate(&resource).is_ok_and(|pipeline| !notes(&pipeline).iter().any(|note| note.contains("wait")))
    }

    /// How each pipeline stands, in the order of their numbers.
    pub async fn outcomes(&self, specs: &[Vec<Value>]) -> Vec<Outcome> {
        let all = ListParams::default();
        let resources = self.bed.pipelines().list(&all).await.unwrap().items;
        let mut troubles: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut note = |labels: &BTreeMap<String, String>, trouble: Option<String>| {
            let of = labels.get("mlpipeline.dev/pipeline").cloned().unwrap_or_default();
            troubles.entry(of).or_default().extend(trouble);
        };
        for kind in [ChildKind::Deployment, ChildKind::StatefulSet, ChildKind::DaemonSet] {
            for object in self.bed.children(kind).list(&all).await.unwrap() {
                note(object.labels(), outcome::unfinished(kind, &object));
            }
        }
        for pod in self.bed.api::<Pod>().list(&all).await.unwrap() {
            note(pod.labels(), outcome::pending(&pod));
        }
        let outcome = |(case, history): (usize, &Vec<Value>)| {
            let name = name(case);
            let found = resources.iter().find(|resource| resource.name_any() == name);
            let found = found.unwrap_or_else(|| panic!("{name} is not there"));
            let none = Vec::new();
            outcome::of(found, history.last().unwrap(), troubles.get(&name).unwrap_or(&none))
        };
        specs.iter().enumerate().map(outcome).collect()
    }
}
