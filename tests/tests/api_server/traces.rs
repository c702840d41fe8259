//! Traces of the shipped operator: what a collector gets, and that none is needed.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ResourceQuota;
use kube::Api;
use kube::api::PostParams;
use mlpipeline_tests::stores::identity;
use mlpipeline_tests::wait_until;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio::process::Child;

use super::collector::{Collector, Span, over_tls};
use super::operator_bed::{Bed, LONG};
use super::specs::chain;

const HEADERS: (&str, &str) = ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20not-for-any-log");
/// Often, so that tests need not wait.
const OFTEN: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "50");
/// Longer than any test takes.
const NEVER: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "86400000");

/// What makes an operator stop.
async fn terminate(operator: &mut Child) {
    let id = operator.id().unwrap().to_string();
    let sent = tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
    assert!(sent.success());
    let ended = tokio::time::timeout(LONG, operator.wait()).await.expect("it ends").unwrap();
    assert!(ended.success(), "{ended}");
}

/// The spans below one, at any depth.
fn below<'a>(spans: &'a [Span], root: &Span) -> Vec<&'a Span> {
    let mut ids = BTreeSet::from([root.id.clone()]);
    let mut found: Vec<&Span> = Vec::new();
    loop {
        let is_new = |span: &&Span| ids.contains(&span.parent) && !ids.contains(&span.id);
        let next: Vec<&Span> = spans.iter().filter(is_new).collect();
        if next.is_empty() {
            return found;
        }
        ids.extend(next.iter().map(|span| span.id.clone()));
        found.extend(next);
    }
}

#[tokio::test]
async fn a_reconcile_is_a_trace_with_its_parts_and_calls_and_nothing_else_is() {
    let bed = Bed::new("traces").await;
    let collector = Collector::new().await;
    let environment = [HEADERS, OFTEN, ("RUST_LOG", "trace")];
    let _operator =
        bed.start_with(&["--otlp-endpoint", &collector.endpoint(), "--leader-elect"], &environment);
    bed.apply("chain", &chain(1)).await;
    bed.condition("chain", "Ready", "True").await;
    let (spans, look) = wait_until("a trace that begins the Job", LONG, async || {
        let spans = collector.spans();
        let begun = |look: &&Span| {
            look.name == "reconcile" && below(&spans, look).iter().any(|span| span.name == "create jobs")
        };
        let has_status_patch = spans.iter().any(|span| span.name == "patch_status mlpipelines");
        let look = spans.iter().find(begun).filter(|_| has_status_patch).cloned();
        look.map(|look| (spans.clone(), look)).ok_or_else(|| format!("{spans:#?}"))
    })
    .await;

    assert!(look.parent.is_empty() && !look.is_error, "{look:?}");
    assert_eq!(look.attributes["k8s.namespace.name"], bed.namespace.name());
    assert_eq!(look.attributes["mlpipeline.name"], "chain");
    assert_eq!(look.attributes["mlpipeline.generation"], "1");
    assert!(
        ["success", "requeue_after"].contains(&look.attributes["mlpipeline.outcome"].as_str()),
        "{look:?}"
    );
    assert_eq!(look.resource["service.name"], "mlpipeline-operator");
    assert!(!look.resource["service.instance.id"].is_empty());
    assert_eq!(look.authorization, "Bearer not-for-any-log");

    let inside = below(&spans, &look);
    let names: Vec<&str> = inside.iter().map(|span| span.name.as_str()).collect();
    for part in ["observe", "plan", "build", "apply", "publish"] {
        assert!(names.contains(&part), "{part}: {names:?}");
    }
    let create = inside.iter().find(|span| span.name == "create jobs").unwrap();
    let apply = inside.iter().find(|span| span.name == "apply").unwrap();
    assert_eq!((&create.parent, &create.trace), (&apply.id, &look.trace));
    assert!(look.nanoseconds >= apply.nanoseconds && apply.nanoseconds >= create.nanoseconds);
    assert_eq!(create.attributes["http.request.method"], "POST");
    let path = format!("/apis/batch/v1/namespaces/{}/jobs", bed.namespace.name());
    assert_eq!(create.attributes["url.path"], path);
    assert_eq!(create.attributes["http.response.status_code"], "201");

    // Watches, events and the lease are calls too, and an idle operator makes them.
    let roots: BTreeSet<&str> =
        spans.iter().filter(|span| span.parent.is_empty()).map(|span| span.name.as_str()).collect();
    assert_eq!(roots, BTreeSet::from(["reconcile"]));
    let others = |span: &&Span| span.name.ends_with(" leases") || span.name.ends_with(" events");
    assert!(!spans.iter().any(|span| others(&span)), "{spans:#?}");
    let log = bed.log().await;
    assert!(log.contains("exporting traces of reconciles") && !log.contains("not-for-any-log"));
}

