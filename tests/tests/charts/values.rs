//! What the chart renders for a table of values, as snapshots that are reviewed as code, and what must hold for all of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::helm;
use super::objects::Objects;

/// Each row: its name, and the values.
fn table() -> Vec<(&'static str, Value)> {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    vec![
        ("defaults", json!({})),
        ("namespaces", json!({"namespaces": ["team-a", "team-b"], "crds": {"enabled": false}})),
        ("one_replica", json!({"replicas": 1, "operator": {"concurrency": 4, "logFormat": "json"}})),
        (
            "images",
            json!({
                "image": {"repository": "registry.example.com/operator", "digest": digest, "pullPolicy": "Always"},
                "workerImage": {"repository": "registry.example.com/worker", "tag": "canary"},
                "imagePullSecrets": [{"name": "registry"}],
            }),
        ),
        (
            "placement",
            json!({
                "priorityClassName": "system-cluster-critical",
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
                "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
                "topologySpreadConstraints":
                    [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}],
                "podDisruptionBudget": {"maxUnavailable": "50%"},
                "resources": {"limits": {"memory": "1Gi"}},
            }),
        ),
        (
            "extras",
            json!({
                "fullnameOverride": "pipelines",
                "extraArgs": ["--concurrency=2"],
                "extraEnv": [{"name": "RUST_LOG", "value": "debug"}],
                "extraEnvFrom": [{"configMapRef": {"name": "proxy"}}],
                "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
                "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": true}],
                "commonLabels": {"team": "ml"}, "commonAnnotations": {"contact": "ml@example.com"},
                "deploymentAnnotations": {"reloader": "auto"},
                "podLabels": {"sidecar": "none"}, "podAnnotations": {"sidecar.example.com/inject": "false"},
                "serviceAccount": {"annotations": {"cloud.example.com/role": "ml"}},
            }),
        ),
        (
            "rights_of_others",
            json!({"rbac": {"create": false}, "serviceAccount": {"create": false, "name": "given"}}),
        ),
        (
            "observed",
            json!({
                "podMonitor": {"enabled": true, "labels": {"release": "prometheus"}, "interval": "15s"},
                "prometheusRule": {"enabled": true, "alertLabels": {"team": "ml"}},
                "grafanaDashboard": {"enabled": true, "namespace": "grafana", "annotations": {"folder": "ML"}},
                "networkPolicy": {"enabled": true},
            }),
        ),
        ("service_monitor", json!({"serviceMonitor": {"enabled": true}})),
        (
            "paused",
            json!({"replicas": 0, "metricsService": {"enabled": false}, "podDisruptionBudget": {"enabled": false}}),
        ),
    ]
}

/// Everything but the long and well-tested: the definition, and what is in files of their own.
fn shortened(mut objects: Objects) -> Vec<(String, Value)> {
    objects.0.retain(|name, _| !name.starts_with("CustomResourceDefinition"));
    for object in objects.0.values_mut() {
        for (path, what) in
            [("/spec/groups", "files/alerts.yaml"), ("/data/mlpipeline.json", "files/dashboard.json")]
        {
            if let Some(value) = object.pointer_mut(path) {
                *value = what.into();
            }
        }
        if object["metadata"]["name"].as_str().is_some_and(|name| name.ends_with("-operator"))
            && let Some(rules) = object.get_mut("rules")
        {
            *rules = "files/operator-rules.yaml".into();
        }
    }
    objects.0.into_iter().collect()
}

#[test]
fn what_is_rendered_for_a_table_of_values() {
    for (name, values) in table() {
        insta::assert_yaml_snapshot!(name, shortened(helm::objects(&values)));
    }
}

#[test]
fn with_namespaces_nothing_is_of_the_whole_cluster_but_the_definition() {
    let objects = helm::objects(&json!({"namespaces": ["team-a", "team-b"]}));
    let of_the_cluster: Vec<_> = objects.kinds().into_iter().filter(|name| name.contains(" /")).collect();
    assert_eq!(of_the_cluster, ["CustomResourceDefinition /mlpipelines.mlpipeline.dev"]);
    let everywhere = helm::objects(&json!({}));
    let role = everywhere.get("ClusterRole /mlpipeline-operator");
    for namespace in ["team-a", "team-b"] {
        assert_eq!(objects.get(&format!("Role {namespace}/mlpipeline-operator"))["rules"], role["rules"]);
        let binding = objects.get(&format!("RoleBinding {namespace}/mlpipeline-operator"));
        assert_eq!(binding["subjects"][0]["namespace"], helm::NAMESPACE);
        assert_eq!(binding["roleRef"]["kind"], "Role");
    }
}

/// Helm refuses to install what is another release's: so no two releases look after one namespace, or after the whole cluster.
#[test]
fn the_binding_in_a_namespace_has_the_same_name_in_every_release() {
    for values in [json!({}), json!({"fullnameOverride": "other"}), json!({"nameOverride": "ml"})] {
        assert!(helm::objects(&values).has("ClusterRoleBinding /mlpipeline-operator"), "{values}");
        let mut values = values;
        values["namespaces"] = json!(["team-a"]);
        let objects = helm::objects(&values);
        assert!(objects.has("RoleBinding team-a/mlpipeline-operator"), "{values}");
        assert!(objects.has("Role team-a/mlpipeline-operator"), "{values}");
    }
}

