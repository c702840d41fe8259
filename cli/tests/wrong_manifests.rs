//! Every way in which a manifest can be wrong, with what is said about it.

mod program;

use mlpipeline_crds::StepKind;
use program::{Folder, pipeline};

/// Steps, and the whole of what is said about them, without the file's name. `{kinds}` stands for the list of all kinds.
const STEPS: [(&str, &[&str]); 16] = [
    (
        "  - {name: a, run: }\n",
        &[
            "6:5: spec.steps[0]: a step is exactly one of {kinds}; this has none of them; run has no value, and counts as left out: indent its fields below it, or write run: {}",
        ],
    ),
    (
        "  - {name: a, pod: {resources: {limits: {memory: 1 Gi}}}, run: {image: x}}\n",
        &[
            "6:50: spec.steps[0].pod.resources.limits.memory is \"1 Gi\"; an amount such as 2, 500m or 1.5Gi is needed",
        ],
    ),
    (
        "  - {name: a, pod: {labels: {on: x, 1: z}}, run: {image: x}}\n",
        &[
            "6:30: spec.steps[0].pod.labels.on is read as \"true\" by Kubernetes; put the key in quotes: \"on\"",
        ],
    ),
    ("  - {name: a, trian: {}}\n", &["6:15: spec.steps[0].trian is not a known field; did you mean train?"]),
    ("  - {name: a}\n", &["6:5: spec.steps[0]: a step is exactly one of {kinds}; this has none of them"]),
    (
        "  - {name: a, run: {image: x}, prepare: {sql: SELECT 1}}\n",
        &["6:5: spec.steps[0]: a step is exactly one of {kinds}; this has prepare and run"],
    ),
    (
        "  - {name: a, after: [b], run: {image: x}}\n  - {name: b, after: [a], run: {image: x}}\n",
        &[
            "5:3: spec.steps: steps wait for each other in a circle: a → b → a; remove one of these references",
        ],
    ),
    (
        "  - {name: a, run: {image: x, inputs: [{name: i, step: b}]}}\n",
        &["6:50: spec.steps[0].run.inputs[0].step: there is no step \"b\"; there is no other step"],
    ),
    (
        "  - {name: data, prepare: {sql: SELECT 1}}\n  - {name: api, serve: {model: {step: dta}}}\n",
        &["7:33: spec.steps[1].serve.model.step: there is no step \"dta\"; did you mean \"data\"?"],
    ),
    (
        "  - {name: data, prepare: {sql: SELECT 1}}\n  - {name: api, serve: {model: {step: data}}}\n",
        &[
            "7:33: spec.steps[1].serve.model.step: \"data\" is a prepare step; this needs a train or import step",
        ],
    ),
    (
        "  - {name: a, run: {image: x}}\n  - {name: a, run: {image: x}}\n",
        &["7:6: spec.steps[1].name: \"a\" is the name of an earlier step too"],
    ),
    (
        "  - {name: A_b, run: {image: x}}\n",
        &[
            "6:6: spec.steps[0].name: \"A_b\" is not a valid step name: 1 to 40 lower-case letters, digits and -, a letter first and no - last",
        ],
    ),
    (
        "  - {name: a, run: {image: x}, schedule: {cron: 61 * * * *}}\n",
        &["6:43: spec.steps[0].schedule.cron: \"61 * * * *\" has minute \"61\"; 0 to 59 is allowed"],
    ),
    (
        "  - {name: a, run: {image: [x]}, retries: '3'}\n",
        &[
            "6:28: spec.steps[0].run.image is a list; text is needed",
            "6:43: spec.steps[0].retries is the text \"3\"; a whole number is needed; remove the quotes",
        ],
    ),
    ("    x: y\n", &["6:5: spec.steps is a map; a list is needed; begin each item with a dash"]),
    ("  - a\n", &["6:5: spec.steps[0] is the text \"a\"; a map is needed"]),
];

#[test]
fn wrong_steps_are_named_with_line_column_path_and_hint() {
    let folder = Folder::new();
    for (steps, expected) in STEPS {
        folder.write("p.yaml", &pipeline(steps));
        let answer = folder.call(&["validate", "p.yaml"]);
        assert_eq!(answer.code, 1, "{steps}");
        let said: Vec<&str> =
            answer.stderr.lines().map(|line| line.strip_prefix("error: p.yaml:").unwrap_or(line)).collect();
        assert_eq!(said.len(), expected.len(), "{steps}: {said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            let expected = expected.replace("{kinds}", &StepKind::listed());
            assert!(said.starts_with(&expected), "{steps}:\n said {said}\n not  {expected}");
        }
    }
}

