//! `run` steps, with a podman that runs the command right here: a program on the PATH is all that `local` knows of it.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::fs;
use std::process::Command;

use program::{Folder, pipeline, scripted, wait_for};
use serde_json::Value;

/// Runs the command of `podman run` in the volume's folder, and notes how it was called.
const PODMAN: &str = r#"#!/bin/sh
HERE=$(dirname "$0")
echo "$*" >> "$HERE/calls"
env >> "$HERE/environment"
if [ "$1" = rm ]; then
  eval "NAME=\${$#}"
  [ -e "$HERE/$NAME.id" ] && kill "$(cat "$HERE/$NAME.id")"
  exit 0
fi
shift
while [ $# -gt 0 ]; do
  case $1 in
    --rm) shift;;
    --name) NAME=$2; shift 2;;
    --entrypoint) ENTRY=$2; shift 2;;
    --volume) VOLUME=${2%:/storage}; shift 2;;
    --env-file) stat -c %a "$2" >> "$HERE/modes"; while IFS= read -r line; do export "$line"; done < "$2"; shift 2;;
    --publish) PORT=${2%:*}; PORT=${PORT##*:}; export PORT; shift 2;;
    --*=*) shift;;
    --*) shift 2;;
    *) break;;
  esac
done
shift
for variable in $(env | sed -n 's/^\(MLPIPELINE_[A-Z_]*\)=.*/\1/p'); do
  eval "value=\$$variable"
  export "$variable=$VOLUME${value#/storage}"
done
echo $$ > "$HERE/$NAME.id"
exec "$ENTRY" "$@"
"#;

struct Answer {
    code: i32,
    printed: Value,
}

fn with_podman() -> Folder {
    let folder = Folder::new();
    folder.program("bin/podman", PODMAN);
    folder
}

/// The program with nothing on its PATH but the folder's own programs and the shell's.
fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = folder.command(arguments);
    fs::create_dir_all(folder.path().join("bin")).expect("a folder");
    for program in [
        "sh", "kill", "env", "sed", "dirname", "cat", "touch", "mkdir", "tail", "wc", "printf", "grep", "rm",
        "ln", "stat",
    ] {
        let path = ["/bin", "/usr/bin"]
            .iter()
            .map(|place| format!("{place}/{program}"))
            .find(|path| fs::exists(path).is_ok_and(|is| is));
        let link = folder.path().join("bin").join(program);
        if let (Some(path), false) = (path, link.exists()) {
            std::os::unix::fs::symlink(path, link).expect("a link");
        }
    }
    command.env("PATH", folder.path().join("bin"));
    command
}

fn local(folder: &Folder, steps: &str) -> Answer {
    folder.write("p.yaml", &pipeline(steps));
    let output = command(folder, &["local", "p.yaml", "--once", "-o", "json"]).output().expect("it runs");
    let printed = serde_json::from_slice(&output.stdout);
    let printed = printed.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    Answer { code: output.status.code().expect("a code"), printed }
}

fn message(answer: &Answer, step: usize) -> String {
    answer.printed["steps"][step]["message"].as_str().expect("a message").to_owned()
}

/// A run step whose container runs a shell script.
fn container(name: &str, script: &str, more: &str) -> String {
    let script = serde_json::Value::from(script.replace("$$", "$$$$"));
    format!("  - name: {name}\n    run: {{image: any/image:1, command: [sh, -c, {script}]{more}}}\n")
}

#[test]
fn a_container_reads_and_writes_folders_and_its_result_appears_whole() {
    let folder = with_podman();
    let steps = format!(
        "{}{}",
        container("make", "echo rows > $MLPIPELINE_OUTPUT/rows.txt", ""),
        container(
            "use",
            "cat $MLPIPELINE_INPUT_MY_ROWS/rows.txt > $MLPIPELINE_OUTPUT/copy.txt",
            ", inputs: [{name: my-rows, step: make}]"
        )
    );
    let answer = local(&folder, &steps);
    assert_eq!(answer.code, 0, "{:#}", answer.printed);
    let revision = answer.printed["steps"][1]["revision"].as_str().expect("a revision");
    let volume = folder.path().join(".mlpipeline/volume/default/p/use");
    assert_eq!(fs::read_to_string(volume.join(revision).join("copy.txt")).expect("the copy"), "rows\n");
    assert_eq!(fs::read_dir(volume).expect("a folder").count(), 1, "a draft is left");

    let again = local(&folder, &steps);
    assert!(
        again.printed["steps"].as_array().expect("steps").iter().all(|step| step["ran"] == false),
        "{:#}",
        again.printed
    );
}

