//! `local` and its processes: retries, time-outs, variables, records, locks. A scripted worker stands in for the real one
//! where what the worker does is beside the point.
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod program;

use std::fs;
use std::path::Path;

use program::{Folder, pipeline, scripted, wait_for};
use serde_json::Value;

fn local(folder: &Folder, steps: &str) -> Value {
    folder.write("p.yaml", &pipeline(steps));
    let answer = folder.call(&["local", "p.yaml", "--once", "-o", "json"]);
    let printed: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|_| panic!("{}", answer.stderr));
    assert_eq!(answer.code == 0, printed["ok"] == true, "{printed:#}");
    printed
}

fn states(printed: &Value) -> Vec<String> {
    let steps = printed["steps"].as_array().expect("steps");
    let state = |step: &Value| {
        format!("{} {}", step["step"].as_str().expect("a name"), step["state"].as_str().expect("a state"))
    };
    steps.iter().map(state).collect()
}

#[test]
fn only_failures_that_another_attempt_could_fix_are_repeated() {
    let rows = [
        // Fails twice for lost storage, then succeeds.
        (
            "echo >> count; [ $(wc -l < count) -ge 3 ] && succeed || fail 4 'storage gone'",
            "a Done",
            3,
            "never run before",
        ),
        ("fail 3 'column x not found'", "a Failed", 1, "column x not found"),
        ("fail 2 'no such step'", "a Failed", 1, "no such step"),
        (
            "kill -9 $$",
            "a Failed",
            2,
            "the worker was killed (signal 9); memory may have run out (attempt 2)",
        ),
        ("exit 0", "a Failed", 2, "ended with success and left no report (attempt 2)"),
    ];
    for (script, state, attempts, message) in rows {
        let folder = Folder::new();
        let retries = if state == "a Done" { 2 } else { 1 };
        let steps = scripted("a", &format!("cd {}; {script}", folder.path().display()));
        let printed = local(&folder, &format!("{steps}    retries: {retries}\n"));
        assert_eq!(states(&printed), [state], "{script}");
        let step = &printed["steps"][0];
        assert_eq!(step["attempts"], attempts, "{script}");
        if state == "a Failed" {
            assert_eq!(step["message"], message, "{script}");
        }
    }
}

#[test]
fn a_failure_holds_up_only_what_depends_on_it_and_is_tried_again_by_the_next_start() {
    let folder = Folder::new();
    let flag = folder.path().join("fixed").display().to_string();
    let steps = format!(
        "{}{}{}",
        scripted("bad", &format!("[ -e {flag} ] && succeed || fail 3 'wrong data in row 7'")),
        scripted("free", "succeed"),
        "  - {name: after, after: [bad], prepare: {sql: SELECT 1}}\n"
    );
    let printed = local(&folder, &steps);
    assert_eq!(states(&printed), ["bad Failed", "free Done", "after Blocked"]);
    let plan = folder.call(&["plan", "p.yaml"]).stdout;
    assert!(plan.contains("failed before: wrong data in row 7"), "{plan}");

    folder.write("fixed", "");
    let printed = local(&folder, &steps);
    assert_eq!(states(&printed), ["bad Done", "free Done", "after Done"]);
    let ran: Vec<bool> =
        printed["steps"].as_array().expect("steps").iter().map(|step| step["ran"] == true).collect();
    assert_eq!(ran, [true, false, true]);
}

#[test]
fn a_failure_shows_the_message_the_end_of_the_log_and_where_it_is() {
    let folder = Folder::new();
    folder.write("p.yaml", &pipeline(&scripted("a", "echo reading rows; fail 3 'wrong data in row 7'")));
    let answer = folder.call(&["local", "p.yaml", "--once"]);
    assert_eq!(answer.code, 1);
    for expected in
        ["a failed: wrong data in row 7", "  | reading rows", "  log: .mlpipeline/state/default/p/logs/a/"]
    {
        assert!(answer.stdout.contains(expected), "{expected} is not in:\n{}", answer.stdout);
    }
    assert!(!answer.stdout.contains('\u{1b}'), "colours in a pipe: {}", answer.stdout);
}

