//! An optional field that is set, takes effect, and is removed again leaves its children as if it had never been set (L5).

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::rbac::v1::PolicyRule;
use kube::ResourceExt;
use kube::api::ListParams;
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};
use super::shipped_roles::shipped_role;
use super::specs::crash_course;

/// What the children that are applied ask for, by kind and name.
async fn wanted(bed: &Bed) -> BTreeMap<String, Value> {
    let mut wanted = BTreeMap::new();
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_applied()) {
        let ours = ListParams::default().labels("app.kubernetes.io/managed-by=mlpipeline-operator");
        for object in bed.children(kind).list(&ours).await.unwrap() {
            let mut annotations = object.annotations().clone();
            // Their controllers count roll-outs.
            annotations.remove("deployment.kubernetes.io/revision");
            annotations.remove("deprecated.daemonset.template.generation");
            let mut asked = json!({
                "labels": object.labels(), "annotations": annotations, "spec": object.data.get("spec"), "data": object.data.get("data"),
                "owners": object.owner_references(),
            });
            // The replicas of this Deployment are the autoscaler's.
            let is_autoscaled = object.name_any() == "iris-api";
            if let Some(spec) = asked["spec"].as_object_mut().filter(|_| is_autoscaled) {
                spec.remove("replicas");
            }
            wanted.insert(format!("{} {}", kind.kind(), object.name_any()), asked);
        }
    }
    wanted
}

/// The crash course with optional fields that become a child's: those of pods but the runtime class, of the Service, the Ingress, the
/// autoscaler and the schedule.
fn with_everything() -> Value {
    let mut spec = crash_course();
    spec["pod"] = json!({
        "env": [{"name": "PLAIN", "value": "1"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "envFrom": [{"prefix": "A_", "configMapRef": {"name": "settings", "optional": true}}],
        "resources": {"limits": {"memory": "1Gi"}},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "ml", "effect": "NoSchedule"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "preference": {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}},
        ]}},
        "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
        "priorityClassName": "system-cluster-critical",
        "imagePullPolicy": "Always",
        "imagePullSecrets": [{"name": "registry"}],
        "serviceAccountName": "worker",
        "labels": {"team": "ml"},
        "annotations": {"example.com/note": "true"},
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "100M"}}],
        "mounts": [{"name": "scratch", "mountPath": "/scratch"}],
    });
    spec["steps"][2]["serve"]["service"] = json!({"type": "NodePort", "port": 81});
    spec["steps"][2]["serve"]["ingress"] = json!({
        "host": "iris.example.com", "className": "nginx", "path": "/v1", "tlsSecret": "tls", "annotations": {"example.com/size": "1m"},
    });
    spec["steps"][2]["serve"]["auth"] = json!({"apiKeySecret": {"name": "key", "key": "API_KEY"}});
    spec["steps"][2]["serve"]["autoscaling"]["targetCPUUtilizationPercentage"] = json!(60);
    spec["steps"][3]["schedule"] = json!({
        "cron": "0 2 * * *", "timeZone": "Etc/UTC", "concurrencyPolicy": "Replace", "startingDeadlineSeconds": 600, "suspend": true,
    });
    spec["steps"][3]["timeout"] = json!("1h");
    spec["steps"][3]["retries"] = json!(7);
    spec
}

/// Seen to fail where the API server's old name of the service account, `serviceAccount`, was not applied: it kept the name.
#[tokio::test]
async fn l5_a_field_that_is_set_and_removed_leaves_its_children_as_if_it_had_never_been_set() {
    let mut bed = Bed::new("unset").await;
    bed.account("worker").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    let before = wanted(&bed).await;

    bed.apply("iris", &with_everything()).await;
    bed.condition("iris", "Ready", "True").await;
    let with = wanted(&bed).await;
    assert_eq!(with["Deployment iris-api"]["spec"]["template"]["spec"]["serviceAccountName"], "worker");
    assert_ne!(with["CronJob iris-nightly"], before["CronJob iris-nightly"]);

    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    until_as(&bed, &before).await;
}

/// Waits until the children are what they were.
async fn until_as(bed: &Bed, before: &BTreeMap<String, Value>) {
    let differences = |now: &BTreeMap<String, Value>| {
        let names = before.keys().chain(now.keys()).collect::<std::collections::BTreeSet<_>>();
        names
            .into_iter()
            .filter(|name| before.get(*name) != now.get(*name))
            .map(|name| format!("{name}\nbefore: {:?}\nnow: {:?}\n", before.get(name), now.get(name)))
            .collect::<String>()
    };
    wait_until("the children as they were", LONG, async || match differences(&wanted(bed).await) {
        differences if differences.is_empty() => Ok(()),
        differences => Err(differences),
    })
    .await;
}

/// A pipeline with every workload of a run step, with a volume for each replica and without. No edit may change the access modes of its
/// volume, nor whether a StatefulSet has volumes.
fn workloads() -> Value {
    json!({"storage": {"volume": {"accessModes": ["ReadWriteMany"]}}, "steps": [
        {"name": "data", "run": {"image": "x"}},
        {"name": "tick", "run": {"image": "x"}, "schedule": {"cron": "0 2 1 1 *"}},
        {"name": "tock", "run": {"image": "x"}, "schedule": {"cron": "0 2 1 1 *"}},
        {"name": "web", "run": {"image": "x", "workload": "Deployment", "ports": [{"name": "http", "port": 80}]}},
        {"name": "board", "run": {"image": "x", "workload": "Deployment"}},
        {"name": "cache", "run": {"image": "x", "workload": "StatefulSet"}},
        {"name": "db", "run": {"image": "x", "workload": "StatefulSet", "replicaVolume": {"size": "1Mi", "mountPath": "/data"}}},
        {"name": "agent", "run": {"image": "x", "workload": "DaemonSet"}},
    ]})
}

