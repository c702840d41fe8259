//! Failures of a pipeline: steps that fail and are fixed or run again, an operator that is gone when its pipelines go, and ways
//! that lead to the same end.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams};
use mlpipeline_crds::StepReport;
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};
use super::operator_life::nothing_is_left;
use super::specs::crash_course;

fn fails(bed: &Bed, step: &str) {
    let report = StepReport::failed("ColumnNotFound", "column \"species\" not found; columns are a, b");
    bed.script().ends.insert(step.to_owned(), (3, report.to_json()));
}

async fn steps_of(bed: &Bed, prefix: &str) -> usize {
    bed.names::<Job>().await.iter().filter(|name| name.starts_with(prefix)).count()
}

/// Seen to fail with an operator that does not count the token of a rerun as part of what a step means.
#[tokio::test]
async fn l7_s4_a_failure_is_told_stops_and_a_fix_or_a_rerun_goes_on_while_the_old_model_serves() {
    let bed = Bed::new("pod-issues").await;
    let _operator = bed.start(&[]);
    fails(&bed, "train");
    bed.apply("iris", &crash_course()).await;
    let (reason, message) = bed.condition("iris", "Stalled", "True").await;
    assert_eq!(reason, "ColumnNotFound");
    assert!(message.contains("train") && message.contains("columns are a, b"), "{message}");
    bed.passes("marker").await;
    let events = bed.events("iris", "StepFailed").await;
    let notes: Vec<&str> = events.iter().filter_map(|event| event.note.as_deref()).collect();
    assert!(matches!(notes[..], [note] if note.contains("columns are a, b")), "one event: {notes:?}");
    assert_eq!((steps_of(&bed, "iris-data").await, steps_of(&bed, "iris-train").await), (1, 1));
    assert!(bed.names::<Deployment>().await.is_empty(), "nothing to serve yet");

    // The fix, and nothing else, is done.
    bed.script().ends.clear();
    let mut spec = crash_course();
    spec["steps"][1]["train"]["target"] = json!("kind");
    bed.apply("iris", &spec).await;
    bed.condition("iris", "Ready", "True").await;
    assert_eq!((steps_of(&bed, "iris-data").await, steps_of(&bed, "iris-train").await), (1, 2));

    // A rerun that fails leaves what serves; one that does well takes its place.
    let served = bed.api::<Deployment>().get("iris-api").await.unwrap().spec;
    fails(&bed, "train");
    spec["steps"][1]["rerun"] = json!("once more");
    bed.apply("iris", &spec).await;
    assert_eq!(bed.condition("iris", "Stalled", "True").await.0, "ColumnNotFound");
    bed.condition("iris", "Serving", "True").await;
    assert_eq!(bed.api::<Deployment>().get("iris-api").await.unwrap().spec, served);
    bed.script().ends.clear();
    spec["steps"][1]["rerun"] = json!("and again");
    bed.apply("iris", &spec).await;
    bed.condition("iris", "Ready", "True").await;
    assert_eq!(
        (steps_of(&bed, "iris-data").await, steps_of(&bed, "iris-train").await),
        (1, 3),
        "the history"
    );
    assert_ne!(bed.api::<Deployment>().get("iris-api").await.unwrap().spec, served);
}

/// Seen to fail with children that have no owner.
#[tokio::test]
async fn l3_l4_deletion_needs_no_operator_and_leaves_nothing() {
    let bed = Bed::new("uninstalled").await;
    let mut operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    operator.kill().await.unwrap();
    bed.pipelines().delete("iris", &Default::default()).await.unwrap();
    nothing_is_left(&bed).await;
    assert!(bed.pipelines().get_opt("iris").await.unwrap().is_none());
}