#[test]
fn a_timeout_ends_the_worker_and_all_that_it_started() {
    let folder = Folder::new();
    let child = folder.path().join("child");
    let script = format!("tail -f /dev/null & echo $! > {}; wait", child.display());
    let printed = local(&folder, &format!("{}    timeout: 1s\n", scripted("a", &script)));
    assert_eq!(states(&printed), ["a Failed"]);
    assert_eq!(printed["steps"][0]["message"], "took longer than its timeout of 1 s and was stopped");
    let id = fs::read_to_string(&child).expect("the child's id");
    wait_for("the child to end", || !is_alive(id.trim()));
}

#[test]
fn interrupting_stops_all_workers_and_leaves_no_half_done_record() {
    for signal in ["INT", "TERM", "HUP"] {
        let folder = Folder::new();
        let child = folder.path().join("child");
        let script = format!("echo $$ > {}; exec tail -f /dev/null", child.display());
        folder.write("p.yaml", &pipeline(&scripted("a", &script)));
        let running = folder.start(&["local", "p.yaml"]);
        wait_for("the worker to start", || fs::read_to_string(&child).is_ok_and(|id| id.ends_with('\n')));
        running.signal(signal);
        let (code, printed) = running.wait();
        assert_eq!(code, Some(1), "{signal}: what was asked for is not done: {printed}");
        assert!(!is_alive(fs::read_to_string(&child).expect("an id").trim()), "{signal}");
        let records =
            fs::read_dir(folder.path().join(".mlpipeline/state/default/p/runs/a")).expect("a folder");
        assert_eq!(records.count(), 0, "{signal}");
    }
}

#[test]
fn where_a_continuous_step_looks_for_files_is_said_while_there_are_none() {
    let folder = Folder::new();
    let child = folder.path().join("child");
    let script = format!("touch {}; exec tail -f /dev/null", child.display());
    let step = scripted("a", &script)
        .replace("prepare: {", "prepare: {continuous: {}, inputs: [{name: t, uri: 'file:inbox/*.csv'}], ");
    folder.write("p.yaml", &pipeline(&step));
    let said = |folder: &Folder| {
        fs::remove_file(&child).ok();
        let running = folder.start(&["local", "p.yaml"]);
        wait_for("the worker to start", || child.exists());
        running.signal("INT");
        running.wait().1
    };
    let printed = said(&folder);
    assert!(
        printed.contains("note: a takes the files ") && printed.contains("/volume/inbox/*.csv"),
        "{printed}"
    );
    folder.write("inbox/a.csv", "a\n");
    let printed = said(&folder);
    assert!(printed.contains("/inbox are not taken, move them there"), "{printed}");
    folder.write(".mlpipeline/volume/inbox/a.csv", "a\n");
    let printed = said(&folder);
    assert!(!printed.contains("takes the files"), "{printed}");
}

#[test]
fn only_one_process_runs_a_pipeline_in_a_data_folder_and_the_lock_dies_with_it() {
    let folder = Folder::new();
    let started = folder.path().join("started");
    let script = format!("[ -e {0} ] && succeed || {{ touch {0}; read line; }}", started.display());
    folder.write("p.yaml", &pipeline(&scripted("a", &script)));
    let running = folder.start(&["local", "p.yaml", "--once"]);
    wait_for("the worker to start", || started.exists());
    let second = folder.call(&["local", "p.yaml", "--once"]);
    assert_eq!(second.code, 1);
    let expected = format!("already running from this data folder in process {}", running.id());
    assert!(second.stderr.contains(&expected), "{}", second.stderr);
    assert!(folder.call(&["plan", "p.yaml"]).stdout.contains("running"));

    running.signal("KILL");
    wait_for("the process to be gone", || !is_alive(&running.id().to_string()));
    let third = folder.call(&["local", "p.yaml", "--once"]);
    assert_eq!(third.code, 0, "{}{}", third.stdout, third.stderr);
}

