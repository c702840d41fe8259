//! What helm says of values that cannot be right: which value, and the way out.

use serde_json::{Value, json};

use super::helm::{MONITORING, try_render};

#[test]
fn wrong_values_are_refused_with_their_name_and_what_to_do() {
    let table: Vec<(Value, &[&str])> = vec![
        (json!({"replica": 3}), &["replica", "not allowed"]),
        (json!({"image": {"repo": "x"}}), &["/image", "repo", "not allowed"]),
        (json!({"replicas": "two"}), &["/replicas", "integer"]),
        (json!({"replicas": -1}), &["/replicas"]),
        (json!({"operator": {"concurrencyy": 3}}), &["/operator", "concurrencyy"]),
        (json!({"operator": {"logFormat": "xml"}}), &["/operator/logFormat", "json"]),
        (json!({"image": {"digest": "sha256:short"}}), &["/image/digest", "sha256:short"]),
        (json!({"namespaces": ["Team A"]}), &["/namespaces/0", "Team A"]),
        (json!({"namespaces": ["a", "a"]}), &["/namespaces", "equal"]),
        (json!({"podMonitor": {"enabled": true}, "serviceMonitor": {"enabled": true}}), &["choose one"]),
        (
            json!({"serviceMonitor": {"enabled": true}, "metricsService": {"enabled": false}}),
            &["metricsService.enabled=true"],
        ),
        (json!({"replicas": 0}), &["replicas is 0", "set 1 or more"]),
    ];
    for (values, parts) in table {
        let problem = try_render(&values, &[MONITORING]).expect_err(&values.to_string());
        for part in parts {
            assert!(problem.contains(part), "{values}: no {part:?} in {problem}");
        }
    }
}

#[test]
fn a_cluster_without_the_kinds_of_monitoring_is_told_what_to_install_or_leave_out() {
    for kind in ["podMonitor", "serviceMonitor", "prometheusRule"] {
        let problem = try_render(&json!({kind: {"enabled": true}}), &[]).expect_err(kind);
        for part in [kind, "CustomResourceDefinitions of the Prometheus Operator", "enabled=false"] {
            assert!(problem.contains(part), "{problem}");
        }
    }
}

#[test]
fn a_kubernetes_that_is_too_old_is_refused_with_both_versions() {
    let problem = try_render(&json!({}), &["--kube-version=1.30.4"]).expect_err("1.30");
    assert!(problem.contains("1.31") && problem.contains("1.30.4"), "{problem}");
    for version in ["1.31.0", "1.33.2-gke.1200", "1.36.1+k3s1"] {
        try_render(&json!({}), &[&format!("--kube-version={version}")]).expect(version);
    }
}
