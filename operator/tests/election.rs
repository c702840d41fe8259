//! Several operators, one of which is the leader.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod world;

use std::time::Duration;

use mlpipeline_operator::operator::OperatorError;
use world::World;
use world::controllers::Script;

const ONE_RUN: &str = "{apiVersion: mlpipeline.dev/v1alpha1, kind: MLPipeline, metadata: {name: NAME}, \
                       spec: {steps: [{name: a, run: {image: busybox}}]}}";

fn holder(world: &World) -> String {
    let leases = world.all("leases");
    leases.first().and_then(|lease| lease["spec"]["holderIdentity"].as_str()).unwrap_or_default().to_owned()
}

/// Writes of an operator other than those of the lease.
fn writes_of(world: &World, who: &str) -> usize {
    world.writes().iter().filter(|call| call.who == who && call.resource != "leases").count()
}

#[tokio::test(start_paused = true)]
async fn s10_a_stand_by_writes_nothing_and_takes_over_when_the_leader_is_killed() {
    let world = World::new();
    world.start_controllers(Script::default());
    let first = world.start_candidate("first");
    world.until("the first leads", |world| holder(world) == "first").await;
    let _second = world.start_candidate("second");
    let key = world.user_applies(&ONE_RUN.replace("NAME", "one"));
    world.until("ready", |world| world.is_ready(&key)).await;
    assert_eq!(writes_of(&world, "second"), 0);
    first.kill();
    let killed = world.now();
    let key = world.user_applies(&ONE_RUN.replace("NAME", "two"));
    world.until("ready by the second", |world| world.is_ready(&key)).await;
    assert!(world.now().duration_since(killed).as_secs() < 25);
    assert_eq!(holder(&world), "second");
    assert!(world.with(|state| state.created.values().all(|count| *count == 1)));
}

#[tokio::test(start_paused = true)]
async fn q1_a_change_of_leader_writes_nothing_but_the_lease() {
    let world = World::new();
    world.start_controllers(Script::default());
    let first = world.start_candidate("first");
    let key = world.user_applies(&ONE_RUN.replace("NAME", "one"));
    world.until("ready", |world| world.is_ready(&key)).await;
    let _second = world.start_candidate("second");
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.forget_trace();
    first.stop().await.expect("a clean end");
    assert_eq!(holder(&world), "", "it is given up");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(holder(&world), "second", "nobody waits for its end");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(writes_of(&world, "first") + writes_of(&world, "second"), 0);
}

#[tokio::test(start_paused = true)]
async fn s10_a_leader_that_is_cut_off_has_ended_before_another_can_begin() {
    let world = World::new();
    world.start_controllers(Script::default());
    let first = world.start_candidate("first");
    world.until("the first leads", |world| holder(world) == "first").await;
    let _second = world.start_candidate("second");
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.faults.lock().expect("a lock").cut_off = vec!["first".to_owned()];
    while holder(&world) == "first" {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if holder(&world) == "second" {
            assert!(first.has_ended(), "two leaders at once");
        }
    }
    world.faults.lock().expect("a lock").cut_off.clear();
    assert!(matches!(first.end().await, Err(OperatorError::LeaseLost)));
    world.forget_trace();
    let key = world.user_applies(&ONE_RUN.replace("NAME", "one"));
    world.until("ready", |world| world.is_ready(&key)).await;
    assert_eq!(writes_of(&world, "first"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_else_took_ends_the_leader() {
    let world = World::new();
    let first = world.start_candidate("first");
    world.until("the first leads", |world| holder(world) == "first").await;
    let key = world::state::Key::new("leases", "system", "mlpipeline-operator");
    world.edit(&key, |lease| lease["spec"]["holderIdentity"] = "thief".into());
    assert!(matches!(first.end().await, Err(OperatorError::LeaseLost)));
    assert_eq!(holder(&world), "thief");
}