#[test]
fn variables_come_from_config_maps_secrets_files_and_the_pod() {
    let folder = Folder::new();
    let seen = folder.path().join("seen");
    let step = format!(
        "  - name: a
    prepare: {{sql: SELECT 1}}
    pod:
      envFrom:
        - configMapRef: {{name: settings}}
        - {{secretRef: {{name: keys}}, prefix: P_}}
        - {{configMapRef: {{name: not-there, optional: true}}}}
      env:
        - {{name: ONE, valueFrom: {{secretKeyRef: {{name: keys, key: KEY}}}}}}
        - {{name: TWO, value: $(LEVEL)-$(MISSING)-$$(LEVEL)}}
        - {{name: POD, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
        - {{name: HOST, valueFrom: {{fieldRef: {{fieldPath: status.hostIP}}}}}}
        - {{name: SCRIPT, value: 'env | grep -v SPEC > {}; succeed'}}
",
        seen.display()
    );
    folder.write("p.yaml", &pipeline(&step));
    folder.write(
        "objects.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {LEVEL: info, PLACE: here}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\ndata: {KEY: aHVudGVyMg==}\nstringData: {MORE: plain}\n",
    );
    folder.write("variables", "PLACE=there\nEXTRA=yes\n");
    let mut command =
        folder.command(&["local", "p.yaml", "objects.yaml", "--env-file", "variables", "--once"]);
    let output = command.env("LEAKED", "from the user's shell").output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen = fs::read_to_string(&seen).expect("what the worker saw");
    for line in [
        "LEVEL=info",
        "PLACE=here",
        "EXTRA=yes",
        "P_KEY=hunter2",
        "P_MORE=plain",
        "ONE=hunter2",
        "TWO=info-$(MISSING)-$(LEVEL)",
        "HOST=127.0.0.1",
    ] {
        assert!(seen.lines().any(|seen| seen == line), "{line} is not in:\n{seen}");
    }
    assert!(seen.lines().any(|line| line.starts_with("POD=p-a-")), "{seen}");
    assert!(!seen.contains("LEAKED"), "{seen}");

    let printed =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!printed.contains("hunter2"), "{printed}");
    assert_not_in_files(&folder.path().join(".mlpipeline"), "hunter2");
}

fn assert_not_in_files(folder: &Path, secret: &str) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            assert_not_in_files(&path, secret);
        } else {
            let text = fs::read(&path).expect("a file");
            assert!(!String::from_utf8_lossy(&text).contains(secret), "the secret is in {}", path.display());
        }
    }
}

#[test]
fn a_missing_object_is_named_with_its_key_and_how_to_give_it() {
    let folder = Folder::new();
    let step = "  - name: a
    prepare: {sql: SELECT 1}
    pod: {env: [{name: K, valueFrom: {secretKeyRef: {name: keys, key: KEY}}}], envFrom: [{configMapRef: {name: settings}}]}
";
    let printed = local(&folder, step);
    assert_eq!(
        printed["steps"][0]["message"],
        "no given file has the ConfigMap settings; add the ConfigMap to the files, or use --env-file FILE; \
         no given file has the Secret keys with the key KEY; add the Secret to the files, or use --secrets FILE or --env-file FILE"
    );
    folder.write("variables", "KEY=value\n");
    let answer = folder.call(&["local", "p.yaml", "--once", "--env-file", "variables"]);
    assert_eq!(answer.code, 0, "{}", answer.stdout);
}

#[test]
fn a_step_may_be_longer_than_an_argument_of_a_program() {
    let folder = Folder::new();
    let check = format!("{{sql: \"SELECT 0 AS {}\", equals: 0}}", "x".repeat(3000));
    let checks = vec![check; 64].join(", ");
    let printed =
        local(&folder, &format!("  - {{name: a, prepare: {{sql: SELECT 1, checks: [{checks}]}}}}\n"));
    assert_eq!(states(&printed), ["a Done"]);
}

