//! Drift: where an object differs from what was applied. Fields that others have added do not count.

use mlpipeline_core::quantity;
use serde_json::{Map, Value};

/// How many differences are reported: enough to see that there are some, and which.
const LIMIT: usize = 16;

/// Where an object differs from what was applied, each as "path: what was found". Empty without drift.
#[must_use]
pub(super) fn drift(desired: &Value, actual: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", desired, actual, &mut found);
    found
}

/// The path of a difference, without what was found there: that may be anybody's.
pub(super) fn path_of(difference: &str) -> String {
    difference.split_once(": ").map_or(difference, |(path, _)| path).to_owned()
}

fn compare(path: &str, desired: &Value, actual: &Value, found: &mut Vec<String>) {
    if found.len() >= LIMIT {
        return;
    }
    match (desired, actual) {
        (Value::Object(desired), Value::Object(actual)) => {
            for (key, wanted) in desired {
                compare(&format!("{path}.{key}"), wanted, actual.get(key).unwrap_or(&Value::Null), found);
            }
        }
        (Value::Array(desired), Value::Array(actual)) => compare_lists(path, desired, actual, found),
        (Value::String(desired), Value::String(actual))
            if is_amount(path) && quantity::same(desired, actual) => {}
        (Value::Number(desired), Value::Number(actual)) if desired.as_f64() == actual.as_f64() => {}
        // The API server leaves out what is empty.
        (desired, Value::Null) if is_empty(desired) => {}
        (desired, actual) if desired == actual => {}
        (_, actual) => found.push(format!("{path}: {actual}")),
    }
}

/// Lists that the API server merges by a key are compared by that key, and may hold more; all others must be equal.
fn compare_lists(path: &str, desired: &[Value], actual: &[Value], found: &mut Vec<String>) {
    let keys =
        desired.first().and_then(Value::as_object).map(|first| merge_keys(path, first)).unwrap_or_default();
    if keys.is_empty() {
        if desired.len() != actual.len() {
            found.push(format!("{path}: {}", Value::Array(actual.to_vec())));
            return;
        }
        for (at, (desired, actual)) in desired.iter().zip(actual).enumerate() {
            compare(&format!("{path}[{at}]"), desired, actual, found);
        }
        return;
    }
    for wanted in desired {
        let same = |candidate: &&Value| {
            keys.iter().all(|key| wanted.get(key).is_none_or(|wanted| candidate.get(key) == Some(wanted)))
        };
        let name = keys.iter().filter_map(|key| wanted.get(key)).map(Value::to_string).collect::<Vec<_>>();
        let path = format!("{path}[{}]", name.join(","));
        match actual.iter().find(same) {
            Some(actual) => compare(&path, wanted, actual, found),
            None => found.push(format!("{path}: null")),
        }
    }
}

/// The fields that identify the entries of a list: the API's list-map keys.
fn merge_keys(path: &str, first: &Map<String, Value>) -> &'static [&'static str] {
    let field = path.rsplit('.').next().unwrap_or_default();
    match field {
        "containers" | "initContainers" | "env" | "volumes" | "imagePullSecrets" => &["name"],
        "volumeMounts" => &["mountPath"],
        "ports" if first.contains_key("containerPort") => &["containerPort", "protocol"],
        "ports" => &["port", "protocol"],
        "ownerReferences" => &["uid"],
        "topologySpreadConstraints" => &["topologyKey", "whenUnsatisfiable"],
        _ => &[],
    }
}

/// Whether a path leads to an amount.
fn is_amount(path: &str) -> bool {
    [".requests.", ".limits.", ".sizeLimit"].iter().any(|part| path.contains(part))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn s9_what_others_add_is_no_drift() {
        let desired = json!({"metadata": {"labels": {"a": "1"}}, "spec": {"containers": [{"name": "worker", "image": "w"}]}});
        let actual = json!({
            "metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x/y"], "annotations": {"c": "d"}},
            "spec": {"replicas": 4, "containers": [{"name": "sidecar"}, {"name": "worker", "image": "w", "tty": false}]},
            "status": {"ready": 1},
        });
        assert_eq!(drift(&desired, &actual), Vec::<String>::new());
    }

    #[test]
    fn l6_what_somebody_changed_or_removed_is_drift() {
        let desired =
            json!({"spec": {"replicas": 2, "ports": [{"port": 80, "protocol": "TCP"}], "args": ["a", "b"]}});
        let table = [
            json!({"spec": {"replicas": 3, "ports": [{"port": 80, "protocol": "TCP"}], "args": ["a", "b"]}}),
            json!({"spec": {"ports": [{"port": 80, "protocol": "TCP"}], "args": ["a", "b"]}}),
            json!({"spec": {"replicas": 2, "ports": [{"port": 81, "protocol": "TCP"}], "args": ["a", "b"]}}),
            json!({"spec": {"replicas": 2, "ports": [{"port": 80, "protocol": "TCP"}], "args": ["b", "a"]}}),
            json!({"spec": {"replicas": 2, "ports": [{"port": 80, "protocol": "TCP"}], "args": ["a", "b", "c"]}}),
            json!({"spec": null}),
        ];
        for actual in table {
            assert!(!drift(&desired, &actual).is_empty(), "{actual}");
        }
    }

    #[test]
    fn amounts_are_compared_by_value_and_only_amounts() {
        let resources = |cpu: &str| json!({"resources": {"requests": {"cpu": cpu}}});
        assert!(drift(&resources("1000m"), &resources("1")).is_empty());
        assert!(!drift(&resources("1"), &resources("2")).is_empty());
        assert!(!drift(&json!({"image": "1000m"}), &json!({"image": "1"})).is_empty());
        let claim = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
        assert!(drift(&claim("1024Mi"), &claim("1Gi")).is_empty());
    }

    #[test]
    fn what_is_empty_may_be_left_out_by_the_server() {
        let desired = json!({"resources": {}, "env": [{"name": "A", "value": ""}], "list": []});
        assert!(drift(&desired, &json!({"env": [{"name": "A"}]})).is_empty());
        assert!(!drift(&json!({"suspend": false}), &json!({})).is_empty());
    }

    #[test]
    fn a_difference_is_named_without_what_was_found() {
        let found = drift(
            &json!({"env": [{"name": "A", "value": "1"}]}),
            &json!({"env": [{"name": "A", "value": "a: b"}]}),
        );
        assert_eq!(found.iter().map(|found| path_of(found)).collect::<Vec<_>>(), [r#".env["A"].value"#]);
    }

    #[test]
    fn the_number_of_differences_is_bounded() {
        let desired: Map<String, Value> = (0..100).map(|at| (format!("k{at}"), json!(at))).collect();
        assert_eq!(drift(&Value::Object(desired), &json!({})).len(), LIMIT);
    }
}