/// Helm adds maps to those of the chart, so a default of labels could never be left out, and without any label everybody could scrape.
#[test]
fn the_labels_of_who_may_scrape_are_those_that_are_set_and_never_none() {
    let default = json!({"metrics": "enabled"});
    for (labels, expected) in [
        (json!({}), &default),
        (json!({"metrics": null}), &default),
        (json!({"team": "ml"}), &json!({"team": "ml"})),
        (json!({"team": "ml", "metrics": "yes"}), &json!({"team": "ml", "metrics": "yes"})),
    ] {
        let values = json!({"networkPolicy": {"enabled": true, "metricsNamespaceLabels": labels}});
        let objects = helm::objects(&values);
        let name = format!("NetworkPolicy {}/mlpipeline-operator", helm::NAMESPACE);
        let from = &objects.get(&name)["spec"]["ingress"][0]["from"][0];
        assert_eq!(&from["namespaceSelector"]["matchLabels"], expected, "{values}");
    }
}

/// A Role does not aggregate and is bound by name: who may edit may also view.
#[test]
fn with_namespaces_the_roles_of_users_are_there_to_be_bound() {
    let (all, some) = (helm::objects(&json!({})), helm::objects(&json!({"namespaces": ["team-a"]})));
    let rules = |objects: &Objects, name: &str| objects.get(name)["rules"].as_array().unwrap().clone();
    let viewer = rules(&all, "ClusterRole /mlpipeline-viewer");
    let editor = rules(&all, "ClusterRole /mlpipeline-editor");
    assert_eq!(rules(&some, "Role team-a/mlpipeline-viewer"), viewer);
    assert_eq!(rules(&some, "Role team-a/mlpipeline-editor"), [viewer, editor].concat());
    let none = helm::objects(&json!({"namespaces": ["team-a"], "rbac": {"aggregateRoles": false}}));
    assert!(!none.has("Role team-a/mlpipeline-viewer"));
}

#[test]
fn without_rbac_create_no_role_and_no_binding_is_made_not_even_for_helm_test() {
    for namespaces in [json!([]), json!(["team-a"])] {
        let values = json!({"rbac": {"create": false}, "namespaces": namespaces});
        let all = super::objects::documents(&helm::render(&values));
        let kinds: Vec<&str> = all.iter().filter_map(|object| object["kind"].as_str()).collect();
        assert!(!kinds.iter().any(|kind| kind.contains("Role")), "{kinds:?}");
        assert!(kinds.contains(&"Pod"), "{kinds:?}");
    }
}

/// Where its image's Secrets are. Only the right to create a pipeline is in the team's namespace.
#[test]
fn the_pod_of_helm_test_runs_in_the_releases_namespace() {
    let all = super::objects::documents(&helm::render(&json!({"namespaces": ["team-a", "team-b"]})));
    let of_test = all.iter().filter(|object| object["metadata"]["name"] == "mlpipeline-test");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let places: Vec<_> =
        of_test.map(|object| (text(&object["kind"]), text(&object["metadata"]["namespace"]))).collect();
    let expected = [
        ("ServiceAccount", helm::NAMESPACE),
        ("Role", "team-a"),
        ("RoleBinding", "team-a"),
        ("Pod", helm::NAMESPACE),
    ];
    let expected = expected.map(|(kind, place)| (kind.to_owned(), place.to_owned()));
    assert_eq!(BTreeSet::from_iter(places), BTreeSet::from(expected));
    let binding = all
        .iter()
        .find(|object| object["kind"] == "RoleBinding" && object["metadata"]["name"] == "mlpipeline-test");
    assert_eq!(binding.unwrap()["subjects"][0]["namespace"], helm::NAMESPACE);
    let pod = all.iter().find(|object| object["kind"] == "Pod").unwrap();
    assert_eq!(pod["spec"]["containers"][0]["args"], json!(["check", "--namespace=team-a"]));
}

#[test]
fn the_lease_that_the_operator_takes_is_the_one_that_it_may_take() {
    for values in [json!({}), json!({"fullnameOverride": "other"}), json!({"nameOverride": "ml"})] {
        let objects = helm::objects(&values);
        let find = |kind: &str| objects.0.iter().find(|(name, _)| name.starts_with(kind)).unwrap().1;
        let role = find(&format!("Role {}/", helm::NAMESPACE));
        let lease = role["rules"][1]["resourceNames"][0].as_str().unwrap();
        let arguments = find("Deployment").pointer("/spec/template/spec/containers/0/args").unwrap();
        assert!(
            arguments.as_array().unwrap().contains(&format!("--lease-name={lease}").into()),
            "{arguments}"
        );
    }
}

#[test]
fn the_definition_is_kept_on_uninstall_unless_asked_otherwise() {
    let name = "CustomResourceDefinition /mlpipelines.mlpipeline.dev";
    let policy = |values: &Value| {
        helm::objects(values).get(name)["metadata"]["annotations"]["helm.sh/resource-policy"].clone()
    };
    assert_eq!(policy(&json!({})), "keep");
    assert_eq!(policy(&json!({"crds": {"keep": false}})), Value::Null);
    assert!(!helm::objects(&json!({"crds": {"enabled": false}})).has(name));
}

/// The Service and the PodMonitor would take the test's pod for a replica.
#[test]
fn the_pod_of_helm_test_is_selected_by_nothing_of_the_operators() {
    let all = super::objects::documents(&helm::render(&json!({})));
    let pod = all.iter().find(|object| object["kind"] == "Pod").unwrap();
    let service = all.iter().find(|object| object["kind"] == "Service").unwrap();
    let labels: BTreeSet<(String, String)> = pairs(&pod["metadata"]["labels"]);
    let selector = pairs(&service["spec"]["selector"]);
    assert!(!selector.is_subset(&labels), "{selector:?} selects {labels:?}");
}

fn pairs(map: &Value) -> BTreeSet<(String, String)> {
    map.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.to_string())).collect()
}
