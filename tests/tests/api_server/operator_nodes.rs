//! Nodes that are drained and lost, with Kubernetes' own scheduler, controllers and eviction.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{EvictParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
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

/// A model that pods serve from a volume which every node can mount.
fn serves(replicas: i32) -> Value {
    json!({"storage": {"volume": {"accessModes": ["ReadWriteMany"]}}, "steps": [
        {"name": "data", "prepare": {"sql": "SELECT 1 AS x"}},
        {"name": "train", "train": {"data": {"step": "data"}, "target": "x", "algorithm": {"logisticRegression": {}}}},
        {"name": "api", "serve": {"model": {"step": "train"}, "replicas": replicas}},
    ]})
}

/// The pods that serve, ready or not, in the order of their names.
async fn serving(bed: &Bed) -> Vec<Pod> {
    let of_api = ListParams::default().labels("mlpipeline.dev/step=api");
    let mut pods = bed.api::<Pod>().list(&of_api).await.unwrap().items;
    pods.retain(|pod| pod.metadata.deletion_timestamp.is_none());
    pods.sort_by_key(ResourceExt::name_any);
    pods
}

/// Evicts a pod, as a drain does; what the API server says where it refuses.
async fn evict(bed: &Bed, pod: &Pod) -> Result<(), String> {
    // A refusal is an answer: a client as it is made otherwise would ask again for minutes.
    let mut config = bed.control_plane.admin().config().await;
    config.default_retry = false;
    let pods: Api<Pod> = Api::namespaced(Client::try_from(config).unwrap(), bed.namespace.name());
    let evicted = pods.evict(&pod.name_any(), &EvictParams::default()).await;
    evicted.map(drop).map_err(|error| error.to_string())
}

/// Waits until the budget of the pods that serve says so many are healthy, and so many may go.
async fn until_budget(bed: &Bed, healthy: i32, may_go: i32) {
    wait_until("the budget", LONG, async || {
        let budget =
            bed.api::<PodDisruptionBudget>().get("iris-api").await.map_err(|error| error.to_string())?;
        let status = budget.status.clone().unwrap_or_default();
        let is_seen = status.observed_generation == budget.metadata.generation;
        if is_seen && (status.current_healthy, status.disruptions_allowed) == (healthy, may_go) {
            Ok(())
        } else {
            Err(format!("{status:?}"))
        }
    })
    .await;
}

/// Ends by a panic, when fewer of the pods that serve are ready.
async fn never_less_than(bed: &Bed, fewest: i32) {
    loop {
        let deployment = bed.api::<Deployment>().get("iris-api").await.unwrap();
        let ready = deployment.status.and_then(|status| status.ready_replicas).unwrap_or_default();
        assert!(ready >= fewest, "only {ready} pods were ready");
    }
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

/// It holds by the budget: without one, the second eviction is accepted while the first pod's successor was not ready.
#[tokio::test]
async fn d4_a_budget_refuses_an_eviction_that_would_take_too_many_and_the_drain_ends() {
    let cluster = Cluster::start().await;
    cluster.add_volume("volume", &["ReadWriteMany"]).await;
    let bed = Bed::on(cluster.control_plane, "budget").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &serves(3)).await;
    bed.condition("iris", "Ready", "True").await;
    let nodes = until_on(&cluster, &bed, "api", |nodes| nodes.len() == 3).await;
    assert_eq!(nodes.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "spread: {nodes:?}");
    until_budget(&bed, 3, 1).await;

    cluster.holds_pods(true);
    let pods = serving(&bed).await;
    evict(&bed, &pods[0]).await.expect("one may go");
    until_budget(&bed, 2, 0).await;
    let refused = evict(&bed, &pods[1]).await.expect_err("a second may not");
    assert!(refused.contains("disruption budget"), "{refused}");
    cluster.holds_pods(false);
    until_budget(&bed, 3, 1).await;

    tokio::select! {
        drained = cluster.drain(&nodes[0]) => { drained.expect("a drain that ends"); }
        () = never_less_than(&bed, 2) => {}
    }
    until_on(&cluster, &bed, "api", |found| found.len() == 3 && !found.contains(&nodes[0])).await;
    bed.condition("iris", "Ready", "True").await;
}

/// It holds against Kubernetes' own default of `unhealthyPodEvictionPolicy`: a drain waits for a pod that will not be ready there.
#[tokio::test]
async fn d4_a_pod_that_answers_nobody_is_evicted_whatever_the_budget() {
    let cluster = Cluster::start().await;
    cluster.add_volume("volume", &["ReadWriteMany"]).await;
    let bed = Bed::on(cluster.control_plane, "unhealthy").await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &serves(3)).await;
    bed.condition("iris", "Ready", "True").await;
    until_budget(&bed, 3, 1).await;
    cluster.holds_pods(true);
    let pods = serving(&bed).await;
    for pod in &pods[..2] {
        let status = json!({"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]}});
        let patch = Patch::Strategic(status);
        bed.api::<Pod>().patch_status(&pod.name_any(), &PatchParams::default(), &patch).await.unwrap();
    }
    until_budget(&bed, 1, 0).await;
    let refused = evict(&bed, &pods[2]).await.expect_err("the last pod that answers stays");
    assert!(refused.contains("disruption budget"), "{refused}");
    for pod in &pods[..2] {
        evict(&bed, pod).await.expect("it answers nobody");
    }
    cluster.holds_pods(false);
    bed.condition("iris", "Ready", "True").await;
    assert!(
        serving(&bed).await.iter().any(|pod| pod.uid() == pods[2].uid()),
        "the pod that answered was not touched"
    );
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
