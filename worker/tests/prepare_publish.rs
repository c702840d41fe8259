//! Publishing: whole or not at all, whatever kills, races or fills the disk; and the same bytes each time.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use mlpipeline_crds::{Revision, RevisionRule, StepReport};
use mlpipeline_worker::artifact::{self, ArtifactError, Draft, Kind};
use serde_json::{Value, json};
use support::{Volume, input, prepare, text, worker};

const ROWS: &str = "SELECT value AS n, 'row ' || value AS name FROM generate_series(1, 100000)";

fn revision(text: &str) -> Revision {
    Revision::of(&[text])
}

fn fixed(mut spec: Value, name: &str) -> Value {
    spec["revision"] = json!({"fixed": revision(name)});
    spec
}

/// Asserts that a folder, where it is there, is an artifact to the last bit.
#[track_caller]
fn whole_or_absent(folder: &Path) -> bool {
    match artifact::read(folder) {
        Ok(manifest) => {
            artifact::verify(folder, &manifest).expect("every byte is as published");
            true
        }
        Err(ArtifactError::Missing(_)) => {
            assert!(!folder.exists(), "a folder without manifest");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

fn spawn(volume: &Volume, spec: &Value) -> Child {
    let storage = volume.path().display().to_string();
    worker(&["step", "--storage", &storage, "--report", "/dev/null", &spec.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the worker runs")
}

/// Whether some draft of the step has a file of this name and of at least this size.
fn draft_has(volume: &Volume, name: &str, size: u64) -> bool {
    let drafts =
        volume.names().into_iter().filter(|name| name.starts_with(".draft-") && !name.ends_with(".lock"));
    drafts
        .map(|draft| volume.step_folder().join(draft).join(name))
        .any(|path| fs::metadata(path).is_ok_and(|found| found.len() >= size))
}

#[test]
fn a_kill_at_any_moment_leaves_nothing_or_all_and_the_next_run_clears_up() {
    let moments: [(&str, &str, u64); 5] = [
        ("begin", "", 0),
        ("first bytes", "data.csv", 1),
        ("more", "data.csv", 1 << 20),
        ("manifest", "manifest.json", 0),
        ("all", "-", 0),
    ];
    let volume = Volume::new();
    for round in 0..3 {
        for (moment, name, size) in moments {
            let label = format!("{moment} {round}");
            let spec = fixed(prepare(json!([]), Some(ROWS)), &label);
            let target = volume.step_folder().join(revision(&label).as_str());
            let mut child = spawn(&volume, &spec);
            let deadline = Instant::now() + Duration::from_secs(120);
            while !draft_has(&volume, name, size) && !target.exists() {
                assert!(Instant::now() < deadline, "{label} never came");
                std::hint::spin_loop();
            }
            child.kill().expect("killed");
            child.wait().expect("waited for");
            whole_or_absent(&target);
            let ended = volume.step(&spec, &[]);
            ended.succeeds();
            assert!(whole_or_absent(&target));
            let hidden: Vec<String> =
                volume.names().into_iter().filter(|name| name.starts_with('.')).collect();
            // A run that was finished by the killed one has nothing to do, so it clears up nothing.
            assert!(ended.report.reused || hidden.is_empty(), "{label}: {hidden:?}");
        }
    }
}

#[test]
fn writers_at_once_publish_one_artifact_and_all_succeed() {
    for round in 0..3 {
        let volume = Volume::new();
        let spec = fixed(
            prepare(json!([]), Some("SELECT value FROM generate_series(1, 1000)")),
            &format!("{round}"),
        );
        let mut children: Vec<Child> = (0..4).map(|_| spawn(&volume, &spec)).collect();
        for child in &mut children {
            assert!(child.wait().expect("waited for").success());
        }
        assert_eq!(volume.names(), [revision(&format!("{round}")).as_str()]);
        assert!(whole_or_absent(&volume.step_folder().join(revision(&format!("{round}")).as_str())));
    }
}

fn publish(folder: &Path, content: &str, rule: &RevisionRule) -> artifact::Published {
    let draft = Draft::begin(folder).expect("a draft");
    draft.write("data.csv", content.as_bytes()).expect("written");
    draft.publish(Kind::Dataset, StepReport::succeeded(None), rule).expect("published")
}

#[test]
fn of_many_drafts_published_at_once_exactly_one_wins_even_over_a_damaged_one() {
    for damaged in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let rule = RevisionRule::Fixed(revision("x"));
        if damaged {
            fs::create_dir(folder.path().join(revision("x").as_str())).expect("a folder");
            fs::write(folder.path().join(revision("x").as_str()).join("data.csv"), "half").expect("a file");
        }
        let barrier = Arc::new(Barrier::new(8));
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let (barrier, rule, folder) = (Arc::clone(&barrier), rule.clone(), folder.path().to_owned());
                std::thread::spawn(move || {
                    let draft = Draft::begin(&folder).expect("a draft");
                    draft.write("data.csv", format!("{number}").as_bytes()).expect("written");
                    barrier.wait();
                    draft.publish(Kind::Dataset, StepReport::succeeded(None), &rule).expect("published")
                })
            })
            .collect();
        let published: Vec<_> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(published.iter().filter(|one| !one.reused).count(), 1);
        let digests: std::collections::HashSet<_> =
            published.iter().map(|one| one.manifest.report.digest.clone()).collect();
        assert_eq!(digests.len(), 1, "all speak of the same artifact");
        let names: Vec<String> = fs::read_dir(folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with(".damaged-"))
            .collect();
        assert_eq!(names, [revision("x").as_str()]);
    }
}

#[test]
fn a_damaged_artifact_is_moved_aside_and_made_anew_and_a_newer_one_is_left_alone() {
    let volume = Volume::new();
    volume.put("in.csv", "a\n1\n");
    let spec = fixed(prepare(input("file:in.csv"), None), "x");
    volume.step(&spec, &[]).succeeds();
    let target = volume.step_folder().join(revision("x").as_str());
    fs::remove_file(target.join("data.csv")).expect("removed");
    let ended = volume.step(&spec, &["--log-format=text"]);
    assert!(!ended.succeeds().report.reused);
    assert!(ended.stderr.contains("data.csv is missing"), "{ended:?}");
    assert!(whole_or_absent(&target));
    assert_eq!(volume.names().iter().filter(|name| name.starts_with(".damaged-")).count(), 1);
    let newer = fs::read_to_string(target.join("manifest.json")).expect("a manifest");
    let newer = newer.replace("\"formatVersion\": 1", "\"formatVersion\": 2, \"new\": true");
    fs::write(target.join("manifest.json"), &newer).expect("written");
    volume.step(&spec, &[]).fails(3, "ArtifactVersion", &["format version 2", "newer worker image"]);
    assert_eq!(fs::read_to_string(target.join("manifest.json")).expect("a manifest"), newer);
}

#[test]
fn a_running_draft_is_never_swept_and_a_dead_one_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = Draft::begin(folder.path()).expect("a draft");
    running.write("data.csv", b"x").expect("written");
    let dead = folder.path().join(".draft-00000000deadbeef");
    fs::create_dir(&dead).expect("a folder");
    fs::write(folder.path().join(".draft-00000000deadbeef.lock"), "").expect("a lock that nobody holds");
    publish(folder.path(), "y", &RevisionRule::Fixed(revision("other")));
    assert!(running.folder().join("data.csv").exists());
    assert!(!dead.exists());
    running
        .publish(Kind::Dataset, StepReport::succeeded(None), &RevisionRule::Fixed(revision("x")))
        .expect("published");
}

#[test]
fn a_flipped_bit_is_found_by_the_digest() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = publish(folder.path(), "1,2,3", &RevisionRule::Fixed(revision("x")));
    fs::write(published.folder.join("data.csv"), "1,2,2").expect("written");
    let manifest = artifact::read(&published.folder).expect("sizes are right");
    let error = artifact::verify(&published.folder, &manifest).expect_err("a flipped bit");
    assert!(error.to_string().contains("data.csv has sha256"), "{error}");
}

