//! The probes and metrics of the operator.

use std::time::Duration;

use mlpipeline_operator::election::Timing;
use mlpipeline_operator::metrics::MetricsError;
use mlpipeline_operator::operator::{ElectionOptions, Operator, Options};
use mlpipeline_operator::probes::{serve_health, serve_metrics};
use serde_json::json;
use tower::Layer;

use crate::THREE_RUNS;
use crate::world::World;
use crate::world::controllers::Script;
use crate::world::state::Key;

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
async fn readiness_waits_for_every_cache_and_the_metrics_count_pipelines() {
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
        "mlpipeline_conflicting_installations 0",
    ] {
        assert!(text.contains(figure), "{figure} is not in {text}");
    }
    assert!(!text.contains("leader_election_master_status{"), "there is no election");
}

#[tokio::test(start_paused = true)]
async fn a_leader_is_counted_by_the_name_of_its_lease() {
    let world = World::new();
    let election = ElectionOptions {
        lease: "team-operator".into(),
        namespace: "system".into(),
        timing: Timing::default(),
    };
    let options = Options { election: Some(election), ..world.options("one") };
    let operator = Operator::new(options, |middleware| {
        Ok::<_, MetricsError>(kube::Client::new(middleware.layer(world.clone()), "default"))
    })
    .expect("metrics");
    let inspection = operator.inspection();
    let leads = |status: u8| format!("leader_election_master_status{{name=\"team-operator\"}} {status}\n");
    assert!(inspection.metrics_text().contains(&leads(0)), "{}", inspection.metrics_text());
    tokio::spawn(operator.run(std::future::pending()));
    world.until("a leader", |_| inspection.metrics_text().contains(&leads(1))).await;
}

#[tokio::test(start_paused = true)]
async fn an_installation_that_comes_and_goes_later_is_noticed() {
    let world = World::new();
    let operator = Operator::new(world.options("one"), |middleware| {
        Ok::<_, MetricsError>(kube::Client::new(middleware.layer(world.clone()), "default"))
    })
    .expect("metrics");
    let inspection = operator.inspection();
    tokio::spawn(operator.run(std::future::pending()));
    let count = |count: u8| format!("mlpipeline_conflicting_installations {count}\n");
    world.until("alone", |_| inspection.metrics_text().contains(&count(0))).await;
    world.forget_trace();
    let key = Key::new("deployments", "team-a", "mlpipeline-operator");
    let deployment = json!({
        "metadata": {"labels": {
            "app.kubernetes.io/name": "mlpipeline-operator", "app.kubernetes.io/component": "operator",
        }},
        "spec": {"selector": {}, "template": {"spec": {"containers": [
            {"name": "operator", "args": ["--leader-elect", "--namespace=team-a"]},
        ]}}},
    });
    world.with(|state| state.create(&key, deployment));
    tokio::time::sleep(Duration::from_secs(601)).await;
    world.until("the other one", |_| inspection.metrics_text().contains(&count(1))).await;
    world.delete(&key);
    tokio::time::sleep(Duration::from_secs(601)).await;
    world.until("alone again", |_| inspection.metrics_text().contains(&count(0))).await;
    assert!(world.writes().is_empty(), "an idle operator writes nothing: {:?}", world.writes());
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
