//! A data folder that came with somebody else's files: nothing in it leads out of it, and nothing keeps anybody waiting.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use program::{Folder, pipeline};

const STEPS: &str = "  - {name: a, prepare: {sql: SELECT 1 AS a}}\n";

/// The places below the data folder that `local` uses for the pipeline of [`STEPS`].
const PLACES: [&str; 15] = [
    "volume",
    "volume/default",
    "volume/default/p",
    "volume/default/p/a",
    "state",
    "state/default",
    "state/default/p",
    "state/default/p/lock",
    "state/default/p/runs",
    "state/default/p/runs/a",
    "state/default/p/runs/a/RUN.step",
    "state/default/p/runs/a/RUN.report",
    "state/default/p/runs/a/RUN.tmp",
    "state/default/p/logs/a",
    "state/default/p/logs/a/RUN.log",
];

/// A folder with the pipeline, and the name of its one run.
fn foreign() -> (Folder, String) {
    let folder = Folder::new();
    folder.write("p.yaml", &pipeline(STEPS));
    let planned: serde_json::Value =
        serde_json::from_str(&folder.call(&["plan", "p.yaml", "-o", "json"]).stdout).expect("JSON");
    let run = format!("p-a-{}", planned["steps"][0]["revision"].as_str().expect("a revision"));
    (folder, run)
}

fn parent(path: &Path) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
}

/// Every file below a folder, with its content.
fn contents(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.push((path.display().to_string(), String::new()));
            found.extend(contents(&path));
        } else {
            found.push((path.display().to_string(), fs::read_to_string(&path).expect("a text")));
        }
    }
    found.sort();
    found
}

#[test]
fn a_data_folder_that_came_with_links_is_refused_before_anything_is_read_or_written() {
    for place in PLACES {
        let (folder, run) = foreign();
        let place = place.replace("RUN", &run);
        let victim = tempfile::tempdir().expect("a folder");
        let target = if place.contains('.') || place.ends_with("lock") {
            fs::write(victim.path().join("mine"), "mine").expect("a file");
            victim.path().join("mine")
        } else {
            victim.path().to_owned()
        };
        let link = folder.path().join(".mlpipeline").join(&place);
        parent(&link);
        symlink(&target, &link).expect("a link");
        let before = contents(victim.path());
        for arguments in
            [&["local", "p.yaml", "--once"][..], &["plan", "p.yaml"][..], &["trials", "p.yaml"][..]]
        {
            let answer = folder.call(arguments);
            assert_eq!(answer.code, 1, "{place}: {}{}", answer.stdout, answer.stderr);
            assert!(
                answer.stderr.contains(&format!(".mlpipeline/{place} is a symbolic link"))
                    && answer.stderr.contains("remove it, or set another --data-dir"),
                "{place}: {}",
                answer.stderr
            );
        }
        assert_eq!(contents(victim.path()), before, "{place}");
    }
}

#[test]
fn a_data_folder_that_nobody_named_is_no_link_and_a_named_one_may_be() {
    let (folder, _) = foreign();
    let elsewhere = tempfile::tempdir().expect("a folder");
    symlink(elsewhere.path(), folder.path().join(".mlpipeline")).expect("a link");
    let answer = folder.call(&["local", "p.yaml", "--once"]);
    assert_eq!(answer.code, 1, "{}", answer.stderr);
    assert!(
        answer.stderr.contains(".mlpipeline is a symbolic link") && answer.stderr.contains("--data-dir"),
        "{}",
        answer.stderr
    );
    assert!(contents(elsewhere.path()).is_empty());
    symlink(elsewhere.path(), folder.path().join("named")).expect("a link");
    for arguments in [
        &["local", "p.yaml", "--once", "--data-dir", "named"][..],
        &["local", "p.yaml", "--once", "--data-dir", "./.mlpipeline"],
    ] {
        let answer = folder.call(arguments);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
    }
}

#[test]
fn a_pipe_in_the_place_of_the_lock_or_of_a_record_keeps_nobody_waiting() {
    for place in ["lock", "runs/a/x.json", "runs/a/RUN.step"] {
        let (folder, run) = foreign();
        let pipe = folder.path().join(".mlpipeline/state/default/p").join(place.replace("RUN", &run));
        parent(&pipe);
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        for arguments in [&["plan", "p.yaml"][..], &["local", "p.yaml", "--once"]] {
            let answer = folder.call(arguments);
            assert_eq!(answer.code, 1, "{place}: {}", answer.stderr);
            assert!(answer.stderr.contains(" is a pipe"), "{place}: {}", answer.stderr);
        }
    }
}
