//! What commands print of a run, and what becomes of them where it cannot be printed.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::fs;

use program::{Folder, pipeline, scripted};
use serde_json::Value;

#[test]
fn what_a_run_found_worth_knowing_is_said_once_and_stays_in_the_record() {
    let folder = Folder::new();
    let script = r#"succeed; printf '{"outcome":"succeeded","revision":"%s","message":"left out: name"}' "$REVISION" > "$REPORT""#;
    folder.write("p.yaml", &pipeline(&scripted("a", script)));
    let local = || folder.call(&["local", "p.yaml", "--once"]);
    let first = local();
    assert!(first.stderr.contains("note: a: left out: name"), "{}", first.stderr);
    assert!(first.stdout.contains("done") && !first.stdout.contains("up to date"), "{}", first.stdout);
    let second = local();
    assert!(!second.stderr.contains("note: a"), "{}", second.stderr);
    assert!(second.stdout.contains("up to date"), "{}", second.stdout);
    let json = folder.call(&["local", "p.yaml", "--once", "-o", "json"]);
    let printed: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(printed["steps"][0]["note"], "left out: name");
}

#[test]
fn a_result_that_cannot_be_printed_stops_no_run_and_is_said() {
    let folder = Folder::new();
    folder.write("p.yaml", &pipeline(&(scripted("a", "succeed") + &scripted("b", "succeed"))));
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
    for arguments in [&["local", "p.yaml", "--once"][..], &["validate", "p.yaml"], &["plan", "p.yaml"]] {
        let ended = folder.command(arguments).stdout(full()).output().expect("the program runs");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(
            said.contains("cannot be written to standard output") && !said.contains("panicked"),
            "{said}"
        );
    }
    let printed = folder.call(&["local", "p.yaml", "--once", "-o", "json"]).stdout;
    let printed: Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!([&printed["steps"][0]["state"], &printed["steps"][1]["state"]], ["Done", "Done"]);
    assert_eq!(printed["steps"][1]["ran"], false, "both ran although nothing could be printed");
}
