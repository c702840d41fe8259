//! Nodes that are drained and lost, with Kubernetes' own scheduler, controllers and eviction.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::PostParams;
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::nodes::Cluster;
use super::operator_bed::{Bed, LONG};

/// Two pods that stay, on the pipeline's volume.
fn stays(volume: &Value) -> Value {
    json!({"storage": {"volume": volume}, "steps": [
        {"name": "api", "run": {"image": "x", "workload": "Deployment", "replicas": 2}},
    ]})
}

async fn until_on(cluster: &Cluster, bed: &Bed, step: &str, fits: impl Fn(&[String]) -> bool) -> Vec<String> {
    wait_until(&format!("pods of {step} to be where they should"), LONG, async || {
        let nodes = cluster.nodes_of(bed.namespace.name(), step).await;
        if fits(&nodes) { Ok(nodes) } else { Err(cluster.said_of(bed.namespace.name(), step).await) }
    })
    .await
}

/// Seen to fail with pods that ask for nothing but to be near each other: they waited for longer than two minutes after the drain.
#[tokio::test]
async fn d4_a_drain_ends_where_pods_are_bound_to_one_node_and_they_come_up_on_another() {
    let cluster = Cluster::start().await;
    cluster.add_volume("volume", &["ReadWriteOnce"]).await;
    let bed = Bed::on(cluster.control_plane, "drain").await;
    // A claim of somebody else's: its modes are read.
    let claim = json!({"metadata": {"name": "shared"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
    }});
    let claim: PersistentVolumeClaim = serde_json::from_value(claim).unwrap();
    bed.api().create(&PostParams::default(), &claim).await.unwrap();
    let _operator = bed.start(&[]);
    bed.apply("web", &stays(&json!({"claimName": "shared"}))).await;
    bed.condition("web", "Ready", "True").await;
    let nodes = until_on(&cluster, &bed, "api", |nodes| nodes.len() == 2).await;
    assert_eq!(nodes[0], nodes[1], "both on the node of the volume");
    assert!(bed.names::<PodDisruptionBudget>().await.is_empty());

    cluster.drain(&nodes[0]).await.expect("a drain that ends");
    let after = until_on(&cluster, &bed, "api", |found| found.len() == 2 && !found.contains(&nodes[0])).await;
    assert_eq!(after[0], after[1]);
    bed.condition("web", "Ready", "True").await;
}

#[tokio::test]
async fn d4_a_drain_takes_one_of_the_replicas_that_are_spread_over_nodes() {
    let cluster = Cluster::start().await;
    cluster.add_volume("volume", &["ReadWriteMany"]).await;
    let bed = Bed::on(cluster.control_plane, "spread").await;
    let _operator = bed.start(&[]);
    bed.apply("web", &stays(&json!({"accessModes": ["ReadWriteMany"]}))).await;
    bed.condition("web", "Ready", "True").await;
    let nodes = until_on(&cluster, &bed, "api", |nodes| nodes.len() == 2).await;
    assert_ne!(nodes[0], nodes[1]);
    let stays = nodes[1].clone();
    cluster.drain(&nodes[0]).await.expect("a drain that ends");
    let after = until_on(&cluster, &bed, "api", |found| found.len() == 2 && !found.contains(&nodes[0])).await;
    assert!(after.contains(&stays), "the other replica was not touched: {after:?}");
}

#[tokio::test]
async fn a_named_claim_that_the_steps_cannot_work_on_is_named_and_another_one_is_taken() {
    let cluster = Cluster::start().await;
    let bed = Bed::on(cluster.control_plane, "unfit").await;
    let claim = |name: &str, mode: &str| -> PersistentVolumeClaim {
        let claim = json!({"metadata": {"name": name}, "spec": {
            "accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}},
        }});
        serde_json::from_value(claim).unwrap()
    };
    for (name, mode) in
        [("readers", "ReadOnlyMany"), ("single", "ReadWriteOncePod"), ("many", "ReadWriteMany")]
    {
        bed.api().create(&PostParams::default(), &claim(name, mode)).await.unwrap();
        cluster.add_volume(name, &[mode]).await;
    }
    let _operator = bed.start(&[]);
    for (name, said) in [("readers", "is only ReadOnlyMany"), ("single", "\"api\" keeps its pods")] {
        bed.apply("web", &stays(&json!({"claimName": name}))).await;
        let (reason, message) = bed.condition("web", "Stalled", "True").await;
        assert_eq!(reason, "UnfitClaim");
        assert!(message.contains(said) && message.contains(name), "{message}");
    }
    bed.apply("web", &stays(&json!({"claimName": "many"}))).await;
    bed.condition("web", "Ready", "True").await;
}

#[tokio::test]
async fn d3_a_run_on_a_lost_node_is_named_and_begins_elsewhere_once_its_volume_can_move() {
    let cluster = Cluster::start().await;
    cluster.add_volume("volume", &["ReadWriteOnce"]).await;
    let bed = Bed::on(cluster.control_plane, "lost").await;
    cluster.is_endless("work", true);
    let _operator = bed.start(&[]);
    let spec = json!({"storage": {"volume": {"size": "1Gi"}}, "steps": [
        {"name": "api", "run": {"image": "x", "workload": "Deployment", "replicas": 2}},
        {"name": "work", "run": {"image": "x"}},
    ]});
    bed.apply("web", &spec).await;
    let nodes = until_on(&cluster, &bed, "work", |nodes| nodes.len() == 1).await;
    let lost = nodes[0].clone();
    let api = until_on(&cluster, &bed, "api", |nodes| nodes.len() == 2).await;
    assert_eq!(api, [lost.clone(), lost.clone()], "all on the node of the volume");

    cluster.lose(&lost);
    let said = wait_until("the status to name the lost node", LONG, async || {
        let status = bed.pipelines().get("web").await.unwrap().status.unwrap_or_default();
        let text = serde_json::to_string(&status).unwrap();
        if text.contains("its node") || text.contains(&lost) { Ok(text) } else { Err(text) }
    })
    .await;
    assert!(!said.contains("\"Ready\",\"status\":\"True\""), "{said}");
    assert!(cluster.nodes_of(bed.namespace.name(), "work").await.is_empty(), "it waits for the volume");

    cluster.is_endless("work", false);
    cluster.is_gone_for_good(&lost).await;
    bed.condition("web", "Ready", "True").await;
    let api = until_on(&cluster, &bed, "api", |nodes| nodes.len() == 2).await;
    assert!(!api.contains(&lost), "{api:?}");
}
