//! What is ours is repaired, deleted and handed over; what is not ours is never touched.

use std::time::Duration;

use mlpipeline_core::child_kind::ChildKind;
use serde_json::json;

use crate::THREE_RUNS;
use crate::world::controllers::Script;
use crate::world::state::Key;
use crate::world::{CRASH_COURSE, World};

#[tokio::test(start_paused = true)]
async fn s9_foreign_fields_survive_and_tampering_is_repaired() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    let service = Key::new("services", "ns", "iris-api");
    world.edit(&service, |service| {
        service["metadata"]["annotations"]["cloud/x"] = json!("theirs");
        service["metadata"]["finalizers"] = json!(["cloud/y"]);
        service["spec"]["ports"][0]["nodePort"] = json!(31111);
    });
    world
        .until("repaired", |world| {
            world.get(&service).expect("it is there")["spec"]["ports"][0]["nodePort"] == 30080
        })
        .await;
    let service = world.get(&service).expect("it is there");
    assert_eq!(service["metadata"]["annotations"]["cloud/x"], "theirs");
    assert_eq!(service["metadata"]["finalizers"], json!(["cloud/y"]));
}

#[tokio::test(start_paused = true)]
async fn s9_the_autoscalers_replicas_are_left_alone_and_survive_the_handover() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let fixed = CRASH_COURSE.replace(
        "autoscaling: {minReplicas: 2, maxReplicas: 5, targetCPUUtilizationPercentage: 60}",
        "replicas: 4",
    );
    let key = world.user_applies(&fixed);
    world.until("ready", |world| world.is_ready(&key)).await;
    let deployment = Key::new("deployments", "ns", "iris-api");
    assert_eq!(world.get(&deployment).expect("it is there")["spec"]["replicas"], 4);
    world.user_applies(CRASH_COURSE);
    world.until("an autoscaler", |world| !world.names("horizontalpodautoscalers").is_empty()).await;
    world.until("settled", |world| world.is_ready(&key)).await;
    assert_eq!(world.get(&deployment).expect("it is there")["spec"]["replicas"], 4, "never back to 1");
    world.edit(&deployment, |deployment| deployment["spec"]["replicas"] = json!(5));
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(world.get(&deployment).expect("it is there")["spec"]["replicas"], 5);
    world.user_applies(&fixed);
    world.until("no autoscaler", |world| world.names("horizontalpodautoscalers").is_empty()).await;
    world
        .until("four again", |world| world.get(&deployment).expect("it is there")["spec"]["replicas"] == 4)
        .await;
}

#[tokio::test(start_paused = true)]
async fn l4_what_no_step_wants_any_more_goes() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    world.user_applies(THREE_RUNS.replace("name: chain", "name: iris").as_str());
    world.until("ready again", |world| world.is_ready(&key) && world.names("jobs").len() == 3).await;
    let stays = |kind: &ChildKind| matches!(kind, ChildKind::Job | ChildKind::PersistentVolumeClaim);
    for kind in ChildKind::ALL.into_iter().filter(|kind| !stays(kind)) {
        assert!(world.names(kind.plural()).is_empty(), "{kind:?}");
    }
    assert_eq!(world.names("persistentvolumeclaims"), ["iris-storage"], "data are never deleted");
}

#[tokio::test(start_paused = true)]
async fn s3_foreign_objects_of_our_names_are_never_touched() {
    let world = World::new();
    world.start_controllers(Script::default());
    let foreign = Key::new("deployments", "ns", "iris-api");
    let theirs =
        json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "helm"}}, "spec": {"replicas": 7}});
    let before = world.with(|state| state.create(&foreign, theirs));
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("stalled", |world| world.is_stalled(&key)).await;
    let (_, reason, message) = world.condition(&key, "Stalled").expect("it is said");
    assert_eq!(reason, "NameTaken");
    assert!(message.contains("Deployment iris-api"), "{message}");
    assert_eq!(world.get(&foreign).expect("it is there")["spec"], before["spec"].clone());
    assert!(!world.names("services").is_empty(), "the other children come all the same");
    world.delete(&foreign);
    world.until("ready with no help", |world| world.is_ready(&key)).await;
}

#[tokio::test(start_paused = true)]
async fn s5_a_retained_claim_outlives_its_pipeline_and_is_known_again() {
    let world = World::new();
    world.start_controllers(Script::default());
    let _operator = world.start();
    let retained = CRASH_COURSE.replace("{size: 1Gi,", "{size: 1Gi, retain: true,");
    let key = world.user_applies(&retained);
    world.until("ready", |world| world.is_ready(&key)).await;
    let claim = Key::new("persistentvolumeclaims", "ns", "iris-storage");
    let uid = world.get(&claim).expect("it is there")["metadata"]["uid"].clone();
    world.delete(&key);
    assert_eq!(world.get(&claim).expect("it is kept")["metadata"]["uid"], uid);
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.user_applies(&retained);
    world.until("ready again", |world| world.is_ready(&key)).await;
    assert_eq!(world.get(&claim).expect("it is kept")["metadata"]["uid"], uid);
}

/// As a backup restores them: without owners, beside a pipeline with another uid.
#[tokio::test(start_paused = true)]
async fn l1_children_that_were_restored_without_their_owner_are_taken_back() {
    let world = World::new();
    world.start_controllers(Script::default());
    let operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    operator.stop().await.expect("it ends");
    let children: Vec<Key> = ChildKind::ALL
        .iter()
        .map(|kind| kind.plural())
        .flat_map(|kind| world.names(kind).into_iter().map(|name| Key::new(kind, "ns", &name)))
        .collect();
    let uids = |world: &World| {
        let uid = |key: &Key| world.get(key).expect("it is there")["metadata"]["uid"].clone();
        children.iter().map(uid).collect::<Vec<_>>()
    };
    let before = uids(&world);
    for child in &children {
        world.edit(child, |child| {
            drop(child["metadata"].as_object_mut().expect("an object").remove("ownerReferences"))
        });
    }
    world.delete(&key);
    world.user_applies(CRASH_COURSE);
    let _operator = world.start();
    world.until("ready again", |world| world.is_ready(&key)).await;
    assert_eq!(uids(&world), before, "none is made anew");
    let uid = world.get(&key).expect("it is there")["metadata"]["uid"].clone();
    for child in &children {
        let owner = world.get(child).expect("it is there")["metadata"]["ownerReferences"][0]["uid"].clone();
        assert_eq!(owner, uid, "{child:?}");
    }
}