#[test]
fn results_that_are_gone_are_made_again_and_lost_records_are_had_again() {
    let folder = Folder::new();
    let step = scripted("a", "echo >> \"$RESULT.count\"; succeed");
    let data = folder.path().join(".mlpipeline");
    for (lost, ran) in [("nothing", true), ("nothing", false), ("volume/default/p/a", true), ("state", true)]
    {
        if lost != "nothing" {
            fs::remove_dir_all(data.join(lost)).expect("removed");
        }
        let printed = local(&folder, &step);
        assert_eq!(states(&printed), ["a Done"]);
        assert_eq!(printed["steps"][0]["ran"], ran, "without {lost}");
    }
    // Damaged records are as good as none.
    let runs = data.join("state/default/p/runs/a");
    for entry in fs::read_dir(runs).expect("records") {
        fs::write(entry.expect("a record").path(), "{\"name\": ").expect("damaged");
    }
    assert_eq!(local(&folder, &step)["steps"][0]["ran"], true);
}

#[test]
fn independent_steps_work_side_by_side_within_the_limit() {
    for (jobs, meet) in [("2", true), ("1", false)] {
        let folder = Folder::new();
        let place = folder.path().display().to_string();
        // Each waits for the other, as long as both are there; alone, a step goes on after its turn.
        let script = |own: &str, other: &str| {
            let wait = format!("while [ ! -e {place}/{other} ]; do :; done");
            let check =
                format!("[ -e {place}/{other}.ended ] || [ ! -e {place}/{other} ] || touch {place}/overlap");
            let body = if meet { wait } else { check };
            format!("touch {place}/{own}; {body}; touch {place}/{own}.ended; succeed")
        };
        let steps = format!("{}{}", scripted("a", &script("a", "b")), scripted("b", &script("b", "a")));
        folder.write("p.yaml", &pipeline(&steps));
        let answer = folder.call(&["local", "p.yaml", "--once", "--jobs", jobs]);
        assert_eq!(answer.code, 0, "{jobs}: {}", answer.stdout);
        assert!(!folder.path().join("overlap").exists(), "{jobs} jobs worked at the same time");
    }
}

#[test]
fn chosen_steps_run_with_what_they_need_and_no_others() {
    let folder = Folder::new();
    let steps = "  - {name: a, prepare: {sql: SELECT 1}}\n  - {name: b, after: [a], prepare: {sql: SELECT 1}}\n  - {name: c, prepare: {sql: SELECT 1}}\n";
    folder.write("p.yaml", &pipeline(steps));
    let answer = folder.call(&["local", "p.yaml", "--once", "--step", "b", "-o", "json"]);
    let printed: Value = serde_json::from_str(&answer.stdout).expect("JSON");
    assert_eq!(
        (answer.code, states(&printed)),
        (0, vec!["a Done".into(), "b Done".into(), "c Waiting".into()])
    );
    let answer = folder.call(&["local", "p.yaml", "--once", "--step", "x"]);
    assert_eq!((answer.code, answer.stderr.trim()), (2, "error: there is no step \"x\"; there are a, b, c"));
}

#[test]
fn a_folder_or_worker_that_cannot_be_had_is_named() {
    let folder = Folder::new();
    folder.write("p.yaml", &pipeline("  - {name: a, prepare: {sql: SELECT 1}}\n"));
    folder.write("file", "");
    let answer = folder.call(&["local", "p.yaml", "--data-dir", "file/x"]);
    assert!(
        answer.code == 1 && answer.stderr.contains("cannot make the folder file/x/volume"),
        "{}",
        answer.stderr
    );
    let answer = folder.call(&["local", "p.yaml", "--worker", "nowhere"]);
    assert!(answer.code == 1 && answer.stderr.contains("cannot find nowhere"), "{}", answer.stderr);
}

fn is_alive(id: &str) -> bool {
    // A zombie, which somebody has yet to wait for, has ended.
    let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = status.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    !matches!(state, None | Some(None | Some('Z' | 'X')))
}

#[test]
fn variables_of_a_foreign_pipeline_do_not_reach_the_loader_of_the_worker() {
    let folder = Folder::new();
    let step = "  - name: a\n    prepare: {sql: SELECT 1}\n    pod: {env: [{name: LD_PRELOAD, value: /tmp/evil.so}]}\n";
    let printed = local(&folder, step);
    let message = printed["steps"][0]["message"].as_str().expect("a message");
    assert!(message.contains("LD_PRELOAD would reach programs of this machine"), "{message}");
}
