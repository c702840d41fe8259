//! An upgrade of the operator with live pipelines: the objects and statuses as version 0.1.0 wrote them.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod world;

use std::time::Duration;

use serde_json::Value;
use world::World;
use world::controllers::Script;
use world::state::Key;

const CRASH_COURSE: &str = include_str!("../../tests/tests/api_server/data/crash-course-0.1.0.yaml");
const WORKLOADS: &str = include_str!("../../tests/tests/api_server/data/workloads-0.1.0.yaml");
const REJECTED: &str = include_str!("../../tests/tests/api_server/data/rejected-0.1.0.yaml");

/// A world that holds these objects; the pipeline among them.
fn restored(yaml: &str) -> (World, Key) {
    let world = World::new();
    let objects: Vec<Value> = serde_saphyr::from_str(yaml).expect("YAML");
    let mut pipeline = None;
    for object in objects {
        let text = |at: &str| object.pointer(at).and_then(Value::as_str).expect("a text").to_owned();
        let kind = text("/kind");
        let key = Key::new(&plural(&kind), "ns", &text("/metadata/name"));
        world.with(|state| state.restore(&key, object));
        if kind == "MLPipeline" {
            pipeline = Some(key);
        }
    }
    (world, pipeline.expect("a pipeline"))
}

fn plural(kind: &str) -> String {
    match kind {
        "Ingress" => "ingresses".to_owned(),
        kind => format!("{}s", kind.to_lowercase()),
    }
}

/// What an upgrade must not change: the Jobs, and the specs of everything whose pods it would replace.
fn work(world: &World) -> Vec<(String, Value, Value)> {
    let resources = ["jobs", "deployments", "statefulsets", "daemonsets"];
    let objects = resources.iter().flat_map(|resource| world.all(resource));
    let parts = objects.map(|object| {
        let metadata = &object["metadata"];
        let name = metadata["name"].as_str().expect("a name").to_owned();
        (name, metadata["uid"].clone(), serde_json::json!([metadata["generation"], object["spec"]]))
    });
    parts.collect()
}

/// Lets the new operator run for ten minutes, and shows that it runs and rolls nothing, and comes to rest.
async fn upgrade(yaml: &str) -> Value {
    upgraded(yaml).await.1
}

/// The same, with the world that it leaves.
async fn upgraded(yaml: &str) -> (World, Value) {
    let (world, key) = restored(yaml);
    world.start_controllers(Script::default());
    // The autoscaler has done its part before the new operator comes.
    tokio::time::sleep(Duration::from_secs(30)).await;
    let before = work(&world);
    assert!(!before.is_empty(), "there is work to lose");
    let _operator = world.start();
    tokio::time::sleep(Duration::from_secs(300)).await;
    world.forget_trace();
    tokio::time::sleep(Duration::from_secs(300)).await;
    let writes = world.writes();
    // The next time of a schedule is a part of the status.
    let others: Vec<_> = writes.iter().filter(|call| call.resource != "mlpipelines/status").collect();
    assert!(others.is_empty(), "it comes to rest: {others:?}");
    assert_eq!(work(&world), before, "no run is started or deleted, and no pod replaced");
    let pipeline = world.get(&key).expect("it is there");
    assert_eq!(pipeline["status"]["observedGeneration"], pipeline["metadata"]["generation"]);
    let status = pipeline["status"].clone();
    (world, status)
}

fn condition<'a>(status: &'a Value, kind: &str) -> &'a Value {
    let conditions = status["conditions"].as_array().expect("conditions");
    conditions.iter().find(|condition| condition["type"] == kind).expect("the condition")
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_runs_and_rolls_nothing_of_the_crash_course() {
    let status = upgrade(CRASH_COURSE).await;
    assert_eq!(condition(&status, "Ready")["status"], "True", "{status}");
    assert_eq!(status["progress"], "4/4");
    assert_eq!(status["score"], "accuracy=0.973");
}

/// Else a run of such a schedule that cannot begin would stay in the way of the next, whatever is edited.
#[tokio::test(start_paused = true)]
async fn d1_an_upgrade_lets_the_runs_of_a_schedule_record_what_they_are_executed_with() {
    let recorded = |cron_job: &Value| {
        cron_job["spec"]["jobTemplate"]["metadata"]["annotations"].get("mlpipeline.dev/settings").cloned()
    };
    let (before, _) = restored(CRASH_COURSE);
    let schedules = before.all("cronjobs");
    assert!(
        !schedules.is_empty() && schedules.iter().all(|found| recorded(found).is_none()),
        "as version 0.1.0 wrote it"
    );
    let (world, _) = upgraded(CRASH_COURSE).await;
    let schedules = world.all("cronjobs");
    assert!(schedules.iter().all(|found| recorded(found).is_some()), "{schedules:?}");
}

#[tokio::test(start_paused = true)]
async fn d5_an_upgrade_to_another_worker_image_rolls_no_pods_that_serve() {
    assert!(CRASH_COURSE.contains("image: worker:1"), "the image of the new operator");
    let status = upgrade(&CRASH_COURSE.replace("image: worker:1", "image: worker:0")).await;
    assert_eq!(condition(&status, "Ready")["status"], "True", "{status}");
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_runs_and_rolls_nothing_of_other_workloads() {
    upgrade(WORKLOADS).await;
}

#[tokio::test(start_paused = true)]
async fn an_upgrade_gives_a_rejected_model_its_new_name_and_trains_no_other() {
    assert!(REJECTED.contains("Refused"), "as version 0.1.0 wrote it");
    let status = upgrade(REJECTED).await;
    assert_eq!(condition(&status, "Stalled")["status"], "True", "{status}");
    assert_eq!(status["models"][0]["gate"], "Rejected", "{status}");
    assert!(!status.to_string().contains("Refused"), "{status}");
}
