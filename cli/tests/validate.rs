//! `validate` beyond the messages: several files and documents, standard input, exit codes.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::io::Write;
use std::process::Stdio;

use program::{Folder, answer, pipeline};

const STEP: &str = "  - {name: a, run: {image: x}}\n";

#[test]
fn several_pipelines_in_several_files_are_all_checked() {
    let folder = Folder::new();
    folder.write(
        "a.yaml",
        &format!("{}---\n{}", pipeline(STEP), pipeline(STEP).replace("name: p", "name: q, namespace: team")),
    );
    folder.write("b.json", r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}"#);
    let answer = folder.call(&["validate", "a.yaml", "b.json", "-o", "json"]);
    let printed: serde_json::Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!(answer.code, 0, "{printed}");
    assert_eq!(
        printed,
        serde_json::json!({
            "valid": true,
            "pipelines": ["default/p", "team/q"],
            "errors": [],
            "notes": ["b.json: Deployment/d is ignored"],
        })
    );
}

#[test]
fn a_gpu_step_beside_a_server_on_a_volume_of_one_node_is_noted_and_valid() {
    let folder = Folder::new();
    let server = "  - {name: web, run: {image: x, workload: Deployment}}\n";
    let gpu = "  - {name: train, pod: {resources: {limits: {nvidia.com/gpu: 1}}}, run: {image: x}}\n";
    let spec = pipeline(&format!("{server}{gpu}"));
    folder.write("a.yaml", &spec.replace("spec:\n", "spec:\n  storage: {volume: {size: 1Gi}}\n"));
    let answer = folder.call(&["validate", "a.yaml"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert!(answer.stderr.contains("step train asks for nvidia.com/gpu"), "{}", answer.stderr);
}

#[test]
fn a_wrong_document_does_not_hide_what_follows_it() {
    let folder = Folder::new();
    folder.write("a.yaml", &format!("a: 1\na: 2\n---\n{}", pipeline("  - {name: a, rum: {image: x}}\n")));
    let answer = folder.call(&["validate", "a.yaml", "missing.yaml"]);
    let expected = [
        "error: a.yaml:2:1: the key \"a\" is there twice",
        "error: a.yaml:9:15: spec.steps[0].rum is not a known field; did you mean run?",
        "error: missing.yaml: cannot be read: No such file or directory (os error 2)",
    ];
    assert_eq!(answer.stderr.lines().collect::<Vec<_>>(), expected);
    assert_eq!(answer.code, 1);
}

#[test]
fn standard_input_is_read_and_the_namespace_of_the_command_line_goes_with_it() {
    let folder = Folder::new();
    let rows = [("{name: p}", 0), ("{name: p, namespace: mine}", 0), ("{name: p, namespace: other}", 1)];
    for (metadata, code) in rows {
        let mut command = folder.command(&["validate", "-", "-n", "mine"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let text = pipeline(STEP).replace("{name: p}", metadata);
        child.stdin.take().expect("its input").write_all(text.as_bytes()).expect("written");
        let answer = answer(child.wait_with_output().expect("an answer"));
        assert_eq!(answer.code, code, "{metadata}: {}", answer.stderr);
        let expected = if code == 0 {
            "pipeline mine/p is valid, 1 step"
        } else {
            "is \"other\", and the command line says \"mine\""
        };
        assert!(
            format!("{}{}", answer.stdout, answer.stderr).contains(expected),
            "{metadata}: {}",
            answer.stderr
        );
    }
}

#[test]
fn wrong_usage_ends_with_2_and_help_and_completions_with_0() {
    let folder = Folder::new();
    for (arguments, code) in [
        (vec!["validate"], 2),
        (vec!["valdate", "x"], 2),
        (vec!["local", "x", "--once", "--on-schedule"], 2),
        (vec!["local", "x", "--resolve", "nothing"], 2),
        (vec!["--version"], 0),
        (vec!["local", "--help"], 0),
        (vec!["completion", "bash"], 0),
    ] {
        assert_eq!(folder.call(&arguments).code, code, "{arguments:?}");
    }
}

#[test]
fn lists_of_objects_are_read_as_documents() {
    let folder = Folder::new();
    let item = pipeline(STEP).replace('\n', "\n    ");
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n  - {item}\n  - {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c}}}}\n"
    );
    folder.write("a.yaml", &list);
    let typed = list
        .replace("v1\nkind: List", "mlpipeline.dev/v1alpha1\nkind: MLPipelineList")
        .replacen("name: p", "name: q", 1);
    folder.write("b.yaml", &typed);
    let answer = folder.call(&["validate", "a.yaml", "b.yaml"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let expected =
        ["a.yaml: pipeline default/p is valid, 1 step", "b.yaml: pipeline default/q is valid, 1 step"];
    assert_eq!(answer.stdout.lines().collect::<Vec<_>>(), expected);
    folder.write("c.yaml", &list.replace("run:", "rum:"));
    let answer = folder.call(&["validate", "c.yaml"]);
    assert!(answer.stderr.starts_with("error: c.yaml:9:"), "{}", answer.stderr);
}

#[test]
fn a_pipeline_that_stands_twice_in_one_file_is_refused_with_both_places() {
    let folder = Folder::new();
    let (one, elsewhere) = (pipeline(STEP), pipeline(STEP).replace("name: p", "name: p, namespace: team"));
    folder.write("a.yaml", &format!("{one}---\n{elsewhere}---\n{one}"));
    let answer = folder.call(&["validate", "a.yaml"]);
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.stderr.trim_end(),
        "error: a.yaml:17:12: metadata.name is that of the pipeline at line 3 too: the later would replace the earlier; give one of them \
         another name or namespace, or remove it"
    );
}

#[test]
fn two_pipelines_whose_objects_would_have_one_name_are_refused_before_one_of_them_waits_forever() {
    let folder = Folder::new();
    let of = |name: &str, step: &str| {
        let step = format!("  - {{name: {step}, run: {{image: x, workload: Deployment}}}}\n");
        pipeline(&step).replace("name: p", &format!("name: {name}"))
    };
    folder.write("a.yaml", &of("a-b", "c"));
    folder.write("b.yaml", &of("a", "b-c"));
    let answer = folder.call(&["validate", "a.yaml", "b.yaml"]);
    assert_eq!(answer.code, 1);
    assert_eq!(
        answer.stderr.trim_end(),
        "error: b.yaml: metadata.name: step b-c would have objects named \"a-b-c\", and so would step c of default/a-b in a.yaml: the \
         pipeline that is applied later never gets its own; objects are named PIPELINE-STEP: give one of the pipelines or steps another name"
    );
    folder.write("b.yaml", &of("a", "b-c").replace("Deployment", "DaemonSet"));
    assert_eq!(
        folder.call(&["validate", "a.yaml", "b.yaml"]).code,
        0,
        "of other kinds, and without a Service"
    );
    let run_once = |yaml: String, image: &str| yaml.replace("image: x, workload: Deployment", image);
    folder.write("c.yaml", &run_once(of("a-b", "c"), "image: x"));
    for (image, code) in [("image: x", 1), ("image: z", 0)] {
        folder.write("d.yaml", &run_once(of("a", "b-c"), image));
        assert_eq!(folder.call(&["validate", "c.yaml", "d.yaml"]).code, code, "runs of {image}");
    }
    folder.write("b.yaml", &of("a-b", "c"));
    assert_eq!(folder.call(&["validate", "a.yaml", "b.yaml"]).code, 0, "one is another version of the other");
    folder.write("b.yaml", &of("a, namespace: team", "b-c"));
    assert_eq!(folder.call(&["validate", "a.yaml", "b.yaml"]).code, 0, "in another namespace");
}

#[test]
fn a_secret_that_no_step_reads_may_hold_what_is_no_text() {
    let folder = Folder::new();
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ndata: {keystore.jks: /u3+7Q==, password: '<path:kv/data#key>'}\n";
    folder.write("a.yaml", &format!("{}---\n{secret}", pipeline(STEP)));
    let answer = folder.call(&["validate", "a.yaml"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
}
