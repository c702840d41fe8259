//! Settings of pods, drawn: all of them can be had on the bed's nodes.

use serde_json::{Map, Value, json};

use super::draw::Draw;

/// Each field with values that it may have.
fn fields() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        (
            "env",
            vec![
                json!([{"name": "PLAIN", "value": "1"}]),
                json!([{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]),
                json!([{"name": "PLAIN", "value": ""}, {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "k", "optional": true}}}]),
            ],
        ),
        (
            "envFrom",
            vec![
                json!([{"configMapRef": {"name": "settings", "optional": true}}]),
                json!([{"prefix": "A_", "secretRef": {"name": "keys", "optional": true}}]),
            ],
        ),
        (
            "resources",
            vec![
                json!({"requests": {"cpu": "10m", "memory": "1Mi"}}),
                json!({"requests": {"cpu": "10m"}, "limits": {"cpu": "1", "memory": "64Mi"}}),
                json!({"limits": {"cpu": "20m"}}),
            ],
        ),
        ("nodeSelector", vec![json!({"pool": "ml"})]),
        (
            "tolerations",
            vec![
                json!([{"operator": "Exists"}]),
                json!([{"key": "dedicated", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}]),
                json!([{"key": "slow", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}]),
            ],
        ),
        (
            "affinity",
            vec![
                json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "preference": {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}},
                ]}}),
                json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "pool", "operator": "Exists"}]},
                ]}}}),
                json!({"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 9, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"team": "ml"}}}},
                ]}}),
            ],
        ),
        (
            "topologySpreadConstraints",
            vec![
                json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}]),
                json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}]),
                json!([{"maxSkew": 2, "topologyKey": "pool", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"team": "ml"}}}]),
            ],
        ),
        ("priorityClassName", vec![json!("high")]),
        ("imagePullPolicy", vec![json!("Always"), json!("IfNotPresent"), json!("Never")]),
        (
            "imagePullSecrets",
            vec![json!([{"name": "registry"}]), json!([{"name": "registry"}, {"name": "other"}])],
        ),
        ("serviceAccountName", vec![json!("worker")]),
        ("labels", vec![json!({"team": "ml"}), json!({"team": "ml", "example.com/cost": "a.b"})]),
        (
            "annotations",
            vec![json!({"example.com/note": "true"}), json!({"sidecar.istio.io/inject": "false"})],
        ),
    ]
}

/// Volumes beside the pipeline's, each with its mount.
fn volumes() -> Vec<(Value, Value)> {
    vec![
        (json!({"name": "scratch", "emptyDir": {}}), json!({"name": "scratch", "mountPath": "/scratch"})),
        (
            json!({"name": "small", "emptyDir": {"sizeLimit": "10Mi"}}),
            json!({"name": "small", "mountPath": "/small", "readOnly": true}),
        ),
        (
            json!({"name": "settings", "configMap": {"name": "settings", "defaultMode": 292}}),
            json!({"name": "settings", "mountPath": "/etc/settings"}),
        ),
        (
            json!({"name": "keys", "secret": {"name": "keys"}}),
            json!({"name": "keys", "mountPath": "/etc/keys", "readOnly": true}),
        ),
    ]
}

/// Some fields, each in so many of a hundred cases.
pub fn settings(draw: &mut Draw, percent: usize) -> Option<Value> {
    let mut settings = Map::new();
    for (name, values) in fields() {
        if draw.happens(percent) {
            settings.insert(name.to_owned(), draw.one_of(&values));
        }
    }
    let (volumes, mounts): (Vec<Value>, Vec<Value>) =
        volumes().into_iter().filter(|_| draw.happens(percent)).unzip();
    if !volumes.is_empty() {
        settings.insert("volumes".to_owned(), json!(volumes));
        settings.insert("mounts".to_owned(), json!(mounts));
    }
    (!settings.is_empty()).then_some(Value::Object(settings))
}