/// The same with each optional field of `run`, of what a step is executed with beside its pods, and of storage.
fn workloads_with_everything() -> Value {
    let mut spec = workloads();
    spec["storage"]["volume"]["retain"] = json!(true);
    let steps = spec["steps"].as_array_mut().unwrap();
    for step in steps.iter_mut().skip(1) {
        let run = step["run"].as_object_mut().unwrap();
        run.insert("command".into(), json!(["sh", "-c"]));
        run.insert("args".into(), json!(["sleep 1"]));
        run.insert("inputs".into(), json!([{"name": "rows", "step": "data"}]));
        step["pod"] = json!({
            "env": [{"name": "PLAIN", "value": "1"}], "serviceAccountName": "worker", "labels": {"team": "ml"},
            "annotations": {"example.com/note": "true"}, "resources": {"limits": {"memory": "1Gi"}},
            "volumes": [{"name": "scratch", "emptyDir": {}}], "mounts": [{"name": "scratch", "mountPath": "/scratch"}],
        });
    }
    let by_name = |name: &str| {
        workloads()["steps"].as_array().unwrap().iter().position(|step| step["name"] == name).unwrap()
    };
    let mut set = |name: &str, field: &str, value: Value| {
        steps[by_name(name)]["run"][field] = value;
    };
    set("tick", "completions", json!(4));
    set("tick", "completionMode", json!("Indexed"));
    set("tock", "completions", json!(3));
    set("tock", "restartPolicy", json!("OnFailure"));
    set("web", "replicas", json!(3));
    set("web", "ports", json!([{"name": "http", "port": 80, "targetPort": 8080, "service": "NodePort"}]));
    set("board", "replicas", json!(2));
    set("board", "ports", json!([{"name": "http", "port": 80}, {"name": "admin", "port": 81}]));
    set("cache", "replicas", json!(2));
    // A Service that is not headless any more takes the place of the one before.
    set("cache", "ports", json!([{"name": "tcp", "port": 6379, "service": "ClusterIP"}]));
    set("db", "ports", json!([{"name": "tcp", "port": 5432}]));
    set("agent", "ports", json!([{"name": "tcp", "port": 9100, "hostPort": 9100}]));
    for name in ["tick", "tock"] {
        let step = steps[by_name(name)].as_object_mut().unwrap();
        step.insert("parallelism".into(), json!(2));
        step.insert("timeout".into(), json!("1h"));
        step.insert("retries".into(), json!(7));
        step["schedule"]["timeZone"] = json!("Etc/UTC");
        step["schedule"]["concurrencyPolicy"] = json!("Replace");
    }
    spec
}

/// What is optional of run steps and of storage, with every workload.
#[tokio::test]
async fn l5_a_field_of_a_run_step_or_of_storage_that_is_set_and_removed_leaves_nothing_behind() {
    let mut bed = Bed::new("unset-run").await;
    bed.account("worker").await;
    // This API server asks for it of whoever takes an owner away from a claim, or gives one back.
    let mut rules = shipped_role().rules.unwrap();
    let is_of_claims = |rule: &&mut PolicyRule| {
        rule.resources.iter().flatten().any(|resource| resource == "persistentvolumeclaims")
    };
    rules.iter_mut().find(is_of_claims).expect("it applies claims").verbs.push("delete".to_owned());
    bed.limit_rights(rules).await;
    let _operator = bed.start(&[]);
    bed.apply("all", &workloads()).await;
    bed.condition("all", "Ready", "True").await;
    let before = wanted(&bed).await;

    bed.apply("all", &workloads_with_everything()).await;
    bed.condition("all", "Ready", "True").await;
    let with = wanted(&bed).await;
    for (name, asked) in &before {
        assert_ne!(Some(asked), with.get(name), "{name} was not changed by what was set");
    }
    for kind in ["CronJob", "Deployment", "StatefulSet", "DaemonSet", "Service", "PersistentVolumeClaim"] {
        assert!(before.keys().any(|name| name.starts_with(kind)), "{kind} is not among the children");
    }

    bed.apply("all", &workloads()).await;
    bed.condition("all", "Ready", "True").await;
    until_as(&bed, &before).await;
}

/// The service account that an operator of before left behind is drift, and goes.
#[tokio::test]
async fn l6_a_service_account_that_somebody_else_puts_in_goes_again() {
    let mut bed = Bed::new("alias").await;
    bed.account("worker").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    let deployments = bed.api::<Deployment>();
    let patch = json!({"spec": {"template": {"spec": {"serviceAccountName": "worker"}}}});
    let merge = kube::api::Patch::Merge(&patch);
    deployments.patch("iris-api", &kube::api::PatchParams::default(), &merge).await.unwrap();
    wait_until("no service account", LONG, async || {
        let pod = deployments.get("iris-api").await.unwrap().spec.unwrap().template.spec.unwrap();
        match (pod.service_account_name.as_deref(), pod.service_account.as_deref()) {
            (None | Some(""), None | Some("")) => Ok(()),
            found => Err(format!("{found:?}")),
        }
    })
    .await;
}
