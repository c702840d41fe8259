//! Releases of the chart on a real API server, without their pods: several of them side by side, and the definition at an upgrade.

use std::path::{Path, PathBuf};

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::PostParams;
use kube::runtime::wait::await_condition;
use mlpipeline_tests::control_plane::{ControlPlane, Identity, Settings, find_program};
use mlpipeline_tests::older_chart::{NEW_FIELD, SPEC, version_before};
use mlpipeline_tests::programs;
use serde_json::{Value, json};
use tokio::process::Command;

const CRD: &str = "mlpipelines.mlpipeline.dev";

/// Runs helm as a user; answers what it prints, or what is wrong.
async fn try_helm(user: &Identity, arguments: &[&str]) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(find_program("helm").unwrap_or_else(|problem| panic!("{problem}")))
        .args(arguments)
        .env("KUBECONFIG", user.kubeconfig())
        .env("HOME", home.path())
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Installs or upgrades a release in a namespace.
async fn try_release(
    user: &Identity,
    name: &str,
    namespace: &str,
    chart: &Path,
    settings: &[&str],
) -> Result<String, String> {
    let mut arguments = vec!["upgrade", "--install", name, chart.to_str().unwrap(), "--namespace", namespace];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    try_helm(user, &arguments).await
}

fn current() -> PathBuf {
    programs::repository().join("charts/mlpipeline")
}

/// Each release is in a namespace of its own, and neither operator can see the other one's Deployment.
#[tokio::test]
async fn a_namespace_that_another_release_looks_after_is_refused_with_the_way_out() {
    let control_plane = ControlPlane::shared().await;
    let [a, b, team, other] = [
        control_plane.namespace("releases-a").await,
        control_plane.namespace("releases-b").await,
        control_plane.namespace("releases-team").await,
        control_plane.namespace("releases-other").await,
    ];
    let (admin, chart) = (control_plane.admin(), current());
    let namespaces = |names: &[&str]| format!("namespaces={{{}}}", names.join(","));
    let both = namespaces(&[other.name(), team.name()]);
    let (one, another) = (namespaces(&[team.name()]), namespaces(&[other.name()]));
    let of_team = [&*one, "crds.enabled=false"];
    let of_both = [&*both, "crds.enabled=false"];
    try_release(admin, "a", a.name(), &chart, &of_team).await.unwrap();
    try_release(admin, "a", a.name(), &chart, &of_team).await.expect("its own namespace is no conflict");

    let refused = try_release(admin, "b", b.name(), &chart, &of_both).await.expect_err("both would write");
    let way_out = format!("helm --namespace {} uninstall a", a.name());
    for part in ["release a in namespace", team.name(), "distinct lists of namespaces", &way_out] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    // Of another name or not: the same release in another namespace is another one.
    let renamed = [of_team[0], of_team[1], "fullnameOverride=something-else"];
    try_release(admin, "a", b.name(), &chart, &renamed).await.expect_err("both would write");

    // Two releases in one namespace, each with namespaces of its own, are fine.
    let of_other = [&*another, "crds.enabled=false"];
    try_release(admin, "b", a.name(), &chart, &of_other).await.unwrap();
    try_helm(admin, &["uninstall", "b", "--namespace", a.name()]).await.unwrap();
    try_helm(admin, &["uninstall", "a", "--namespace", a.name()]).await.unwrap();
    try_release(admin, "b", b.name(), &chart, &of_both).await.expect("nobody else is there any more");
}

/// Whoever may create what a release consists of may install it: the chart asks for no right of its own.
#[tokio::test]
async fn an_administrator_of_two_namespaces_alone_may_install_a_release_for_them() {
    let control_plane = ControlPlane::shared().await;
    let home = control_plane.namespace("releases-home").await;
    let team = control_plane.namespace("releases-mine").await;
    let installer = control_plane.service_account(home.name(), "installer").await;
    let client = control_plane.client().await;
    for namespace in [home.name(), team.name()] {
        let create = PostParams::default();
        // No list and no watch of bindings, nor anything of the whole cluster.
        let verbs = ["create", "get", "patch", "update", "delete", "bind", "escalate"];
        let role = json!({
            "metadata": {"name": "installer"},
            "rules": [
                {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": verbs},
                {"apiGroups": [""], "resources": ["secrets", "serviceaccounts", "services"], "verbs": ["*"]},
                {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["*"]},
                {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["*"]},
            ],
        });
        let binding = json!({
            "metadata": {"name": "installer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "installer"},
            "subjects": [{"kind": "ServiceAccount", "name": "installer", "namespace": home.name()}],
        });
        let roles: Api<Role> = Api::namespaced(client.clone(), namespace);
        roles.create(&create, &serde_json::from_value(role).unwrap()).await.unwrap();
        let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
        bindings.create(&create, &serde_json::from_value(binding).unwrap()).await.unwrap();
    }
    let namespaces = format!("namespaces={{{}}}", team.name());
    let settings = [&*namespaces, "crds.enabled=false"];
    try_release(&installer, "mine", home.name(), &current(), &settings).await.unwrap();
    try_release(&installer, "mine", home.name(), &current(), &settings).await.expect("an upgrade");
}

#[tokio::test]
async fn an_upgrade_brings_the_fields_of_the_newer_definition_and_uninstalling_keeps_it() {
    // A server of its own: everybody else's tests need the newest definition.
    let control_plane = ControlPlane::start(Settings::default()).await.unwrap();
    let (admin, client) = (control_plane.admin(), control_plane.client().await);
    let crds: Api<CustomResourceDefinition> = Api::all(client);
    let installed = crds.delete(CRD, &Default::default()).await.unwrap().left().expect("it is there");
    let uid = installed.metadata.uid.unwrap();
    let gone = kube::runtime::conditions::is_deleted(&uid);
    await_condition(crds.clone(), CRD, gone).await.unwrap();
    let has_field = async || {
        let definition = serde_json::to_value(crds.get(CRD).await.unwrap()).unwrap();
        definition.pointer(SPEC).and_then(Value::as_object).unwrap().contains_key(NEW_FIELD)
    };
    let folder = tempfile::tempdir().unwrap();
    let before = version_before(folder.path()).unwrap();
    try_release(admin, "mlpipeline", "default", &before, &[]).await.unwrap();
    assert!(!has_field().await, "the definition is that of the version before");
    try_release(admin, "mlpipeline", "default", &current(), &[]).await.unwrap();
    assert!(has_field().await, "helm upgrades the definition with the release");

    let refused = try_release(admin, "other", "kube-public", &current(), &["crds.enabled=false"]).await;
    let refused = refused.expect_err("both look after everything");
    for part in ["release mlpipeline in namespace default", "the whole cluster", "ClusterRoleBinding"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    try_helm(admin, &["uninstall", "mlpipeline", "--namespace", "default"]).await.unwrap();
    assert!(has_field().await, "the definition stays");
}
