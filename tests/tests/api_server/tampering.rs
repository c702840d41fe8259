//! Children that somebody changes by hand, and names that somebody else has.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams, PostParams};
use mlpipeline_tests::wait_until;
use serde_json::json;

use super::operator_bed::{Bed, LONG};
use super::specs::{chain, chain_of_crash_course, crash_course};

#[tokio::test]
async fn l6_a_job_without_its_labels_gets_them_back_and_is_not_run_again() {
    let bed = Bed::new("tamper-labels").await;
    let mut operator = bed.start(&[]);
    bed.apply("chain", &chain(2)).await;
    bed.condition("chain", "Ready", "True").await;
    let jobs = bed.api::<Job>();
    let names = bed.names::<Job>().await;
    let before = jobs.get(&names[0]).await.unwrap();
    // The Job controller's own labels are its affair.
    let ours = |job: &Job| -> BTreeMap<String, String> {
        let labels = job.labels().clone().into_iter();
        labels.filter(|(key, _)| key.starts_with("mlpipeline.dev/") || key.starts_with("app.")).collect()
    };
    let all: BTreeMap<String, Option<String>> = ours(&before).into_keys().map(|key| (key, None)).collect();
    for taken in [json!(all), json!({"mlpipeline.dev/step": "other", "mlpipeline.dev/revision": null})] {
        let bare = Patch::Merge(json!({"metadata": {"labels": taken, "annotations": {"theirs": "stays"}}}));
        jobs.patch(&names[0], &PatchParams::default(), &bare).await.unwrap();
        let repaired = wait_until("the labels", LONG, async || {
            let job = jobs.get(&names[0]).await.map_err(|error| error.to_string())?;
            if ours(&job) == ours(&before) { Ok(job) } else { Err(format!("{:?}", job.labels())) }
        })
        .await;
        assert_eq!((repaired.uid(), repaired.spec), (before.uid(), before.spec.clone()));
        assert_eq!(repaired.metadata.annotations.unwrap()["theirs"], "stays");
    }
    operator.kill().await.unwrap();
    let _operator = bed.start(&[]);
    bed.apply("marker", &chain(1)).await;
    bed.condition("marker", "Ready", "True").await;
    bed.condition("chain", "Ready", "True").await;
    let after: Vec<String> =
        bed.names::<Job>().await.into_iter().filter(|name| name.starts_with("chain")).collect();
    assert_eq!(after, names);
}

/// It stays ours by its other labels, so the watch delivers its changes and its end, without the name of the pipeline.
#[tokio::test]
async fn l6_a_child_that_loses_its_pipelines_label_gets_it_back_and_is_made_anew_when_it_goes() {
    let bed = Bed::new("tamper-pipeline-label").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    let deployments = bed.api::<Deployment>();
    let bare = Patch::Merge(json!({"metadata": {"labels": {"mlpipeline.dev/pipeline": null}}}));
    let labelled = async |another: Option<&str>| {
        wait_until("a Deployment with its label", LONG, async || {
            let found = deployments.get("iris-api").await.map_err(|error| error.to_string())?;
            let is_there = found.labels().get("mlpipeline.dev/pipeline").is_some_and(|name| name == "iris");
            if is_there && found.uid().as_deref() != another { Ok(found) } else { Err(format!("{found:?}")) }
        })
        .await
    };
    deployments.patch("iris-api", &PatchParams::default(), &bare).await.unwrap();
    let before = labelled(None).await;
    deployments.patch("iris-api", &PatchParams::default(), &bare).await.unwrap();
    deployments.delete("iris-api", &Default::default()).await.unwrap();
    labelled(before.uid().as_deref()).await;
    bed.condition("iris", "Ready", "True").await;
}

#[tokio::test]
async fn s3_a_job_of_the_same_name_that_is_somebody_elses_is_left_alone() {
    let bed = Bed::new("tamper-job-name").await;
    let operator = bed.start(&[]);
    bed.apply("chain", &chain(1)).await;
    bed.condition("chain", "Ready", "True").await;
    let name = bed.names::<Job>().await.pop().unwrap();
    drop(operator);
    bed.pipelines().delete("chain", &Default::default()).await.unwrap();
    let jobs = bed.api::<Job>();
    wait_until("the Job to go", LONG, async || match jobs.get_opt(&name).await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let theirs = json!({"metadata": {"name": name}, "spec": {"suspend": true, "template": {"spec": {
        "restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}],
    }}}});
    let theirs = jobs.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    let _operator = bed.start(&[]);
    bed.apply("chain", &chain(1)).await;
    let message = bed.until_not_ready("chain", "NameTaken").await;
    assert!(message.contains(&format!("Job {name} already exists")), "{message}");
    let untouched = jobs.get(&name).await.unwrap();
    assert_eq!(
        (untouched.labels(), untouched.owner_references()),
        (theirs.labels(), theirs.owner_references())
    );
    jobs.delete(&name, &Default::default()).await.unwrap();
    bed.condition("chain", "Ready", "True").await;
}

#[tokio::test]
async fn s9_l4_foreign_labels_and_finalizers_stay_and_hold_nothing_else_up() {
    let bed = Bed::new("tamper-finalizer").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    let deployments = bed.api::<Deployment>();
    let theirs =
        Patch::Merge(json!({"metadata": {"labels": {"theirs": "yes"}, "finalizers": ["their.org/hold"]}}));
    deployments.patch("iris-api", &PatchParams::default(), &theirs).await.unwrap();
    // The Deployment is no longer wanted, and cannot go while somebody holds it.
    bed.apply("iris", &chain_of_crash_course(1)).await;
    bed.condition("iris", "Ready", "True").await;
    let held = deployments.get("iris-api").await.unwrap();
    assert!(held.metadata.deletion_timestamp.is_some());
    assert_eq!(held.labels()["theirs"], "yes");
    // Wanted again while it is being deleted: reported, and created when it is gone.
    bed.apply("iris", &crash_course()).await;
    let message = bed.until_not_ready("iris", "WaitingForDeletion").await;
    assert!(message.contains("Deployment iris-api"), "{message}");
    let released = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    deployments.patch("iris-api", &PatchParams::default(), &released).await.unwrap();
    bed.condition("iris", "Ready", "True").await;
}
