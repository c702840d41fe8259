//! The shipped operator with the real API server, controllers and garbage collector; the audit log is the witness.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Pod, ResourceQuota, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use mlpipeline_tests::wait_until;
use serde_json::json;

use super::operator_bed::{Bed, LONG};
use super::specs::{chain, crash_course};

#[tokio::test]
async fn the_crash_course_lives_is_edited_suspended_and_goes_without_a_trace() {
    let bed = Bed::new("operator-life").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    assert_eq!(bed.names::<PersistentVolumeClaim>().await, ["iris-storage"]);
    assert_eq!(bed.names::<Deployment>().await, ["iris-api"]);
    assert_eq!(bed.names::<Service>().await, ["iris-api"]);
    assert_eq!(bed.names::<HorizontalPodAutoscaler>().await, ["iris-api"]);
    assert_eq!(bed.names::<PodDisruptionBudget>().await, ["iris-api"]);
    assert_eq!(bed.names::<CronJob>().await, ["iris-nightly"]);
    let first: BTreeSet<String> = bed.names::<Job>().await.into_iter().collect();
    assert_eq!(first.len(), 2, "{first:?}");
    // Each began when what it reads was there, and not before.
    let begun = begun(&bed).await;
    let order =
        ["create jobs data", "pod of data", "create jobs train", "pod of train", "patch deployments api"];
    let order = order.map(|what| begun.iter().position(|seen| seen == what).expect(what));
    assert!(order.is_sorted(), "{begun:?}");
    let schedule = begun.iter().position(|seen| seen == "patch cronjobs nightly").expect("a schedule");
    assert!(schedule > order[3], "{begun:?}");

    // A gate judges and makes nothing; a seed makes another model.
    let mut edited = crash_course();
    edited["steps"][1]["train"]["gate"]["min"] = json!(0.8);
    bed.apply("iris", &edited).await;
    bed.condition("iris", "Ready", "True").await;
    assert_eq!(bed.names::<Job>().await.len(), 2);
    edited["steps"][1]["train"]["algorithm"]["logisticRegression"]["maxIterations"] = json!(300);
    edited["suspend"] = json!(true);
    bed.apply("iris", &edited).await;
    bed.condition("iris", "Suspended", "True").await;
    assert_eq!(bed.names::<Job>().await.len(), 2, "no run begins while it is suspended");
    edited["suspend"] = json!(false);
    bed.apply("iris", &edited).await;
    bed.condition("iris", "Ready", "True").await;
    let second: BTreeSet<String> = bed.names::<Job>().await.into_iter().collect();
    let new: Vec<&String> = second.difference(&first).collect();
    assert!(matches!(new.as_slice(), [one] if one.starts_with("iris-train-")), "{new:?}");

    bed.pipelines().delete("iris", &Default::default()).await.unwrap();
    nothing_is_left(&bed).await;
}

/// What the operator wrote and what became of the pods of runs, in its order: verb or what it is, and the step.
async fn begun(bed: &Bed) -> Vec<String> {
    let events = bed.control_plane.audit().query().namespace(bed.namespace.name()).writes().events().await;
    let mut events: Vec<_> = events
        .into_iter()
        .filter_map(|event| {
            let step = event.object_ref.name.strip_prefix("iris-")?.split('-').next()?.to_owned();
            let is_operator = event.user.username == bed.operator.username();
            let what = match (is_operator, event.resource().as_str()) {
                (false, "pods/status") => "pod of".to_owned(),
                (true, resource) => format!("{} {resource}", event.verb),
                _ => return None,
            };
            Some((event.request_received_timestamp, format!("{what} {step}")))
        })
        .collect();
    events.sort();
    events.into_iter().map(|(_, what)| what).collect()
}

