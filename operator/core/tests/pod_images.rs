//! Which worker image pods that stay keep or take when the operator's default image is another one.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use jiff::Timestamp;
use mlpipeline_core::observed::{Observed, ObservedLongRunning, ObservedStep, PodIssue};
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Plan, Schedules, Work, plan, pod_images};
use mlpipeline_core::validate::validate;
use serde_json::json;

fn pipeline(image: Option<&str>) -> ValidatedPipeline {
    let step = json!({"name": "copy", "prepare": {
        "inputs": [{"name": "lines", "uri": "file:inbox/*.txt", "pattern": "(?<a>.)"}],
        "output": {"format": "csv"}, "continuous": {},
    }});
    let mut resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "p", "uid": "u"},
        "spec": {"steps": [step]},
    });
    if let Some(image) = image {
        resource["spec"]["image"] = json!(image);
    }
    validate(&serde_json::from_value(resource).expect("a pipeline"))
        .unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn planned(pipeline: &ValidatedPipeline, observed: &Observed) -> Plan {
    plan(pipeline, observed, Timestamp::UNIX_EPOCH, Schedules::Keep)
}

/// The world in which the step's pods run with this image, as many of them ready.
fn running(pipeline: &ValidatedPipeline, image: &str, ready: i32, issue: Option<&str>) -> Observed {
    let decided = planned(pipeline, &Observed::default());
    let Some(Work::LongRunning(tracks)) = &decided.steps[0].work else { panic!("pods that stay") };
    let found = ObservedLongRunning {
        key: Some(tracks.stable.key.clone()),
        image: Some(image.to_owned()),
        desired: 1,
        ready,
        ..ObservedLongRunning::default()
    };
    let issue = issue.map(|reason| PodIssue { reason: reason.to_owned(), message: "so it is".to_owned() });
    let pod_issues = issue.into_iter().collect();
    let step = ObservedStep { long_running: Some(found), pod_issues, ..ObservedStep::default() };
    let default_image = Some("worker:2".to_owned());
    Observed { steps: [("copy".to_owned(), step)].into(), default_image, ..Observed::default() }
}

#[test]
fn d5_the_image_that_pods_keep_or_take_is_said_before_the_upgrade() {
    let own = pipeline(None);
    let said = |observed: &Observed| {
        let images = pod_images(&own, &planned(&own, observed), observed);
        let [image] = images.as_slice() else { panic!("{images:?}") };
        (image.keeps, image.next.clone(), image.to_string())
    };
    let (keeps, next, words) = said(&running(&own, "worker:1", 1, None));
    assert_eq!((keeps, next.as_deref()), (true, Some("worker:1")));
    assert!(words.contains("keep the worker image worker:1 until the step"), "{words}");
    // A drain or an outage is no reason to change what the pods are.
    for (ready, issue) in [(0, None), (0, Some("Unschedulable")), (1, Some("CrashLoopBackOff"))] {
        assert!(said(&running(&own, "worker:1", ready, issue)).0, "{issue:?}");
    }
    for issue in ["ImagePullBackOff", "OutOfMemory"] {
        assert!(!said(&running(&own, "worker:1", 0, Some(issue))).0, "{issue}");
    }
    let (keeps, next, words) = said(&running(&own, "worker:1", 0, Some("CrashLoopBackOff")));
    assert_eq!((keeps, next.as_deref()), (false, Some("worker:2")));
    assert!(words.contains("worker:2 in place of worker:1"), "{words}");
    let unknown = Observed { default_image: None, ..running(&own, "worker:1", 0, Some("CrashLoopBackOff")) };
    assert!(said(&unknown).2.contains("the operator's default"));
    let nothing = Observed { default_image: Some("worker:2".into()), ..Observed::default() };
    assert_eq!(said(&nothing).1.as_deref(), Some("worker:2"));
}

#[test]
fn nothing_is_said_of_a_pipeline_that_names_its_image() {
    let own = pipeline(Some("worker:own"));
    let observed = running(&own, "worker:own", 1, None);
    assert!(pod_images(&own, &planned(&own, &observed), &observed).is_empty());
}
