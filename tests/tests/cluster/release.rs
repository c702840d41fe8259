//! The life of the operator's release, by the commands of docs/how-to/install.md and nothing else, with fifty pipelines there all the
//! time, of which several serve: installed on a cluster that has nothing of it, upgraded to another image of workers, changed, upgraded
//! in vain, rolled back, downgraded, uninstalled, installed again.
//!
//! Run alone: every other test needs the operator that is removed here.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_tests::control_plane::find_program;
use mlpipeline_tests::documentation::blocks;
use mlpipeline_tests::older_chart::{NEW_FIELD, SPEC, version_before};
use mlpipeline_tests::{programs, wait_until};
use serde_json::{Value, json};

use crate::bed::{Namespace, Pod, TIMEOUT, kubectl, node_address, own_node, try_http};
use crate::load::Load;

const SYSTEM: Namespace = Namespace("mlpipeline-system");
const CRD: &str = "customresourcedefinition/mlpipelines.mlpipeline.dev";
const PIPELINES: usize = 50;
/// Those of them that serve a model.
const SERVING: usize = 8;
/// The tag of the image of workers of the version before, where tests/cluster/operator.sh gives the node one.
const TAG_BEFORE: &str = "before";
/// How the chart's values name it.
const WORKER_TAG: &str = "mlpipeline-worker\n  # Its tag. The chart's appVersion when empty.\n  tag: \"\"";
/// Those of them that run a pod once.
const FINISHED: usize = 4;
/// Those whose schedule comes once a year: the child is there, and starts nothing.
const SCHEDULED: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn release_no_change_of_the_operator_touches_what_pipelines_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = with_worker_before(version_before(folder.path()).expect("an older chart"));
    let current = Path::new("charts/mlpipeline").to_owned();
    install_from_nothing(&before).await;
    assert!(!definition_has(NEW_FIELD), "the definition is that of the version before");
    let namespace = fifty_pipelines(folder.path()).await;
    let children = children(&namespace);
    assert!(children.len() > FINISHED + SCHEDULED + 5, "{children:#?}");
    serving_pods_have_the_image_of_the_version_before(&namespace);
    let url = format!("http://{}:30083", node_address());
    let load = Load::start(&url, r#"{"x": 3}"#, &[], 1);
    let unchanged = |change: &str| assert_eq!(self::children(&namespace), children, "{change}");

    follow("helm upgrade mlpipeline ", &current, "--wait --timeout 3m");
    looks_after_pipelines("upgrade").await;
    assert!(definition_has(NEW_FIELD), "helm upgrades the definition with the release");
    unchanged("upgrade");

    follow(
        "helm upgrade mlpipeline ",
        &current,
        "--wait --timeout 3m --set operator.concurrency=4 --set replicas=3",
    );
    looks_after_pipelines("change of values").await;
    unchanged("change of values");

    an_upgrade_that_cannot_start_leaves_the_old_operator_at_work(&namespace, &current).await;
    follow("helm rollback ", &current, "");
    looks_after_pipelines("rollback").await;
    unchanged("rollback");

    follow("helm upgrade mlpipeline ", &before, "--wait --timeout 3m");
    looks_after_pipelines("downgrade").await;
    unchanged("downgrade");
    follow("helm upgrade mlpipeline ", &current, "--wait --timeout 3m");
    looks_after_pipelines("upgrade again").await;
    unchanged("upgrade again");
    serving_pods_have_the_image_of_the_version_before(&namespace);

    follow("helm uninstall ", &current, "");
    wait_until("no pod of the operator is left", TIMEOUT, async || {
        let pods = operator_pods();
        if pods.is_empty() { Ok(()) } else { Err(format!("{pods:?}")) }
    })
    .await;
    let stayed = namespace.kubectl(&["get", "mlpipelines", "-o", "name"]).lines().count();
    assert_eq!(stayed, PIPELINES, "an uninstalled release leaves the definition, and every pipeline");
    unchanged("uninstall");

    follow("helm upgrade --install ", &current, "--wait --timeout 3m");
    looks_after_pipelines("install again").await;
    unchanged("install again");
    // All of it is the new installation's: what was held back runs now.
    resume(&namespace, "held-1");
    namespace.wait_ready(&["held-1"]);
    load.stop().all_answered();
    namespace.delete().await;
}