/// What the spec alone decides of a bed's lasting children: without what the API server gives them and whose they are.
async fn comparable(bed: &Bed) -> Vec<Value> {
    let mut all = Vec::new();
    fn add<K: kube::Resource<DynamicType = ()> + serde::Serialize>(all: &mut Vec<Value>, objects: Vec<K>) {
        for object in objects {
            let whole = serde_json::to_value(&object).unwrap();
            let mut spec = whole["spec"].clone();
            for given in ["clusterIP", "clusterIPs"] {
                spec.as_object_mut().unwrap().remove(given);
            }
            for port in spec["ports"].as_array_mut().into_iter().flatten() {
                port.as_object_mut().unwrap().remove("nodePort");
            }
            let labels = object.labels();
            all.push(
                json!({"kind": K::kind(&()), "name": object.name_any(), "labels": labels, "spec": spec}),
            );
        }
    }
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=mlpipeline-operator");
    add(&mut all, bed.api::<Deployment>().list(&ours).await.unwrap().items);
    add(&mut all, bed.api::<Service>().list(&ours).await.unwrap().items);
    add(&mut all, bed.api::<Ingress>().list(&ours).await.unwrap().items);
    add(&mut all, bed.api::<CronJob>().list(&ours).await.unwrap().items);
    add(&mut all, bed.api::<HorizontalPodAutoscaler>().list(&ours).await.unwrap().items);
    add(&mut all, bed.api::<PodDisruptionBudget>().list(&ours).await.unwrap().items);
    all.iter_mut().for_each(|object| forget(object, bed.namespace.name()));
    all
}

/// Takes the namespace's name out of texts.
fn forget(value: &mut Value, namespace: &str) {
    match value {
        Value::String(text) => *text = text.replace(namespace, "NAMESPACE"),
        Value::Array(list) => list.iter_mut().for_each(|value| forget(value, namespace)),
        Value::Object(map) => map.values_mut().for_each(|value| forget(value, namespace)),
        _ => {}
    }
}

/// The crash course without its autoscaler, its Ingress and a request, and with other settings.
fn other() -> Value {
    let mut spec = crash_course();
    spec["steps"][2]["serve"] =
        json!({"model": {"step": "train"}, "replicas": 3, "service": {"type": "NodePort", "port": 81}});
    spec["steps"][2]["pod"]["resources"] =
        json!({"requests": {"memory": "128Mi"}, "limits": {"memory": "512Mi"}});
    spec["steps"][2]["pod"]["labels"] = json!({"team": "a"});
    spec["steps"][3]["schedule"]["timeZone"] = json!("Europe/Berlin");
    spec
}

/// Seen to fail with an operator that keeps the Ingress or the autoscaler of a step that no longer has one.
#[tokio::test]
async fn l5_s9_what_there_was_before_leaves_no_trace_and_a_field_that_is_removed_goes() {
    let (direct, winding) = (Bed::new("path-direct").await, Bed::new("path-winding").await);
    let _operators = (direct.start(&[]), winding.start(&[]));
    direct.apply("iris", &other()).await;
    let mut wrong = crash_course();
    wrong["steps"][1]["train"]["data"] = json!({"step": "nobody"});
    for (spec, outcome) in [(crash_course(), "Ready"), (wrong, "Stalled"), (other(), "Ready")] {
        winding.apply("iris", &spec).await;
        winding.condition("iris", outcome, "True").await;
    }
    direct.condition("iris", "Ready", "True").await;
    wait_until("the same children", LONG, async || {
        let (expected, found) = (comparable(&direct).await, comparable(&winding).await);
        let differs = expected.iter().zip(&found).find(|(expected, found)| expected != found);
        match differs {
            None if expected.len() == found.len() => Ok(()),
            None => Err(format!("{} and {}", expected.len(), found.len())),
            Some((expected, found)) => Err(format!("{found:#}\nis not\n{expected:#}")),
        }
    })
    .await;
}

/// Seen to fail with an operator that applies replicas beside an autoscaler.
#[tokio::test]
async fn s9_replicas_are_the_autoscalers_business_where_there_is_one() {
    let bed = Bed::new("replicas").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    let scale = Patch::Merge(json!({"spec": {"replicas": 4}}));
    bed.api::<Deployment>().patch_scale("iris-api", &PatchParams::default(), &scale).await.unwrap();
    let mut spec = crash_course();
    spec["steps"][2]["pod"]["resources"]["requests"]["memory"] = json!("256Mi");
    bed.apply("iris", &spec).await;
    wait_until("four of the new pods", LONG, async || {
        let deployment = bed.api::<Deployment>().get("iris-api").await.map_err(|error| error.to_string())?;
        let replicas = deployment.spec.clone().unwrap_or_default().replicas;
        assert_eq!(replicas, Some(4));
        let updated = deployment.status.and_then(|status| status.updated_replicas);
        if updated == Some(4) { Ok(()) } else { Err(format!("{updated:?}")) }
    })
    .await;
    bed.condition("iris", "Ready", "True").await;
}
