//! The chart as a part of another one: a platform's own chart that has this one as a dependency.

use std::process::Command;

use super::helm::{chart, helm};

const PARENT: &str = "apiVersion: v2
name: platform
version: 1.0.0
dependencies:
  - {name: mlpipeline, version: '*', condition: mlpipeline.enabled}
";

/// What helm renders of a chart with this one below it.
fn rendered(enabled: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("Chart.yaml"), PARENT).unwrap();
    std::fs::create_dir(folder.path().join("charts")).unwrap();
    let copied = Command::new("cp").arg("-r").arg(chart()).arg(folder.path().join("charts")).status();
    assert!(copied.unwrap().success());
    let setting = format!("mlpipeline.enabled={enabled}");
    let output = helm(&["template", "platform", folder.path().to_str().unwrap(), "--set", &setting]);
    assert!(output.status.success(), "{enabled}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_chart_above_switches_this_one_on_and_off_by_helms_standard_value() {
    assert!(rendered(true).contains("kind: Deployment"));
    assert!(!rendered(false).contains("kind: Deployment"));
}
