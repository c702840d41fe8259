//! What the threat model promises is held by tests: those that it names are there, and the resource has no field that would break it.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mlpipeline_tests::programs;
use serde_json::Value;

/// The fewest tests that the page names.
const LEAST_TESTS: usize = 60;

/// The names of all test functions of the repository.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let root = programs::repository();
    let mut folders: Vec<_> =
        ["crds", "operator", "worker", "cli", "tests"].map(|name| root.join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.extend(tests_of(&path));
            }
        }
    }
    found
}

/// The functions of a file that an attribute makes tests, or that a macro of proptest does.
fn tests_of(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a file");
    let mut is_test = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            let name: String =
                rest.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect();
            found.extend(Some(name).filter(|_| is_test));
            is_test = false;
        }
    }
    found
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let page = fs::read_to_string(programs::repository().join("docs/explanation/threat-model.md"))
        .expect("the page");
    let tests = tests();
    let spans: BTreeSet<&str> = page.split('`').skip(1).step_by(2).collect();
    // Names of tests are sentences; nothing else in the page has so many words joined by underscores.
    let is_name = |span: &&str| {
        span.split('_').count() >= 4
            && span.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let named: Vec<&str> = spans.into_iter().filter(is_name).collect();
    let missing: Vec<&&str> = named.iter().filter(|name| !tests.contains(**name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    assert!(named.len() >= LEAST_TESTS, "the page names {} tests", named.len());
}

#[test]
fn each_row_of_the_lessons_names_a_test() {
    let page = fs::read_to_string(programs::repository().join("docs/explanation/threat-model.md"))
        .expect("the page");
    let lessons = page
        .split("\n## Lessons of other projects")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("the section");
    let rows: Vec<&str> = lessons.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(rows.len(), 20, "{rows:#?}");
    for row in rows {
        assert!(row.split('|').nth(3).is_some_and(|cell| cell.contains('`')), "{row}");
    }
}

#[test]
fn d8_no_field_of_the_resource_names_a_namespace_or_loosens_a_pod() {
    let path = programs::repository().join("crds/mlpipeline.dev_mlpipelines.yaml");
    let definition: Value =
        serde_saphyr::from_str(&fs::read_to_string(path).expect("the definition")).expect("YAML");
    let spec =
        definition.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec").expect("a schema");
    let mut fields = BTreeSet::new();
    walk(spec, "spec", &mut fields);
    assert!(fields.len() > 300, "{} fields", fields.len());
    let refused = [
        "namespace",
        "hostPath",
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "hostAliases",
        "privileged",
        "securityContext",
        "capabilities",
        "sysctls",
        "initContainers",
        "ephemeralContainers",
        "patch",
        "patches",
        "template",
        "podTemplate",
        "automountServiceAccountToken",
        "procMount",
        "runAsUser",
        "shareProcessNamespace",
        "dataSourceRef",
        "externalName",
        "externalIPs",
    ];
    let found: Vec<&String> = fields
        .iter()
        .filter(|path| path.rsplit('.').next().is_some_and(|field| refused.contains(&field)))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    let host_ports: Vec<&String> = fields.iter().filter(|path| path.ends_with(".hostPort")).collect();
    assert_eq!(
        host_ports,
        ["spec.steps[].run.ports[].hostPort"],
        "the one exception, which the namespace's policy decides on"
    );
}

/// The paths of all fields below a schema.
fn walk(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        walk(field, &path, fields);
        fields.insert(path);
    }
    walk_items(&schema["items"], path, fields);
    walk_items(&schema["additionalProperties"], path, fields);
}

fn walk_items(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    if schema.is_object() {
        walk(schema, &format!("{path}[]"), fields);
    }
}