#[test]
fn the_container_is_called_with_what_it_needs_and_no_value_on_its_command_line() {
    let folder = with_podman();
    let step = container("a", "true", "") + "    pod: {env: [{name: TOKEN, value: hunter2}]}\n";
    assert_eq!(local(&folder, &step).code, 0);
    let calls = fs::read_to_string(folder.path().join("bin/calls")).expect("calls");
    let run = calls.lines().find(|call| call.starts_with("run")).expect("a run");
    for part in [
        "--rm",
        "--cap-drop=ALL --security-opt=no-new-privileges",
        "--name p-a-",
        "--user ",
        "/volume:/storage",
        "--env-file ",
        "--entrypoint sh any/image:1 -c true",
    ] {
        assert!(run.contains(part), "{part} is not in {run}");
    }
    assert!(!calls.contains("hunter2"), "{calls}");
}

/// A Secret in the pipeline's file.
const SECRET: &str =
    "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: \"hunter2=$ ä\"}\n";

/// Every file below a folder, with its text.
fn files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, String)> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                return files(&path);
            }
            // It may go meanwhile.
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            vec![(path, text)]
        })
        .collect()
}

#[test]
fn variables_reach_the_container_by_a_file_and_never_the_tool_and_what_it_starts() {
    let folder = with_podman();
    let place = folder.path().display();
    let see = format!("printf '%s|%s' \"$PLUGIN_LIBDIR\" \"$TOKEN\" > {place}/seen");
    let step = container("a", &see, "")
        + "    pod: {env: [{name: PLUGIN_LIBDIR, value: /storage/theirs}, {name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: token}}}]}\n"
        + SECRET;
    assert_eq!(local(&folder, &step).code, 0);
    let seen = fs::read_to_string(folder.path().join("seen")).expect("what the container saw");
    assert_eq!(seen, "/storage/theirs|hunter2=$ ä");
    let tool = fs::read_to_string(folder.path().join("bin/environment")).expect("the tool's environment");
    assert!(!tool.contains("PLUGIN_LIBDIR") && !tool.contains("hunter2"), "{tool}");
    assert_eq!(fs::read_to_string(folder.path().join("bin/modes")).expect("a mode"), "600\n");
    for (path, text) in files(&folder.path().join(".mlpipeline")) {
        assert!(!text.contains("hunter2"), "{} is left", path.display());
    }
}

#[test]
fn a_value_of_several_lines_reaches_the_container_unless_its_name_leads_programs() {
    let folder = with_podman();
    let see = format!("printf '%s' \"$CERT\" > {}/seen", folder.path().display());
    let step = container("a", &see, "") + "    pod: {env: [{name: CERT, value: \"one\\ntwo\"}]}\n";
    assert_eq!(local(&folder, &step).code, 0);
    assert_eq!(fs::read_to_string(folder.path().join("seen")).expect("seen"), "one\ntwo");
    let calls = fs::read_to_string(folder.path().join("bin/calls")).expect("calls");
    assert!(calls.contains("--env CERT") && !calls.contains("one"), "{calls}");

    let folder = with_podman();
    folder.write("p.yaml", &pipeline(&container("a", "true", "")));
    folder.write("own.env", "DOCKER_HOST=quoted#theirs\n");
    let arguments = ["local", "p.yaml", "--once", "--env-file", "own.env", "-o", "json"];
    let output = command(&folder, &arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("cannot be handed to a container"), "{said}");
    assert!(said.contains("DOCKER_HOST") && !said.contains("theirs"), "{said}");
}

