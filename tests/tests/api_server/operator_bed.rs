//! The shipped operator, under its shipped role, in a namespace of a test's own; and what stands for a kubelet there.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role, RoleBinding};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use kube::{Api, Client, ResourceExt};
use mlpipeline_crds::{MLPipeline, Revision, StepReport};
use mlpipeline_tests::control_plane::{ControlPlane, Identity, TestNamespace};
use mlpipeline_tests::{programs, wait_until};
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

pub const LONG: Duration = Duration::from_secs(120);

/// Where the operator is tested.
pub struct Bed {
    pub control_plane: &'static ControlPlane,
    pub namespace: TestNamespace,
    pub client: Client,
    pub operator: Identity,
    #[expect(dead_code, reason = "held until the bed ends")]
    kubelet: Option<Kubelet>,
}

/// Ends with its bed.
struct Kubelet(JoinHandle<()>);

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Bed {
    pub async fn new(test: &str) -> Self {
        let bed = Self::without_kubelet(test).await;
        let kubelet = tokio::spawn(kubelet(bed.api()));
        Self { kubelet: Some(Kubelet(kubelet)), ..bed }
    }

    /// A bed where nothing becomes of a pod but what the test makes of it.
    pub async fn without_kubelet(test: &str) -> Self {
        let control_plane = ControlPlane::shared().await;
        let namespace = control_plane.namespace(test).await;
        let client = control_plane.client().await;
        let operator = control_plane.service_account(namespace.name(), "operator").await;
        bind_roles(&client, namespace.name()).await;
        Self { control_plane, namespace, client, operator, kubelet: None }
    }

    /// Starts the operator's program; it ends with the test.
    pub fn start(&self, flags: &[&str]) -> Child {
        self.start_with(flags, &[])
    }

    /// Starts it with more in its environment.
    pub fn start_with(&self, flags: &[&str], environment: &[(&str, &str)]) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        Command::new(programs::path("mlpipeline-operator"))
            .args(["--namespace", self.namespace.name(), "--lease-namespace", self.namespace.name()])
            .args(["--health-address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"])
            .args(flags)
            .env("KUBECONFIG", self.operator.kubeconfig())
            .env("RUST_LOG", "debug,hyper=info,rustls=info,tower=info,h2=info")
            .envs(environment.iter().copied())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// What the operator has logged so far.
    pub async fn log(&self) -> String {
        tokio::fs::read_to_string(self.log_file()).await.unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.control_plane.folder().join(format!("operator-{}.log", self.namespace.name()))
    }

    pub fn pipelines(&self) -> Api<MLPipeline> {
        Api::namespaced(self.client.clone(), self.namespace.name())
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.namespace.name())
    }

    /// Applies a pipeline, as a user does.
    pub async fn apply(&self, name: &str, spec: &Value) {
        let pipelines: Api<DynamicObject> = Api::namespaced_with(
            self.client.clone(),
            self.namespace.name(),
            &ApiResource::erase::<MLPipeline>(&()),
        );
        let applied = Patch::Apply(super::pipelines::pipeline(name, spec));
        pipelines.patch(name, &PatchParams::apply("user").force(), &applied).await.unwrap();
    }

    /// Waits until a condition of a pipeline's current generation has this status; answers reason and message.
    pub async fn condition(&self, name: &str, kind: &str, status: &str) -> (String, String) {
        let what = format!("{kind}={status} of {name}");
        wait_until(&what, LONG, async || {
            let pipeline = self.pipelines().get(name).await.map_err(|error| error.to_string())?;
            let stored = pipeline.status.unwrap_or_default();
            let found = stored.conditions.iter().find(|condition| condition.type_ == kind);
            match found {
                Some(found)
                    if found.status == status
                        && stored.observed_generation == pipeline.metadata.generation =>
                {
                    Ok((found.reason.clone(), found.message.clone()))
                }
                _ => Err(serde_json::to_string(&stored).unwrap()),
            }
        })
        .await
    }

    /// Waits until a pipeline is not ready for this reason; answers what people are told.
    pub async fn told(&self, name: &str, reason: &str) -> String {
        wait_until(&format!("{reason} of {name}"), LONG, async || {
            let pipeline = self.pipelines().get(name).await.map_err(|error| error.to_string())?;
            let status = pipeline.status.unwrap_or_default();
            let ready = status.conditions.iter().find(|now| now.type_ == "Ready" && now.reason == reason);
            ready.map(|now| now.message.clone()).ok_or_else(|| serde_json::to_string(&status).unwrap())
        })
        .await
    }

    /// Puts these rights in the place of the shipped ones, or others in the place of these.
    pub async fn limit_rights(&self, rules: Vec<PolicyRule>) {
        let name = "limited";
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules,
        });
        let apply = PatchParams::apply("tests").force();
        self.api::<Role>().patch(name, &apply, &Patch::Apply(&role)).await.unwrap();
        let binding = binding("Role", name, self.namespace.name());
        self.api::<RoleBinding>().patch(name, &apply, &Patch::Apply(&binding)).await.unwrap();
        let shipped = shipped_role().name_any();
        let _ = self.api::<RoleBinding>().delete(&shipped, &Default::default()).await;
    }

    /// The names of all objects of a kind that the operator made.
    pub async fn names<K>(&self) -> Vec<String>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + serde::de::DeserializeOwned,
    {
        let ours = ListParams::default().labels("app.kubernetes.io/managed-by=mlpipeline-operator");
        self.api::<K>().list(&ours).await.unwrap().iter().map(ResourceExt::name_any).collect()
    }
}

