//! The judges that platform teams use, over what the chart renders. Each exception says why it is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mlpipeline_tests::control_plane::find_program;
use mlpipeline_tests::programs;
use serde_json::{Value, json};

use super::helm::{chart, helm, render};

/// What checkov asks and we do not do, with the reason.
const CHECKOV_EXCEPTIONS: [(&str, &str); 6] = [
    ("CKV_K8S_8", "liveness: only the pod of `helm test` lacks it, which ends by itself"),
    ("CKV_K8S_9", "readiness: the same"),
    (
        "CKV_K8S_11",
        "CPU limits: they slow the operator down when it has most to do; requests share the processors out",
    ),
    (
        "CKV_K8S_15",
        "Always pull: versions are never pushed twice; image.pullPolicy is there for tags that move",
    ),
    ("CKV_K8S_38", "service account token: an operator has to talk to the API server"),
    (
        "CKV_K8S_43",
        "digests: image.digest sets them; a chart in a repository cannot know that of the image built with it",
    ),
];

/// What kube-score asks and we do not do, with the reason.
const KUBE_SCORE_EXCEPTIONS: [(&str, &str); 4] = [
    ("container-resources", "CPU limits, as above"),
    (
        "container-ephemeral-storage-request-and-limit",
        "the root file system is read-only, and there is no other",
    ),
    ("container-image-pull-policy", "as above"),
    (
        "pod-networkpolicy",
        "what the operator calls, the API server and a collector of traces, has no address that a chart knows",
    ),
];

/// The versions of Kubernetes that the chart is for, as far as schemas are there.
const KUBERNETES: [&str; 3] = ["1.31.0", "1.34.0", NEWEST];
pub const NEWEST: &str = "1.37.0";

/// Everything at once that does not need kinds of others.
fn everything() -> Value {
    json!({
        "networkPolicy": {"enabled": true}, "grafanaDashboard": {"enabled": true}, "tenantPolicy": {"enabled": true},
        "priorityClassName": "system-cluster-critical",
        "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
        "topologySpreadConstraints":
            [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}],
        "extraEnv": [{"name": "RUST_LOG", "value": "debug"}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca", "readOnly": true}],
    })
}

/// A release for some namespaces, which has Roles in place of ClusterRoles, and objects in several namespaces.
fn namespaced() -> Value {
    json!({"namespaces": ["team-a", "team-b"], "networkPolicy": {"enabled": true}})
}

/// What a judge reads.
fn manifests(folder: &Path, values: &Value) -> String {
    let path = folder.join("manifests.yaml");
    fs::write(&path, render(values)).unwrap();
    path.display().to_string()
}

fn go_program(name: &str) -> Command {
    Command::new(find_program(name).unwrap_or_else(|problem| panic!("{problem}")))
}

/// The folder of the Python judges.
fn environment() -> PathBuf {
    let script = programs::repository().join("tests/tools/judges.sh");
    let output = Command::new(script).arg("--where").output().expect("bash starts");
    let folder = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    assert!(folder.join("whole").is_file(), "{} is not there: run `make test-tools`", folder.display());
    folder
}

