//! Q1 to Q3: what is as it should be is left alone. The audit log counts.

use std::fmt::Debug;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Resource, ResourceExt};
use mlpipeline_tests::control_plane::{AuditPosition, Identity};
use mlpipeline_tests::wait_until;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::operator_bed::{Bed, LONG, signal};
use super::specs::{chain, crash_course, crash_course_without_autoscaler};

/// A user's writes since then, other than the lease's and those about objects whose names begin with `other`: verb, resource
/// and name.
async fn writes_but_for(
    bed: &Bed,
    user: &Identity,
    since: AuditPosition,
    other: &str,
) -> Vec<(String, String, String)> {
    let events = bed.writes(user, since).await.into_iter();
    let events = events.map(|event| (event.verb.clone(), event.resource(), event.object_ref.name));
    events.filter(|(_, resource, name)| resource != "leases" && !name.starts_with(other)).collect()
}

/// Small words are written a little later: a settled status is one that says what the steps' pods say.
async fn settled(bed: &Bed) {
    wait_until("a settled status", LONG, async || {
        let iris = bed.pipelines().get("iris").await.map_err(|error| error.to_string())?;
        let status = iris.status.unwrap_or_default();
        let runs = status.steps.iter().take(2).all(|step| step.attempts == Some(1));
        let settled = runs && status.replicas == Some(2);
        if settled { Ok(()) } else { Err(serde_json::to_string(&status).unwrap()) }
    })
    .await;
    bed.passes("marker-settled").await;
}

/// Changes all of a pipeline's objects of a kind in what means nothing, as a resync brings them all once more. A label, since an
/// annotation makes a new generation of a Deployment, which its controller then rolls out.
async fn touch<K>(bed: &Bed, round: usize)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let ours = ListParams::default().labels("mlpipeline.dev/pipeline=iris");
    let marked = Patch::Merge(json!({"metadata": {"labels": {"their.org/round": round.to_string()}}}));
    let objects = bed.api::<K>().list(&ours).await.unwrap();
    assert!(!objects.items.is_empty(), "there is no {}", K::kind(&()));
    for object in objects {
        bed.api::<K>().patch(&object.name_any(), &PatchParams::default(), &marked).await.unwrap();
    }
}

/// A resync a minute, for ten minutes: what it would bring is everything that there is, unchanged in what it means. Seen to fail
/// with an operator that writes the status without comparing it.
#[tokio::test]
async fn q1_ten_resyncs_a_restart_and_changes_of_leader_write_nothing_to_a_converged_pipeline() {
    let mut bed = Bed::new("quiet-resync").await;
    let stand_by = bed.account("stand-by").await;
    bed.grant_all("stand-by").await;
    bed.grant_election("stand-by").await;
    let mut first = bed.start(&["--leader-elect"]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    settled(&bed).await;
    let since = bed.control_plane.audit().position().await;
    for round in 0..10 {
        touch::<Job>(&bed, round).await;
        touch::<Pod>(&bed, round).await;
        touch::<CronJob>(&bed, round).await;
        touch::<Deployment>(&bed, round).await;
        touch::<Service>(&bed, round).await;
        touch::<HorizontalPodAutoscaler>(&bed, round).await;
        touch::<PodDisruptionBudget>(&bed, round).await;
        touch::<Ingress>(&bed, round).await;
        touch::<PersistentVolumeClaim>(&bed, round).await;
        let marks = json!({"their.org/round": round.to_string()});
        let marked = Patch::Merge(json!({"metadata": {"labels": marks, "annotations": marks}}));
        bed.pipelines().patch("iris", &PatchParams::default(), &marked).await.unwrap();
        bed.passes(&format!("marker-{round}")).await;
    }
    let mut second = bed.start_as(&stand_by, &["--leader-elect"]);
    signal(&first, "TERM").await;
    assert!(first.wait().await.unwrap().success());
    bed.passes("marker-of-the-second").await;
    first = bed.start(&["--leader-elect"]);
    signal(&second, "TERM").await;
    assert!(second.wait().await.unwrap().success());
    bed.passes("marker-of-the-first").await;
    for user in [&bed.operator, &stand_by] {
        let all = bed.writes(user, since).await;
        assert!(all.iter().any(|event| event.object_ref.name.starts_with("marker")), "it led, and worked");
        let others = writes_but_for(&bed, user, since, "marker").await;
        assert!(others.is_empty(), "{}: {others:#?}", user.username());
    }
    assert!(first.try_wait().unwrap().is_none());
}

/// Somebody writes into the status: it is set right by one write, and that write is followed by none. Seen to fail with an
/// operator that writes the status without comparing it.
#[tokio::test]
async fn q2_the_operators_own_status_write_causes_no_other() {
    let bed = Bed::new("quiet-status").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course_without_autoscaler()).await;
    bed.condition("iris", "Ready", "True").await;
    settled(&bed).await;
    let since = bed.control_plane.audit().position().await;
    let right = bed.pipelines().get("iris").await.unwrap().status;
    for round in 0..3 {
        let wrong = Patch::Merge(json!({"status": {"endpoint": format!("http://nowhere/{round}")}}));
        bed.pipelines().patch_status("iris", &PatchParams::default(), &wrong).await.unwrap();
        wait_until("the status as it was", LONG, async || {
            let now = bed.pipelines().get("iris").await.map_err(|error| error.to_string())?.status;
            if now == right { Ok(()) } else { Err(format!("{now:?}")) }
        })
        .await;
    }
    bed.passes("marker").await;
    let writes = writes_but_for(&bed, &bed.operator, since, "marker").await;
    let one = ("patch".to_owned(), "mlpipelines/status".to_owned(), "iris".to_owned());
    assert_eq!(writes, [one.clone(), one.clone(), one]);
}

