//! An upgrade of the operator with live pipelines: their children and statuses as version 0.1.0 wrote them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::{Api, Resource, ResourceExt};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_core::labels::MANAGER;
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::AuditEvent;
use mlpipeline_tests::wait_until;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};

const CRASH_COURSE: &str = include_str!("data/crash-course-0.1.0.yaml");
const WORKLOADS: &str = include_str!("data/workloads-0.1.0.yaml");

/// The API of the kind of a recorded object.
fn api(bed: &Bed, object: &Value) -> Api<DynamicObject> {
    let is_it = |kind: &ChildKind| object["kind"] == kind.kind();
    let kind = ChildKind::ALL.into_iter().find(is_it).expect("a kind of child");
    bed.children(kind)
}

/// Writes the pipeline and its children as the version before left them; the pipeline's name.
async fn restore(bed: &Bed, yaml: &str) -> String {
    // A node port is one for the whole cluster, and other tests have the crash course's, some for minutes.
    let yaml = &yaml.replace("30080", "30791");
    let objects: Vec<Value> = serde_saphyr::from_str(yaml).unwrap();
    let pipeline = objects.iter().find(|object| object["kind"] == "MLPipeline").expect("a pipeline");
    let name = pipeline["metadata"]["name"].as_str().unwrap().to_owned();
    bed.apply(&name, &pipeline["spec"]).await;
    let uid = bed.pipelines().get(&name).await.unwrap().uid().unwrap();
    // The steps name the namespace that they were recorded in, and the places of artifacts begin with it.
    let namespace = bed.namespace.name();
    let yaml = yaml
        .replace(pipeline["metadata"]["uid"].as_str().unwrap(), &uid)
        .replace(r#""namespace":"ns""#, &format!(r#""namespace":"{namespace}""#))
        .replace(r#""ns/"#, &format!(r#""{namespace}/"#));
    let objects: Vec<Value> = serde_saphyr::from_str(&yaml).unwrap();
    let as_operator = PatchParams::apply(MANAGER).force();
    for mut child in objects.into_iter().filter(|object| object["kind"] != "MLPipeline") {
        child.as_object_mut().unwrap().remove("status");
        let metadata = child["metadata"].as_object_mut().unwrap();
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "namespace"] {
            metadata.remove(field);
        }
        let child_name = metadata["name"].as_str().unwrap().to_owned();
        if let Some(account) = child.pointer("/spec/template/spec/serviceAccountName").and_then(Value::as_str)
        {
            let account =
                json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}});
            let account: ServiceAccount = serde_json::from_value(account).unwrap();
            bed.api::<ServiceAccount>()
                .patch(&account.name_any(), &as_operator, &Patch::Apply(&account))
                .await
                .unwrap();
        }
        // Another test that restores these objects may have the port for a moment.
        wait_until("the child to be accepted", LONG, async || {
            let patched = api(bed, &child).patch(&child_name, &as_operator, &Patch::Apply(&child)).await;
            patched.map(drop).map_err(|error| error.to_string())
        })
        .await;
    }
    wait_until("the recorded Jobs to complete", LONG, async || {
        let jobs = bed.api::<Job>().list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let is_complete =
            |job: &Job| job.status.as_ref().is_some_and(|status| status.completion_time.is_some());
        let open: Vec<String> =
            jobs.iter().filter(|job| !is_complete(job)).map(ResourceExt::name_any).collect();
        if open.is_empty() { Ok(()) } else { Err(format!("{open:?}")) }
    })
    .await;
    let resource = ApiResource::erase::<MLPipeline>(&());
    let status = json!({
        "apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, "status": pipeline["status"],
    });
    bed.pipelines().patch_status(&name, &as_operator, &Patch::Apply(&status)).await.unwrap();
    name
}

/// The uid and the pod template of every object of a kind. A Deployment's generation would not do: it counts annotations too.
async fn templates<K>(bed: &Bed) -> BTreeMap<String, (Option<String>, Option<Value>)>
where
    K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + Serialize
        + DeserializeOwned,
{
    let marker = "mlpipeline.dev/pipeline notin (marker, upgraded, downgraded)";
    let all = bed.api::<K>().list(&ListParams::default().labels(marker)).await.unwrap();
    let template = |object: &K| {
        serde_json::to_value(object).ok().and_then(|value| value.pointer("/spec/template").cloned())
    };
    // A schedule keeps running through an upgrade: its CronJob may start a run at any full five minutes.
    let is_of_schedule = |object: &&K| object.owner_references().iter().any(|owner| owner.kind == "CronJob");
    let lasting = all.iter().filter(|object| !is_of_schedule(object));
    lasting.map(|object| (object.name_any(), (object.uid(), template(object)))).collect()
}

