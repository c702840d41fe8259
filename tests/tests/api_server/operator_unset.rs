//! An optional field that is set, takes effect, and is removed again leaves its children as if it had never been set (L5).

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::api::ListParams;
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};
use super::specs::crash_course;

/// What the children that are applied ask for, by kind and name.
async fn wanted(bed: &Bed) -> BTreeMap<String, Value> {
    let mut wanted = BTreeMap::new();
    for kind in ChildKind::ALL.into_iter().filter(|kind| kind.is_applied()) {
        let ours = ListParams::default().labels("app.kubernetes.io/managed-by=mlpipeline-operator");
        for object in bed.children(kind).list(&ours).await.unwrap() {
            let mut annotations = object.annotations().clone();
            // The Deployment controller counts roll-outs.
            annotations.remove("deployment.kubernetes.io/revision");
            let mut asked = json!({
                "labels": object.labels(), "annotations": annotations, "spec": object.data.get("spec"), "data": object.data.get("data"),
            });
            // The replicas of this Deployment are the autoscaler's.
            if let Some(spec) = asked["spec"].as_object_mut() {
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
    let differences = |now: &BTreeMap<String, Value>| {
        let names = before.keys().chain(now.keys()).collect::<std::collections::BTreeSet<_>>();
        names
            .into_iter()
            .filter(|name| before.get(*name) != now.get(*name))
            .map(|name| format!("{name}\nbefore: {:?}\nnow: {:?}\n", before.get(name), now.get(name)))
            .collect::<String>()
    };
    wait_until("the children as they were", LONG, async || match differences(&wanted(&bed).await) {
        differences if differences.is_empty() => Ok(()),
        differences => Err(differences),
    })
    .await;
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