#[test]
fn completions_and_work_queues_count_their_pods() {
    let folder = with_podman();
    let place = folder.path().display();
    // Every second one of six fails, which three retries make good.
    let flaky = format!(
        "echo >> {place}/tries; [ $(( $(wc -l < {place}/tries) % 3 )) -ne 0 ] && echo >> {place}/good"
    );
    let answer = local(&folder, &container("flaky", &flaky, ", completions: 6"));
    assert_eq!(answer.code, 0, "{:#}", answer.printed);
    let lines = |name: &str| fs::read_to_string(folder.path().join(name)).expect(name).lines().count();
    assert_eq!((lines("good"), lines("tries")), (6, 8));

    let queue = container("queue", &format!("echo >> {place}/workers"), "") + "    parallelism: 3\n";
    let answer = local(&folder, &queue);
    assert_eq!((answer.code, lines("workers")), (0, 3), "{:#}", answer.printed);
}

#[test]
fn a_container_that_cannot_start_is_not_tried_again_and_one_that_fails_is() {
    for (code, attempts) in [(125, 1), (127, 1), (3, 3)] {
        let folder = with_podman();
        let answer = local(&folder, &(container("a", &format!("exit {code}"), "") + "    retries: 2\n"));
        assert_eq!(
            (answer.code, answer.printed["steps"][0]["attempts"].as_u64()),
            (1, Some(attempts)),
            "exit code {code}"
        );
    }
}

#[test]
fn without_a_container_tool_the_step_says_so_and_others_go_on() {
    let folder = Folder::new();
    let steps = format!("{}{}", container("a", "true", ""), scripted("b", "succeed"));
    let answer = local(&folder, &steps);
    assert_eq!(answer.code, 1);
    assert_eq!(
        message(&answer, 0),
        "a run step needs podman or docker to start any/image:1, and neither is on the PATH; install podman"
    );
    assert_eq!(answer.printed["steps"][1]["state"], "Done");
}

