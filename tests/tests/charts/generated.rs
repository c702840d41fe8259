//! Files that are made from the operator's own sources, and that fail here when they are stale. `make chart` writes them.

use std::path::PathBuf;

use k8s_openapi::api::rbac::v1::ClusterRole;
use mlpipeline_operator::crd_file::crd_yaml;
use mlpipeline_tests::programs;
use serde_json::{Value, json};

use super::flags;
use super::helm::chart;
use super::objects::{documents, kustomize};
use super::{docs, helm, readme};

/// Compares a file with what it should hold, or writes it where `UPDATE_GENERATED` is set.
fn check(path: PathBuf, content: &str) {
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, content).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == content, "{} is stale: run `make chart`", path.display());
}

fn file(name: &str) -> String {
    std::fs::read_to_string(programs::repository().join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn yaml(value: &Value) -> String {
    let text = serde_saphyr::to_string(value).unwrap();
    format!("# Written by `make chart`.\n{}\n", text.trim_end())
}

#[test]
fn the_charts_definition_is_the_operators() {
    check(chart().join("files/crd.yaml"), &crd_yaml().unwrap());
}

/// The roles under deploy/config/rbac are compared with what the operator does by the tests of the API server.
#[test]
fn the_charts_rights_are_those_that_the_operator_is_tested_with() {
    let operator = documents(&file("deploy/config/rbac/operator-role.yaml")).remove(0);
    check(chart().join("files/operator-rules.yaml"), &yaml(&operator["rules"]));
    let election = documents(&file("deploy/config/rbac/leader-election.yaml")).remove(0);
    check(chart().join("files/election-rules.yaml"), &yaml(&election["rules"]));
    let users = documents(&file("deploy/config/rbac/user-roles.yaml"));
    let users = users.iter().map(|role| {
        let metadata = &role["metadata"];
        json!({"name": metadata["name"], "labels": metadata["labels"], "rules": role["rules"]})
    });
    check(chart().join("files/user-roles.yaml"), &yaml(&users.collect()));
}

/// The policy under deploy/config/policy is held against a real API server by the tests of that.
#[test]
fn the_charts_policy_for_tenants_is_the_one_that_is_tested() {
    let policy = documents(&file("deploy/config/policy/policy.yaml")).remove(0);
    check(chart().join("files/tenant-policy.yaml"), &yaml(&policy["spec"]));
}

#[test]
fn the_schema_of_the_values_knows_the_operators_flags() {
    let path = chart().join("values.schema.json");
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    schema["properties"]["operator"] = flags::schema();
    check(path, &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
}

/// Templates can read it, and not values.yaml itself.
#[test]
fn the_charts_own_copy_of_the_defaults_is_up_to_date() {
    let defaults = serde_saphyr::from_str(&file("charts/mlpipeline/values.yaml")).unwrap();
    check(chart().join("files/defaults.yaml"), &yaml(&defaults));
}

#[test]
fn the_page_of_the_values_is_up_to_date() {
    check(programs::repository().join("docs/reference/chart.md"), &docs::page());
    check(chart().join("README.md"), &readme::page());
}

#[test]
fn the_single_file_is_the_kustomize_base() {
    let head = "# Everything that a cluster needs: `kubectl apply --server-side -f deploy/install.yaml`. Written by `make chart`.\n";
    let content = format!("{head}{}", kustomize("deploy/config/default"));
    check(programs::repository().join("deploy/install.yaml"), &content);
}

/// What a Prometheus without the Prometheus Operator reads is the source; kustomize's object wraps it.
#[test]
fn the_rule_object_of_the_kustomize_base_holds_the_charts_alerts() {
    let rendered = helm::objects(&json!({"prometheusRule": {"enabled": true}}));
    let rendered = rendered.without_marks_of_the_installer();
    let rule = rendered.get(&format!("PrometheusRule {}/mlpipeline-operator", helm::NAMESPACE));
    check(programs::repository().join("deploy/config/prometheus/alerts.yaml"), &yaml(rule));
}

#[test]
fn every_version_is_that_of_the_programs() {
    let version = env!("CARGO_PKG_VERSION");
    let chart: Value = serde_saphyr::from_str(&file("charts/mlpipeline/Chart.yaml")).unwrap();
    assert_eq!((&chart["version"], &chart["appVersion"]), (&version.into(), &version.into()));
    let base = documents(&kustomize("deploy/config/default"));
    let deployment = base.iter().find(|object| object["kind"] == "Deployment").unwrap();
    let image = deployment.pointer("/spec/template/spec/containers/0/image").unwrap();
    assert_eq!(image, &Value::from(format!("ghcr.io/mlpipeline/mlpipeline-operator:{version}")));
}

#[test]
fn a_role_in_a_namespace_is_one_that_kubernetes_can_read() {
    let role: ClusterRole = serde_saphyr::from_str(&file("deploy/config/rbac/operator-role.yaml")).unwrap();
    assert!(role.rules.is_some_and(|rules| rules.iter().all(|rule| rule.non_resource_urls.is_none())));
}
