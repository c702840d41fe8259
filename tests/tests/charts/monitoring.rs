//! Metrics, alerts and the dashboard: promtool's word on them, and that they fit together.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mlpipeline_operator::metrics::Metrics;
use mlpipeline_tests::control_plane::find_program;
use mlpipeline_tests::programs;
use regex::Regex;
use serde_json::{Value, json};

use super::helm::{self, chart};

fn promtool(arguments: &[&str], input: &str) -> Output {
    let program = find_program("promtool").unwrap_or_else(|problem| panic!("{problem}"));
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn assert_finds_nothing(output: &Output) {
    let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", printed(&output.stdout), printed(&output.stderr));
}

fn file(name: &str) -> String {
    fs::read_to_string(chart().join("files").join(name)).unwrap()
}

/// Every metric that the operator has, as a scrape shows them once each was used.
fn scrape() -> String {
    let metrics = Metrics::new(Some("mlpipeline-operator")).unwrap();
    metrics.request("GET", "200");
    metrics.count_states(&[("Ready".into(), 1)].into(), &[("Done".into(), 1)].into());
    metrics.crd_fields_missing(0);
    metrics.conflicting_installations(0);
    metrics.text()
}

fn names(text: &str) -> BTreeSet<String> {
    let help = Regex::new("(?m)^# HELP ([a-z_]+) ").unwrap();
    help.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// The metrics that an expression reads, without what Prometheus adds to the name of a histogram.
fn read_by(expression: &str) -> BTreeSet<String> {
    let name =
        Regex::new("(controller_runtime|workqueue|rest_client|leader_election|mlpipeline)_[a-z_]+").unwrap();
    let suffix = Regex::new("_(bucket|sum|count)$").unwrap();
    name.find_iter(expression).map(|found| suffix.replace(found.as_str(), "").into_owned()).collect()
}

/// The expressions of the dashboard's panels.
fn panels() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&file("dashboard.json")).unwrap();
    let targets = dashboard["panels"].as_array().unwrap().iter().flat_map(|panel| {
        let title = panel["title"].as_str().unwrap().to_owned();
        let targets = panel["targets"].as_array().unwrap().iter();
        targets.map(move |target| (title.clone(), target["expr"].as_str().unwrap().to_owned()))
    });
    targets.collect()
}

fn alerts() -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(&file("alerts.yaml")).unwrap();
    let groups = file["groups"].as_array().unwrap().iter();
    groups.flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

#[test]
fn promtool_finds_nothing_wrong_with_the_operators_metrics() {
    assert_finds_nothing(&promtool(&["check", "metrics"], &scrape()));
}

#[test]
fn promtool_takes_the_alerts_and_they_fire_on_what_they_are_about_and_on_nothing_else() {
    let rules = chart().join("files/alerts.yaml");
    assert_finds_nothing(&promtool(
        &["check", "rules", "--lint=all", "--lint-fatal", rules.to_str().unwrap()],
        "",
    ));
    let folder = tempfile::tempdir().unwrap();
    fs::copy(rules, folder.path().join("alerts.yaml")).unwrap();
    let test = folder.path().join("test.yaml");
    fs::copy(programs::repository().join("tests/tests/charts/alerts_test.yaml"), &test).unwrap();
    assert_finds_nothing(&promtool(&["test", "rules", test.to_str().unwrap()], ""));
}

#[test]
fn every_alert_has_a_severity_a_summary_a_description_and_a_runbook_that_is_there() {
    let page = fs::read_to_string(programs::repository().join("docs/how-to/act-on-alerts.md")).unwrap();
    let all = alerts();
    assert!(all.len() > 5);
    for alert in &all {
        let name = alert["alert"].as_str().unwrap();
        assert!(matches!(alert["labels"]["severity"].as_str(), Some("critical" | "warning")), "{name}");
        let annotation =
            |key: &str| alert["annotations"][key].as_str().unwrap_or_else(|| panic!("{name}: {key}"));
        assert!(annotation("summary").ends_with('.') && annotation("description").ends_with('.'), "{name}");
        let anchor = format!("docs/how-to/act-on-alerts.md#{}", name.to_lowercase());
        assert!(annotation("runbook_url").ends_with(&anchor), "{name}");
        assert!(page.contains(&format!("\n## {name}\n")), "{name} has no runbook");
    }
    assert_eq!(page.matches("\n## ").count(), all.len(), "a runbook of an alert that is gone");
}

