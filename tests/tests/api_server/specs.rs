//! Specs of the pipelines that the tests of the operator apply.

use serde_json::{Value, json};

/// The storage of a pipeline whose volume many nodes can mount, so that its pods have a PodDisruptionBudget.
pub fn storage() -> Value {
    json!({"volume": {"accessModes": ["ReadWriteMany"]}})
}

/// A pipeline with nearly every kind of child.
pub fn crash_course() -> Value {
    json!({"storage": storage(), "steps": [
        {"name": "data", "prepare": {"inputs": [{"name": "iris", "uri": "http://files/iris.csv"}]}},
        {"name": "train", "train": {
            "data": {"step": "data"}, "target": "species",
            "algorithm": {"logisticRegression": {"maxIterations": 200}}, "gate": {"metric": "accuracy", "min": 0.9},
        }},
        {"name": "api", "pod": {"resources": {"requests": {"cpu": "1000m", "memory": "128Mi"}}}, "serve": {
            "model": {"step": "train"}, "autoscaling": {"minReplicas": 2, "maxReplicas": 5},
            "service": {"type": "ClusterIP", "port": 80},
            "ingress": {"host": "iris.example.com"},
        }},
        {"name": "nightly", "schedule": {"cron": "0 2 * * *"}, "score": {"model": {"step": "train"}, "input": {"step": "data"}}},
    ]})
}

/// The same without an autoscaler. Here no metrics ever come, and two minutes after it was made the status reports that.
pub fn crash_course_without_autoscaler() -> Value {
    let mut spec = crash_course();
    let serve = spec.pointer_mut("/steps/2/serve").unwrap().as_object_mut().unwrap();
    serve.remove("autoscaling").unwrap();
    serve.insert("replicas".to_owned(), json!(2));
    spec
}

/// Runs of one pod, one after the other.
pub fn chain(length: usize) -> Value {
    let step = |at: usize| {
        let after: Vec<String> = (at > 0).then(|| format!("s{}", at - 1)).into_iter().collect();
        json!({"name": format!("s{at}"), "run": {"image": "none"}, "after": after})
    };
    json!({"steps": (0..length).map(step).collect::<Vec<Value>>()})
}

/// The same in the place of [`crash_course`], on its storage: the claim that is there stays as it is.
pub fn chain_of_crash_course(length: usize) -> Value {
    let mut spec = chain(length);
    spec["storage"] = storage();
    spec
}
