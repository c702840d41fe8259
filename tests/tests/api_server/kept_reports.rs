//! What pods reported outlives them: they are collected, or go with their node, long before their Jobs do.

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use mlpipeline_crds::MLPipelineStatus;
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};
use super::specs::{chain, crash_course};

async fn status(bed: &Bed) -> MLPipelineStatus {
    bed.pipelines().get("iris").await.unwrap().status.unwrap()
}

/// Starts a run of a CronJob, as `kubectl create job --from` does.
async fn fire(bed: &Bed, cron_job: &str) {
    let cron = bed.api::<CronJob>().get(cron_job).await.unwrap();
    let template = json!(cron.spec.as_ref().unwrap().job_template);
    let mut metadata = template["metadata"].clone();
    metadata["name"] = json!(format!("{cron_job}-by-hand"));
    metadata["ownerReferences"] = json!([{
        "apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job, "uid": cron.metadata.uid, "controller": true,
    }]);
    let job: Value =
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]});
    bed.api::<Job>().create(&PostParams::default(), &serde_json::from_value(job).unwrap()).await.unwrap();
}

#[tokio::test]
async fn l6_pods_that_go_after_their_reports_were_read_change_nothing() {
    let bed = Bed::new("kept-reports").await;
    let since = bed.control_plane.audit().position().await;
    let mut operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    fire(&bed, "iris-nightly").await;
    wait_until("the nightly run to be seen", LONG, async || {
        let nightly = status(&bed).await.steps.into_iter().find(|step| step.name == "nightly").unwrap();
        if nightly.metrics.is_empty() { Err(format!("{nightly:?}")) } else { Ok(()) }
    })
    .await;
    let jobs = bed.names::<Job>().await;
    assert_eq!(jobs.len(), 3, "{jobs:?}");
    wait_until("every Job to be complete", LONG, async || {
        let found = bed.api::<Job>().list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let complete = found
            .iter()
            .filter(|job| job.status.as_ref().is_some_and(|status| status.completion_time.is_some()));
        if complete.count() == 3 { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    let audit = bed.control_plane.audit();
    let by_operator = audit.query().since(since).user(bed.operator.username());
    let kept = by_operator.resource("jobs").verb("patch").events().await;
    assert_eq!(kept.len(), 3, "one write a run: {kept:#?}");

    let of_jobs = ListParams::default().labels("batch.kubernetes.io/job-name");
    let pods = bed.api::<Pod>();
    pods.delete_collection(&Default::default(), &of_jobs).await.unwrap();
    wait_until("the pods of Jobs to go", LONG, async || match pods.list(&of_jobs).await {
        Ok(list) if list.items.is_empty() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    for (round, restarted) in ["marker-before", "marker-after"].into_iter().zip([false, true]) {
        if restarted {
            operator.kill().await.unwrap();
            operator = bed.start(&[]);
        }
        // When another pipeline is done, the operator has looked at this one after its pods went.
        bed.apply(round, &chain(1)).await;
        bed.condition(round, "Ready", "True").await;
        bed.condition("iris", "Ready", "True").await;
        let runs = ListParams::default().labels("mlpipeline.dev/pipeline=iris");
        let found = bed.api::<Job>().list(&runs).await.unwrap();
        let found: Vec<String> = found.iter().map(ResourceExt::name_any).collect();
        assert_eq!(found, jobs, "{round}: nothing is run again");
        let now = status(&bed).await;
        let trained = now.models.first().expect("the model stays");
        assert!(trained.serving && trained.metrics["accuracy"] > 0.97, "{round}: {trained:?}");
        assert!(now.steps.iter().all(|step| !step.message.as_deref().unwrap_or_default().contains("lost")));
    }
    drop(operator);
}
