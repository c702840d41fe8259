use serde_json::{Value, json};

use super::super::yaml::read_documents;
use super::{Complaint, SCHEMA, check};

/// The schema as this build needs it: without texts and rules, and with the metadata that every object has.
fn derived() -> Value {
    let mut schema = mlpipeline_crds::pipeline_schema();
    strip(&mut schema);
    let text = json!({ "type": "string" });
    let texts = json!({ "type": "object", "additionalProperties": text });
    let maps = json!({ "type": "array", "items": { "type": "object", "additionalProperties": {} } });
    schema["properties"]["apiVersion"] = text.clone();
    schema["properties"]["kind"] = text.clone();
    schema["properties"]["metadata"] = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": text, "namespace": text, "labels": texts, "annotations": texts,
            "generateName": text, "uid": text, "resourceVersion": text, "generation": { "type": "integer" },
            "creationTimestamp": text, "deletionTimestamp": text, "deletionGracePeriodSeconds": { "type": "integer" },
            "finalizers": { "type": "array", "items": text }, "ownerReferences": maps, "managedFields": maps,
            "selfLink": text,
        },
    });
    schema["required"] = json!(["apiVersion", "kind", "metadata", "spec"]);
    schema
}

fn strip(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for key in ["default", "description", "title", "x-kubernetes-validations"] {
        object.remove(key);
    }
    for key in ["items", "additionalProperties"] {
        object.get_mut(key).into_iter().for_each(strip);
    }
    let properties = object.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(|properties| properties.values_mut()).for_each(strip);
}

#[test]
fn the_committed_schema_is_the_derived_one() {
    let derived = derived();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/manifest/schema.json");
        std::fs::write(path, derived.to_string() + "\n").expect("the schema is written");
        return;
    }
    // As text: reading a number and writing it again may change its last digit.
    assert!(
        SCHEMA.trim_end() == format!("{derived}"),
        "cli/src/manifest/schema.json is stale: run make generate"
    );
}

#[test]
fn every_pattern_of_the_schema_compiles() {
    fn walk(schema: &Value) {
        if let Some(pattern) = schema["pattern"].as_str() {
            regex::Regex::new(pattern).expect(pattern);
        }
        schema.as_object().into_iter().flat_map(|object| object.values()).for_each(walk);
    }
    walk(&serde_json::from_str(SCHEMA).expect("a schema"));
}

fn complaints(steps: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\nmetadata: {{name: p}}\nspec:\n  steps:\n  - {steps}\n"
    );
    let node = read_documents(text.as_bytes()).remove(0).expect("YAML");
    let show = |complaint: Complaint| {
        let path = complaint.path.strip_prefix("spec.steps[0].").unwrap_or(&complaint.path).to_owned();
        let hint = complaint.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{path} {}{hint}", complaint.problem)
    };
    check(&node).into_iter().map(show).collect()
}

