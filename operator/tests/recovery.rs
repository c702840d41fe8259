//! What blocks a pipeline is reported; and when it is gone the pipeline continues by itself, within five minutes.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod world;

use std::time::Duration;

use mlpipeline_operator::metrics::MetricsError;
use mlpipeline_operator::operator::{Operator, Options};
use serde_json::json;
use tower::Layer;
use world::controllers::Script;
use world::state::Key;
use world::{CRASH_COURSE, World};

const TWO_RUNS: &str = r"
apiVersion: mlpipeline.dev/v1alpha1
kind: MLPipeline
metadata: {name: chain}
spec:
  steps:
    - {name: a, run: {image: busybox}}
    - {name: b, run: {image: busybox}, after: [a]}
";

/// The longest that anything may go on after its cause.
const FIVE_MINUTES: Duration = Duration::from_secs(300);

fn world() -> World {
    let world = World::new();
    world.start_controllers(Script::default());
    world
}

/// Every call of this kind is answered with this code, until [`allow`].
fn refuse(world: &World, verb: &str, resource: &str, code: u16) {
    let standing = (verb.into(), resource.into(), code, format!("cannot {verb} resource {resource}"));
    world.faults.lock().expect("a lock").standing.push(standing);
}

fn allow(world: &World) {
    world.faults.lock().expect("a lock").standing.clear();
}

/// Waits until a pipeline is not ready for this reason.
async fn until_not_ready(world: &World, key: &Key, reason: &str) -> String {
    let found = |world: &World| world.condition(key, "Ready").filter(|(_, now, _)| now == reason);
    world.until(reason, |world| found(world).is_some()).await;
    found(world).expect("it was said").2
}

