//! Users who edit, delete, re-create, suspend and tamper, with faults between: when they have stopped, the cluster is in the same
//! state as if the last spec had been written at once. And clocks that jump.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod world;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mlpipeline_core::child_kind::ChildKind;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;
use world::controllers::Script;
use world::faults::Mode;
use world::state::Key;
use world::{CRASH_COURSE, World};

/// What users do, and what befalls them.
#[derive(Clone, Debug)]
enum Deed {
    Apply(Variant),
    Delete,
    Suspend(bool),
    DeleteChild(Index),
    TamperWithChild(Index),
    StripChild(Index),
    Fault(u8, Mode),
    JumpClock(i64),
    Wait(u16),
}

/// What the pipeline asks for.
#[derive(Clone, Copy, Debug)]
enum Variant {
    Whole,
    OtherModel,
    NoAutoscaler,
    OnlyData,
    Wrong,
}

/// With a schedule that is years away from firing, so that a quiet world writes nothing.
fn yaml(variant: Variant) -> String {
    let whole = SCHEDULED.replace("*/5 * * * *", "0 0 29 2 *");
    match variant {
        Variant::Whole => whole,
        Variant::OtherModel => whole.replace("maxIterations: 200", "maxIterations: 300"),
        Variant::NoAutoscaler => whole.replace(
            "autoscaling: {minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 60}",
            "replicas: 2",
        ),
        Variant::OnlyData => whole.split("    - name: train").next().expect("a part").to_owned(),
        Variant::Wrong => whole.replace("{step: train}", "{step: nobody}"),
    }
}

/// The crash course; its `nightly` is due every five minutes.
const SCHEDULED: &str = CRASH_COURSE;
const PERIOD: i64 = 300;

fn deed() -> impl Strategy<Value = Deed> {
    let variants =
        [Variant::Whole, Variant::OtherModel, Variant::NoAutoscaler, Variant::OnlyData, Variant::Wrong];
    prop_oneof![
        3 => select(variants.to_vec()).prop_map(Deed::Apply),
        1 => Just(Deed::Delete),
        1 => any::<bool>().prop_map(Deed::Suspend),
        2 => any::<Index>().prop_map(Deed::DeleteChild),
        2 => any::<Index>().prop_map(Deed::TamperWithChild),
        1 => any::<Index>().prop_map(Deed::StripChild),
        2 => (0..40_u8, select(Mode::ALL.to_vec())).prop_map(|(after, mode)| Deed::Fault(after, mode)),
        1 => (-90_000..90_000_i64).prop_map(Deed::JumpClock),
        4 => (1..60_000_u16).prop_map(Deed::Wait),
    ]
}

/// Few cases, so that the suite stays quick; PROPTEST_CASES asks for more.
fn config() -> ProptestConfig {
    let asked = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { asked } else { ProptestConfig { cases: 24, ..asked } }
}

fn in_a_world<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(test)
}

fn child(world: &World, which: &Index) -> Option<Key> {
    let children: Vec<Key> = world.with(|state| {
        let is_child = |key: &&Key| {
            key.resource == "pods" || ChildKind::ALL.iter().any(|kind| kind.plural() == key.resource)
        };
        state.objects.keys().filter(is_child).cloned().collect()
    });
    (!children.is_empty()).then(|| which.get(&children).clone())
}

async fn does(world: &World, key: &Key, deed: &Deed) {
    match deed {
        Deed::Apply(variant) => drop(world.user_applies(&yaml(*variant))),
        Deed::Delete => world.delete(key),
        Deed::Suspend(suspend) => world.edit(key, |pipeline| pipeline["spec"]["suspend"] = json!(suspend)),
        Deed::DeleteChild(which) => child(world, which).iter().for_each(|key| world.delete(key)),
        Deed::TamperWithChild(which) => {
            if let Some(key) = child(world, which) {
                world.edit(&key, |object| {
                    object["metadata"]["labels"]["theirs"] = json!("yes");
                    match key.resource.as_str() {
                        "services" => object["spec"]["ports"] = json!([]),
                        "deployments" => object["spec"]["template"]["spec"]["containers"] = json!([]),
                        _ => object["metadata"]["annotations"] = json!({"theirs": "yes"}),
                    }
                });
            }
        }
        Deed::StripChild(which) => {
            // Pods have their labels from their owner, and nothing puts them back on a real cluster either.
            if let Some(key) = child(world, which).filter(|key| key.resource == "jobs") {
                world.edit(&key, |object| object["metadata"]["labels"] = json!({}));
            }
        }
        Deed::Fault(after, mode) => {
            let mut faults = world.faults.lock().expect("a lock");
            let at = faults.calls + usize::from(*after);
            faults.planned = vec![(at, *mode)];
        }
        Deed::JumpClock(seconds) => drop(world.jump.fetch_add(*seconds, Ordering::SeqCst)),
        Deed::Wait(milliseconds) => tokio::time::sleep(Duration::from_millis(u64::from(*milliseconds))).await,
    }
}

