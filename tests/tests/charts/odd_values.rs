//! Values that are allowed and odd: what they render is still what Kubernetes takes.

use std::fs;

use serde_json::{Value, json};

use super::helm::{self, MONITORING, NAMESPACE, chart, try_render_as};
use super::judges::{NEWEST, kubeconform, local_schemas};
use super::monitoring;
use super::objects::{Objects, documents};

/// Texts that YAML takes for something else where they are not quoted, and that are right as names.
const NAMES: [&str; 8] = ["123", "true", "null", "no", "1e3", "0x10", "012", "1.5"];

/// Each row is rendered; kubeconform takes all of it.
fn table() -> Vec<Value> {
    let names = NAMES.map(|name| {
        json!({
            "serviceAccount": {"name": name}, "priorityClassName": name, "imagePullSecrets": [{"name": name}],
            "commonLabels": {"a": name}, "podLabels": {"b": name}, "image": {"tag": name},
        })
    });
    [names_images_and_labels(), pods(), optional_objects(), names.to_vec()].concat()
}

fn names_images_and_labels() -> Vec<Value> {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    vec![
        json!({"namespaces": ["123"]}),
        json!({"namespaces": ["true", "null", "1e3"], "tenantPolicy": {"enabled": true}}),
        json!({"namespaces": [NAMESPACE]}),
        json!({"namespaces": ["a".repeat(63)]}),
        json!({"namespaces": ["a"], "rbac": {"create": false}}),
        json!({"namespaces": ["a"], "rbac": {"aggregateRoles": false}}),
        json!({"namespaces": ["a"], "serviceAccount": {"create": false, "name": "1"}}),
        json!({"nameOverride": "true"}),
        json!({"nameOverride": "a".repeat(40)}),
        json!({"fullnameOverride": "a".repeat(40)}),
        json!({"fullnameOverride": "123", "metricsService": {"enabled": false}}),
        json!({"fullnameOverride": format!("{}-b", "a".repeat(38))}),
        json!({"image": {"repository": "12", "tag": "30"}, "workerImage": {"repository": "12", "tag": "30"}}),
        json!({"image": {"repository": "reg:5000/a/b", "tag": "1.10"}}),
        json!({"image": {"repository": "[::1]:5000/a", "digest": digest, "tag": "ignored"}}),
        json!({"image": {"tag": "1e3"}, "workerImage": {"tag": "007"}}),
        json!({"workerImage": {"digest": digest}}),
        json!({"imagePullSecrets": [{"name": "123"}, {"name": "true"}]}),
        json!({"commonLabels": {"app.kubernetes.io/part-of": "x"}}),
        json!({"commonLabels": {"app.kubernetes.io/name": "x", "app.kubernetes.io/instance": "y"}}),
        json!({"commonLabels": {"app.kubernetes.io/component": "x", "app.kubernetes.io/managed-by": "y"}}),
        json!({"commonLabels": {"app.kubernetes.io/version": "1", "helm.sh/chart": "2"}}),
        json!({"podLabels": {"app.kubernetes.io/name": "x", "app.kubernetes.io/part-of": "y"}}),
        json!({"commonLabels": {"team": "1"}, "podLabels": {"team": "2"}}),
        json!({"commonLabels": {"on": "off", "empty": "", "true": "true"}}),
        json!({"commonLabels": {"gone": null}, "podLabels": {"gone": null}, "nodeSelector": {"gone": null}}),
        json!({"commonAnnotations": {"a": "123", "b": "true", "c": "", "d": "x: y # z", "e": "a\nb", "f": null}}),
        json!({"podAnnotations": {"checksum/config": "0123"}, "deploymentAnnotations": {"a": "- b"}}),
        json!({"commonAnnotations": {"helm.sh/resource-policy": "delete"}}),
        json!({"serviceAccount": {"annotations": {"role": "1"}}}),
    ]
}

