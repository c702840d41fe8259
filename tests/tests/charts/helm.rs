//! helm as a program, and what it renders as objects.

use std::path::PathBuf;
use std::process::{Command, Output};

use mlpipeline_tests::control_plane::find_program;
use mlpipeline_tests::programs;
use serde_json::Value;

use super::objects::{Objects, documents};

/// The namespace of the release in every test.
pub const NAMESPACE: &str = "mlpipeline-system";
/// The kinds of the Prometheus Operator, for a cluster that has them.
pub const MONITORING: &str = "--api-versions=monitoring.coreos.com/v1";

/// The folder of the chart.
pub fn chart() -> PathBuf {
    programs::repository().join("charts/mlpipeline")
}

/// Runs helm, away from the settings of whoever runs the tests.
pub fn helm(arguments: &[&str]) -> Output {
    let program = find_program("helm").unwrap_or_else(|problem| panic!("{problem}"));
    let home = tempfile::tempdir().unwrap();
    Command::new(program)
        .args(arguments)
        .env_remove("KUBECONFIG")
        .env("HELM_CACHE_HOME", home.path())
        .env("HELM_CONFIG_HOME", home.path())
        .env("HELM_DATA_HOME", home.path())
        .output()
        .expect("helm starts")
}

/// The text that helm renders of the chart with these values, or what it says is wrong.
pub fn try_render(values: &Value, arguments: &[&str]) -> Result<String, String> {
    try_render_as("mlpipeline", NAMESPACE, values, arguments)
}

/// The same for a release of this name in this namespace.
pub fn try_render_as(
    release: &str,
    namespace: &str,
    values: &Value,
    arguments: &[&str],
) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), values.to_string()).unwrap();
    let (chart, file) = (chart(), file.path().to_str().unwrap());
    let fixed = ["template", release, chart.to_str().unwrap(), "--namespace", namespace, "--values", file];
    let output = helm(&[fixed.as_slice(), arguments].concat());
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// What helm renders, which must succeed.
pub fn render(values: &Value) -> String {
    try_render(values, &[MONITORING]).unwrap_or_else(|problem| panic!("{values}: {problem}"))
}

/// The objects of a release with these values, without those of `helm test`.
pub fn objects(values: &Value) -> Objects {
    let all = documents(&render(values));
    Objects::new(all.into_iter().filter(|object| object["metadata"]["annotations"]["helm.sh/hook"].is_null()))
}
