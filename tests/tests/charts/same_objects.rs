//! Chart, kustomize bases and the single file install the same objects.

use mlpipeline_tests::programs;
use serde_json::{Value, json};

use super::helm;
use super::objects::{Objects, documents, kustomize};

/// What kustomize makes of folders, without the namespace, which `helm install --create-namespace` makes.
fn kustomized(folders: &[&str]) -> Objects {
    let all = folders.iter().flat_map(|folder| documents(&kustomize(folder)));
    Objects::new(all.filter(|object| object["kind"] != "Namespace"))
}

fn assert_same(left: Objects, right: Objects) {
    let (left, right) = (left.without_marks_of_the_installer(), right.without_marks_of_the_installer());
    assert_eq!(left.kinds(), right.kinds());
    for (name, object) in &left.0 {
        assert_eq!(object, right.get(name), "{name}");
    }
}

#[test]
fn the_chart_and_the_kustomize_base_install_the_same_objects() {
    assert_same(helm::objects(&json!({})), kustomized(&["deploy/config/default"]));
}

#[test]
fn what_is_optional_is_the_same_too() {
    let optional = json!({
        "podMonitor": {"enabled": true}, "prometheusRule": {"enabled": true},
        "networkPolicy": {"enabled": true}, "tenantPolicy": {"enabled": true},
    });
    let folders = [
        "deploy/config/default",
        "deploy/config/prometheus",
        "deploy/config/network-policy",
        "deploy/config/policy",
    ];
    assert_same(helm::objects(&optional), kustomized(&folders));
}

#[test]
fn the_overlay_for_a_registry_of_ones_own_is_the_charts_images() {
    let registry = "registry.example.com/ml";
    let images = json!({
        "image": {"repository": format!("{registry}/mlpipeline-operator")},
        "workerImage": {"repository": format!("{registry}/mlpipeline-worker")},
    });
    assert_same(helm::objects(&images), kustomized(&["deploy/config/registry"]));
}

#[test]
fn the_namespace_of_the_kustomize_base_enforces_the_restricted_pod_security_standard() {
    let all = documents(&kustomize("deploy/config/default"));
    let namespace = all.iter().find(|object| object["kind"] == "Namespace").unwrap();
    assert_eq!(namespace["metadata"]["name"], helm::NAMESPACE);
    let label = "pod-security.kubernetes.io/enforce";
    assert_eq!(namespace["metadata"]["labels"][label], Value::from("restricted"));
}

/// Somebody's Git may stop naming the definition, or an Application be deleted: every pipeline would go with it.
#[test]
fn the_definition_is_kept_by_every_gitops_tool_in_every_way_to_install() {
    let definition = "CustomResourceDefinition /mlpipelines.mlpipeline.dev";
    let ways = [
        ("the chart", helm::objects(&json!({}))),
        ("kustomize", kustomized(&["deploy/config/default"])),
        ("the single file", Objects::new(documents(&install_file()))),
    ];
    for (way, objects) in ways {
        let annotations = &objects.get(definition)["metadata"]["annotations"];
        assert_eq!(annotations["kustomize.toolkit.fluxcd.io/prune"], "disabled", "{way}");
        assert_eq!(annotations["argocd.argoproj.io/sync-options"], "Prune=false,Delete=false", "{way}");
    }
    let not_kept = helm::objects(&json!({"crds": {"keep": false}}));
    assert!(not_kept.get(definition)["metadata"]["annotations"].is_null());
}

#[test]
fn an_uninstallation_by_kustomize_leaves_the_definition_and_the_namespace_and_nothing_else() {
    let all = Objects::new(documents(&install_file()));
    let removed = Objects::new(documents(&kustomize("deploy/config/uninstall")));
    let left: Vec<&str> = all.kinds().into_iter().filter(|name| !removed.has(name)).collect();
    assert_eq!(
        left,
        ["CustomResourceDefinition /mlpipelines.mlpipeline.dev", "Namespace /mlpipeline-system"]
    );
    assert!(removed.kinds().into_iter().all(|name| all.has(name)));
}

fn install_file() -> String {
    std::fs::read_to_string(programs::repository().join("deploy/install.yaml")).unwrap()
}