/// A line of the page, run as it stands there, but for the chart and what is behind it. What it prints, or what is wrong.
fn try_follow(begins: &str, chart: &Path, more: &str) -> Result<String, String> {
    let page = programs::repository().join("docs/how-to/install.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let blocks = blocks(&page);
    let mut lines = blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines());
    let line = lines.find(|line| line.starts_with(begins));
    let line =
        line.unwrap_or_else(|| panic!("docs/how-to/install.md has no command that begins with {begins:?}"));
    let line = line.replace("charts/mlpipeline", &chart.display().to_string());
    let helm = find_program("helm").unwrap_or_else(|problem| panic!("{problem}"));
    let mut path = helm.parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("{line} {more}")])
        .current_dir(programs::repository())
        .env("PATH", path)
        .output()
        .expect("a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn follow(begins: &str, chart: &Path, more: &str) -> String {
    try_follow(begins, chart, more).unwrap_or_else(|problem| panic!("{begins}… {more}: {problem}"))
}

/// Whether the installed definition has a field of the spec.
fn definition_has(field: &str) -> bool {
    let definition: Value = serde_json::from_str(&kubectl(&["get", CRD, "-o", "json"])).expect("JSON");
    definition.pointer(SPEC).expect("a schema").get(field).is_some()
}

/// None of the pods that serve has another image of workers, though the operator starts new ones with another.
fn serving_pods_have_the_image_of_the_version_before(namespace: &Namespace) {
    let query = ["get", "pods", "-l", "mlpipeline.dev/step=api", "-o", "json"];
    let list: Value = serde_json::from_str(&namespace.kubectl(&query)).expect("JSON");
    let pods = list["items"].as_array().cloned().unwrap_or_default();
    assert_eq!(pods.len(), SERVING);
    for pod in pods.iter().filter(|_| own_node()) {
        let image = pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        assert!(image.ends_with(&format!(":{TAG_BEFORE}")), "{image} of {}", pod["metadata"]["name"]);
    }
}

/// Lets an older chart's operator start workers of another image, where the node has one.
fn with_worker_before(chart: PathBuf) -> PathBuf {
    if own_node() {
        let path = chart.join("values.yaml");
        let text = std::fs::read_to_string(&path).expect("the chart's values");
        assert!(text.contains(WORKER_TAG), "values.yaml: {WORKER_TAG:?}");
        let older = WORKER_TAG.replace("\"\"", TAG_BEFORE);
        std::fs::write(&path, text.replace(WORKER_TAG, &older)).expect("written");
    }
    chart
}

/// Installs on a cluster that has nothing of ours any more, as somebody does who has just read the page.
async fn install_from_nothing(chart: &Path) {
    follow("helm uninstall ", chart, "");
    kubectl(&["delete", CRD, "namespace/mlpipeline-system", "--wait"]);
    follow("helm upgrade --install ", chart, "");
    let label = "pod-security.kubernetes.io/enforce=restricted";
    kubectl(&["label", "namespace", "mlpipeline-system", label]);
    looks_after_pipelines("install").await;
}

/// Waits until only pods of the newest kind are there, and checks as the page says that the operator works.
async fn looks_after_pipelines(change: &str) {
    SYSTEM.kubectl(&["rollout", "status", "deployment/mlpipeline-operator", "--timeout=120s"]);
    let replicas = SYSTEM.get("deployment/mlpipeline-operator")["spec"]["replicas"].as_u64();
    wait_until("only replicas of the newest kind are there, and one of them leads", TIMEOUT, async || {
        let pods = operator_pods();
        let holder = SYSTEM.get("lease/mlpipeline-operator")["spec"]["holderIdentity"].take();
        let leads = |pod: &Pod| holder.as_str().is_some_and(|holder| holder.contains(&pod.name));
        if pods.len() as u64 == replicas.unwrap_or(0) && pods.iter().any(leads) {
            Ok(())
        } else {
            Err(format!("{change}: {holder} leads {pods:?}"))
        }
    })
    .await;
    let tested = try_follow("helm --namespace mlpipeline-system test ", Path::new(""), "");
    tested.unwrap_or_else(|problem| panic!("{change}: {problem}"));
}

fn operator_pods() -> Vec<Pod> {
    let query = ["get", "pods", "-l", "app.kubernetes.io/name=mlpipeline-operator", "-o", "json"];
    let list: Value = serde_json::from_str(&SYSTEM.kubectl(&query)).expect("JSON");
    list["items"].as_array().into_iter().flatten().map(Pod::from).collect()
}

async fn an_upgrade_that_cannot_start_leaves_the_old_operator_at_work(namespace: &Namespace, chart: &Path) {
    let names =
        || operator_pods().into_iter().filter(|pod| pod.is_ready).map(|pod| pod.name).collect::<Vec<_>>();
    let before = names();
    let more = "--wait --timeout 15s --set image.tag=not-there";
    let problem = try_follow("helm upgrade mlpipeline ", chart, more).expect_err("there is no such image");
    assert!(problem.contains("mlpipeline-operator"), "helm says what is not ready: {problem}");
    assert_eq!(names(), before, "every replica of before is there and ready");
    resume(namespace, "held-0");
    namespace.wait_ready(&["held-0"]);
    suspend(namespace, "held-0", true);
}

