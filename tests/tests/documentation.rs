//! What the documentation shows works: its commands print what it says, its pipelines are valid, its links lead somewhere.

#![expect(clippy::expect_used, reason = "a test fails by a panic, in functions beside it too")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use mlpipeline_tests::documentation::{Session, blocks, pages};
use mlpipeline_tests::programs;

/// A reader's folder: what a clone has of samples, to write to.
fn clone_of_samples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let samples = folder.path().join("deploy/samples");
    copy(&programs::repository().join("deploy/samples"), &samples);
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        // What somebody's own runs left there is no part of the sample.
        let name = entry.file_name().expect("a name");
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let target = to.join(name);
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).expect("a copy");
        }
    }
}

#[test]
fn every_command_of_the_documentation_prints_what_its_page_says() {
    let mut problems = Vec::new();
    let mut followed = 0;
    // One page after another: they use the ports that they name.
    for page in pages(programs::repository()) {
        let blocks = blocks(&fs::read_to_string(&page).expect("a page"));
        if !blocks.iter().any(|block| block.language == "console") {
            continue;
        }
        let folder = clone_of_samples();
        let mut session = Session::new(folder.path(), &programs::folder());
        let problem = blocks.iter().find_map(|block| session.follow(block).err());
        problems.extend(problem.map(|problem| format!("{}: {problem}", page.display())));
        followed += 1;
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    assert!(followed > 3, "only {followed} pages with commands were found");
}

#[test]
fn every_pipeline_of_the_documentation_is_valid() {
    let mut checked = 0;
    for page in pages(programs::repository()) {
        for block in blocks(&fs::read_to_string(&page).expect("a page")) {
            let whole = block.text.lines().any(|line| line == "kind: MLPipeline");
            // A page may show a mistake, and then says so.
            if block.language != "yaml" || !whole || block.words.iter().any(|word| word == "wrong") {
                continue;
            }
            let (valid, answer) = validate(&block.text);
            assert!(valid, "{}:{}: {answer}", page.display(), block.line);
            checked += 1;
        }
    }
    assert!(checked > 3, "only {checked} pipelines were found");
}

fn validate(pipeline: &str) -> (bool, String) {
    let mut child = Command::new(programs::path("kubectl-mlpipeline"))
        .args(["validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdin.take().expect("a pipe").write_all(pipeline.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("an answer");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), text)
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file() {
    let mut checked = 0;
    for page in pages(programs::repository()) {
        let text = fs::read_to_string(&page).expect("a page");
        let folder = page.parent().expect("a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if target.contains("://") || file.is_empty() {
                continue;
            }
            assert!(folder.join(file).exists(), "{}: the link to {target} leads nowhere", page.display());
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} links were found");
}
