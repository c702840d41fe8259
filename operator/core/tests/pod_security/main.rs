//! Whatever `pod` section is admitted: every pod that comes of it keeps the Pod Security Standard `restricted`, and more.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../simulator/mod.rs"]
mod simulator;
mod standard;

use std::collections::BTreeSet;

use mlpipeline_core::children::{BuildSettings, build};
use mlpipeline_core::validate::validate;
use mlpipeline_crds::MLPipeline;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use simulator::{Ending, World};
use standard::violations;

/// A pipeline in which each kind of child has pods, with a `pod` section for all steps and one for each.
fn resource(of_pipeline: &Value, of_step: &Value) -> Option<MLPipeline> {
    let steps = json!([
        {"name": "job", "run": {"image": "any"}},
        {"name": "nightly", "run": {"image": "any"}, "schedule": {"cron": "0 3 * * *"}},
        {"name": "web", "run": {"image": "any", "workload": "Deployment", "ports": [{"name": "http", "port": 80}]}},
        {"name": "store", "run": {"image": "any", "workload": "StatefulSet", "replicaVolume": {"size": "1Gi", "mountPath": "/store"}}},
        {"name": "agent", "run": {"image": "any", "workload": "DaemonSet"}},
        {"name": "files", "prepare": {"inputs": [{"name": "f", "uri": "file:in/*.csv"}], "continuous": {}}},
        {"name": "data", "prepare": {"sql": "SELECT 1 AS y"}},
        {"name": "train", "train": {"data": {"step": "data"}, "target": "y", "algorithm": {"logisticRegression": {}}}},
        {"name": "api", "serve": {"model": {"step": "train"}}},
    ]);
    let steps: Vec<Value> = steps
        .as_array()
        .into_iter()
        .flatten()
        .map(|step| {
            let mut step = step.clone();
            step["pod"] = of_step.clone();
            step
        })
        .collect();
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "p", "namespace": "ns", "uid": "u"},
        "spec": {"pod": of_pipeline, "steps": steps},
    });
    serde_json::from_value(resource).ok()
}

/// All pods that come of a pipeline until everything is done, with the kind of object that makes them.
fn pods(resource: MLPipeline, cluster_user_ids: bool) -> Vec<(String, Value)> {
    let settings = BuildSettings { worker_image: "worker:1".into(), cluster_user_ids };
    let mut world = World::new(resource);
    let mut found = Vec::new();
    for _ in 0..3 {
        let pipeline = world.pipeline().expect("it is admitted");
        for child in build(&pipeline, &world.plan(), &settings) {
            let child = json!(child);
            let object = &child["metadata"]["name"];
            let template =
                ["/spec/template", "/spec/jobTemplate/spec/template"].iter().find_map(|at| child.pointer(at));
            let kind = child["kind"].as_str().unwrap_or_default();
            found.extend(template.map(|template| (format!("{kind} {object}"), template.clone())));
        }
        world.apply();
        for step in ["job", "data", "train"] {
            if world.is_active(step) {
                world.finish(step, &Ending::usual());
            }
        }
    }
    found
}

/// What is asked for beyond the standard.
fn check(object: &str, template: &Value) -> Vec<String> {
    let mut found = violations(template);
    let pod = &template["spec"];
    for container in pod["containers"].as_array().into_iter().flatten() {
        if container["securityContext"]["readOnlyRootFilesystem"] != true {
            found.push("the root file system can be written".into());
        }
    }
    if pod["automountServiceAccountToken"] != false {
        found.push("the pod gets a token".into());
    }
    let labels = &template["metadata"]["labels"];
    if labels["mlpipeline.dev/pipeline"] != "p"
        || labels["app.kubernetes.io/managed-by"] != "mlpipeline-operator"
    {
        found.push(format!("it passes for another's: {labels}"));
    }
    found.into_iter().map(|problem| format!("{object}: {problem}")).collect()
}

/// Mostly what is admissible, so that the whole section often is.
fn mostly<T: Clone + std::fmt::Debug + 'static>(good: Vec<T>, bad: Vec<T>) -> impl Strategy<Value = T> {
    prop_oneof![15 => select(good), 1 => select(bad)]
}

fn map(pairs: impl Strategy<Value = (&'static str, &'static str)>) -> impl Strategy<Value = Value> {
    vec(pairs, 0..3).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    })
}

