//! What a person at kubectl sees.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kube::Api;
use kube::api::{Patch, PatchParams};
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::{ControlPlane, TestNamespace};
use serde_json::{Value, json};
use tokio::process::Command;

use super::pipelines::Pipelines;

/// Runs kubectl in a namespace, and returns what it prints.
pub async fn kubectl(namespace: &TestNamespace, arguments: &[&str]) -> String {
    let control_plane = ControlPlane::shared().await;
    let output = Command::new(control_plane.program("kubectl"))
        .env("KUBECONFIG", control_plane.admin().kubeconfig())
        // Its cache of what the server knows must not be that of another server.
        .env("HOME", control_plane.folder())
        .args(["--namespace", namespace.name()])
        .args(arguments)
        .output()
        .await
        .unwrap();
    let [printed, errors] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "kubectl {arguments:?}: {errors}{printed}");
    printed
}

/// Every folder with a kustomization in a folder and the folders in it.
fn kustomizations(folder: &Path) -> Vec<PathBuf> {
    let entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let own = entries.iter().any(|path| path.ends_with("kustomization.yaml")).then(|| folder.to_owned());
    own.into_iter()
        .chain(entries.iter().filter(|path| path.is_dir()).flat_map(|path| kustomizations(path)))
        .collect()
}

#[tokio::test]
async fn every_kustomization_builds_and_its_objects_are_taken() {
    let namespace = ControlPlane::shared().await.namespace("kubectl-kustomize").await;
    let folders = kustomizations(&mlpipeline_tests::programs::repository().join("deploy"));
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    let mut kinds = BTreeSet::new();
    for folder in &folders {
        let built = kubectl(&namespace, &["kustomize", folder.to_str().unwrap()]).await;
        for document in built.split("\n---\n") {
            let mut object: Value = serde_saphyr::from_str(document).unwrap();
            kinds.insert(object["kind"].as_str().unwrap().to_owned());
            // The Prometheus operator's definitions are not on this server.
            if object["apiVersion"] == "monitoring.coreos.com/v1" {
                continue;
            }
            if object["metadata"]["namespace"].is_string() {
                object["metadata"]["namespace"] = namespace.name().into();
            }
            std::fs::write(file.path(), object.to_string()).unwrap();
            let path = file.path().to_str().unwrap();
            let apply = [
                "apply",
                "--server-side",
                "--force-conflicts",
                "--dry-run=server",
                "--validate=strict",
                "-f",
            ];
            kubectl(&namespace, &[apply.as_slice(), &[path]].concat()).await;
        }
    }
    for kind in ["NetworkPolicy", "PodMonitor", "Deployment", "MLPipeline", "CustomResourceDefinition"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
}

/// The words of a table's line.
fn words(table: &str, line: usize) -> Vec<&str> {
    table.lines().nth(line).unwrap_or_default().split_whitespace().collect()
}

async fn namespace_with_pipeline(test: &str) -> TestNamespace {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace(test).await;
    let client = control_plane.client().await;
    let steps = json!([
        {"name": "train", "train": {"data": {"uri": "file:x"}, "target": "t", "algorithm": {"linearRegression": {}}}},
        {"name": "api", "serve": {"model": {"step": "train"}}},
    ]);
    Pipelines::new(client.clone(), namespace.name()).create("iris", &json!({"steps": steps})).await.unwrap();
    let pipelines: Api<MLPipeline> = Api::namespaced(client, namespace.name());
    let status = json!({"status": {
        "observedGeneration": 1,
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "UpToDate", "message": "all is well",
            "lastTransitionTime": "2026-11-20T00:00:00Z",
        }],
        "progress": "2/2", "model": "5e884898", "score": "accuracy=0.967", "endpoint": "http://iris-api",
        "nextRun": "2026-11-21T02:00:00Z", "replicas": 2, "selector": "mlpipeline.dev/step=api",
    }});
    pipelines.patch_status("iris", &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    namespace
}

