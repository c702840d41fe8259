//! What helm says of values that cannot be right: which value, and the way out.

use mlpipeline_operator::cluster_version::OLDEST;
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
        (json!({"operator": {"concurrency": 0}}), &["/operator/concurrency", "got 0, want 1"]),
        (json!({"operator": {"concurrency": 70_000}}), &["/operator/concurrency", "65,535"]),
        (json!({"serviceAccount": {"name": "Team A"}}), &["/serviceAccount/name", "Team A"]),
        (json!({"priorityClassName": "so important"}), &["/priorityClassName"]),
        (json!({"grafanaDashboard": {"namespace": "Grafana"}}), &["/grafanaDashboard/namespace"]),
        (json!({"imagePullSecrets": [{"name": "a b"}]}), &["/imagePullSecrets/0/name"]),
        (json!({"commonLabels": {"a b": "c"}}), &["/commonLabels", "a b"]),
        (json!({"podAnnotations": {"a b": "c"}}), &["/podAnnotations", "a b"]),
        (json!({"prometheusRule": {"alertLabels": {"a-b": "c"}}}), &["/prometheusRule/alertLabels", "a-b"]),
        (json!({"podDisruptionBudget": {"maxUnavailable": "0%"}}), &["/podDisruptionBudget/maxUnavailable"]),
        (json!({"podMonitor": {"interval": ""}}), &["/podMonitor/interval"]),
        (json!({"podMonitor": {"interval": "1m1h"}}), &["/podMonitor/interval"]),
        (json!({"serviceMonitor": {"interval": "1.5h"}}), &["/serviceMonitor/interval"]),
        (json!({"namespaces": [null]}), &["/namespaces/0"]),
        (json!({"fullnameOverride": "123"}), &["begins with a letter", "set fullnameOverride"]),
        (
            json!({"tenantPolicy": {"limits": {"maxVolumeSize": "100GB"}}}),
            &["/tenantPolicy/limits/maxVolumeSize"],
        ),
        (json!({"global": "x"}), &["/global"]),
        (json!({"enabled": "yes"}), &["/enabled"]),
    ];
    check(table);
}

#[test]
fn extras_that_contradict_each_other_or_the_chart_are_refused_with_the_way_out() {
    check(vec![
        (
            json!({"extraEnv": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}),
            &["extraEnv has the variable A twice", "remove one"],
        ),
        (
            json!({"extraEnv": [{"name": "MLPIPELINE_WORKER_IMAGE", "value": "x"}]}),
            &["extraEnv has the variable MLPIPELINE_WORKER_IMAGE", "from workerImage: set that"],
        ),
        (
            json!({"namespaces": ["a"], "extraEnv": [{"name": "MLPIPELINE_NAMESPACES", "value": "b"}]}),
            &["MLPIPELINE_NAMESPACES", "from namespaces: set that"],
        ),
        (json!({"extraArgs": ["--concurrency=2", "--concurrency", "3"]}), &["--concurrency twice"]),
        (
            json!({"operator": {"logFormat": "json"}, "extraArgs": ["--log-format", "text"]}),
            &["extraArgs has --log-format", "from operator.logFormat: set that, and leave it out"],
        ),
        (json!({"namespaces": ["a"], "extraArgs": ["-nb"]}), &["--namespace", "from namespaces: set that"]),
        (json!({"extraArgs": ["--worker-image=x"]}), &["--worker-image", "from workerImage: set that"]),
        (json!({"extraArgs": ["--leader-elect"]}), &["--leader-elect", "always: leave it out"]),
        (
            json!({"extraArgs": ["--health-address=0.0.0.0:9000"]}),
            &["--health-address", "which the probes ask"],
        ),
        (json!({"extraArgs": ["--metrics-address=0.0.0.0:9000"]}), &["--metrics-address", "leave it out"]),
        (json!({"extraArgs": ["--lease-namespace=x"]}), &["--lease-namespace", "to that of the release"]),
        (
            json!({"extraEnv": [{"name": "MLPIPELINE_LEASE_NAMESPACE", "value": "x"}]}),
            &["MLPIPELINE_LEASE_NAMESPACE", "to that of the release"],
        ),
        (json!({"securityContext": {"readonlyRootFilesystem": true}}), &["readonlyRootFilesystem"]),
        (json!({"podSecurityContext": {"runAsUSer": 1}}), &["runAsUSer"]),
        (
            json!({"extraVolumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]}),
            &["extraVolumes", "name a", "rename"],
        ),
        (
            json!({"extraVolumeMounts": [{"name": "a", "mountPath": "/x"}]}),
            &["extraVolumeMounts mounts a at /x", "add it"],
        ),
        (
            json!({
                "extraVolumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "emptyDir": {}}],
                "extraVolumeMounts": [{"name": "a", "mountPath": "/x"}, {"name": "b", "mountPath": "/x"}],
            }),
            &["two volumes at /x"],
        ),
    ]);
}

fn check(table: Vec<(Value, &[&str])>) {
    for (values, parts) in table {
        let problem = try_render(&values, &[MONITORING]).expect_err(&values.to_string());
        for part in parts {
            assert!(problem.contains(part), "{values}: no {part:?} in {problem}");
        }
    }
}

/// The tag and the digest are values of their own, so that one wins over the other.
#[test]
fn the_repository_of_an_image_has_neither_tag_nor_digest() {
    let digest = format!("registry/a@sha256:{}", "0".repeat(64));
    let both = |repository| {
        let image = json!({"repository": repository});
        try_render(&json!({"image": image, "workerImage": image}), &[])
    };
    for wrong in ["reg:5000/a/b:1.2", "operator:1", &digest, "a b", "/a", "a/", "http://a/b", "A"] {
        let problem = both(wrong).expect_err(wrong);
        for path in ["/image/repository", "/workerImage/repository"] {
            assert!(problem.contains(path), "{wrong}: {problem}");
        }
    }
    for right in ["reg:5000/a/b", "localhost:5000/b", "Registry.example.com/a_b/c--d.e", "[::1]:5000/a"] {
        both(right).expect(right);
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
    let (major, minor) = OLDEST;
    let oldest = format!("{major}.{minor}");
    assert!(problem.contains(&oldest) && problem.contains("1.30.4"), "{problem}");
    try_render(&json!({}), &[&format!("--kube-version={oldest}.0")]).expect("what the operator supports");
    for version in ["1.33.2-gke.1200", "1.36.1+k3s1"] {
        try_render(&json!({}), &[&format!("--kube-version={version}")]).expect(version);
    }
}
