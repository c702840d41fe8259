//! What holds a pipeline up for longer than it usually takes is reported when its time has come, though nothing happens then.

use std::time::Duration;

use serde_json::json;

use crate::world::controllers::Script;
use crate::world::state::Key;
use crate::world::{CRASH_COURSE, World};

fn warnings(world: &World, reason: &str) -> usize {
    world.all("events").iter().filter(|event| event["reason"] == reason).count()
}

#[tokio::test(start_paused = true)]
async fn d3_a_scheduled_run_that_no_node_takes_ends_ready_after_five_minutes_with_one_event() {
    let world = World::new();
    world.start_controllers(Script { unschedulable: vec!["nightly".into()], ..Script::default() });
    let _operator = world.start();
    // Seldom, so that no time of the schedule passes meanwhile.
    let key = world.user_applies(&CRASH_COURSE.replace("\"*/5 * * * *\"", "'0 2 1 1 *'"));
    world.until("ready", |world| world.is_ready(&key)).await;
    let fired = world.now();
    world.fire("iris-nightly");
    world
        .until("named in the status", |world| {
            let step = world.get(&key).expect("it is there")["status"]["steps"][3].clone();
            step["message"].as_str().is_some_and(|message| message.starts_with("Unschedulable"))
        })
        .await;
    assert!(world.is_ready(&key), "the cluster may add a node");
    world.until("not ready", |world| !world.is_ready(&key)).await;
    let minutes = world.now().duration_since(fired).as_mins();
    assert_eq!(minutes, 5, "it does not wait for the next event or resync");
    let (_, reason, message) = world.condition(&key, "Ready").expect("it is said");
    assert_eq!(reason, "Unschedulable");
    assert!(message.contains("nightly") && message.contains("the next begins when Job"), "{message}");
    assert_eq!(warnings(&world, "Unschedulable"), 1);
    let stuck = world.names("jobs").into_iter().find(|name| name.starts_with("iris-nightly")).expect("a run");
    world.delete(&Key::new("jobs", "ns", &stuck));
    world.until("ready again", |world| world.is_ready(&key)).await;
    assert_eq!(warnings(&world, "Unschedulable"), 1);
}

#[tokio::test(start_paused = true)]
async fn d3_runs_that_are_replaced_again_and_again_end_ready_with_one_event() {
    let world = World::new();
    world.start_controllers(Script { unschedulable: vec!["nightly".into()], ..Script::default() });
    let _operator = world.start();
    let replaced = CRASH_COURSE.replace("\"*/5 * * * *\"", "'* * * * *', concurrencyPolicy: Replace");
    assert_ne!(replaced, CRASH_COURSE);
    let key = world.user_applies(&replaced);
    world.until("ready", |world| world.is_ready(&key)).await;
    for at in 0..6 {
        // As the CronJob controller does it: the run before goes, and the next comes.
        for job in world.names("jobs").into_iter().filter(|name| name.starts_with("iris-nightly")) {
            world.delete(&Key::new("jobs", "ns", &job));
        }
        world.fire("iris-nightly");
        let newest =
            world.names("jobs").into_iter().find(|name| name.starts_with("iris-nightly")).expect("a run");
        let is_reported = |world: &World| {
            let step = world.get(&key).expect("it is there")["status"]["steps"][3].clone();
            let message = step["message"].as_str().unwrap_or_default().to_owned();
            step["workload"] == format!("Job/{newest}") && message.contains("Unschedulable")
        };
        world.until("the newest run in the status", is_reported).await;
        assert_eq!(world.is_ready(&key), at < 3, "after {at} that were replaced");
    }
    let (_, reason, message) = world.condition(&key, "Ready").expect("it is said");
    assert_eq!(reason, "RunsReplaced");
    assert!(message.contains("Unschedulable") && message.contains("the last 5 runs"), "{message}");
    assert_eq!((warnings(&world, "RunsReplaced"), warnings(&world, "Unschedulable")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn d3_a_run_whose_job_somebody_deletes_runs_again_and_is_reported_once() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(crate::THREE_RUNS);
    world.until("ready", |world| world.is_ready(&key)).await;
    let job = Key::new("jobs", "ns", &world.names("jobs")[1]);
    let uid = world.get(&job).expect("it is there")["metadata"]["uid"].clone();
    world.delete(&job);
    world
        .until("ready again", |world| {
            let made = world.get(&job).is_some_and(|job| job["metadata"]["uid"] != uid);
            made && world.is_ready(&key)
        })
        .await;
    assert_eq!(warnings(&world, "RunRemoved"), 1);
    let note =
        world.all("events").iter().find(|event| event["reason"] == "RunRemoved").cloned().expect("one");
    assert!(note["note"].as_str().is_some_and(|note| note.contains(&job.name)), "{note}");
    assert_eq!(note["type"], json!("Warning"));
}

/// A run whose Job is gone would run again, each time it ends.
#[tokio::test(start_paused = true)]
async fn d3_a_lifetime_that_something_else_gives_a_job_is_removed_before_the_cluster_deletes_it() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(crate::THREE_RUNS);
    world.until("ready", |world| world.is_ready(&key)).await;
    for name in world.names("jobs") {
        let job = Key::new("jobs", "ns", &name);
        let uid = world.get(&job).expect("it is there")["metadata"]["uid"].clone();
        world.edit(&job, |job| job["spec"]["ttlSecondsAfterFinished"] = json!(3600));
        world
            .until("kept", |world| {
                world.get(&job).is_some_and(|job| job["spec"]["ttlSecondsAfterFinished"].is_null())
            })
            .await;
        assert_eq!(world.get(&job).expect("it is there")["metadata"]["uid"], uid);
    }
    assert!(world.is_ready(&key));
}

#[tokio::test(start_paused = true)]
async fn d3_a_child_that_something_else_keeps_changing_is_named_with_one_event_until_it_stops() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    let service = Key::new("services", "ns", "iris-api");
    let change = || world.edit(&service, |service| service["spec"]["ports"][0]["nodePort"] = json!(31111));
    for _ in 0..3 {
        change();
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert!(world.is_ready(&key), "somebody may have made a mistake or two");
    for _ in 0..200 {
        change();
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let (_, reason, message) = world.condition(&key, "Ready").expect("it is said");
    assert_eq!((reason.as_str(), world.is_ready(&key)), ("Conflict", false));
    assert!(message.contains("nodePort of Service iris-api") && !message.contains("31111"), "{message}");
    assert_eq!(warnings(&world, "Conflict"), 1);
    let is_set_back =
        |world: &World| world.get(&service).expect("it is there")["spec"]["ports"][0]["nodePort"] == 30080;
    world.until("set back for the last time", is_set_back).await;
    tokio::time::sleep(Duration::from_secs(500)).await;
    assert!(!world.is_ready(&key), "it may be changed again");
    world.until("ready again", |world| world.is_ready(&key)).await;
    assert!(is_set_back(&world));
    assert_eq!(warnings(&world, "Conflict"), 1);
}