/// What the garbage collector has still to remove, of every kind that the operator or Kubernetes makes for a pipeline.
pub async fn nothing_is_left(bed: &Bed) {
    wait_until("everything to be collected", LONG, async || {
        let mut left = bed.names::<Job>().await;
        left.extend(bed.names::<Pod>().await);
        left.extend(bed.names::<Deployment>().await);
        left.extend(bed.names::<ReplicaSet>().await);
        left.extend(bed.names::<Service>().await);
        left.extend(bed.names::<Ingress>().await);
        left.extend(bed.names::<CronJob>().await);
        left.extend(bed.names::<HorizontalPodAutoscaler>().await);
        left.extend(bed.names::<PodDisruptionBudget>().await);
        left.extend(bed.names::<PersistentVolumeClaim>().await);
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
}

#[tokio::test]
async fn l6_s9_children_that_are_deleted_or_changed_come_back_and_foreign_fields_stay() {
    let bed = Bed::new("operator-repair").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    let services: Api<Service> = bed.api();
    let theirs = json!({
        "metadata": {"annotations": {"cloud/x": "theirs"}, "ownerReferences": null},
        "spec": {"ports": [{"name": "http", "port": 8080, "targetPort": "http", "protocol": "TCP"}]},
    });
    services.patch("iris-api", &PatchParams::default(), &Patch::Merge(&theirs)).await.unwrap();
    wait_until("the Service as it should be", LONG, async || {
        let service = services.get("iris-api").await.map_err(|error| error.to_string())?;
        let ports: Vec<i32> =
            service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).map(|port| port.port).collect();
        let is_owned = !service.owner_references().is_empty();
        if ports.contains(&80) && is_owned { Ok(()) } else { Err(format!("{service:?}")) }
    })
    .await;
    assert_eq!(services.get("iris-api").await.unwrap().annotations()["cloud/x"], "theirs");
    let deployments: Api<Deployment> = bed.api();
    let uid = deployments.get("iris-api").await.unwrap().uid();
    deployments.delete("iris-api", &Default::default()).await.unwrap();
    wait_until("another Deployment", LONG, async || match deployments.get_opt("iris-api").await {
        Ok(Some(deployment)) if deployment.uid() != uid => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    bed.condition("iris", "Ready", "True").await;
}

#[tokio::test]
async fn a_used_up_quota_and_a_taken_name_are_named_and_are_over_when_they_are_over() {
    let bed = Bed::new("operator-refusals").await;
    let quotas: Api<ResourceQuota> = bed.api();
    let quota = json!({"metadata": {"name": "small"}, "spec": {"hard": {"count/jobs.batch": "0"}}});
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    wait_until("the quota to be in force", LONG, async || {
        let quota = quotas.get("small").await.map_err(|error| error.to_string())?;
        quota.status.and_then(|status| status.hard).map(drop).ok_or("no status".to_owned())
    })
    .await;
    let claims: Api<PersistentVolumeClaim> = bed.api();
    let claim = json!({"metadata": {"name": "iris-storage"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }});
    let theirs =
        claims.create(&PostParams::default(), &serde_json::from_value(claim).unwrap()).await.unwrap();
    let _operator = bed.start(&[]);
    bed.apply("chain", &chain(1)).await;
    bed.apply("iris", &crash_course()).await;
    let until_not_ready = async |name: &str, reason: &str| {
        wait_until(&format!("{reason} of {name}"), LONG, async || {
            let status = bed
                .pipelines()
                .get(name)
                .await
                .map_err(|error| error.to_string())?
                .status
                .unwrap_or_default();
            let found = status
                .conditions
                .iter()
                .find(|condition| condition.type_ == "Ready" && condition.reason == reason);
            found.map(|found| found.message.clone()).ok_or(serde_json::to_string(&status).unwrap())
        })
        .await
    };
    let message = until_not_ready("chain", "QuotaExceeded").await;
    assert!(message.contains("small"), "{message}");
    let message = until_not_ready("iris", "NameTaken").await;
    assert!(message.contains("PersistentVolumeClaim iris-storage"), "{message}");
    let untouched = claims.get("iris-storage").await.unwrap();
    assert_eq!(untouched.metadata.labels, theirs.metadata.labels);
    assert_eq!(untouched.metadata.owner_references, None);
    quotas.delete("small", &Default::default()).await.unwrap();
    claims.delete("iris-storage", &Default::default()).await.unwrap();
    bed.condition("chain", "Ready", "True").await;
    bed.condition("iris", "Ready", "True").await;
}

#[tokio::test]
async fn l3_a_namespace_goes_in_the_middle_of_the_work() {
    let bed = Bed::new("operator-namespace").await;
    let mut operator = bed.start(&[]);
    bed.apply("chain", &chain(30)).await;
    wait_until("some runs", LONG, async || match bed.names::<Job>().await.len() {
        count if count >= 3 => Ok(()),
        count => Err(count.to_string()),
    })
    .await;
    let namespaces: Api<Namespace> = Api::all(bed.client.clone());
    namespaces.delete(bed.namespace.name(), &Default::default()).await.unwrap();
    wait_until("the namespace to go", LONG, async || match namespaces.get_opt(bed.namespace.name()).await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert!(operator.try_wait().unwrap().is_none(), "the operator continues");
}

/// The StatefulSet's controller makes the volumes, and the garbage collector takes them.
#[tokio::test]
async fn s5_l4_replicas_volumes_stay_when_their_step_goes_and_go_with_the_pipeline() {
    let bed = Bed::new("replica-volumes").await;
    let _operator = bed.start(&[]);
    let volume = json!({"size": "1Mi", "mountPath": "/data"});
    let db =
        json!({"name": "db", "run": {"image": "none", "workload": "StatefulSet", "replicaVolume": volume}});
    let other = json!({"name": "other", "run": {"image": "none"}});
    let claims: Api<PersistentVolumeClaim> = bed.api();
    let volumes = async |wanted: &[&str]| {
        wait_until("the replicas' volumes", LONG, async || {
            let ours = ListParams::default().labels("mlpipeline.dev/pipeline=store,mlpipeline.dev/step=db");
            let found = claims.list(&ours).await.map_err(|error| error.to_string())?;
            let names: Vec<String> = found.iter().map(ResourceExt::name_any).collect();
            if names == wanted { Ok(()) } else { Err(format!("{names:?}")) }
        })
        .await;
    };
    bed.apply("store", &json!({"steps": [db, other]})).await;
    volumes(&["replica-store-db-0"]).await;
    bed.apply("store", &json!({"steps": [other]})).await;
    wait_until("the StatefulSet is gone", LONG, async || {
        let names = bed.names::<StatefulSet>().await;
        if names.is_empty() { Ok(()) } else { Err(format!("{names:?}")) }
    })
    .await;
    let claim = claims.get("replica-store-db-0").await.unwrap();
    assert_eq!(claim.metadata.deletion_timestamp, None);
    bed.pipelines().delete("store", &DeleteParams::default()).await.unwrap();
    volumes(&[]).await;
}
