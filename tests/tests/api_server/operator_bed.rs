//! The shipped operator, under its shipped role, in a namespace of a test's own.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::MutexGuard;
use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use k8s_openapi::api::rbac::v1::{PolicyRule, Role, RoleBinding};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, ResourceExt};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::{AuditEvent, AuditPosition, ControlPlane, Identity, TestNamespace};
use mlpipeline_tests::{programs, wait_until};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::kubelet::{Kubelet, Script};
use super::shipped_roles::{bind, binding_name, election_role, install_roles, shipped_role};
use super::specs::chain;
use super::witness::Witness;

pub const LONG: Duration = Duration::from_secs(120);
/// The service account of the only operator, or of the first.
const OPERATOR: &str = "operator";

/// Where the operator is tested.
pub struct Bed {
    pub control_plane: &'static ControlPlane,
    pub namespace: TestNamespace,
    pub client: Client,
    pub operator: Identity,
    kubelet: Option<Kubelet>,
    witness: Witness,
}

impl Bed {
    pub async fn new(test: &str) -> Self {
        let bed = Self::without_kubelet(test).await;
        Self { kubelet: Some(Kubelet::start(bed.api())), ..bed }
    }

    /// A bed where nothing becomes of a pod but what the test makes of it.
    pub async fn without_kubelet(test: &str) -> Self {
        Self::on(ControlPlane::shared().await, test).await
    }

    /// A bed on a control plane of the test's own.
    pub async fn on(control_plane: &'static ControlPlane, test: &str) -> Self {
        let namespace = control_plane.namespace(test).await;
        let client = control_plane.client().await;
        let operator = control_plane.service_account(namespace.name(), OPERATOR).await;
        install_roles(&client, namespace.name()).await;
        let witness = Witness::new(control_plane, &operator).await;
        let bed = Self { control_plane, namespace, client, operator, kubelet: None, witness };
        bed.grant_all(OPERATOR).await;
        bed.grant_election(OPERATOR).await;
        bed
    }

    /// What is to become of pods.
    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.kubelet.as_ref().expect("a bed with a kubelet").script()
    }

    /// Starts the operator's program; it ends with the test.
    pub fn start(&self, flags: &[&str]) -> Child {
        self.start_with(flags, &[])
    }

    /// The file that the programs write their logs to.
    pub fn log_file(&self) -> PathBuf {
        self.control_plane.folder().join(format!("operator-{}.log", self.namespace.name()))
    }

    /// Starts it with more in its environment.
    pub fn start_with(&self, flags: &[&str], environment: &[(&str, &str)]) -> Child {
        self.spawn(&self.operator, flags, environment)
    }

    /// Starts another replica of it.
    pub fn start_as(&self, identity: &Identity, flags: &[&str]) -> Child {
        self.spawn(identity, flags, &[])
    }

    fn spawn(&self, identity: &Identity, flags: &[&str], environment: &[(&str, &str)]) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.log_file()).unwrap();
        Command::new(programs::path("mlpipeline-operator"))
            .args(["--namespace", self.namespace.name(), "--lease-namespace", self.namespace.name()])
            .args(["--health-address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"])
            .args(flags)
            .env("KUBECONFIG", identity.kubeconfig())
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

    pub fn pipelines(&self) -> Api<MLPipeline> {
        Api::namespaced(self.client.clone(), self.namespace.name())
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.namespace.name())
    }

    /// The API of a kind of child, whatever kind it is.
    pub fn children(&self, kind: ChildKind) -> Api<DynamicObject> {
        let (group, version) = kind.api_version().rsplit_once('/').unwrap_or(("", kind.api_version()));
        let gvk = GroupVersionKind::gvk(group, version, kind.kind());
        let resource = ApiResource::from_gvk_with_plural(&gvk, kind.plural());
        Api::namespaced_with(self.client.clone(), self.namespace.name(), &resource)
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
        self.condition_within(LONG, name, kind, status).await
    }

    /// The same, for as long as is given.
    pub async fn condition_within(
        &self,
        limit: Duration,
        name: &str,
        kind: &str,
        status: &str,
    ) -> (String, String) {
        let what = format!("{kind}={status} of {name}");
        wait_until(&what, limit, async || {
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

    /// Waits until a pipeline is not ready for this reason; returns the message of the condition.
    pub async fn until_not_ready(&self, name: &str, reason: &str) -> String {
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
        self.grant(rules, "limited", OPERATOR).await;
        let shipped = binding_name(&shipped_role().name_any(), OPERATOR);
        let _ = self.api::<RoleBinding>().delete(&shipped, &Default::default()).await;
    }

    /// A service account for another replica, which may do nothing yet.
    pub async fn account(&mut self, name: &str) -> Identity {
        let account = self.control_plane.service_account(self.namespace.name(), name).await;
        self.witness.watches(&account);
        account
    }

    /// Gives an account the shipped rights.
    pub async fn grant_all(&self, account: &str) {
        self.bind("ClusterRole", &shipped_role().name_any(), account).await;
    }

    /// Gives an account the shipped rights of a candidate.
    pub async fn grant_election(&self, account: &str) {
        self.bind("Role", &election_role().name_any(), account).await;
    }

    /// Gives an account those of the shipped rights that change nothing.
    pub async fn grant_reading(&self, account: &str) {
        let mut rules = shipped_role().rules.unwrap();
        rules.iter_mut().for_each(|rule| rule.verbs.retain(|verb| verb == "list" || verb == "watch"));
        rules.retain(|rule| !rule.verbs.is_empty());
        self.grant(rules, "reading", account).await;
    }

    async fn grant(&self, rules: Vec<PolicyRule>, role: &str, account: &str) {
        let content = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": role}, "rules": rules,
        });
        let apply = PatchParams::apply("tests").force();
        self.api::<Role>().patch(role, &apply, &Patch::Apply(&content)).await.unwrap();
        self.bind("Role", role, account).await;
    }

    async fn bind(&self, kind: &str, role: &str, account: &str) {
        bind(&self.client, self.namespace.name(), kind, role, account).await;
    }

    /// Waits until the operator has worked on another pipeline to its end, and said so: it has looked at all that came before, and
    /// written what it had to write of it.
    pub async fn passes(&self, marker: &str) {
        self.apply(marker, &chain(1)).await;
        self.condition(marker, "Ready", "True").await;
        wait_until("the marker's last event", LONG, async || {
            match self.events(marker, "Ready").await.len() {
                0 => Err("none".to_owned()),
                _ => Ok(()),
            }
        })
        .await;
    }

    /// The events of a reason about a pipeline.
    pub async fn events(&self, pipeline: &str, reason: &str) -> Vec<Event> {
        let all = self.api::<Event>().list(&ListParams::default()).await.unwrap().items.into_iter();
        let is_about = |event: &Event| {
            event.regarding.as_ref().is_some_and(|about| about.name.as_deref() == Some(pipeline))
        };
        all.filter(|event| event.reason.as_deref() == Some(reason) && is_about(event)).collect()
    }

    /// What a user asked to change since then.
    pub async fn writes(&self, user: &Identity, since: AuditPosition) -> Vec<AuditEvent> {
        self.control_plane.audit().query().since(since).user(user.username()).writes().events().await
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

/// Sends a signal to a program: STOP, CONT or TERM.
pub async fn signal(program: &Child, name: &str) {
    let pid = program.id().expect("it runs").to_string();
    assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().await.unwrap().success());
}
