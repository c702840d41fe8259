//! The generated pages of the documentation are those that the code of today generates.

use std::collections::BTreeSet;
use std::fs;

use mlpipeline_crds::ExitCode;
use mlpipeline_tests::{programs, reference};

#[test]
fn the_reference_pages_are_up_to_date() {
    for (name, content) in reference::pages() {
        let path = programs::repository().join("docs/reference").join(name);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == content, "{} is stale: run `make reference`", path.display());
    }
}

#[test]
fn the_page_of_exit_codes_says_what_the_code_does() {
    let path = programs::repository().join("docs/reference/worker.md");
    let page = fs::read_to_string(&path).expect("the page");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        // Other tables have numbers too; only this one says of each whether it is retried.
        .filter(|cells| cells.get(3).is_some_and(|retried| ["yes", "no"].contains(retried)))
        .filter(|cells| cells.get(1).is_some_and(|code| code.parse::<i32>().is_ok()))
        .collect();
    let written: Vec<(i32, bool)> =
        rows.iter().map(|cells| (cells[1].parse().expect("a code"), cells[3] == "yes")).collect();
    let all = (0..=255).filter_map(ExitCode::from_code);
    let known: Vec<(i32, bool)> = all.map(|code| (code.code(), code.retries())).collect();
    assert_eq!(written, known, "{}: (code, retried)", path.display());
}

#[test]
fn every_dependency_has_a_recorded_reason() {
    let manifest = fs::read_to_string(programs::repository().join("Cargo.toml")).expect("the manifest");
    let record = programs::repository().join("docs/decisions/0009-dependencies.md");
    let page = fs::read_to_string(&record).expect("the record");
    let first_cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let recorded: BTreeSet<&str> = first_cells.flat_map(|cell| cell.split(", ")).collect();
    let section = manifest.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
    let lines = section.expect("the section").lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.filter_map(|line| Some(line.split_once(" =")?.0)).collect();
    assert!(names.len() > 20, "{names:?}");
    let ours = |name: &str| name.starts_with("mlpipeline-") || name == "kubectl-mlpipeline";
    let missing: Vec<&&str> = names.iter().filter(|name| !ours(name) && !recorded.contains(**name)).collect();
    assert!(missing.is_empty(), "{}: say what these are for: {missing:?}", record.display());
    let known = |name: &&&str| !names.contains(*name) && !matches!(**name, "Crate" | "---");
    let gone: Vec<&&str> = recorded.iter().filter(known).collect();
    assert!(gone.is_empty(), "{}: these are no longer used: {gone:?}", record.display());
}

/// Words of Kubernetes that are read and never shown as a reason.
const ONLY_READ: [&str; 25] = [
    "AbleToScale",
    "ContainerCreating",
    "ContainersNotReady",
    "ContainersReady",
    "ControllerResizeError",
    "DaemonSet",
    "DeletionByTaintManager",
    "DisruptionTarget",
    "ErrImagePull",
    "FailureTarget",
    "FileSystemResizePending",
    "LoadBalancer",
    "NamespaceTerminating",
    "NodeResizeError",
    "OOMKilled",
    "OnDelete",
    "PodInitializing",
    "PodScheduled",
    "ReadinessGatesNotReady",
    "ReplicaFailure",
    "ScalingActive",
    "ScalingDisabled",
    "StatefulSet",
    "SuccessCriteriaMet",
    "VolumeResizeFailed",
];

/// Every word in CamelCase that code which names what the cluster says has as a text: a reason, or a word of Kubernetes that it reads.
fn words_of(code: &str) -> BTreeSet<&str> {
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let texts = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    texts.filter(|text| is_reason(text)).collect()
}

fn is_reason(text: &str) -> bool {
    let capitals = text.chars().filter(char::is_ascii_uppercase).count();
    text.len() > 4
        && capitals > 1
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.chars().all(|character| character.is_ascii_alphabetic())
}

#[test]
fn every_reason_that_comes_from_the_cluster_is_on_the_page_that_says_what_to_do() {
    let path = programs::repository().join("docs/how-to/find-out-what-holds-a-pipeline-up.md");
    let page = fs::read_to_string(&path).expect("the page");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let first_cells: Vec<&str> = rows.filter_map(|row| row.split('|').nth(1)).collect();
    let explained: BTreeSet<&str> =
        first_cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let folder = programs::repository().join("operator/core/src/observation");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.extend(
        ["failure.rs", "missing_permission.rs"]
            .map(|name| programs::repository().join("operator/src").join(name)),
    );
    let code: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("code")).collect();
    let shown: BTreeSet<&str> = code.iter().flat_map(|code| words_of(code)).collect();
    assert!(shown.len() > 20, "{shown:?}");
    let missing: Vec<&&str> =
        shown.iter().filter(|word| !explained.contains(**word) && !ONLY_READ.contains(word)).collect();
    assert!(missing.is_empty(), "{}: no row for {missing:?}", path.display());
    let unread: Vec<&&str> = ONLY_READ.iter().filter(|word| !shown.contains(**word)).collect();
    assert!(unread.is_empty(), "nothing reads {unread:?} any more");
}
