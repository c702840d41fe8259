//! The production operator and the life of a pipeline, against a simulated API server.

#![allow(clippy::expect_used, reason = "a test fails by it")]

mod world;

use std::time::Duration;

use mlpipeline_crds::StepReport;
use mlpipeline_operator::metrics::MetricsError;
use mlpipeline_operator::operator::Operator;
use mlpipeline_operator::probes::{serve_health, serve_metrics};
use serde_json::json;
use tower::Layer;
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
async fn l5_a_wrong_spec_is_told_and_mending_it_is_enough() {
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
    assert_eq!(world.trace().iter().filter(|call| call.verb != "watch").count(), 0, "{:?}", world.trace());
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
async fn l7_a_failed_step_is_told_in_the_workers_words_and_a_fix_goes_on() {
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
    for kind in ["deployments", "services", "horizontalpodautoscalers", "cronjobs", "poddisruptionbudgets"] {
        assert!(world.names(kind).is_empty(), "{kind}");
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
    let retained = CRASH_COURSE.replace("{size: 1Gi}", "{size: 1Gi, retain: true}");
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

/// What an address answers to a GET, head and body.
async fn answer(address: std::net::SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("it answers");
    text
}

#[tokio::test(start_paused = true)]
async fn readiness_waits_for_every_cache_and_the_metrics_tell_of_pipelines() {
    let world = World::new();
    world.start_controllers(Script::default());
    let operator = Operator::new(world.options("one"), |middleware| {
        Ok::<_, MetricsError>(kube::Client::new(middleware.layer(world.clone()), "default"))
    })
    .expect("metrics");
    let inspection = operator.inspection();
    let any = "127.0.0.1:0".parse().expect("an address");
    let health = serve_health(any, inspection.clone()).await.expect("a free port");
    let metrics = serve_metrics(any, inspection.clone()).await.expect("a free port");
    tokio::spawn(operator.run(std::future::pending()));
    let key = world.user_applies(THREE_RUNS);
    world.until("ready", |world| world.is_ready(&key)).await;
    for path in ["/livez", "/readyz", "/healthz"] {
        assert!(answer(health, path).await.starts_with("HTTP/1.1 200"), "{path}");
    }
    world
        .until("the cache to know", |_| {
            inspection.metrics_text().contains("mlpipeline_pipelines{state=\"Ready\"} 1")
        })
        .await;
    let text = answer(metrics, "/metrics").await;
    for figure in [
        "mlpipeline_steps{state=\"Done\"} 3",
        "controller_runtime_reconcile_total{controller=\"mlpipeline\",result=\"success\"}",
        "controller_runtime_reconcile_errors_total{controller=\"mlpipeline\"} 0",
        "controller_runtime_active_workers{controller=\"mlpipeline\"} 0",
        "workqueue_depth{name=\"mlpipeline\"} 0",
        "rest_client_requests_total{code=\"201\",method=\"POST\"} 7",
        "leader_election_master_status{name=\"mlpipeline\"} 1",
    ] {
        assert!(text.contains(figure), "{figure} is not in {text}");
    }
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let world = World::new();
    world.faults.lock().expect("a lock").standing =
        vec![("list".into(), "ingresses".into(), 403, "ingresses is forbidden".into())];
    let operator = Operator::new(world.options("one"), |middleware| {
        Ok::<_, MetricsError>(kube::Client::new(middleware.layer(world.clone()), "default"))
    })
    .expect("metrics");
    let inspection = operator.inspection();
    let health =
        serve_health("127.0.0.1:0".parse().expect("an address"), inspection.clone()).await.expect("a port");
    world.until("all the others", |_| inspection.missing() == ["ingresses (access denied)"]).await;
    let response = answer(health, "/readyz").await;
    assert!(
        response.starts_with("HTTP/1.1 503") && response.contains("not synced: ingresses (access denied)"),
        "{response}"
    );
}