fn labels() -> impl Strategy<Value = Value> {
    let bad = vec![
        ("mlpipeline.dev/pipeline", "another"),
        ("app.kubernetes.io/managed-by", "another"),
        ("pod-security.kubernetes.io/enforce", "two words"),
    ];
    map(mostly(vec![("team", "data"), ("example.com/owner", "a"), ("app", "")], bad))
}

fn annotations() -> impl Strategy<Value = Value> {
    let bad = vec![
        ("container.apparmor.security.beta.kubernetes.io/step", "unconfined"),
        ("container.apparmor.security.beta.kubernetes.io/step", "runtime/default"),
        ("seccomp.security.alpha.kubernetes.io/pod", "unconfined"),
        ("container.seccomp.security.alpha.kubernetes.io/step", "unconfined"),
        ("mlpipeline.dev/model", "0123456789ab"),
    ];
    map(mostly(
        vec![
            ("example.com/owner", "a"),
            ("note", "privileged"),
            ("kubectl.kubernetes.io/default-container", "step"),
        ],
        bad,
    ))
}

/// The volumes a and b, as something, and where they are mounted.
fn volumes() -> impl Strategy<Value = (Value, Value)> {
    let source = || {
        mostly(
            vec![
                json!({"emptyDir": {}}),
                json!({"emptyDir": {"sizeLimit": "1Gi"}}),
                json!({"configMap": {"name": "c"}}),
                json!({"secret": {"name": "s", "defaultMode": 0o777}}),
                json!({"persistentVolumeClaim": {"claimName": "c"}}),
            ],
            vec![
                json!({"hostPath": {"path": "/"}}),
                json!({"emptyDir": {}, "secret": {"name": "s"}}),
                json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}}),
            ],
        )
    };
    let paths = mostly(
        vec!["/a", "/b/c", "/proc", "/var/run/secrets/kubernetes.io/serviceaccount", "/dev/termination-log"],
        vec!["/", "/storage", "/tmp/x", "/a:rw,exec", "../x"],
    );
    let mount =
        (select(vec!["a", "b"]), paths).prop_map(|(name, path)| json!({"name": name, "mountPath": path}));
    (source(), source(), mostly(vec!["b"], vec!["storage", "tmp", "a"]), vec(mount, 0..2)).prop_map(
        |(mut first, mut second, name, mounts)| {
            first["name"] = json!("a");
            second["name"] = json!(name);
            (json!([first, second]), json!(mounts))
        },
    )
}