#[test]
fn alerts_and_dashboard_read_metrics_that_the_operator_has() {
    // Those that are counted with a reconcile have no sample here, and so no HELP.
    let mut known = names(&scrape());
    known.extend(
        [
            "controller_runtime_reconcile_total",
            "controller_runtime_reconcile_time_seconds",
            "workqueue_adds_total",
        ]
        .map(str::to_owned),
    );
    known.extend(["workqueue_queue_duration_seconds", "workqueue_retries_total"].map(str::to_owned));
    let of_alerts = alerts().into_iter().map(|alert| {
        let text = |key: &str| alert[key].as_str().unwrap().to_owned();
        (text("alert"), text("expr"))
    });
    for (title, expression) in panels().into_iter().chain(of_alerts) {
        let read = read_by(&expression);
        assert!(!read.is_empty() && read.is_subset(&known), "{title}: {:?}", read.difference(&known));
    }
}

/// The schemas of the Prometheus Operator's kinds, as kubeconform reads them, with every field that they do not name forbidden.
pub fn schemas(folder: &Path) {
    let script = programs::repository().join("tests/tools/crds.sh");
    let output = Command::new(script).args(["--where", "prometheus-operator"]).output().expect("bash starts");
    let source = String::from_utf8(output.stdout).unwrap();
    let files = fs::read_dir(source.trim()).unwrap_or_else(|error| panic!("{error}: run `make test-tools`"));
    for file in files.flatten() {
        let crd: Value = serde_saphyr::from_str(&fs::read_to_string(file.path()).unwrap()).unwrap();
        let mut schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
        // The API server knows what every object's metadata is.
        schema["properties"]["metadata"] = json!({"type": "object"});
        close(&mut schema);
        let kind = crd["spec"]["names"]["singular"].as_str().unwrap();
        fs::write(folder.join(format!("{kind}.json")), schema.to_string()).unwrap();
    }
}

fn close(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.contains_key("properties") && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    for (key, inner) in object.iter_mut() {
        match (key.as_str(), inner) {
            ("properties", Value::Object(properties)) => properties.values_mut().for_each(close),
            ("items" | "additionalProperties", inner) => close(inner),
            _ => {}
        }
    }
    if let Some(metadata) = schema.pointer_mut("/properties/metadata").and_then(Value::as_object_mut) {
        metadata.remove("additionalProperties");
    }
}

#[test]
fn the_objects_of_the_prometheus_operator_are_what_its_own_definitions_take() {
    let folder = tempfile::tempdir().unwrap();
    schemas(folder.path());
    let location = folder.path().join("{{.ResourceKind}}.json").display().to_string();
    let all = json!({"podMonitor": {"enabled": true}, "prometheusRule": {"enabled": true}});
    for values in [all, json!({"serviceMonitor": {"enabled": true}})] {
        let objects = helm::objects(&values).0.into_values();
        let ours = objects.filter(|object| object["apiVersion"] == "monitoring.coreos.com/v1");
        for mut object in ours {
            assert!(kubeconform(&location, &object), "{object}");
            object["spec"]["no-such-field"] = 1.into();
            assert!(!kubeconform(&location, &object), "a field that does not exist is found");
        }
    }
}

fn kubeconform(location: &str, object: &Value) -> bool {
    let file = tempfile::NamedTempFile::with_suffix(".json").unwrap();
    fs::write(file.path(), object.to_string()).unwrap();
    let program = find_program("kubeconform").unwrap_or_else(|problem| panic!("{problem}"));
    let output = Command::new(program)
        .args(["-strict", "-summary", "-schema-location", location, file.path().to_str().unwrap()])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("Skipped: 0") && printed.contains("Errors: 0"), "{printed}");
    output.status.success()
}

/// What Prometheus takes as a duration, and its operator's definitions as well.
#[test]
fn an_interval_is_any_duration_of_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    schemas(folder.path());
    let location = folder.path().join("{{.ResourceKind}}.json").display().to_string();
    for interval in ["1h30m", "1w2d", "1m30s500ms"] {
        for kind in ["PodMonitor", "ServiceMonitor"] {
            let value = format!("{}{}", kind[..1].to_lowercase(), &kind[1..]);
            let objects = helm::objects(&json!({value: {"enabled": true, "interval": interval}}));
            let monitor = objects.get(&format!("{kind} {}/mlpipeline-operator", helm::NAMESPACE));
            assert!(monitor.to_string().contains(&format!("\"interval\":\"{interval}\"")), "{monitor}");
            assert!(kubeconform(&location, monitor), "{monitor}");
        }
    }
}

#[test]
fn promtool_takes_every_expression_of_the_dashboard() {
    let rules: Vec<Value> = panels()
        .iter()
        .enumerate()
        .map(|(at, (_, expression))| {
            let expression = expression.replace("$__rate_interval", "5m").replace("$namespace", ".+");
            json!({"record": format!("panel:{at}"), "expr": expression})
        })
        .collect();
    assert!(rules.len() > 10);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("panels.yaml");
    fs::write(&path, json!({"groups": [{"name": "panels", "rules": rules}]}).to_string()).unwrap();
    assert_finds_nothing(&promtool(&["check", "rules", path.to_str().unwrap()], ""));
}
