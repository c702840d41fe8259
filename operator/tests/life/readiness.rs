//! The probes and metrics of the operator.

use mlpipeline_operator::metrics::MetricsError;
use mlpipeline_operator::operator::Operator;
use mlpipeline_operator::probes::{serve_health, serve_metrics};
use tower::Layer;

use crate::THREE_RUNS;
use crate::world::World;
use crate::world::controllers::Script;

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
