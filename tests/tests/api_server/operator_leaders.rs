//! Two replicas of the shipped operator, one of which acts. Each has a service account of its own, so that the audit log shows
//! whose write it was.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::PostParams;
use mlpipeline_tests::control_plane::{AuditEvent, AuditPosition, Identity};
use mlpipeline_tests::wait_until;
use serde_json::json;

use super::operator_bed::{Bed, LONG, signal};
use super::specs::{chain, crash_course};

/// Who leads; an error while nobody does.
async fn holder(bed: &Bed) -> Result<String, String> {
    let lease = bed.api::<Lease>().get_opt("mlpipeline-operator").await.map_err(|error| error.to_string())?;
    let holder = lease.and_then(|lease| lease.spec?.holder_identity).filter(|holder| !holder.is_empty());
    holder.ok_or_else(|| "nobody".to_owned())
}

/// Waits until somebody else leads.
async fn takeover(bed: &Bed, before: &str) {
    wait_until("another leader", LONG, async || match holder(bed).await? {
        same if same == before => Err(same),
        _ => Ok(()),
    })
    .await;
}

/// A user's writes that the API server has taken.
async fn taken(bed: &Bed, user: &Identity, since: AuditPosition) -> Vec<AuditEvent> {
    let mut events = bed.writes(user, since).await;
    events.retain(|event| event.response_status.code < 300);
    events
}

/// S10 for a change of leader: nothing of the first is taken once the second has the lease, and nothing of the second before.
async fn one_writes_at_a_time(bed: &Bed, since: AuditPosition, second: &Identity) {
    let (before, after) = (taken(bed, &bed.operator, since).await, taken(bed, second, since).await);
    assert!(before.iter().any(|event| event.resource() != "leases"), "the first has led");
    let acquired = after.iter().find(|event| event.resource() == "leases").expect("the second leads");
    let late: Vec<_> =
        before.iter().filter(|event| event.stage_timestamp > acquired.request_received_timestamp).collect();
    assert!(late.is_empty(), "writes of the first after it had lost the lease: {late:#?}");
    let early: Vec<_> = after
        .iter()
        .filter(|event| {
            event.resource() != "leases"
                && event.request_received_timestamp < acquired.request_received_timestamp
        })
        .collect();
    assert!(early.is_empty(), "writes of the second before it had the lease: {early:#?}");
}

/// S1: how many Jobs were made, each once, whoever made it.
async fn made_once(bed: &Bed, since: AuditPosition, second: &Identity) -> usize {
    let mut made = taken(bed, &bed.operator, since).await;
    made.extend(taken(bed, second, since).await);
    made.retain(|event| event.verb == "create" && event.resource() == "jobs");
    let names: BTreeSet<&str> = made.iter().map(|event| event.object_ref.name.as_str()).collect();
    assert_eq!(names.len(), made.len(), "a run was begun twice: {made:#?}");
    names.len()
}

/// Two lines of defence hold here, the fence and the end of a process that has lost the lease. Seen to fail with an operator that
/// has no fence and does not end at once.
#[tokio::test]
async fn s1_s10_a_leader_that_was_stopped_past_its_lease_writes_nothing_when_it_goes_on() {
    let mut bed = Bed::new("leader-stopped").await;
    let since = bed.control_plane.audit().position().await;
    let mut first = bed.start(&["--leader-elect"]);
    let leader = wait_until("a leader", LONG, async || holder(&bed).await).await;
    bed.apply("chain", &chain(2)).await;
    bed.condition("chain", "Ready", "True").await;
    // The second may lead and see, but write nothing: so all is still to do when the first continues.
    let stand_by = bed.account("stand-by").await;
    bed.grant_election("stand-by").await;
    bed.grant_reading("stand-by").await;
    let _second = bed.start_as(&stand_by, &["--leader-elect"]);
    signal(&first, "STOP").await;
    takeover(&bed, &leader).await;
    let lost = bed.control_plane.audit().position().await;
    for name in ["late", "later"] {
        bed.apply(name, &chain(2)).await;
    }
    bed.api::<Job>().delete(&bed.names::<Job>().await[0], &Default::default()).await.unwrap();

    signal(&first, "CONT").await;
    let ended = tokio::time::timeout(LONG, first.wait()).await.expect("it ends by itself").unwrap();
    assert!(!ended.success(), "it says that it has lost the lease: {ended}");
    let late = bed.writes(&bed.operator, lost).await;
    assert!(late.is_empty(), "{late:#?}");

    bed.grant_all("stand-by").await;
    for name in ["late", "later", "chain"] {
        bed.condition(name, "Ready", "True").await;
    }
    one_writes_at_a_time(&bed, since, &stand_by).await;
    assert!(made_once(&bed, lost, &stand_by).await >= 4);
}