#[tokio::test]
async fn a_reconcile_that_fails_says_so_in_its_trace_and_at_the_call() {
    let bed = Bed::new("traces-failure").await;
    let collector = Collector::new().await;
    let quotas: Api<ResourceQuota> = bed.api();
    let quota = json!({"metadata": {"name": "small"}, "spec": {"hard": {"count/jobs.batch": "0"}}});
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    wait_until("the quota to be in force", LONG, async || {
        let quota = quotas.get("small").await.map_err(|error| error.to_string())?;
        quota.status.and_then(|status| status.hard).map(drop).ok_or("no status".to_owned())
    })
    .await;
    // The way that the specification has it.
    let _operator = bed.start_with(&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint()), OFTEN]);
    bed.apply("chain", &chain(1)).await;
    bed.until_not_ready("chain", "QuotaExceeded").await;
    wait_until("the failure", LONG, async || {
        let spans = collector.spans();
        let failed = spans
            .iter()
            .find(|span| span.attributes.get("mlpipeline.outcome").is_some_and(|word| word == "error"));
        let look = failed.ok_or_else(|| format!("{spans:#?}"))?;
        let refused = below(&spans, look).into_iter().find(|span| span.name == "create jobs");
        let refused = refused.ok_or_else(|| format!("{spans:#?}"))?;
        assert!(look.is_error && refused.is_error);
        assert!(look.attributes.contains_key("mlpipeline.requeue_after_ms"), "{look:?}");
        assert_eq!(refused.attributes["http.response.status_code"], "403");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn what_waits_to_be_sent_is_sent_when_the_operator_is_told_to_stop() {
    let bed = Bed::new("traces-stop").await;
    let collector = Collector::new().await;
    let mut operator = bed.start_with(&["--otlp-endpoint", &collector.endpoint()], &[NEVER]);
    bed.apply("chain", &chain(1)).await;
    bed.condition("chain", "Ready", "True").await;
    assert!(collector.spans().is_empty(), "nothing is due yet");
    terminate(&mut operator).await;
    assert!(collector.spans().iter().any(|span| span.name == "create jobs"));
}

#[tokio::test]
async fn a_collector_that_is_not_there_holds_nothing_up_and_is_told_of_once() {
    let bed = Bed::new("traces-dead").await;
    // Held, so that nobody else is found there, and not listened on.
    let held = TcpSocket::new_v4().unwrap();
    held.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let endpoint = format!("http://{}", held.local_addr().unwrap());
    let mut operator = bed.start_with(&["--otlp-endpoint", &endpoint], &[HEADERS, OFTEN]);
    for name in ["one", "two", "three"] {
        bed.apply(name, &chain(1)).await;
        bed.condition(name, "Ready", "True").await;
    }
    terminate(&mut operator).await;
    let log = bed.log().await;
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("cannot send traces")).collect();
    assert!(matches!(warnings.as_slice(), [once] if once.contains("refused")), "{warnings:#?}");
    assert!(!log.contains("not-for-any-log"));
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nothing_up_not_even_the_stop() {
    let bed = Bed::new("traces-silent").await;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let silent = tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut taken = vec![0; 65536];
                while connection.read(&mut taken).await.is_ok_and(|length| length > 0) {}
            });
        }
    });
    // A queue that is full at once, and a time-out that a stop cannot wait for.
    let environment = [OFTEN, ("OTEL_BSP_MAX_QUEUE_SIZE", "4"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")];
    let mut operator = bed.start_with(&["--otlp-endpoint", &endpoint, "--leader-elect"], &environment);
    for name in ["one", "two", "three"] {
        bed.apply(name, &chain(2)).await;
        bed.condition(name, "Ready", "True").await;
    }
    wait_until("a request", LONG, async || match asked.load(Ordering::SeqCst) {
        0 => Err("none".to_owned()),
        _ => Ok(()),
    })
    .await;
    // Well within the ten minutes that the request may take.
    terminate(&mut operator).await;
    let leases: Api<Lease> = bed.api();
    let holder = leases.get("mlpipeline-operator").await.unwrap().spec.unwrap().holder_identity;
    assert!(holder.unwrap_or_default().is_empty(), "the lease is given up first");
    silent.abort();
}

#[tokio::test]
async fn a_collector_over_tls_is_trusted_by_the_authorities_that_are_named_and_by_no_others() {
    let bed = Bed::new("traces-tls").await;
    let (authority, certificate, key) = identity();
    let (stranger, ..) = identity();
    let folder = tempfile::tempdir().unwrap();
    for (name, pem) in [("authority.pem", authority), ("stranger.pem", stranger)] {
        std::fs::write(folder.path().join(name), pem).unwrap();
    }
    let (address, lines) = over_tls(&certificate, &key);
    let endpoint = format!("https://{address}");
    let started = |authority: &str| {
        let file = folder.path().join(authority);
        let environment = [OFTEN, ("OTEL_EXPORTER_OTLP_CERTIFICATE", file.to_str().unwrap())];
        bed.start_with(&["--otlp-endpoint", &endpoint], &environment)
    };
    let mut distrusts = started("stranger.pem");
    bed.apply("one", &chain(1)).await;
    bed.condition("one", "Ready", "True").await;
    terminate(&mut distrusts).await;
    let log = bed.log().await;
    assert!(log.contains("cannot send traces") && log.contains("certificate"), "{log}");
    assert!(lines.try_recv().is_err(), "nothing is sent to a stranger");
    let _trusts = started("authority.pem");
    let line =
        wait_until("a request", LONG, async || lines.try_recv().map_err(|error| error.to_string())).await;
    assert_eq!(line, "POST /v1/traces HTTP/1.1\r\n");
}

#[tokio::test]
async fn a_flag_that_makes_no_sense_ends_the_program_and_a_variable_does_not() {
    let bed = Bed::new("traces-settings").await;
    let mut refused = bed.start_with(&["--otlp-endpoint", "collector:4318"], &[]);
    let ended = tokio::time::timeout(LONG, refused.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(1));
    let log = bed.log().await;
    assert!(log.contains("--otlp-endpoint starts with neither http:// nor https://"), "{log}");
    let environment =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let _operator = bed.start_with(&[], &environment);
    bed.apply("chain", &chain(1)).await;
    bed.condition("chain", "Ready", "True").await;
    let log = bed.log().await;
    assert!(log.contains("traces are not exported: OTEL_EXPORTER_OTLP_PROTOCOL is"), "{log}");
}