/// Everything that is not kept as history: kinds and names, and what of it the operator decides.
fn lasting(world: &World) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let is_history = |kind: &ChildKind| matches!(kind, ChildKind::Job | ChildKind::PersistentVolumeClaim);
    for resource in ChildKind::ALL.into_iter().filter(|kind| !is_history(kind)).map(ChildKind::plural) {
        for object in world.all(resource) {
            let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
            let ports = &object["spec"]["ports"];
            let revision = &object["spec"]["template"]["metadata"]["labels"]["mlpipeline.dev/revision"];
            let schedule = &object["spec"]["schedule"];
            let name = &object["metadata"]["name"];
            all.insert(format!("{resource} {name} {image} {ports} {revision} {schedule}"));
        }
    }
    all
}

async fn settled(world: &World, key: &Key, what: &str) {
    world.until(what, |world| world.is_ready(key)).await;
    tokio::time::sleep(Duration::from_secs(700)).await;
    world.until(what, |world| world.is_ready(key)).await;
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn l1_l5_q1_whatever_users_did_the_last_word_comes_true_and_then_all_is_quiet(
        deeds in prop::collection::vec(deed(), 1..14),
        last in select(vec![Variant::Whole, Variant::OtherModel, Variant::NoAutoscaler, Variant::OnlyData]),
    ) {
        let expected = in_a_world(async {
            let world = World::new();
            world.start_controllers(Script::default());
            let _operator = world.start_for_ever();
            let key = world.user_applies(&yaml(last));
            settled(&world, &key, "ready at once").await;
            lasting(&world)
        });
        in_a_world(async {
            let world = World::new();
            world.start_controllers(Script::default());
            let operator = world.start_for_ever();
            let key = world.user_applies(&yaml(Variant::Whole));
            for deed in &deeds {
                does(&world, &key, deed).await;
            }
            world.faults.lock().expect("a lock").planned.clear();
            world.user_applies(&yaml(last));
            settled(&world, &key, &format!("ready after {deeds:?}")).await;
            prop_assert!(!operator.is_finished());
            prop_assert_eq!(lasting(&world), expected);
            world.forget_trace();
            tokio::time::sleep(Duration::from_secs(900)).await;
            prop_assert_eq!(world.writes(), vec![]);
            Ok(())
        })?;
    }
}

/// Whether the next run in the status is the next one by the clock of now.
fn tells_the_next_run(world: &World, key: &Key) -> bool {
    let reported = world.get(key).expect("it is there")["status"]["nextRun"].clone();
    let reported: jiff::Timestamp = reported.as_str().expect("a time").parse().expect("a time");
    let ahead = reported.as_second() - world.now().as_second();
    reported.as_second() % PERIOD == 0 && (0..=PERIOD).contains(&ahead)
}

/// Fails, for one, when the plan keeps the first next run, or when nothing wakes the operator at the time of a schedule.
#[test]
fn a_clock_that_jumps_starts_nothing_twice_and_schedules_go_by_the_new_time() {
    for jump in [-90_000, -3_600, 3_600, 90_000, 40_000_000] {
        in_a_world(async {
            let world = World::new();
            world.start_controllers(Script::default());
            let operator = world.start_for_ever();
            let key = world.user_applies(SCHEDULED);
            tokio::time::sleep(Duration::from_secs(1)).await;
            world.jump.store(jump, Ordering::SeqCst);
            settled(&world, &key, &format!("ready although the clock jumped by {jump} s")).await;
            let cron_job = world.all("cronjobs");
            // There, and back by more than it had jumped.
            for then in [0, -jump, jump] {
                assert!(
                    tells_the_next_run(&world, &key),
                    "{jump}: {}",
                    world.get(&key).expect("it is there")
                );
                let before = world.get(&key).expect("it is there")["status"]["nextRun"].clone();
                world.jump.store(then, Ordering::SeqCst);
                assert!(!tells_the_next_run(&world, &key), "{jump}: the jump is one");
                world.forget_trace();
                // The operator finds out by itself, long before the wake that was due by the old time.
                tokio::time::sleep(Duration::from_secs(40)).await;
                assert!(
                    tells_the_next_run(&world, &key),
                    "{jump}: {}",
                    world.get(&key).expect("it is there")
                );
                assert_ne!(world.get(&key).expect("it is there")["status"]["nextRun"], before);
                // One write for the jump, and one more where a run became due after it.
                let writes = world.writes();
                assert!(writes.len() <= 2, "{jump}: {writes:#?}");
                assert!(
                    writes.iter().all(|call| call.resource == "mlpipelines/status"),
                    "{jump}: {writes:#?}"
                );
            }
            assert_eq!(world.all("cronjobs"), cron_job, "{jump}: the schedule itself is what it was");
            let created = world.with(|state| state.created.clone());
            let twice: Vec<_> =
                created.iter().filter(|(key, count)| key.resource == "jobs" && **count > 1).collect();
            assert!(twice.is_empty() && !operator.is_finished(), "{jump}: {twice:?}");
        });
    }
}