#[test]
fn what_only_a_cluster_has_is_said_so() {
    let rows = [
        (", workload: StatefulSet", "", "a StatefulSet needs a cluster"),
        (", workload: DaemonSet", "", "a DaemonSet needs a cluster"),
        ("", "    pod: {resources: {limits: {nvidia.com/gpu: 1}}}\n", "nvidia.com/gpu: 1 needs a cluster"),
        (
            "",
            "    pod: {volumes: [{name: v, persistentVolumeClaim: {claimName: c}}], mounts: [{name: v, mountPath: /v}]}\n",
            "the volume v at /v needs a cluster",
        ),
    ];
    for (more, pod, expected) in rows {
        let folder = with_podman();
        folder.write("p.yaml", &pipeline(&(container("a", "true", more) + pod)));
        let output = command(&folder, &["local", "p.yaml", "-o", "json"]).output().expect("it runs");
        let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(printed["steps"][0]["state"], "Failed", "{printed:#}");
        let message = printed["steps"][0]["message"].as_str().expect("a message");
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn no_container_outlives_the_program_however_it_ends() {
    for (signal, workload) in [("KILL", "Job"), ("KILL", "Deployment"), ("INT", "Job"), ("INT", "Deployment")]
    {
        let folder = with_podman();
        let id = folder.path().join("id");
        let script = format!("echo $$ > {}; exec tail -f /dev/null", id.display());
        let step = container("a", &script, &format!(", workload: {workload}"))
            + "    pod: {env: [{name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: token}}}]}\n"
            + SECRET;
        folder.write("p.yaml", &pipeline(&step));
        let mut child = command(&folder, &["local", "p.yaml"])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("it runs");
        wait_for("the container to start", || fs::read_to_string(&id).is_ok_and(|id| id.ends_with('\n')));
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        child.wait().expect("it ends");
        let id = fs::read_to_string(&id).expect("an id");
        wait_for("the container to end", || !fs::exists(format!("/proc/{}", id.trim())).expect("proc"));
        let is_left = || {
            files(&folder.path().join(".mlpipeline/state"))
                .into_iter()
                .any(|(_, text)| text.contains("hunter2"))
        };
        wait_for("the file of its variables to go", || !is_left());
    }
}

#[test]
fn what_a_foreign_pipeline_could_lead_the_container_tool_with_is_refused() {
    for (name, expected) in [
        ("LD_PRELOAD", "set it with --env-file"),
        ("DOCKER_HOST", "set it with --env-file"),
        ("PATH", "set it with --env-file"),
        ("AWS_*", "not set here as the name of a variable"),
    ] {
        let folder = with_podman();
        let step =
            container("a", "true", "") + &format!("    pod: {{env: [{{name: \"{name}\", value: x}}]}}\n");
        let answer = local(&folder, &step);
        assert_eq!(answer.code, 1, "{name}");
        assert!(message(&answer, 0).contains(expected), "{}", message(&answer, 0));
        assert!(!folder.path().join("bin/calls").exists(), "{name}: the tool was started");
    }
    // So is an entry of a ConfigMap that came along; what the user gives is taken.
    let folder = with_podman();
    let map = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\ndata: {DOCKER_HOST: 'tcp://elsewhere'}\n";
    let step = container("a", "true", "") + "    pod: {envFrom: [{configMapRef: {name: all}}]}\n" + map;
    let answer = local(&folder, &step);
    assert!(message(&answer, 0).contains("DOCKER_HOST would reach programs"), "{}", message(&answer, 0));
    folder.write("own.env", "DOCKER_HOST=unix:///run/own.sock\n");
    let output =
        command(&folder, &["local", "p.yaml", "--once", "--env-file", "own.env"]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_the_user_gives_holds_whatever_a_foreign_pipeline_says_of_it() {
    for name in ["DOCKER_HOST", "MLPIPELINE_ALLOW_ADDRESSES", "LD_PRELOAD"] {
        let folder = with_podman();
        // As a variable, and as an entry of a ConfigMap that came along.
        let env = format!("    pod: {{env: [{{name: {name}, value: theirs}}]}}\n");
        let map = format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: all}}\ndata: {{{name}: theirs}}\n"
        );
        let script = format!("echo \"saw ${name}\"");
        for pod in [env, format!("    pod: {{envFrom: [{{configMapRef: {{name: all}}}}]}}\n{map}")] {
            folder.write("p.yaml", &pipeline(&(container("a", &script, "") + &pod)));
            folder.write("own.env", &format!("{name}=mine\n"));
            let output = command(&folder, &["local", "p.yaml", "--once", "--env-file", "own.env"]).output();
            let output = output.expect("it runs");
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            let logs = folder.path().join(".mlpipeline/state/default/p/logs/a");
            let log = fs::read_dir(logs).expect("logs").next().expect("one log").expect("an entry").path();
            let log = fs::read_to_string(log).expect("a text");
            // The tool here puts its volume's path before variables of ours.
            let saw_mine = log.lines().any(|line| line.starts_with("saw ") && line.ends_with("mine"));
            assert!(saw_mine && !log.contains("theirs"), "{name}: {log}");
            fs::remove_dir_all(folder.path().join(".mlpipeline")).expect("removed");
        }
    }
}

#[test]
fn an_image_that_is_a_flag_of_the_container_tool_is_refused() {
    let folder = with_podman();
    folder.write(
        "p.yaml",
        &pipeline("  - name: a\n    run: {image: \"--privileged\", command: [any/image, sh]}\n"),
    );
    let output = command(&folder, &["local", "p.yaml", "--once"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("is not a valid image"), "{said}");
    assert!(!folder.path().join("bin/calls").exists(), "the tool was started");
}

#[test]
fn a_link_that_a_container_leaves_leads_no_later_result_out_of_the_volume() {
    let folder = with_podman();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let link = format!("ln -s {} $MLPIPELINE_STORAGE/default/p/next", elsewhere.display());
    let steps =
        container("first", &link, "") + &container("next", "true", ", inputs: [{name: x, step: first}]");
    let answer = local(&folder, &steps);
    assert_eq!(answer.code, 1, "{:#}", answer.printed);
    assert!(message(&answer, 1).contains("passes a link that leaves the volume"), "{}", message(&answer, 1));
    assert_eq!(fs::read_dir(elsewhere).expect("a folder").count(), 0);
}