/// Puts the schemas of a version of Kubernetes, which kubernetes-validate brings, into a folder. Without their identities, by which
/// kubeconform would look for what they refer to in the network.
pub fn local_schemas(version: &str, folder: &Path) {
    let found = fs::read_dir(environment().join("lib")).unwrap().flatten().find_map(|python| {
        let schemas = python.path().join("site-packages/kubernetes_validate/kubernetes-json-schema");
        let schemas = schemas.join(format!("v{version}-local-strict"));
        schemas.is_dir().then_some(schemas)
    });
    for file in fs::read_dir(found.expect("kubernetes-validate brings schemas")).unwrap().flatten() {
        let mut schema: Value = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        schema.as_object_mut().unwrap().remove("$id");
        let local = schema.to_string().replace("\"/api/_definitions.json", "\"_definitions.json");
        fs::write(folder.join(file.file_name()), local).unwrap();
    }
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn helm_lint_finds_nothing() {
    let output = helm(&["lint", "--strict", chart().to_str().unwrap()]);
    assert!(output.status.success(), "{}", told(&output));
    let told = told(&output);
    assert!(!told.contains("[WARNING]") && !told.contains("[ERROR]"), "{told}");
}

#[test]
fn kubeconform_takes_every_object() {
    let folder = tempfile::tempdir().unwrap();
    local_schemas(NEWEST, folder.path());
    for values in [everything(), namespaced()] {
        kubeconform(folder.path(), &[&manifests(folder.path(), &values)]);
    }
}

/// Holds files to the schemas of a folder.
pub fn kubeconform(schemas: &Path, files: &[&str]) {
    let location = schemas.join("{{.ResourceKind}}{{.KindSuffix}}.json");
    let output = go_program("kubeconform")
        .args(["-strict", "-summary", "-schema-location", location.to_str().unwrap()])
        .args(files)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert!(told(&output).contains("Invalid: 0, Errors: 0, Skipped: 0"), "{}", told(&output));
}

#[test]
fn kubernetes_validate_takes_every_object_for_every_version_of_kubernetes() {
    let folder = tempfile::tempdir().unwrap();
    for values in [everything(), namespaced()] {
        let file = manifests(folder.path(), &values);
        for version in KUBERNETES {
            let output = Command::new(environment().join("bin/kubernetes-validate"))
                .args(["--strict", "--kubernetes-version", version, &file])
                .output()
                .unwrap();
            assert!(
                output.status.success() && !told(&output).contains("ERROR"),
                "{version}: {}",
                told(&output)
            );
        }
    }
}

#[test]
fn kube_score_finds_nothing_but_what_is_explained_here() {
    let folder = tempfile::tempdir().unwrap();
    for values in [json!({"networkPolicy": {"enabled": true}}), namespaced()] {
        let file = manifests(folder.path(), &values);
        let mut command = go_program("kube-score");
        command.args(["score", "--output-format", "ci", "--kubernetes-version", "v1.31"]);
        for (exception, _) in KUBE_SCORE_EXCEPTIONS {
            command.args(["--ignore-test", exception]);
        }
        let output = command.arg(&file).output().unwrap();
        let told = told(&output);
        let findings: Vec<_> = told
            .lines()
            .filter(|line| line.starts_with("[CRITICAL]") || line.starts_with("[WARNING]"))
            .collect();
        assert!(output.status.success() && findings.is_empty(), "{values}: {findings:#?}");
        assert!(told.contains("[OK] mlpipeline-operator/mlpipeline-system apps/v1/Deployment"), "{told}");
    }
}

#[test]
fn checkov_finds_nothing_but_what_is_explained_here() {
    let folder = tempfile::tempdir().unwrap();
    let skipped = CHECKOV_EXCEPTIONS.map(|(check, _)| check).join(",");
    // CKV2_K8S_6 wants a NetworkPolicy for each pod, and that of `helm test` takes no connection.
    let skipped = format!("{skipped},CKV2_K8S_6");
    for values in [json!({"networkPolicy": {"enabled": true}}), namespaced()] {
        let file = manifests(folder.path(), &values);
        let output = Command::new(environment().join("bin/checkov"))
            .args([
                "--framework",
                "kubernetes",
                "--skip-download",
                "--compact",
                "--quiet",
                "--output",
                "json",
            ])
            .args(["--skip-check", &skipped, "--file", &file])
            .env("BC_SKIP_MAPPING", "TRUE")
            .output()
            .unwrap();
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(&output)));
        assert!(report["summary"]["passed"].as_u64() > Some(50), "{report}");
        let failed = report["results"]["failed_checks"].as_array().unwrap();
        let failed: Vec<_> = failed.iter().map(|check| (&check["check_id"], &check["resource"])).collect();
        assert!(failed.is_empty(), "{values}: {failed:#?}");
    }
}