/// Steps, and the whole of what is said about them.
const MISFITS: [(&str, &[&str]); 39] = [
    ("{name: a, run: {image: x}, retries: 3}", &[]),
    ("{name: a, run: {image: x}, retrys: 3}", &["retrys is not a known field; did you mean retries?"]),
    (
        "{name: a, run: {image: x}, timeoutSeconds: 3}",
        &["timeoutSeconds is not a known field; did you mean timeout?"],
    ),
    (
        "{name: a, run: {image: x}, pod: {env_from: []}}",
        &["pod.env_from is not a known field; did you mean envFrom?"],
    ),
    (
        "{name: a, run: {image: x}, retries: many}",
        &["retries is the text \"many\"; a whole number is needed"],
    ),
    (
        "{name: a, run: {image: x}, retries: '3'}",
        &["retries is the text \"3\"; a whole number is needed; remove the quotes"],
    ),
    ("{name: a, run: {image: x}, retries: 1.5}", &["retries is the number 1.5; a whole number is needed"]),
    ("{name: a, run: {image: x}, retries: 101}", &["retries is 101; 0 to 100 is allowed"]),
    (
        "{name: a, run: {image: x}, retries: 99999999999}",
        &["retries is 99999999999; -2147483648 to 2147483647 is allowed"],
    ),
    (
        "{name: a, run: {image: x}, retries: 99999999999999999999999}",
        &["retries is the number 1e23; a whole number is needed"],
    ),
    ("{name: a, run: {image: x}, retries: 2.0, parallelism: 1e+01}", &[]),
    (
        "{name: a, run: {image: x}, retries: 1e3, pod: {resources: {limits: {cpu: 2.0}}}}",
        &["retries is 1000; 0 to 100 is allowed"],
    ),
    (
        "{name: a, run: {image: x}, pod: {labels: {yes: a, 1.50: b, 1: c, 'no': d, ~: e}}}",
        &[
            "pod.labels.yes is read as \"true\" by Kubernetes; put the key in quotes: \"yes\"",
            "pod.labels.1.50 is read as \"1.5\" by Kubernetes; put the key in quotes: \"1.50\"",
            "pod.labels.~ is an empty key, which Kubernetes refuses; name the entry, in quotes",
        ],
    ),
    ("{name: a, run: {image: x}, pod: {volumes: [{name: v, secret: {name: s, defaultMode: 0444}}]}}", &[]),
    (
        "{name: a, train: {data: data, target: z, algorithm: {linearRegression: {}}}}",
        &["train.data is the text \"data\"; a map is needed; write data: {step: data}"],
    ),
    (
        "{name: a, train: {data: 'file:a.csv', target: z, algorithm: {linearRegression: {}}}}",
        &["train.data is the text \"file:a.csv\"; a map is needed; write data: {uri: \"file:a.csv\"}"],
    ),
    (
        "{name: a, train: {data: {step: b}, target: z, algorithm: randomForest}}",
        &[
            "train.algorithm is the text \"randomForest\"; a map is needed; write algorithm: {randomForest: {}}",
        ],
    ),
    (
        "{name: a, train: {data: {step: b}, target: z, algorithm: {gradientBoosting: {loss: 1, monotonicConstraints: {area: 1, age: up, rooms: true}}}}}",
        &[
            "train.algorithm.gradientBoosting.loss is the number 1; squaredError, absoluteError, quantile or poisson is needed",
            "train.algorithm.gradientBoosting.monotonicConstraints.area is the number 1; increasing or decreasing is needed",
            "train.algorithm.gradientBoosting.monotonicConstraints.age is \"up\"; increasing or decreasing is needed",
            "train.algorithm.gradientBoosting.monotonicConstraints.rooms is true; increasing or decreasing is needed",
        ],
    ),
    (
        "{name: a, train: {data: {step: b}, target: z, algorithm: {gradientBoosting: {validationFraction: 1e300}}}}",
        &["train.algorithm.gradientBoosting.validationFraction is 1e300; 0 to 1 is allowed"],
    ),
    (
        "{name: a, train: {data: {step: b}, target: z, algorithm: {linearRegression: {}}, split: 0.2}}",
        &["train.split is the number 0.2; a map is needed; write split: {test: 0.2}"],
    ),
    (
        "{name: a, run: {image: x, command: python train.py}, schedule: 0 2 * * *, timeout: 3600}",
        &[
            "run.command is the text \"python train.py\"; a list is needed; write each word as an item: [\"python\", \"train.py\"]",
            "schedule is the text \"0 2 * * *\"; a map is needed; write schedule: {cron: \"0 2 * * *\"}",
            "timeout is the number 3600; text is needed; write it with its unit: \"3600s\"",
        ],
    ),
    (
        "{name: a, run: {image: x}, pod: {imagePullSecrets: [regcred]}}",
        &["pod.imagePullSecrets[0] is the text \"regcred\"; a map is needed; write {name: regcred}"],
    ),
    (
        "{name: a, serve: {model: train}}",
        &["serve.model is the text \"train\"; a map is needed; write model: {step: train}"],
    ),
    (
        "{name: a, run: {image: x}, pod: {image: y}}",
        &[
            "pod.image is not a known field; the image of a run step is named in run.image, and that of all other steps in spec.image",
        ],
    ),
    ("{name: a, run: {image: 5}}", &["run.image is the number 5; text is needed; put it in quotes"]),
    ("{name: a, run: {image: }}", &["run.image is empty; text is needed; give it a value"]),
    ("{name: a, run: {image: x, args: }, train: , pod: {env: , labels: {a: }}}", &[]),
    ("{name: a, run: {image: x, args: [x, ~]}}", &["run.args[1] is empty; text is needed; give it a value"]),
    (
        "{name: a, run: {image: x}, pod: {resources: {limits: {cpu: many, memory: 1gi, x: -1, z: ''}}}}",
        &[
            "pod.resources.limits.cpu is \"many\"; an amount such as 2, 500m or 1.5Gi is needed",
            "pod.resources.limits.memory is \"1gi\"; an amount such as 2, 500m or 1.5Gi is needed",
            "pod.resources.limits.x is -1; 0 or more is allowed",
            "pod.resources.limits.z is \"\"; an amount such as 2, 500m or 1.5Gi is needed",
        ],
    ),
    ("{name: a, run: {}}", &["run.image is missing; text is needed"]),
    ("{name: a, run: x}", &["run is the text \"x\"; a map is needed; write run: {image: x}"]),
    (
        "{name: a, run: {image: x, args: z}}",
        &["run.args is the text \"z\"; a list is needed; write it as an item: [\"z\"]"],
    ),
    (
        "{name: a, run: {image: x, args: {}}}",
        &["run.args is a map; a list is needed; begin each item with a dash"],
    ),
    (
        "{name: a, run: {image: x, workload: Deploymnt}}",
        &[
            "run.workload is \"Deploymnt\"; Job, Deployment, StatefulSet or DaemonSet is needed; did you mean Deployment?",
        ],
    ),
    (
        "{name: a, train: {data: {step: b}, target: z, algorithm: {linearRegression: {alpha: .nan}}}}",
        &["train.algorithm.linearRegression.alpha is the number NaN; a number is needed"],
    ),
    ("{name: A, run: {image: x}}", &["name \"A\" does not match ^[a-z]([-a-z0-9]*[a-z0-9])?$"]),
    (
        "{name: a, run: {image: x}, pod: {env: [{name: X, value: yes}]}}",
        &["pod.env[0].value is true; text is needed; put it in quotes"],
    ),
    (
        "{name: a, run: {image: x}, pod: {env: [{name: X}, {name: X}]}}",
        &["pod.env[1].name \"X\" is the name of an earlier item too"],
    ),
    (
        "{name: a, run: {image: x}, pod: {resources: {limits: {cpu: 500m, memory: 1Gi, nvidia.com/gpu: 1}, requests: {cpu: 0.5}}}}",
        &["pod.resources.requests.cpu is the number 0.5; text or a whole number is needed; put it in quotes"],
    ),
];

#[test]
fn values_that_do_not_fit_are_named_with_what_would() {
    for (steps, expected) in MISFITS {
        assert_eq!(complaints(steps), expected, "{steps}");
    }
}

#[test]
fn lists_beyond_their_bound_are_one_complaint() {
    let args = vec!["5"; 65].join(", ");
    assert_eq!(
        complaints(&format!("{{name: a, run: {{image: x, args: [{args}]}}}}")),
        ["run.args has 65 items; at most 64 are allowed"]
    );
}