#[test]
fn sixty_five_steps_are_one_too_many() {
    let folder = Folder::new();
    for (count, code) in [(64, 0), (65, 1)] {
        let steps: String =
            (0..count).map(|index| format!("  - {{name: s{index}, run: {{image: x}}}}\n")).collect();
        folder.write("p.yaml", &pipeline(&steps));
        let answer = folder.call(&["validate", "p.yaml"]);
        assert_eq!(answer.code, code, "{}", answer.stderr);
        assert_eq!(
            answer.stderr.contains("spec.steps has 65 steps; 1 to 64 are allowed"),
            code == 1,
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn mistakes_of_all_kinds_are_told_at_once_and_each_once() {
    let folder = Folder::new();
    folder.write(
        "p.yaml",
        &pipeline(concat!(
            "  - {name: data, prepare: {inputs: [{name: i, uri: 'file:i.csv', sha256: short}]}}\n",
            "  - name: train\n",
            "    train:\n",
            "      data: {step: data}\n",
            "      target: 5\n",
            "      algorithm: {logisticRegresion: {}}\n",
            "  - {name: api, serve: {model: {step: train}, replicas: 5000}, schedule: {cron: '@daily'}}\n",
            "  - {name: data, run: {image: x, workload: Jobs}}\n",
        )),
    );
    let answer = folder.call(&["validate", "p.yaml", "-o", "json"]);
    let printed: serde_json::Value = serde_json::from_str(&answer.stdout).expect("JSON");
    let errors = printed["errors"].as_array().expect("errors");
    let paths: Vec<&str> = errors.iter().map(|error| error["path"].as_str().expect("a path")).collect();
    assert_eq!(
        paths,
        [
            "spec.steps[0].prepare.inputs[0].sha256",
            "spec.steps[1].train.target",
            "spec.steps[1].train.algorithm.logisticRegresion",
            "spec.steps[2].serve.replicas",
            "spec.steps[2].schedule",
            "spec.steps[3].name",
            "spec.steps[3].run.workload",
        ],
        "{printed:#}"
    );
    let first = errors.first().expect("an error");
    assert_eq!((first["file"].as_str(), first["line"].as_u64()), (Some("p.yaml"), Some(6)));
    assert_eq!(first["pipeline"], "default/p");
}

#[test]
fn files_that_hold_no_pipeline_say_what_they_hold() {
    let folder = Folder::new();
    let deep = "[".repeat(10_000);
    let huge_number =
        pipeline(&format!("  - {{name: a, run: {{image: x}}, retries: {}}}\n", "9".repeat(400)));
    let not_a_number = pipeline(
        "  - {name: a, train: {data: {uri: 'file:a.csv'}, target: t, algorithm: {linearRegression: {alpha: .inf}}}}\n",
    );
    let rows: [(&[u8], &str); 19] = [
        (b"", "holds no YAML document"),
        (b"---\n---\n", "holds no YAML document"),
        (b"\xff\xfe", "1:1: is not UTF-8 text"),
        (b"a: 1\na: 2\n", "2:1: the key \"a\" is there twice"),
        (b"a:\n\tb: 1\n", "2:2: tabs disallowed"),
        (b"a: [1\n", "1:4: unclosed bracket"),
        (b"- a\n", "1:1: is not a valid Kubernetes object"),
        (b"just text\n", "1:1: is not a valid Kubernetes object"),
        (b"kind: MLPipeline\n", "apiVersion is missing; mlpipeline.dev/v1alpha1 is needed"),
        (
            b"apiVersion: mlpipeline.dev/v1\nkind: MLPipeline\n",
            "apiVersion is \"mlpipeline.dev/v1\"; mlpipeline.dev/v1alpha1 is needed",
        ),
        (
            b"apiVersion: mlpipeline.dev/v1alpha1\nkind: mlpipeline\n",
            "kind is \"mlpipeline\"; MLPipeline is needed",
        ),
        (b"apiVersion: mlpipeline.dev/v1alpha1\n", "kind is missing"),
        (b"apiVersion: mlpipeline.dev/v1alpha1\nkind: MLPipeline\n", "spec is missing"),
        (
            b"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: []\n",
            "is not a valid Secret: data is not a map",
        ),
        (
            b"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {k: '%%'}\n",
            "there is no MLPipeline in it",
        ),
        (b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n", "there is no MLPipeline in it"),
        (deep.as_bytes(), "nests values more than 32 deep"),
        (huge_number.as_bytes(), "a whole number is needed"),
        (not_a_number.as_bytes(), "alpha is the number inf; a number is needed"),
    ];
    for (bytes, expected) in rows {
        std::fs::write(folder.path().join("p.yaml"), bytes).expect("a file");
        let answer = folder.call(&["validate", "p.yaml"]);
        let shown =
            String::from_utf8_lossy(bytes.get(..bytes.len().min(60)).expect("its start")).into_owned();
        assert_eq!(answer.code, 1, "{shown}");
        assert!(answer.stderr.contains(expected), "{shown}: {}", answer.stderr);
        assert!(
            answer.stderr.lines().all(|line| line.starts_with("error: p.yaml")),
            "{shown}: {}",
            answer.stderr
        );
    }
}

#[test]
fn a_laughing_billion_is_refused_quickly() {
    let folder = Folder::new();
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        text += &format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", "));
    }
    folder.write("p.yaml", &text);
    let answer = folder.call(&["validate", "p.yaml"]);
    assert_eq!(answer.code, 1);
    assert!(answer.stderr.contains("more values than"), "{}", answer.stderr);
}