#[tokio::test]
async fn get_prints_how_a_pipeline_stands() {
    let namespace = namespace_with_pipeline("kubectl-get").await;
    let table = kubectl(&namespace, &["get", "mlp"]).await;
    assert_eq!(words(&table, 0), ["NAME", "READY", "STATUS", "STEPS", "MODEL", "SCORE", "AGE"]);
    assert_eq!(words(&table, 1)[..6], ["iris", "True", "UpToDate", "2/2", "5e884898", "accuracy=0.967"]);
    let wide = kubectl(&namespace, &["get", "mlp", "-o", "wide"]).await;
    let columns = ["NAME", "READY", "STATUS", "STEPS", "MODEL", "SCORE", "ENDPOINT", "NEXT", "RUN", "AGE"];
    assert_eq!(words(&wide, 0), columns);
    assert_eq!(words(&wide, 1)[6], "http://iris-api");
}

#[tokio::test]
async fn every_name_of_the_kind_finds_a_pipeline() {
    let namespace = namespace_with_pipeline("kubectl-names").await;
    for name in ["mlp", "mlpipeline", "mlpipelines", "mlpipelines.mlpipeline.dev", "ml", "all"] {
        let found = kubectl(&namespace, &["get", name, "-o", "name"]).await;
        assert!(found.lines().any(|line| line == "mlpipeline.mlpipeline.dev/iris"), "{name}: {found}");
    }
}

#[tokio::test]
async fn scale_sets_the_replicas_of_the_serve_step() {
    let namespace = namespace_with_pipeline("kubectl-scale").await;
    kubectl(&namespace, &["scale", "mlpipeline/iris", "--replicas=3"]).await;
    let spec = kubectl(&namespace, &["get", "mlp", "iris", "-o", "jsonpath={.spec.replicas}"]).await;
    assert_eq!(spec, "3");
    let scale =
        ["get", "mlp", "iris", "--subresource=scale", "-o", "jsonpath={.status.replicas} {.status.selector}"];
    assert_eq!(kubectl(&namespace, &scale).await, "2 mlpipeline.dev/step=api");
}

#[tokio::test]
async fn wait_takes_the_ready_condition() {
    let namespace = namespace_with_pipeline("kubectl-wait").await;
    let said = kubectl(&namespace, &["wait", "--for=condition=Ready", "mlp/iris", "--timeout=10s"]).await;
    assert!(said.contains("condition met"), "{said}");
}

#[tokio::test]
async fn explain_tells_what_a_field_means() {
    let namespace = namespace_with_pipeline("kubectl-explain").await;
    let spec = kubectl(&namespace, &["explain", "mlpipeline.spec"]).await;
    assert!(spec.contains("What the pipeline is made of"), "{spec}");
    let gate = kubectl(&namespace, &["explain", "mlp.spec.steps.train.gate.maxRegression"]).await;
    assert!(gate.contains("FIELD: maxRegression <number>"), "{gate}");
    let text = gate.split("DESCRIPTION:").nth(1).unwrap_or_default().trim();
    assert!(!text.is_empty() && !text.contains("<empty>"), "{gate}");
}

/// Runs `plan --cluster` on a pipeline that was never applied and names no namespace.
async fn plan(kubeconfig: &Path, arguments: &[&str]) -> std::process::Output {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    let pipeline = "apiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\nmetadata: {name: iris}\n\
                    spec: {steps: [{name: data, prepare: {sql: SELECT 1 AS x}}]}\n";
    std::fs::write(file.path(), pipeline).unwrap();
    Command::new(mlpipeline_tests::programs::path("kubectl-mlpipeline"))
        .env("KUBECONFIG", kubeconfig)
        .args(["plan", "--cluster"])
        .args(arguments)
        .arg(file.path())
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn plan_shows_what_applying_a_file_would_do_in_the_cluster() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("kubectl-plan").await;
    let arguments = ["--exit-code", "--namespace", namespace.name()];
    let output = plan(control_plane.admin().kubeconfig(), &arguments).await;
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.contains("never run before"), "{table}");

    let output = plan(Path::new("/nowhere/config"), &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot read the kubeconfig"), "{output:?}");
}

#[tokio::test]
async fn plan_reads_the_namespace_of_the_kubeconfigs_context() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("kubectl-plan-context").await;
    let text = std::fs::read_to_string(control_plane.admin().kubeconfig()).unwrap();
    let mut kubeconfig: Value = serde_json::from_str(&text).unwrap();
    kubeconfig["contexts"][0]["context"]["namespace"] = namespace.name().into();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), kubeconfig.to_string()).unwrap();

    let output = plan(file.path(), &["-o", "json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["namespace"], namespace.name());
    assert_eq!(printed["steps"][0]["action"], "run");
}