async fn ready_within(world: &World, key: &Key, limit: Duration) {
    let begun = tokio::time::Instant::now();
    world.until("ready", |world| world.is_ready(key)).await;
    assert!(begun.elapsed() <= limit, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_taken_away_and_given_back_holds_nothing_up_for_longer() {
    let world = world();
    refuse(&world, "watch", "jobs", 403);
    let _operator = world.start();
    let key = world.user_applies(TWO_RUNS);
    let message = until_not_ready(&world, &key, "Forbidden").await;
    assert!(
        message.contains("list and watch of jobs") && message.contains("cannot watch resource"),
        "{message}"
    );
    tokio::time::sleep(FIVE_MINUTES).await;
    let steady = world.get(&key);
    tokio::time::sleep(FIVE_MINUTES).await;
    assert_eq!(world.get(&key), steady, "it is said once");
    allow(&world);
    ready_within(&world, &key, Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_refused_for_a_moment_is_no_news() {
    let world = world();
    for resource in ["jobs", "pods", "mlpipelines", "deployments"] {
        refuse(&world, "watch", resource, 401);
    }
    let _operator = world.start();
    let key = world.user_applies(TWO_RUNS);
    tokio::time::sleep(Duration::from_secs(15)).await;
    allow(&world);
    ready_within(&world, &key, Duration::from_secs(60)).await;
    let reasons: Vec<_> = world.all("events").iter().map(|event| event["reason"].clone()).collect();
    assert!(!reasons.contains(&json!("Forbidden")), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_without_rights_holds_up_no_other_and_is_looked_after_once_it_has_them() {
    let world = world();
    for resource in ["b/mlpipelines", "b/jobs", "b/pods", "b/ingresses"] {
        refuse(&world, "list", resource, 403);
    }
    let namespaces = vec!["ns".to_owned(), "b".to_owned()];
    let operator = Operator::new(Options { namespaces, ..world.options("one") }, |middleware| {
        Ok::<_, MetricsError>(kube::Client::new(middleware.layer(world.clone()), "default"))
    })
    .expect("metrics");
    let inspection = operator.inspection();
    tokio::spawn(operator.run(std::future::pending()));
    let key = world.user_applies(TWO_RUNS);
    let other = Key::new("mlpipelines", "b", "other");
    let theirs = world.get(&key).map(|pipeline| json!({
        "apiVersion": pipeline["apiVersion"], "kind": pipeline["kind"], "metadata": {}, "spec": pipeline["spec"],
    }));
    world.with(|state| state.create(&other, theirs.expect("it is there")));
    world.until("ready", |world| world.is_ready(&key)).await;
    let missing = inspection.missing();
    assert!(missing.contains(&"mlpipelines in namespace b (access denied)".to_owned()), "{missing:?}");
    assert!(missing.iter().all(|missing| missing.contains("namespace b")), "{missing:?}");
    allow(&world);
    ready_within(&world, &other, Duration::from_secs(120)).await;
    assert_eq!(inspection.missing(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_child_that_was_refused_for_good_is_tried_again() {
    for (resource, verb) in [("jobs", "create"), ("deployments", "patch")] {
        let world = world();
        refuse(&world, verb, resource, 422);
        let _operator = world.start();
        let key = world.user_applies(CRASH_COURSE);
        until_not_ready(&world, &key, "InvalidChild").await;
        tokio::time::sleep(Duration::from_secs(1000)).await;
        let tries =
            world.trace().iter().filter(|call| call.resource == resource && call.verb == verb).count();
        assert!((3..12).contains(&tries), "{tries} of {resource}");
        allow(&world);
        world.until("ready", |world| world.is_ready(&key)).await;
    }
}

/// An admission policy may refuse every change of a Job: what was asked for is true all the same.
#[tokio::test(start_paused = true)]
async fn a_pipeline_whose_reports_may_not_be_kept_with_their_jobs_is_ready() {
    let world = world();
    refuse(&world, "patch", "jobs", 403);
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    tokio::time::sleep(FIVE_MINUTES).await;
    assert!(world.is_ready(&key));
}

/// The API server does not change a StatefulSet's volumes, say; once somebody has deleted it, it can be made.
#[tokio::test(start_paused = true)]
async fn a_refused_child_is_tried_again_at_once_when_what_is_in_the_way_goes() {
    let world = world();
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    refuse(&world, "patch", "deployments", 422);
    world.user_applies(&CRASH_COURSE.replace("memory: 128Mi", "memory: 192Mi"));
    until_not_ready(&world, &key, "InvalidChild").await;
    allow(&world);
    world.delete(&Key::new("deployments", "ns", "iris-api"));
    ready_within(&world, &key, Duration::from_secs(20)).await;
}

#[tokio::test(start_paused = true)]
async fn a_service_that_must_be_replaced_and_is_held_by_a_finalizer_comes_back_when_it_is_let_go() {
    let world = world();
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    let service = Key::new("services", "ns", "iris-api");
    let held = json!(["service.kubernetes.io/load-balancer-cleanup"]);
    world.edit(&service, |service| service["metadata"]["finalizers"] = held.clone());
    world.forget_trace();
    let headless = CRASH_COURSE.replace("{type: NodePort, port: 80, nodePort: 30080}", "{type: Headless}");
    assert_ne!(headless, CRASH_COURSE);
    world.user_applies(&headless);
    let message = until_not_ready(&world, &key, "WaitingForDeletion").await;
    assert!(message.contains("Service iris-api"), "{message}");
    tokio::time::sleep(FIVE_MINUTES).await;
    let applied =
        world.writes().into_iter().filter(|call| call.resource == "services" && call.verb == "patch");
    assert_eq!(applied.count(), 0, "nothing is applied to what is going");
    world.edit(&service, |service| service["metadata"]["finalizers"] = json!(null));
    ready_within(&world, &key, Duration::from_secs(20)).await;
    assert_eq!(world.get(&service).expect("it is there")["spec"]["clusterIP"], "None");
}

/// The report of a step was lost with its pod, and the API server does not say whether it is only late.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_answered_is_reported() {
    let world = world();
    let _operator = world.start();
    let key = world.user_applies(CRASH_COURSE);
    world.until("ready", |world| world.is_ready(&key)).await;
    // The Job controller replaces the pod of a Job that it has not seen complete yet.
    let complete = |world: &World| world.all("jobs").iter().all(|job| !job["status"]["conditions"].is_null());
    world.until("complete Jobs", complete).await;
    let steps = world.get(&key).expect("it is there")["status"]["steps"].clone();
    refuse(&world, "list", "pods", 500);
    let train = world.names("pods").into_iter().find(|name| name.contains("train")).expect("its pod");
    world.delete(&Key::new("pods", "ns", &train));
    // And what was kept of it with the Job, in the same moment.
    let job = world.names("jobs").into_iter().find(|name| name.contains("train")).expect("its Job");
    world.edit(&Key::new("jobs", "ns", &job), |job| {
        job["metadata"]["annotations"].as_object_mut().expect("annotations").remove("mlpipeline.dev/report");
    });
    let message = until_not_ready(&world, &key, "ApiServerUnavailable").await;
    assert!(message.contains("the list of pods"), "{message}");
    assert_eq!(world.condition(&key, "Reconciling").expect("it is said").0, "True");
    assert_eq!(world.get(&key).expect("it is there")["status"]["steps"], steps, "what is known is kept");
    allow(&world);
    ready_within(&world, &key, FIVE_MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn q1_s6_a_resource_that_cannot_be_read_is_written_to_once_and_keeps_what_is_known() {
    let world = world();
    let operator = world.start();
    let key = world.user_applies(TWO_RUNS);
    world.until("ready", |world| world.is_ready(&key)).await;
    let known = world.get(&key).expect("it is there")["status"]["steps"].clone();
    world.edit(&key, |pipeline| pipeline["spec"]["steps"] = json!(5));
    until_not_ready(&world, &key, "InvalidSpec").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let said = world.get(&key);
    assert_eq!(said.as_ref().expect("it is there")["status"]["steps"], known);
    world.forget_trace();
    operator.kill();
    let _operator = world.start();
    tokio::time::sleep(Duration::from_secs(30)).await;
    // News of a child is a reason to look, and none to say it again.
    let job = Key::new("jobs", "ns", &world.names("jobs")[0]);
    world.edit(&job, |job| job["status"]["succeeded"] = json!(2));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.writes(), []);
    assert_eq!(world.get(&key), said);
}

/// The figure of this name.
fn figure(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name)).expect("the figure");
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a number")
}

#[tokio::test(start_paused = true)]
async fn q4_what_was_not_tried_again_is_no_new_error() {
    const ERRORS: &str = "controller_runtime_reconcile_errors_total{";
    const LOOKS: &str =
        "controller_runtime_reconcile_total{controller=\"mlpipeline\",result=\"requeue_after\"}";
    let world = world();
    refuse(&world, "patch", "deployments", 422);
    let operator = Operator::new(world.options("one"), |middleware| {
        Ok::<_, MetricsError>(kube::Client::new(middleware.layer(world.clone()), "default"))
    })
    .expect("metrics");
    let inspection = operator.inspection();
    tokio::spawn(operator.run(std::future::pending()));
    let key = world.user_applies(CRASH_COURSE);
    until_not_ready(&world, &key, "InvalidChild").await;
    let before = inspection.metrics_text();
    let pod = Key::new("pods", "ns", &world.names("pods")[0]);
    for at in 0..20 {
        world.edit(&pod, |pod| pod["status"]["message"] = json!(format!("{at}")));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let after = inspection.metrics_text();
    assert_eq!(figure(&after, ERRORS), figure(&before, ERRORS));
    assert!(figure(&after, LOOKS) >= 20, "{after}");
}