fn resume(namespace: &Namespace, name: &str) {
    suspend(namespace, name, false);
}

fn suspend(namespace: &Namespace, name: &str, suspended: bool) {
    let patch = json!({"spec": {"suspend": suspended}}).to_string();
    namespace.kubectl(&["patch", "mlp", name, "--type", "merge", "--patch", &patch]);
}

/// Models that are served, a replica with data of its own, and many that cost next to nothing: finished, scheduled, or held back.
async fn fifty_pipelines(folder: &Path) -> Namespace {
    let namespace = Namespace("release-test");
    let run = |more: Value| {
        let mut step = json!({"name": "one", "run": {"image": "busybox:1.35", "command": ["true"]}});
        step.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        step
    };
    let volume = json!({"volume": {"size": "50Mi"}});
    let served = |at: usize| {
        let service = match at {
            0 => json!({"type": "NodePort", "port": 80, "nodePort": 30083}),
            _ => json!({"type": "ClusterIP", "port": 80}),
        };
        let spec = json!({"storage": volume, "steps": [
            {"name": "data", "prepare": {"sql": "SELECT value AS x, value * 2 + 1 AS y FROM generate_series(1, 100)"}},
            {"name": "train", "train": {"data": {"step": "data"}, "target": "y", "algorithm": {"linearRegression": {}}}},
            {"name": "api", "serve": {"model": {"step": "train"}, "service": service}},
        ]});
        (format!("served-{at}"), spec)
    };
    let mut pipelines: Vec<(String, Value)> = (0..SERVING).map(served).collect();
    pipelines.push(
        (
            "store".to_owned(),
            json!({"steps": [{"name": "db", "run": {
                "image": "busybox:1.35", "workload": "StatefulSet", "command": ["sh", "-c", "trap exit TERM; sleep infinity & wait"],
                "replicaVolume": {"size": "10Mi", "mountPath": "/data"},
            }}]}),
        ),
    );
    let yearly = json!({"schedule": {"cron": "0 0 1 1 *"}});
    pipelines.extend((0..FINISHED).map(|at| (format!("finished-{at}"), json!({"steps": [run(json!({}))]}))));
    pipelines
        .extend((0..SCHEDULED).map(|at| (format!("yearly-{at}"), json!({"steps": [run(yearly.clone())]}))));
    let held = PIPELINES - pipelines.len();
    pipelines.extend(
        (0..held).map(|at| (format!("held-{at}"), json!({"suspend": true, "steps": [run(json!({}))]}))),
    );
    let mut manifest = String::new();
    for (name, spec) in &pipelines {
        let pipeline = json!({
            "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
            "metadata": {"name": name, "namespace": namespace.0}, "spec": spec,
        });
        let _ = writeln!(manifest, "---\n{pipeline}");
    }
    let file = folder.join("pipelines.yaml");
    std::fs::write(&file, manifest).expect("written");
    kubectl(&["create", "namespace", namespace.0]);
    kubectl(&["label", "namespace", namespace.0, "pod-security.kubernetes.io/enforce=restricted"]);
    kubectl(&["apply", "-f", file.to_str().expect("a path")]);
    let ready: Vec<&str> =
        pipelines.iter().map(|(name, _)| name.as_str()).filter(|name| !name.starts_with("held")).collect();
    namespace.wait_ready(&ready);
    let health = format!("http://{}:30083/health", node_address());
    wait_until("the model answers", TIMEOUT, async || try_http(&health, &[])).await;
    namespace
}

/// Every child and every pod of every pipeline, by what a write of the operator's and any replacement would change. Their status is not part of
/// it: on a busy node a probe may be answered too late for a moment.
fn children(namespace: &Namespace) -> BTreeMap<String, (String, String)> {
    let kinds: Vec<&str> = ChildKind::ALL.into_iter().map(ChildKind::plural).chain(["pods"]).collect();
    let query = ["get", &kinds.join(","), "-o", "json"];
    let list: Value = serde_json::from_str(&namespace.kubectl(&query)).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let objects = list["items"].as_array().into_iter().flatten();
    // What one pipeline did on purpose does not count.
    let others = objects.filter(|object| object["metadata"]["labels"]["mlpipeline.dev/pipeline"] != "held-0");
    let seen = others.map(|object| {
        let mut metadata = object["metadata"].clone();
        let name = format!("{} {}", text(&object["kind"]), text(&metadata["name"]));
        let uid = text(&metadata["uid"]);
        for changing in ["resourceVersion", "managedFields"] {
            metadata.as_object_mut().expect("metadata").remove(changing);
        }
        (name, (uid, json!([metadata, object["spec"]]).to_string()))
    });
    seen.collect()
}