/// Seen to fail with an operator that writes the status without comparing it.
#[tokio::test]
async fn q3_a_label_or_an_annotation_of_the_resource_costs_no_write() {
    let bed = Bed::new("quiet-label").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course_without_autoscaler()).await;
    bed.condition("iris", "Ready", "True").await;
    settled(&bed).await;
    let since = bed.control_plane.audit().position().await;
    for (field, value) in [("labels", json!("x")), ("annotations", json!("y")), ("labels", json!(null))] {
        let changed =
            Patch::Merge(json!({"metadata": {field: {"team": value, "app.kubernetes.io/name": value}}}));
        bed.pipelines().patch("iris", &PatchParams::default(), &changed).await.unwrap();
    }
    bed.passes("marker").await;
    let writes = writes_but_for(&bed, &bed.operator, since, "marker").await;
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test]
async fn q1_a_converged_pipeline_is_not_written_to_after_restarts_and_stays_so_while_others_work() {
    let bed = Bed::new("operator-quiet").await;
    let mut operator = bed.start(&[]);
    bed.apply("iris", &crash_course_without_autoscaler()).await;
    bed.condition("iris", "Ready", "True").await;
    settled(&bed).await;
    for round in 0..3 {
        operator.kill().await.unwrap();
        let since = bed.control_plane.audit().position().await;
        operator = bed.start(&[]);
        // That it worked on another pipeline to the end shows that it has looked at all.
        bed.passes(&format!("marker-{round}")).await;
        let others = writes_but_for(&bed, &bed.operator, since, "marker").await;
        assert!(others.is_empty(), "round {round}: {others:#?}");
    }
}

#[tokio::test]
async fn a_chain_of_three_runs_costs_at_most_eight_writes_and_four_events() {
    let bed = Bed::new("operator-writes").await;
    let since = bed.control_plane.audit().position().await;
    let _operator = bed.start(&[]);
    bed.apply("chain", &chain(3)).await;
    bed.condition("chain", "Ready", "True").await;
    bed.passes("marker").await;
    let (events, writes): (Vec<_>, Vec<_>) = writes_but_for(&bed, &bed.operator, since, "marker")
        .await
        .into_iter()
        .partition(|(_, resource, _)| resource == "events");
    assert!(writes.len() >= 4, "three runs and how it stands: {writes:#?}");
    assert!(events.len() <= 4, "{events:#?}");
    assert!(writes.len() <= 8, "{writes:#?}");
}
