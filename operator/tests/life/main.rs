//! The production operator and the life of a pipeline, against a simulated API server.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod held_up;
mod ownership;
mod readiness;
#[path = "../world/mod.rs"]
mod world;

use std::time::Duration;

use mlpipeline_crds::StepReport;
use serde_json::json;
use world::controllers::Script;
use world::state::Key;
use world::{CRASH_COURSE, World};

const THREE_RUNS: &str = r"
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: chain}
spec:
  steps:
    - {name: a, run: {image: busybox}}
    - {name: b, run: {image: busybox}, after: [a]}
    - {name: c, run: {image: busybox}, after: [b]}
";

#[tokio::test(start_paused = true)]
async fn the_crash_course_becomes_ready_with_all_its_children() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    assert_eq!(world.names("persistentvolumeclaims"), ["iris-storage"]);
    assert_eq!(world.names("jobs").len(), 2);
    assert_eq!(world.names("deployments"), ["iris-api"]);
    assert_eq!(world.names("services"), ["iris-api"]);
    assert_eq!(world.names("horizontalpodautoscalers"), ["iris-api"]);
    assert_eq!(world.names("cronjobs"), ["iris-nightly"]);
    let status = &world.get(&key).expect("it is there")["status"];
    assert_eq!(status["progress"], "4/4");
    assert_eq!(status["score"], "accuracy=0.973");
    world.fire("iris-nightly");
    world
        .until("the nightly run is seen", |world| {
            let steps = world.get(&key).expect("it is there")["status"]["steps"].clone();
            steps[3]["state"] == "Done"
                && steps[3]["workload"].as_str().is_some_and(|name| name.starts_with("Job/"))
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn q1_a_converged_pipeline_is_not_written_to_by_resyncs_restarts_or_relists() {
    let world = World::new();
    world.start_controllers(Script::default());
    let operator = world.start();
    let key = world.user_applies(CRASH_COURSE.split("    - name: nightly").next().expect("a part"));
    world.until("ready", |world| world.is_ready(&key)).await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.forget_trace();
    tokio::time::sleep(Duration::from_secs(600)).await;
    operator.stop().await.expect("a clean end");
    let operator = world.start();
    tokio::time::sleep(Duration::from_secs(600)).await;
    operator.kill();
    let _operator = world.start();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.writes(), []);
    assert!(world.trace().iter().all(|call| call.verb != "get"), "{:#?}", world.trace());
}

/// A report lives in its pod, and pods go long before their Jobs: with a node, or collected because they are many.
#[tokio::test(start_paused = true)]
async fn l6_pods_that_go_after_their_reports_were_read_change_nothing() {
    let world = World::new();
    world.start_controllers(Script::default());
    let operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    world.fire("iris-nightly");
    let status = |world: &World| world.get(&key).expect("it is there")["status"].clone();
    // But the step of a schedule, whose next run comes nearer.
    let standing = |world: &World| {
        let mut status = status(world);
        status["steps"][3]["message"] = json!(null);
        [status["conditions"].clone(), status["steps"].clone(), status["models"].clone()]
    };
    world.until("the nightly run is seen", |world| status(world)["steps"][3]["state"] == "Done").await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (before, jobs) = (standing(&world), world.names("jobs"));
    let kept: Vec<_> =
        world.writes().into_iter().filter(|call| call.verb == "patch" && call.resource == "jobs").collect();
    assert_eq!(kept.len(), 3, "one write a run: {kept:#?}");
    for pod in world.names("pods") {
        world.delete(&Key::new("pods", "ns", &pod));
    }
    world.forget_trace();
    tokio::time::sleep(Duration::from_secs(120)).await;
    operator.kill();
    let _operator = world.start();
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(world.names("jobs"), jobs, "nothing is run again");
    assert_eq!(standing(&world), before);
    let writes = world.writes();
    // The time of the next run, which came by meanwhile.
    assert!(writes.len() <= 1, "{writes:#?}");
    assert!(writes.iter().all(|call| call.resource == "mlpipelines/status"), "{writes:#?}");
}

/// Once the continuous steps' Deployments were taken for orphans as soon as they had been applied, again and again.
#[tokio::test(start_paused = true)]
async fn q1_steps_that_run_all_the_time_are_brought_about_once() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(
        r"
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: pipe}
spec:
  steps:
    - name: csv
      prepare:
        inputs: [{name: rows, uri: 'file:in/*.csv'}]
        continuous: {pollInterval: 5s}
    - {name: web, run: {image: busybox, workload: Deployment}}
",
    );
    world.until("ready", |world| world.is_ready(&key)).await;
    let status = &world.get(&key).expect("it is there")["status"];
    assert_eq!(status["steps"][0]["workload"], "Deployment/pipe-csv", "{status}");
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.forget_trace();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.writes(), []);
    assert_eq!(world.names("deployments"), ["pipe-csv", "pipe-web"]);
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_three_runs_costs_at_most_eight_writes_and_four_events() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(THREE_RUNS);
    world.until("ready", |world| world.is_ready(&key)).await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (events, writes): (Vec<_>, Vec<_>) =
        world.writes().into_iter().partition(|call| call.resource == "events");
    assert_eq!(events.len(), 4, "{events:#?}");
    assert!(writes.len() <= 8, "{writes:#?}");
}

