//! The commands train and score, on the user's own files.

use std::path::Path;

use serde_json::Value;

use crate::steps::{iris, with_data};
use crate::support::{text, worker};

fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = worker(arguments).current_dir(folder).output().expect("the worker runs");
    let (stdout, stderr) = text(&output);
    (output.status.code().expect("an exit code"), stdout, stderr)
}

#[test]
fn the_commands_train_and_score_the_users_own_files() {
    let volume = with_data(&iris());
    let flags = [
        "--data",
        "data.csv",
        "--target",
        "species",
        "--test",
        "0.2",
        "--stratify",
        "--seed",
        "42",
        "--folds",
        "5",
    ];
    let mut arguments = vec!["train", "--gate", "accuracy>=0.9", "--out", "model"];
    arguments.extend(flags);
    let (code, stdout, stderr) = run(volume.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    for part in ["accuracy", "over folds", "passed: accuracy", "120 rows to learn from, 30 to test with"] {
        assert!(stdout.contains(part), "{stdout}");
    }
    // Another model takes its place, and its report is for programs.
    arguments.extend(["-o", "json", "--alpha", "10"]);
    let (code, stdout, stderr) = run(volume.path(), &arguments);
    assert_eq!(code, 0, "{stderr}");
    let report: Value = serde_json::from_str(&stdout).expect("a report");
    assert_eq!(report["outcome"], "succeeded");
    let (code, _, stderr) =
        run(volume.path(), &["score", "--model", "model", "--data", "data.csv", "--out", "scored.csv"]);
    assert_eq!(code, 0, "{stderr}");
    let scored = std::fs::read_to_string(volume.path().join("scored.csv")).expect("predictions");
    assert_eq!(scored.lines().count(), 151);
    let mut names: Vec<String> = std::fs::read_dir(volume.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    assert_eq!(names, ["data.csv", "model", "scored.csv"]);
}

#[test]
fn a_columns_name_that_controls_a_terminal_is_shown_without_what_does() {
    let rows: String = (0..40).map(|row| format!("{},{},{}\n", row % 7, row % 2, row)).collect();
    let volume = with_data(&format!("a\u{1b}[31mRED\u{1b}]0;pwn\u{7}\u{202e},\u{1b}[2Jy,c\n{rows}"));
    let flags = ["--data", "data.csv", "--target", "\u{1b}[2Jy", "--test", "0.2", "--out", "model"];
    let (code, stdout, stderr) = run(volume.path(), &[&["train"][..], &flags].concat());
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("[2Jy"), "{stdout}");
    for text in [stdout, stderr] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn a_model_that_its_gate_rejects_is_kept_and_called_rejected() {
    let volume = with_data(&iris());
    let arguments = ["train", "--data", "data.csv", "--target", "species", "--test", "0.2", "--seed", "42"];
    let gated = [&arguments[..], &["--gate", "brierScore<=0.0001", "--out", "model"]].concat();
    let (code, stdout, stderr) = run(volume.path(), &gated);
    assert_eq!(code, 3, "{stderr}");
    assert!(
        stdout.contains("rejected: brierScore") && stdout.contains("is above the gate's max"),
        "{stdout}"
    );
    assert!(stderr.contains("the gate rejects the model: brierScore"), "{stderr}");
    assert!(volume.path().join("model/model.json").is_file());
    let score = ["score", "--model", "model", "--data", "data.csv", "--out", "scored.csv"];
    let warnings = |stderr: &str| stderr.matches("warning: the gate rejected the model in model").count();
    let (code, _, stderr) = run(volume.path(), &score);
    assert_eq!((code, warnings(&stderr)), (0, 1), "{stderr}");
    let passing = [&arguments[..], &["--gate", "brierScore<=1", "--out", "model"]].concat();
    assert_eq!(run(volume.path(), &passing).0, 0);
    let (code, _, stderr) = run(volume.path(), &score);
    assert_eq!((code, warnings(&stderr)), (0, 0), "{stderr}");
}

#[test]
fn amounts_that_are_taken_as_classes_are_named_with_what_to_do() {
    let rows: String = (0..120).map(|row| format!("{row},{}\n", 1000 + row * 7)).collect();
    let volume = with_data(&format!("x,rent\n{rows}"));
    let train =
        ["train", "--data", "data.csv", "--target", "rent", "--algorithm", "decisionTree", "--out", "model"];
    let (code, stdout, stderr) = run(volume.path(), &train);
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stdout.contains("120 different whole numbers") && stdout.contains("task to regression"),
        "{stdout}"
    );
    let (code, _, stderr) = run(volume.path(), &[&train[..], &["--test", "0.2"]].concat());
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("set its task to regression"), "{stderr}");
    let (code, stdout, stderr) =
        run(volume.path(), &[&train[..], &["--parameter", "task=regression"]].concat());
    assert_eq!(code, 0, "{stderr}");
    assert!(!stdout.contains("different whole numbers"), "{stdout}");
}

#[test]
fn the_commands_refuse_what_they_cannot_do() {
    let volume = with_data(&iris());
    volume.put("taken/file", "something else");
    let rows: [(&[&str], i32, &str); 5] = [
        (&["train", "--data", "data.csv", "--target", "species", "--out", "taken"], 2, "is there already"),
        (&["train", "--data", "data.csv", "--target", "kind", "--out", "model"], 3, "\"kind\" not found"),
        (&["train", "--data", "nowhere.csv", "--target", "species", "--out", "model"], 3, "nowhere.csv"),
        (
            &["train", "--data", "data.csv", "--target", "species", "--out", "model", "--gate", "speed>=1"],
            2,
            "is not a metric",
        ),
        (&["score", "--model", "taken", "--data", "data.csv", "--out", "scored.csv"], 4, "no artifact"),
    ];
    for (arguments, expected, part) in rows {
        let (code, _, stderr) = run(volume.path(), arguments);
        assert_eq!(code, expected, "{arguments:?}: {stderr}");
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
    assert!(!volume.path().join("model").exists() && !volume.path().join("scored.csv").exists());
    // A file of the user's own beside those of a model is not lost with it.
    let again: &[&str] = &["train", "--data", "data.csv", "--target", "species", "--out", "model"];
    assert_eq!(run(volume.path(), again).0, 0);
    assert_eq!(run(volume.path(), again).0, 0, "a model is replaced");
    volume.put("model/notes.txt", "mine");
    let (code, _, stderr) = run(volume.path(), again);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("notes.txt in ") && stderr.contains("move it"), "{stderr}");
    assert!(volume.path().join("model/notes.txt").exists());
    let (code, stdout, stderr) =
        run(volume.path(), &["score", "--model", "model", "--data", "data.csv", "--out", "-"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!((stdout.lines().count(), volume.path().join("-").exists()), (iris().lines().count(), false));
}