/// The shipped roles, bound in the test's namespace alone.
async fn bind_roles(client: &Client, namespace: &str) {
    let apply = PatchParams::apply("tests").force();
    let role = shipped_role();
    let roles: Api<ClusterRole> = Api::all(client.clone());
    roles.patch(&role.name_any(), &apply, &Patch::Apply(&role)).await.unwrap();
    let election = include_str!("../../../deploy/config/rbac/leader-election.yaml");
    let mut election: Role = serde_saphyr::from_str(election.split("\n---").next().unwrap()).unwrap();
    election.metadata.namespace = Some(namespace.to_owned());
    let roles: Api<Role> = Api::namespaced(client.clone(), namespace);
    roles.patch(&election.name_any(), &apply, &Patch::Apply(&election)).await.unwrap();
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    for (kind, name) in [("ClusterRole", role.name_any()), ("Role", election.name_any())] {
        let binding = binding(kind, &name, namespace);
        bindings.patch(&name, &apply, &Patch::Apply(&binding)).await.unwrap();
    }
}

fn binding(kind: &str, name: &str, namespace: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "operator", "namespace": namespace}],
    })
}

/// The shipped rights without this verb of this resource.
pub fn rights_without(verb: &str, resource: &str) -> Vec<PolicyRule> {
    let mut rules = Vec::new();
    for rule in shipped_role().rules.unwrap() {
        for one in rule.resources.clone().unwrap() {
            let mut rule = PolicyRule { resources: Some(vec![one.clone()]), ..rule.clone() };
            rule.verbs.retain(|kept| one != resource || kept != verb);
            rules.extend((!rule.verbs.is_empty()).then_some(rule));
        }
    }
    rules
}

/// The role that is shipped.
pub fn shipped_role() -> ClusterRole {
    serde_saphyr::from_str(include_str!("../../../deploy/config/rbac/operator-role.yaml")).unwrap()
}

/// A pipeline with nearly every kind of child.
pub fn crash_course() -> Value {
    json!({"steps": [
        {"name": "data", "prepare": {"inputs": [{"name": "iris", "uri": "http://files/iris.csv"}]}},
        {"name": "train", "train": {
            "data": {"step": "data"}, "target": "species",
            "algorithm": {"logisticRegression": {"maxIterations": 200}}, "gate": {"metric": "accuracy", "min": 0.9},
        }},
        {"name": "api", "pod": {"resources": {"requests": {"cpu": "1000m", "memory": "128Mi"}}}, "serve": {
            "model": {"step": "train"}, "autoscaling": {"minReplicas": 2, "maxReplicas": 5},
            "service": {"type": "ClusterIP", "port": 80},
            "ingress": {"host": "iris.example.com"},
        }},
        {"name": "nightly", "schedule": {"cron": "0 2 * * *"}, "score": {"model": {"step": "train"}, "input": {"step": "data"}}},
    ]})
}

/// Runs of one pod, one after the other.
pub fn chain(length: usize) -> Value {
    let step = |at: usize| {
        let after: Vec<String> = (at > 0).then(|| format!("s{}", at - 1)).into_iter().collect();
        json!({"name": format!("s{at}"), "run": {"image": "none"}, "after": after})
    };
    json!({"steps": (0..length).map(step).collect::<Vec<Value>>()})
}

/// Lets the pods of Jobs succeed with a report, and all others become ready.
async fn kubelet(pods: Api<Pod>) {
    loop {
        for pod in pods.list(&ListParams::default()).await.map(|list| list.items).unwrap_or_default() {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            if phase == Some("Pending") && pod.metadata.deletion_timestamp.is_none() {
                let status = Patch::Merge(json!({ "status": next(&pod) }));
                // Somebody may have deleted it; the next round tells.
                let _ = pods.patch_status(&pod.name_any(), &PatchParams::default(), &status).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn next(pod: &Pod) -> Value {
    let now = k8s_openapi::jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let of_job = pod.owner_references().iter().any(|owner| owner.kind == "Job");
    let container = |is_ready: bool, state: Value| {
        json!([{
            "name": pod.spec.as_ref().map(|spec| spec.containers[0].name.clone()), "image": "i", "imageID": "i",
            "ready": is_ready, "restartCount": 0, "state": state,
        }])
    };
    if of_job {
        let key = pod.labels().get("mlpipeline.dev/revision").and_then(|text| Revision::parse(text).ok());
        let mut report = StepReport::succeeded(key);
        report.metrics.insert("accuracy".into(), 0.973_333_333_333_333_4);
        let ended = json!({"terminated": {"exitCode": 0, "startedAt": now, "finishedAt": now, "message": report.to_json()}});
        return json!({"phase": "Succeeded", "startTime": now, "containerStatuses": container(false, ended)});
    }
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let running = container(true, json!({"running": {"startedAt": now}}));
    json!({"phase": "Running", "startTime": now, "conditions": ready, "containerStatuses": running})
}