fn pods() -> Vec<Value> {
    let spread = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"});
    let mut own_spread = spread.clone();
    own_spread["labelSelector"] = json!({"matchLabels": {"team": "1"}});
    let mut null_spread = spread.clone();
    null_spread["labelSelector"] = Value::Null;
    vec![
        json!({"replicas": 1, "podDisruptionBudget": {"maxUnavailable": "100%"}}),
        json!({"replicas": 10, "podDisruptionBudget": {"maxUnavailable": 9}}),
        json!({"replicas": 2.0}),
        json!({"operator": {"concurrency": 65_535, "logFormat": "json", "clusterUserIds": true}}),
        json!({"operator": {"concurrency": 7.0, "clusterUserIds": false}}),
        json!({"operator": {"concurrency": null, "logFormat": null, "clusterUserIds": null, "otlpEndpoint": null}}),
        json!({"operator": {"otlpEndpoint": "http://a:4318/x?y='z'#\"w\" : -"}}),
        json!({"operator": {"otlpEndpoint": ""}}),
        json!({"extraArgs": ["123", "true", "--x=\"y\"", "--z: w", "- a", "#"]}),
        json!({"extraEnv": [{"name": "A", "value": "1"}, {"name": "B", "value": ""}, {"name": "C"}]}),
        json!({"extraEnv": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
        json!({"extraEnvFrom": [{"secretRef": {"name": "123", "optional": true}, "prefix": "1"}]}),
        json!({
            "extraVolumes": [{"name": "123", "emptyDir": {}}],
            "extraVolumeMounts": [{"name": "123", "mountPath": "/1", "subPath": "true"}],
        }),
        json!({"nodeSelector": {"a": "true", "b": "1"}}),
        json!({"tolerations": [{"operator": "Exists"}, {"key": "a", "value": "1", "tolerationSeconds": 5, "effect": "NoExecute"}]}),
        json!({"tolerations": [{"operator": "Exists", "key": "a", "effect": ""}]}),
        json!({"global": {"imageRegistry": "registry.example.com", "other": {}}}),
        json!({"affinity": {"nodeAffinity": null, "podAffinity": {}}}),
        json!({"topologySpreadConstraints": [spread, own_spread, null_spread]}),
        json!({"resources": {"limits": null, "requests": {"cpu": 1, "memory": "1Gi"}}}),
        json!({"resources": {"limits": {"cpu": 0.5, "memory": 1_000_000_000}, "claims": null}}),
        json!({"podSecurityContext": {"runAsUser": null, "runAsGroup": null}, "operator": {"clusterUserIds": true}}),
        json!({"podSecurityContext": {"fsGroup": 1, "supplementalGroups": [1, 2]}}),
        json!({"securityContext": {"capabilities": {"drop": ["ALL"], "add": []}}}),
    ]
}

fn optional_objects() -> Vec<Value> {
    vec![
        json!({"podMonitor": {"enabled": true, "interval": "1h30m", "labels": {"release": "123"}}}),
        json!({"serviceMonitor": {"enabled": true, "interval": "1d", "labels": {"app.kubernetes.io/name": "1"}}}),
        json!({"prometheusRule": {"enabled": true, "alertLabels": {"severity": "1", "team": "true", "gone": null}}}),
        json!({"grafanaDashboard": {"enabled": true, "namespace": "123", "labels": {"grafana_dashboard": null, "a": "1"}}}),
        json!({"grafanaDashboard": {"enabled": true, "namespace": null, "annotations": {"folder": "1"}}}),
        json!({"networkPolicy": {"enabled": true, "metricsNamespaceLabels": {"metrics": null}}}),
        json!({"networkPolicy": {"enabled": true, "metricsNamespaceLabels": {"a": "true"}}}),
        json!({"tenantPolicy": {"enabled": true, "limits": {"workloads": null, "hostPorts": "true", "images": "1", "maxVolumeSize": "10"}}}),
        json!({"tenantPolicy": {"enabled": true, "limits": null}}),
        json!({"global": null, "crds": {"keep": false}}),
        json!({"rbac": {"create": false, "aggregateRoles": true}}),
        json!({"serviceAccount": {"create": false}}),
    ]
}

/// What must hold of every release, whatever its values are.
fn check(values: &Value, text: &str) -> Objects {
    // A key that is there twice is an error already here.
    let objects = Objects::new(documents(text));
    let deployment = objects.0.iter().find(|(name, _)| name.starts_with("Deployment ")).unwrap().1;
    let labels = deployment.pointer("/spec/template/metadata/labels").unwrap().as_object().unwrap();
    for (key, value) in deployment.pointer("/spec/selector/matchLabels").unwrap().as_object().unwrap() {
        assert_eq!(labels.get(key), Some(value), "{values}: pods have the labels that select them");
    }
    for (name, object) in &objects.0 {
        let length = object["metadata"]["name"].as_str().unwrap_or_else(|| panic!("{values}: {name}")).len();
        assert!(length <= 63, "{values}: {name}");
        let component = &object["metadata"]["labels"]["app.kubernetes.io/component"];
        assert!(component == "operator" || component == "test", "{values}: {name}: {component}");
    }
    objects
}

#[test]
fn what_is_rendered_of_odd_values_is_what_kubernetes_takes() {
    let folder = tempfile::tempdir().unwrap();
    local_schemas(NEWEST, folder.path());
    let others = tempfile::tempdir().unwrap();
    monitoring::schemas(others.path());
    for file in fs::read_dir(others.path()).unwrap().flatten() {
        let kind = file.path().file_stem().unwrap().to_str().unwrap().to_owned();
        fs::copy(file.path(), folder.path().join(format!("{kind}-monitoring-v1.json"))).unwrap();
    }
    let mut files = Vec::new();
    let mut judge = |release: &str, namespace: &str, values: &Value| {
        let text = try_render_as(release, namespace, values, &[MONITORING]);
        let text = text.unwrap_or_else(|problem| panic!("{values}: {problem}"));
        check(values, &text);
        let file = folder.path().join(format!("{}.yaml", files.len()));
        fs::write(&file, text).unwrap();
        files.push(file.display().to_string());
    };
    for mut values in table() {
        // The definition is judged elsewhere, and takes longer than all the rest.
        if values.get("crds").is_none() {
            values["crds"] = json!({"enabled": false});
        }
        judge("mlpipeline", NAMESPACE, &values);
    }
    let values =
        json!({"crds": {"enabled": false}, "fullnameOverride": "a", "tenantPolicy": {"enabled": true}});
    for name in NAMES {
        judge(name, &name.replace('.', "-"), &values);
    }
    let without = json!({"crds": {"enabled": false}, "namespaces": ["a"]});
    for release in ["a.b", "x1", &format!("a{}", "b".repeat(52))] {
        judge(release, NAMESPACE, &without);
    }
    kubeconform(folder.path(), &files.iter().map(String::as_str).collect::<Vec<_>>());
}

/// As a `values.yaml` says it in which a line was left blank, and `--reuse-values` after an upgrade that brought a value.
#[test]
fn a_value_that_is_null_is_its_default() {
    let text = fs::read_to_string(chart().join("values.yaml")).unwrap();
    let defaults: Value = serde_saphyr::from_str(&text).unwrap();
    let all = json!({
        "podMonitor": {"enabled": true}, "prometheusRule": {"enabled": true}, "grafanaDashboard": {"enabled": true},
        "networkPolicy": {"enabled": true}, "tenantPolicy": {"enabled": true},
    });
    let (expected, usual) = (helm::render(&all), helm::render(&json!({})));
    let (mut outer, mut within, mut sections) = (all.clone(), all.clone(), json!({}));
    for (key, default) in defaults.as_object().unwrap() {
        let part = if all.get(key).is_none() { &mut outer } else { &mut sections };
        part[key] = Value::Null;
        // What Kubernetes reads as it is has entries that can be left out, and no defaults within.
        if ["resources", "podSecurityContext", "securityContext"].contains(&key.as_str()) {
            continue;
        }
        for inner in default.as_object().into_iter().flatten().map(|(inner, _)| inner) {
            if all[key].get(inner).is_none() {
                within[key][inner] = Value::Null;
            }
        }
    }
    for (values, expected) in [(outer, &expected), (within, &expected), (sections, &usual)] {
        assert!(helm::render(&values) == *expected, "{values}");
    }
}

#[test]
fn labels_of_values_never_change_what_the_operator_is_selected_by() {
    let wrong = json!({
        "app.kubernetes.io/name": "x", "app.kubernetes.io/instance": "x", "app.kubernetes.io/component": "x",
        "app.kubernetes.io/part-of": "platform", "team": "ml",
    });
    let objects = helm::objects(&json!({"commonLabels": wrong, "podLabels": {"team": "data"}}));
    let deployment = objects.get(&format!("Deployment {NAMESPACE}/mlpipeline-operator"));
    let of_pods = deployment.pointer("/spec/template/metadata/labels").unwrap();
    for (labels, team) in [(&deployment["metadata"]["labels"], "ml"), (of_pods, "data")] {
        for (key, value) in [
            ("app.kubernetes.io/name", "mlpipeline-operator"),
            ("app.kubernetes.io/instance", "mlpipeline"),
            ("app.kubernetes.io/component", "operator"),
            ("app.kubernetes.io/part-of", "platform"),
            ("team", team),
        ] {
            assert_eq!(labels[key], value, "{key}");
        }
    }
}

/// Two of them may have the same name, each in a namespace of its own.
#[test]
fn the_policies_of_releases_for_some_namespaces_have_names_of_their_own() {
    let policy = json!({"tenantPolicy": {"enabled": true}});
    let some = json!({"namespaces": ["a"], "tenantPolicy": {"enabled": true}});
    let (one, several) = (helm::objects(&policy), helm::objects(&some));
    one.get("ValidatingAdmissionPolicy /mlpipeline-tenant-policy");
    let name = format!("mlpipeline-tenant-policy-{NAMESPACE}");
    several.get(&format!("ValidatingAdmissionPolicy /{name}"));
    let binding = several.get(&format!("ValidatingAdmissionPolicyBinding /{name}"));
    assert_eq!(binding["spec"]["policyName"], name.as_str());
    assert_eq!(binding["spec"]["paramRef"]["name"], "mlpipeline-tenant-policy");
}

#[test]
fn a_spread_with_a_selector_of_its_own_has_that_alone() {
    let spread = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"});
    let mut own = spread.clone();
    own["labelSelector"] = json!({"matchLabels": {"team": "ml"}});
    let objects = helm::objects(&json!({"topologySpreadConstraints": [spread, own]}));
    let deployment = objects.get(&format!("Deployment {NAMESPACE}/mlpipeline-operator"));
    let spreads = deployment.pointer("/spec/template/spec/topologySpreadConstraints").unwrap();
    assert_eq!(spreads[0]["labelSelector"], deployment["spec"]["selector"]);
    assert_eq!(spreads[1], own);
}
