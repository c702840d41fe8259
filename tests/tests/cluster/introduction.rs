//! Scenario 5: stateless and stateful applications, Services, Ingress, and who may do what.

use mlpipeline_tests::wait_until;
use serde_json::json;

use crate::bed::{Namespace, TIMEOUT, http, kubectl, node_address, sample};
use crate::ingress::{Ingress, certificate};

#[tokio::test]
async fn scenario_5_applications_storage_services_and_access() {
    let namespace = Namespace("introduction");
    kubectl(&["apply", "-k", &sample("introduction")]);
    namespace.wait_ready(&["web", "store", "services", "predictor"]);

    stateless_pods_are_scaled(&namespace).await;
    a_replica_keeps_its_name_and_data(&namespace).await;
    services_of_each_type(&namespace);
    a_model_is_reached_by_host_name(&namespace).await;
    a_model_is_scaled_by_kubectl_scale(&namespace).await;
    viewers_view_and_editors_edit();
    namespace.delete().await;
}

async fn stateless_pods_are_scaled(namespace: &Namespace) {
    for replicas in [3, 1] {
        let patch = json!([{"op": "replace", "path": "/spec/steps/0/run/replicas", "value": replicas}]);
        namespace.kubectl(&["patch", "mlp", "web", "--type", "json", "--patch", &patch.to_string()]);
        ready_replicas(namespace, "deployment/web-frontend", replicas).await;
    }
    let own = namespace.kubectl(&["exec", "deployment/web-frontend", "--", "sh", "-c", "echo $GREETING"]);
    assert_eq!(own.trim(), "hello", "the ConfigMap's entries are in the environment");
}

async fn ready_replicas(namespace: &Namespace, object: &str, wanted: i64) {
    wait_until(&format!("{object} has {wanted} pods"), TIMEOUT, async || {
        let status = namespace.get(object)["status"].take();
        let is_there = status["readyReplicas"] == wanted && status["replicas"] == wanted;
        if is_there { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}

async fn a_replica_keeps_its_name_and_data(namespace: &Namespace) {
    let starts = || namespace.try_kubectl(&["exec", "store-db-1", "--", "cat", "/data/starts"]);
    assert_eq!(starts().expect("the pod is there").lines().count(), 1);
    namespace.kubectl(&["delete", "pod", "store-db-1", "--force", "--grace-period=0"]);
    wait_until("the replica is back with its data", TIMEOUT, async || match starts() {
        Ok(text) if text.lines().count() == 2 => Ok(()),
        Ok(text) | Err(text) => Err(text),
    })
    .await;
    let other = "wget -q -O - http://store-db-1.store-db:8080/starts";
    wait_until("its name leads to it", TIMEOUT, async || {
        namespace.try_kubectl(&["exec", "store-db-0", "--", "sh", "-c", other])
    })
    .await;
    let claim = namespace.get("pvc/replica-store-db-1");
    assert_eq!(claim["spec"]["storageClassName"], "local-path");
}

fn services_of_each_type(namespace: &Namespace) {
    let spec = |name: &str| namespace.get(&format!("service/services-{name}"))["spec"].take();
    assert_eq!(spec("inside")["type"], "ClusterIP");
    assert_eq!(spec("cloud")["type"], "LoadBalancer");
    assert_eq!(spec("names")["clusterIP"], "None");
    assert_eq!(spec("node")["ports"][0]["nodePort"], 30081);
    assert_eq!(http(&format!("http://{}:30081/hostname", node_address()), &[]).status, 200);
}

async fn a_model_is_reached_by_host_name(namespace: &Namespace) {
    let class = || namespace.get("ingress/predictor-api")["spec"]["ingressClassName"].take();
    let ingress = Ingress::wait(namespace, "predictor-api").await;
    let default = class();
    assert!(default.is_string(), "Kubernetes gave it the default class");
    ingress.has_endpoint("http://predictor.example.com/").await;
    ingress.predicts("http://predictor.example.com/predict", &[]).await;
    ingress.leads_nowhere("http://other.example.com/predict").await;

    ingress
        .edit(
            json!({"host": "models.example.com", "path": "/predictor"}),
            "http://models.example.com/predictor",
        )
        .await;
    ingress.predicts("http://models.example.com/predictor/predict", &[]).await;
    ingress.shows_docs("http://models.example.com/predictor").await;
    for gone in [
        "http://predictor.example.com/predict",
        "http://models.example.com/predict",
        "http://models.example.com/predictors/predict",
    ] {
        ingress.leads_nowhere(gone).await;
    }
    assert_eq!(class(), default, "an edit of the rest leaves it the class");

    let trusted = certificate(namespace, "predictor-tls", "models.example.com");
    ingress
        .edit(
            json!({"host": "models.example.com", "path": "/predictor", "tlsSecret": "predictor-tls"}),
            "https://models.example.com/predictor",
        )
        .await;
    let trusted = ["--cacert", trusted.to_str().unwrap()];
    ingress.predicts("https://models.example.com/predictor/predict", &trusted).await;
}

async fn a_model_is_scaled_by_kubectl_scale(namespace: &Namespace) {
    let trained = namespace.jobs("train");
    for replicas in ["2", "1"] {
        namespace.kubectl(&["scale", "mlpipeline", "predictor", "--replicas", replicas]);
        ready_replicas(namespace, "deployment/predictor-api", replicas.parse().unwrap()).await;
    }
    assert_eq!(namespace.jobs("train"), trained, "a number of pods is no reason to train again");
}

fn viewers_view_and_editors_edit() {
    // kubectl answers a no with an exit code, as it does when it could not ask: only its word counts.
    let may = |group: &str, verb: &str, subresource: &[&str]| {
        let who = ["--as", "somebody", "--as-group", group, "--namespace", "introduction"];
        let question =
            [&["auth", "can-i", verb, "mlpipelines.mlpipeline.dev"], &who[..], subresource].concat();
        let output = std::process::Command::new("kubectl").args(question).output().expect("kubectl runs");
        match String::from_utf8_lossy(&output.stdout).trim() {
            "yes" => true,
            "no" => false,
            other => panic!("neither yes nor no: {other:?} {output:?}"),
        }
    };
    for (group, verb, expected) in [
        ("analysts", "get", true),
        ("analysts", "watch", true),
        ("analysts", "create", false),
        ("analysts", "delete", false),
        ("engineers", "create", true),
        ("engineers", "patch", true),
        ("engineers", "delete", true),
        ("strangers", "get", false),
    ] {
        assert_eq!(may(group, verb, &[]), expected, "{group} {verb}");
    }
    assert!(!may("engineers", "update", &["--subresource", "status"]), "the status is the operator's");
    assert!(may("engineers", "update", &["--subresource", "scale"]), "editors scale");
    assert!(!may("analysts", "update", &["--subresource", "scale"]), "viewers do not");
}
