//! `plan`: what would run and why, before and after runs.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use program::{Folder, pipeline};

const STEPS: &str =
    "  - {name: data, prepare: {inputs: [{name: i, uri: 'file:i.csv'}], sql: SELECT * FROM i}}
  - {name: train, train: {data: {step: data}, target: species, algorithm: {logisticRegression: {alpha: 1.0}}}}
  - {name: other, prepare: {sql: SELECT 1}}
";

fn actions(folder: &Folder) -> Vec<String> {
    let printed: serde_json::Value =
        serde_json::from_str(&folder.call(&["plan", "p.yaml", "-o", "json"]).stdout).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let steps = printed["steps"].as_array().expect("steps");
    steps
        .iter()
        .map(|step| format!("{}: {}, {}", text(&step["name"]), text(&step["action"]), text(&step["reason"])))
        .collect()
}

#[test]
fn an_edit_shows_what_it_would_do_again_and_a_default_written_out_does_nothing() {
    let folder = Folder::new();
    folder.write("p.yaml", &pipeline(STEPS));
    assert_eq!(
        actions(&folder),
        ["data: run, never run before", "train: wait, waits for data", "other: run, never run before"]
    );
    assert_eq!(folder.call(&["plan", "p.yaml", "--exit-code"]).code, 3);
    assert!(!folder.path().join(".mlpipeline").exists(), "a plan leaves nothing behind");

    assert_eq!(folder.call(&["local", "p.yaml", "--once"]).code, 0);
    assert_eq!(
        actions(&folder),
        ["data: up to date, up to date", "train: up to date, up to date", "other: up to date, up to date"]
    );
    assert_eq!(folder.call(&["plan", "p.yaml", "--exit-code"]).code, 0);

    folder.write("p.yaml", &pipeline(&STEPS.replace("alpha: 1.0", "alpha: 0.5")));
    let after = actions(&folder);
    assert_eq!(after.first().expect("data"), "data: up to date, up to date");
    assert!(after[1].starts_with("train: run, ") && after[1].contains("alpha"), "{after:?}");
    folder.write("p.yaml", &pipeline(&STEPS.replace("{alpha: 1.0}", "{}")));
    assert_eq!(actions(&folder)[1], "train: up to date, up to date");
    folder.write("p.yaml", &pipeline(&STEPS.replace("* FROM i", "1 FROM i")));
    let after = actions(&folder);
    assert!(after[0].starts_with("data: run") && after[1] == "train: wait, waits for data", "{after:?}");
    assert_eq!(after[2], "other: up to date, up to date");
}

#[test]
fn one_of_several_pipelines_is_chosen_by_name() {
    let folder = Folder::new();
    let second = pipeline(STEPS).replace("{name: p}", "{name: q}");
    folder.write("p.yaml", &format!("{}---\n{second}", pipeline(STEPS)));
    let answer = folder.call(&["plan", "p.yaml"]);
    assert_eq!(answer.code, 2);
    assert_eq!(
        answer.stderr.trim(),
        "error: the files hold several pipelines: p, q; choose one with --pipeline NAME"
    );
    assert_eq!(folder.call(&["plan", "p.yaml", "--pipeline", "q"]).code, 0);
    assert!(folder.call(&["plan", "p.yaml", "--pipeline", "x"]).stderr.contains("there are p, q"));
}

#[test]
fn one_of_two_pipelines_of_one_name_is_chosen_by_its_namespace() {
    let folder = Folder::new();
    let second = pipeline(STEPS).replace("{name: p}", "{name: p, namespace: team}");
    folder.write("p.yaml", &format!("{}---\n{second}", pipeline(STEPS)));
    for arguments in [vec!["plan", "p.yaml"], vec!["plan", "p.yaml", "--pipeline", "p"]] {
        let answer = folder.call(&arguments);
        assert_eq!(answer.code, 2);
        assert_eq!(
            answer.stderr.trim(),
            "error: the files hold several pipelines: default/p, team/p; choose one with --pipeline NAMESPACE/NAME"
        );
    }
    let answer = folder.call(&["plan", "p.yaml", "--pipeline", "team/p", "-o", "json"]);
    assert!(answer.code == 0 && answer.stdout.contains("\"namespace\": \"team\""), "{}", answer.stdout);
}