async fn upgrade_changes_no_work(test: &str, yaml: &str) {
    let bed = Bed::new(test).await;
    let name = restore(&bed, yaml).await;
    let work = async || {
        (
            templates::<Job>(&bed).await,
            templates::<Deployment>(&bed).await,
            templates::<StatefulSet>(&bed).await,
            templates::<DaemonSet>(&bed).await,
        )
    };
    let before = work().await;
    let since = bed.control_plane.audit().position().await;
    let _operator = bed.start(&["--worker-image=worker:1"]);
    bed.condition(&name, "Ready", "True").await;
    bed.passes("marker").await;
    assert_eq!(work().await, before, "no run is started or deleted, and no pod template changes");
    let writes = bed.writes(&bed.operator, since).await;
    let name_of = |event: &AuditEvent| match event.object_ref.name.as_str() {
        "" => event.request_object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        name => name.to_owned(),
    };
    let of_jobs = writes.iter().filter(|event| event.resource() == "jobs" && event.verb != "patch");
    let started: Vec<String> = of_jobs.map(name_of).filter(|name| !name.starts_with("marker")).collect();
    assert!(started.is_empty(), "{started:?}");
    bed.condition(&name, "Ready", "True").await;
}

#[tokio::test]
async fn an_upgrade_runs_and_rolls_nothing_of_the_crash_course() {
    upgrade_changes_no_work("upgrade-course", CRASH_COURSE).await;
}

#[tokio::test]
async fn an_upgrade_runs_and_rolls_nothing_of_other_workloads() {
    upgrade_changes_no_work("upgrade-workloads", WORKLOADS).await;
}

/// How many pipelines serve while the operator's image of workers changes.
const FLEET: usize = 50;

/// A pipeline whose model one pod serves.
fn served(rerun: Option<&str>) -> Value {
    let mut spec = json!({"steps": [
        {"name": "data", "prepare": {"sql": "SELECT 1 AS x"}},
        {"name": "train", "train": {"data": {"step": "data"}, "target": "x", "algorithm": {"logisticRegression": {}}}},
        {"name": "api", "serve": {"model": {"step": "train"}}},
    ]});
    if let Some(rerun) = rerun {
        spec["steps"][2]["rerun"] = json!(rerun);
    }
    spec
}

/// The image of each pod that stays, by the uid of the pod.
async fn serving_images(bed: &Bed) -> BTreeMap<String, String> {
    let of_api = ListParams::default().labels("mlpipeline.dev/step=api");
    let pods = bed.api::<Pod>().list(&of_api).await.unwrap();
    let stays = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
    let image = |pod: &Pod| pod.spec.as_ref()?.containers[0].image.clone();
    stays.map(|pod| (pod.uid().unwrap(), image(pod).unwrap())).collect()
}

/// Pods that took the operator's image as it is now would all roll at once.
#[tokio::test]
async fn d5_a_fleet_that_serves_keeps_its_pods_through_an_upgrade_and_a_downgrade_to_other_worker_images() {
    let bed = Bed::new("other-image").await;
    let names: Vec<String> = (0..FLEET).map(|at| format!("fleet-{at}")).collect();
    let mut operator = bed.start(&["--worker-image=worker:1"]);
    for name in &names {
        bed.apply(name, &served(None)).await;
    }
    for name in &names {
        bed.condition(name, "Ready", "True").await;
    }
    let (pods, deployments) = (serving_images(&bed).await, templates::<Deployment>(&bed).await);
    assert_eq!(pods.len(), FLEET);
    assert!(pods.values().all(|image| image == "worker:1"), "{pods:?}");
    let unchanged = async |change: &str| {
        assert_eq!(templates::<Deployment>(&bed).await, deployments, "{change}");
        assert_eq!(serving_images(&bed).await, pods, "{change}");
    };

    operator.kill().await.unwrap();
    operator = bed.start(&["--worker-image=worker:2"]);
    bed.passes("upgraded").await;
    unchanged("upgrade").await;

    // At the platform team's word, one pipeline takes the new image, and no other one does.
    bed.apply(&names[0], &served(Some("1"))).await;
    let new = wait_until("one pod of the new image", LONG, async || {
        let now = serving_images(&bed).await;
        let new = now.values().filter(|image| *image == "worker:2").count();
        if (new, now.len()) == (1, FLEET) { Ok(now) } else { Err(format!("{new} of {}", now.len())) }
    })
    .await;
    bed.condition(&names[0], "Ready", "True").await;
    assert_eq!(new.keys().filter(|uid| pods.contains_key(*uid)).count(), FLEET - 1);

    operator.kill().await.unwrap();
    let _operator = bed.start(&["--worker-image=worker:1"]);
    bed.passes("downgraded").await;
    assert_eq!(serving_images(&bed).await, new, "downgrade");
}