#[test]
fn manifests_that_point_elsewhere_are_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = publish(folder.path(), "x", &RevisionRule::Fixed(revision("x")));
    let path = published.folder.join("manifest.json");
    let good = fs::read_to_string(&path).expect("a manifest");
    for (from, to) in [
        ("\"data.csv\"", "\"../data.csv\""),
        ("\"data.csv\"", "\"manifest.json\""),
        ("{", ""),
        ("\"size\": 1", "\"size\": 2"),
    ] {
        fs::write(&path, good.replacen(from, to, 1)).expect("written");
        let error = artifact::read(&published.folder).expect_err(to);
        assert!(matches!(error, ArtifactError::Damaged { .. }), "{to}: {error}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_and_a_content_revision_that_is_found_again() {
    let make = |format: &str| {
        let volume = Volume::new();
        let mut csv = String::from("k,v\n");
        for row in 0..200_000 {
            csv.push_str(&format!("{},{}\n", row * 7919 % 1000, f64::from(row) * 0.1));
        }
        volume.put("in.csv", csv);
        let sql = "SELECT k, sum(v) AS s, avg(v) AS m, count(*) AS n FROM t WHERE k > 10 GROUP BY k";
        let mut spec = prepare(input("file:in.csv"), Some(sql));
        spec["action"]["prepare"]["format"] = format.into();
        spec["revision"] = json!({"byContent": revision("meaning")});
        let first = volume.step(&spec, &[]);
        assert!(!first.succeeds().report.reused);
        let second = volume.step(&spec, &[]);
        assert!(second.succeeds().report.reused, "nothing new came");
        assert_eq!(first.report.revision, second.report.revision);
        let folder = volume.step_folder().join(first.report.revision.expect("a revision").as_str());
        let manifest = fs::read(folder.join("manifest.json")).expect("a manifest");
        let data = fs::read(folder.join(format!("data.{format}"))).expect("the rows");
        (manifest, data)
    };
    for format in ["csv", "ndjson", "parquet"] {
        assert!(make(format) == make(format), "{format} differs");
    }
}

#[test]
fn a_finished_step_says_so_at_once_and_removes_what_it_was_told_but_not_itself() {
    let volume = Volume::new();
    volume.put("in.csv", "a\n1\n");
    for name in ["one", "two", "three"] {
        volume.step(&fixed(prepare(input("file:in.csv"), None), name), &[]).succeeds();
    }
    fs::remove_file(volume.path().join("in.csv")).expect("removed");
    let mut spec = fixed(prepare(input("file:in.csv"), None), "three");
    spec["remove"] = json!([revision("one"), revision("three"), revision("never was")]);
    let ended = volume.step(&spec, &[]);
    assert!(ended.succeeds().report.reused);
    assert_eq!(ended.report.rows, Some(1));
    let mut expected = [revision("two").to_string(), revision("three").to_string()];
    expected.sort();
    assert_eq!(volume.names(), expected);
}

#[test]
fn a_stopped_step_leaves_no_draft_and_says_so() {
    let volume = Volume::new();
    // More rows than any machine writes before the signal comes.
    let spec = prepare(json!([]), Some("SELECT value FROM generate_series(1, 100000000000)"));
    let report = volume.path().join("report.json");
    let child = worker(&[
        "step",
        "--storage",
        &volume.path().display().to_string(),
        "--report",
        &report.display().to_string(),
        &spec.to_string(),
    ])
    .stderr(Stdio::piped())
    .spawn()
    .expect("the worker runs");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !draft_has(&volume, "data.csv", 1) {
        assert!(Instant::now() < deadline, "no rows came");
        std::hint::spin_loop();
    }
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
    let output = child.wait_with_output().expect("waited for");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = StepReport::from_json(&fs::read_to_string(report).expect("a report")).expect("a report");
    assert_eq!(report.reason.as_deref(), Some("Stopped"));
    assert_eq!(volume.names(), [""; 0]);
}

/// A script with the worker as $1 and the volume as $2, run where mounting is allowed; as another user, without mounts.
fn script(root: &str, other: &str, volume: &Volume) -> (String, String) {
    let is_root = text(&Command::new("id").arg("-u").output().expect("id runs")).0.trim() == "0";
    let worker = PathBuf::from(env!("CARGO_BIN_EXE_mlpipeline-worker"));
    let mut command = Command::new(if is_root { "unshare" } else { "sh" });
    if is_root {
        command.args(["-m", "sh"]);
    }
    let small = fixed(prepare(json!([]), Some("SELECT 1 AS a")), "small").to_string();
    let large = fixed(prepare(json!([]), Some(ROWS)), "large").to_string();
    let output = command
        .args(["-c", if is_root { root } else { other }, "sh"])
        .arg(worker)
        .arg(volume.path())
        .args([small, large])
        .output()
        .expect("the script runs");
    text(&output)
}

#[test]
fn a_full_disk_fails_the_step_and_leaves_the_old_artifact() {
    let steps = r#"
        run() { "$worker" step --report /dev/stdout --storage "$volume" "$1"; echo "exit $?"; }
        worker=$1; volume=$2
    "#;
    let end = r#" run "$4"; run "$3"; ls -A "$volume/ns/pipe/data""#;
    let root = format!("{steps} mount -t tmpfs -o size=1m none $volume || exit 9; run \"$3\"; {end}");
    // Where nothing can be mounted, a limit on the size of files stands in for the full disk.
    let other = format!("{steps} run \"$3\"; trap '' XFSZ; ulimit -f 1000; {end}");
    let (output, errors) = script(&root, &other, &Volume::new());
    let lines: Vec<&str> = output.lines().collect();
    let codes: Vec<&str> = lines
        .iter()
        .filter(|line| line.contains("exit "))
        .map(|line| line.rsplit("exit ").next().unwrap_or_default())
        .collect();
    assert_eq!(codes, ["0", "4", "0"], "{output}\n{errors}");
    assert!(output.contains("StorageFull") && output.contains("free some space"), "{output}");
    assert!(output.contains("\"reused\":true"), "the old artifact is there: {output}");
    assert_eq!(lines.last().copied(), Some(revision("small").as_str()), "{output}");
}

#[test]
fn a_volume_that_cannot_be_written_fails_the_step_and_leaves_the_old_artifact() {
    let steps = r#"
        run() { "$worker" step --report /dev/stdout --storage "$volume" "$1"; echo "exit $?"; }
        worker=$1; volume=$2
    "#;
    let root = format!(
        "{steps} mount -t tmpfs none $volume || exit 9; run \"$3\"; mount -o remount,ro $volume; run \"$4\"; run \"$3\""
    );
    let other = format!(
        "{steps} run \"$3\"; chmod a-w $volume/ns/pipe/data; run \"$4\"; run \"$3\"; chmod u+w $volume/ns/pipe/data"
    );
    let (output, errors) = script(&root, &other, &Volume::new());
    let codes: Vec<&str> = output
        .lines()
        .filter(|line| line.contains("exit "))
        .map(|line| line.rsplit("exit ").next().unwrap_or_default())
        .collect();
    assert_eq!(codes, ["0", "4", "0"], "{output}\n{errors}");
    assert!(output.contains("StorageReadOnly") || output.contains("StorageDenied"), "{output}");
    assert!(output.contains("\"reused\":true"), "the old artifact is there: {output}");
}
