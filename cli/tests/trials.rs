//! `trials`: what is said before a search is done, and of pipelines without one. What a search found is shown in docs/how-to/tune-parameters.md.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use program::{Folder, pipeline};

#[test]
fn what_there_is_not_yet_is_said() {
    let folder = Folder::new();
    let train = |tune: &str| {
        format!(
            "  - {{name: fit, train: {{data: {{uri: 'file:i.csv'}}, target: t, algorithm: {{ridge: {{}}}}{tune}}}}}\n"
        )
    };
    folder.write("p.yaml", &pipeline(&train(", tune: {parameters: {alpha: [1, 2]}}")));
    folder.write("without.yaml", &pipeline(&train("")));
    for (file, expected) in
        [("p.yaml", "no search of fit is done yet"), ("without.yaml", "no step of the pipeline has tune")]
    {
        let answer = folder.call(&["trials", file]);
        assert_eq!((answer.code, answer.stdout.as_str()), (0, ""));
        assert!(answer.stderr.contains(expected), "{}", answer.stderr);
        let answer = folder.call(&["trials", file, "-o", "json"]);
        let printed: serde_json::Value = serde_json::from_str(&answer.stdout).expect("JSON");
        assert_eq!((answer.code, &printed["steps"]), (0, &serde_json::json!([])));
    }
    assert!(!folder.path().join(".mlpipeline").exists(), "looking leaves nothing behind");
}