fn variables() -> impl Strategy<Value = Value> {
    let names = mostly(
        vec!["A", "LD_PRELOAD", "PATH", "MLPIPELINE_MAX_DOWNLOAD", "POD_NAME"],
        vec!["MLPIPELINE_STORAGE", "=", ""],
    );
    let values = select(vec![
        json!({"value": "$(A)"}),
        json!({"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}),
        json!({"valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}),
    ]);
    let variable = (names, values).prop_map(|(name, mut value)| {
        value["name"] = json!(name);
        value
    });
    vec(variable, 0..2).prop_map(Value::from)
}

/// What a pod section of somebody's may be: mostly admissible, and with everything in it that could loosen a pod.
fn sections() -> impl Strategy<Value = Value> {
    let text = |good: &[&'static str], bad: &[&'static str]| {
        proptest::option::of(mostly(good.to_vec(), bad.to_vec()))
    };
    let others = (
        text(&["default", "admin"], &["Not A Name"]),
        text(&["system-node-critical", "low"], &["Not A Name"]),
        text(&["gvisor"], &[""]),
        text(&["Always", "Never"], &["Sometimes"]),
        // Fields that a pod has and this section has not: dropped or refused, never taken over.
        proptest::option::weighted(
            0.2,
            select(vec![
                ("hostNetwork", json!(true)),
                ("securityContext", json!({"runAsUser": 0})),
                ("hostPID", json!(true)),
                (
                    "initContainers",
                    json!([{"name": "x", "image": "x", "securityContext": {"privileged": true}}]),
                ),
                ("shareProcessNamespace", json!(true)),
            ]),
        ),
    );
    (labels(), annotations(), volumes(), variables(), others).prop_map(
        |(labels, annotations, (volumes, mounts), env, (account, priority, runtime, pull, foreign))| {
            let mut section = json!({
                "labels": labels, "annotations": annotations, "volumes": volumes, "mounts": mounts, "env": env,
            });
            for (field, value) in [("serviceAccountName", account), ("priorityClassName", priority), ("runtimeClassName", runtime), ("imagePullPolicy", pull)] {
                if let Some(value) = value {
                    section[field] = json!(value);
                }
            }
            if let Some((field, value)) = foreign {
                section[field] = value;
            }
            section
        },
    )
}

#[test]
fn every_kind_of_child_is_looked_at_and_keeps_the_standard() {
    let found = pods(resource(&json!({}), &json!({})).expect("a pipeline"), false);
    let kinds: BTreeSet<&str> = found.iter().filter_map(|(object, _)| object.split(' ').next()).collect();
    assert_eq!(kinds, BTreeSet::from(["CronJob", "DaemonSet", "Deployment", "Job", "StatefulSet"]));
    let objects: BTreeSet<&String> = found.iter().map(|(object, _)| object).collect();
    assert!(objects.len() >= 9, "a step has no pods: {objects:?}");
    for (object, template) in &found {
        assert_eq!(check(object, template), Vec::<String>::new());
    }
}

#[test]
fn d8_every_admissible_pod_section_gives_pods_that_keep_the_restricted_pod_security_standard() {
    let admitted = std::cell::Cell::new(0_u32);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    });
    let result =
        runner.run(&(sections(), sections(), any::<bool>()), |(of_pipeline, of_step, cluster_user_ids)| {
            let Some(resource) = resource(&of_pipeline, &of_step) else { return Ok(()) };
            if validate(&resource).is_err() {
                return Ok(());
            }
            admitted.set(admitted.get() + 1);
            for (object, template) in pods(resource, cluster_user_ids) {
                prop_assert_eq!(check(&object, &template), Vec::<String>::new());
            }
            Ok(())
        });
    result.expect("every pod keeps the standard");
    assert!(admitted.get() >= 40, "only {} of the sections were admitted", admitted.get());
}

#[test]
fn the_checker_finds_each_way_to_leave_the_standard() {
    let found = pods(resource(&json!({}), &json!({})).expect("a pipeline"), false);
    let good = &found.first().expect("a pod").1;
    let rows = [
        ("/spec/hostNetwork", json!(true)),
        ("/spec/hostPID", json!(true)),
        ("/spec/volumes", json!([{"name": "x", "hostPath": {"path": "/"}}])),
        ("/spec/initContainers", json!([{"name": "x"}])),
        ("/spec/securityContext/runAsUser", json!(0)),
        ("/spec/securityContext/sysctls", json!([{"name": "kernel.msgmax", "value": "1"}])),
        ("/spec/securityContext/seccompProfile", json!({"type": "Unconfined"})),
        ("/spec/securityContext/seccompProfile", json!(null)),
        ("/spec/securityContext/appArmorProfile", json!({"type": "Unconfined"})),
        ("/spec/securityContext/seLinuxOptions", json!({"type": "spc_t"})),
        ("/spec/containers/0/securityContext/privileged", json!(true)),
        ("/spec/containers/0/securityContext/allowPrivilegeEscalation", json!(null)),
        ("/spec/containers/0/securityContext/capabilities", json!({"drop": ["ALL"], "add": ["SYS_ADMIN"]})),
        ("/spec/containers/0/securityContext/capabilities", json!({"drop": ["KILL"]})),
        ("/spec/containers/0/securityContext/runAsNonRoot", json!(false)),
        ("/spec/containers/0/securityContext/procMount", json!("Unmasked")),
        ("/spec/containers/0/ports", json!([{"containerPort": 1, "hostPort": 80}])),
        ("/spec/containers/0/livenessProbe", json!({"httpGet": {"host": "elsewhere", "port": 80}})),
        (
            "/metadata/annotations",
            json!({"container.apparmor.security.beta.kubernetes.io/step": "unconfined"}),
        ),
    ];
    for (at, value) in rows {
        let mut bad = good.clone();
        let (parent, field) = at.rsplit_once('/').expect("a path");
        bad.pointer_mut(parent).expect("a part of the pod")[field] = value.clone();
        assert!(!violations(&bad).is_empty(), "{at} = {value}");
    }
}