/// Seen to fail with an operator that writes something of its own process into the pods.
#[tokio::test]
async fn s1_s4_s10_the_leader_is_killed_in_the_middle_of_a_roll_out_and_the_other_ends_it() {
    let mut bed = Bed::new("leader-killed").await;
    let stand_by = bed.account("stand-by").await;
    bed.grant_election("stand-by").await;
    bed.grant_all("stand-by").await;
    let since = bed.control_plane.audit().position().await;
    let mut first = bed.start(&["--leader-elect"]);
    let leader = wait_until("a leader", LONG, async || holder(&bed).await).await;
    let _second = bed.start_as(&stand_by, &["--leader-elect"]);
    let mut spec = crash_course();
    let serve = spec["steps"][2]["serve"].as_object_mut().unwrap();
    serve.remove("autoscaling");
    serve.insert("replicas".to_owned(), json!(2));
    bed.apply("iris", &spec).await;
    bed.condition("iris", "Ready", "True").await;

    // Another model: its first pod is there, and not ready.
    bed.script().holds = true;
    spec["steps"][1]["train"]["algorithm"]["logisticRegression"]["maxIterations"] = json!(300);
    bed.apply("iris", &spec).await;
    let deployments = bed.api::<Deployment>();
    let under_way = async || {
        let deployment = deployments.get("iris-api").await.map_err(|error| error.to_string())?;
        let status = deployment.status.unwrap_or_default();
        let counts = (status.replicas, status.updated_replicas, status.available_replicas);
        if counts == (Some(3), Some(1), Some(2)) { Ok(deployment.spec) } else { Err(format!("{counts:?}")) }
    };
    let middle = wait_until("a roll-out under way", LONG, under_way).await;
    first.kill().await.unwrap();
    let killed = bed.control_plane.audit().position().await;
    takeover(&bed, &leader).await;
    bed.apply("marker", &chain(1)).await;
    bed.condition("marker", "Ready", "True").await;
    assert_eq!(
        under_way().await,
        Ok(middle),
        "S4: what served keeps serving, and the roll-out is where it was"
    );

    bed.script().holds = false;
    bed.condition("iris", "Ready", "True").await;
    one_writes_at_a_time(&bed, since, &stand_by).await;
    assert_eq!(made_once(&bed, since, &stand_by).await, 4, "data, two models, and the marker's");
    let begun_again: Vec<_> = taken(&bed, &stand_by, killed)
        .await
        .into_iter()
        .filter(|event| event.resource() == "deployments")
        .collect();
    assert!(begun_again.is_empty(), "{begun_again:#?}");
}

#[tokio::test]
async fn another_installation_for_the_same_namespace_is_warned_of_at_the_start() {
    let bed = Bed::new("leader-installations").await;
    let labels =
        json!({"app.kubernetes.io/name": "mlpipeline-operator", "app.kubernetes.io/component": "operator"});
    for (name, flag) in [
        ("mlpipeline-operator", "--lease-name=mlpipeline-operator".to_owned()),
        ("neighbour", "--namespace=elsewhere".to_owned()),
        ("rival", format!("--namespace={}", bed.namespace.name())),
    ] {
        let args = ["--leader-elect", &format!("--lease-name={name}"), &flag];
        let deployment = json!({
            "metadata": {"name": name, "labels": labels},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "operator", "image": "none", "args": args}]},
            }},
        });
        let deployment = serde_json::from_value(deployment).unwrap();
        bed.api::<Deployment>().create(&PostParams::default(), &deployment).await.unwrap();
    }
    let _operator = bed.start(&["--leader-elect"]);
    let rival = format!("Deployment {}/rival is another installation", bed.namespace.name());
    wait_until("the warning", LONG, async || {
        let log = bed.log().await;
        if log.contains(&rival) { Ok(()) } else { Err(log) }
    })
    .await;
    bed.passes("marker").await;
    assert_eq!(
        bed.log().await.matches("is another installation").count(),
        1,
        "the own one and its neighbour are fine"
    );
}
