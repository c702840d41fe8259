//! An upgrade of the operator with live pipelines: their children and statuses as version 0.1.0 wrote them.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::ServiceAccount;
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
        // A node port is one for the whole cluster: another test may have it for a moment.
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
    let marker = "mlpipeline.dev/pipeline!=marker";
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