#[tokio::test(start_paused = true)]
async fn s6_a_new_resource_never_looks_current_before_it_is() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(THREE_RUNS);
    world.until("a first word", |world| world.condition(&key, "Reconciling").is_some()).await;
    let written = world.writes();
    assert_eq!(written[0].resource, "jobs", "children first: {written:?}");
    assert_eq!(written[1].resource, "mlpipelines/status", "the status in the same look: {written:?}");
    assert_eq!(world.condition(&key, "Reconciling").expect("it is said").0, "True");
}

#[tokio::test(start_paused = true)]
async fn l5_a_wrong_spec_is_reported_and_fixing_it_is_enough() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(&THREE_RUNS.replace("after: [b]", "after: [nobody]"));
    world.until("stalled", |world| world.is_stalled(&key)).await;
    let (_, reason, message) = world.condition(&key, "Stalled").expect("it is said");
    assert_eq!(reason, "InvalidSpec");
    assert!(message.contains("nobody"), "{message}");
    assert!(world.names("jobs").is_empty());
    world.forget_trace();
    tokio::time::sleep(Duration::from_secs(600)).await;
    // Every ten minutes it looks for another installation.
    let calls = world.trace();
    let is_idle = calls
        .iter()
        .all(|call| call.verb == "watch" || (call.verb == "list" && call.resource == "deployments"));
    assert!(is_idle, "{calls:?}");
    world.user_applies(THREE_RUNS);
    world.until("ready", |world| world.is_ready(&key)).await;
}

#[tokio::test(start_paused = true)]
async fn s11_a_resource_that_cannot_be_read_harms_only_itself() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let broken = world.user_applies(
        "{apiVersion: mlpipeline.dev/v1alpha1, kind: MLPipeline, metadata: {name: broken}, spec: {steps: 5}}",
    );
    let key = world.user_applies(THREE_RUNS);
    world.until("the other is ready", |world| world.is_ready(&key)).await;
    let (status, reason, message) = world.condition(&broken, "Stalled").expect("it is said");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "InvalidSpec"));
    assert!(message.contains("cannot be read: invalid type: integer `5`"), "{message}");
    assert!(world.all("events").iter().any(|event| event["regarding"]["name"] == "broken"));
}

#[tokio::test(start_paused = true)]
async fn l7_a_failed_step_is_reported_in_the_workers_words_and_a_fix_continues() {
    let world = World::new();
    let report = StepReport::failed("ColumnNotFound", "column \"species\" not found; columns are a, b");
    let failing = [("train".to_owned(), (3, report))].into();
    world.start_controllers(Script { failing, ..Script::default() });
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("stalled", |world| world.is_stalled(&key)).await;
    let (_, reason, message) = world.condition(&key, "Stalled").expect("it is said");
    assert_eq!(reason, "ColumnNotFound");
    assert!(message.contains("columns are a, b"), "{message}");
    let jobs = world.names("jobs").len();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(world.names("jobs").len(), jobs, "it is not tried again");
    world.user_applies(&CRASH_COURSE.replace("target: species", "target: kind"));
    world.until("a new run", |world| world.names("jobs").len() == jobs + 1).await;
}

#[tokio::test(start_paused = true)]
async fn l3_deletion_needs_nothing_of_the_operator_and_leaves_nothing() {
    let world = World::new();
    world.start_controllers(Script::default());
    let operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    operator.kill();
    world.delete(&key);
    let left = world.with(|state| {
        state.objects.keys().filter(|key| key.resource != "events").cloned().collect::<Vec<_>>()
    });
    assert_eq!(left, [], "no finalizer, and an owner on every child");
}
