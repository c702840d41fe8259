//! The command `prepare` on a user's own files.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use support::{Volume, text, worker};

fn volume() -> Volume {
    let volume = Volume::new();
    volume.put("t.csv", "a,B b,species\n1,0.5,x\n2,,y\n3,1.5,x\n");
    volume
}

#[test]
fn a_full_standard_output_is_not_the_volume() {
    let volume = volume();
    for more in [&[][..], &["--check", "a notNull"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let mut command = worker(&["prepare", "--input", "t=t.csv", "--out", "-"]);
        let output = command.args(more).current_dir(volume.path()).stdout(full).output();
        let output = output.expect("the worker runs");
        let (_, errors) = text(&output);
        assert_eq!(output.status.code(), Some(4), "{errors}");
        assert!(errors.contains("cannot write standard output: No space left"), "{errors}");
        assert!(!errors.contains("volume") && !errors.contains("history"), "{errors}");
    }
}

#[test]
fn the_command_reads_and_writes_the_users_own_files() {
    let volume = volume();
    let run = |arguments: &[&str]| {
        let mut command = worker(&["prepare"]);
        text(&command.args(arguments).current_dir(volume.path()).output().expect("the worker runs"))
    };
    let (_, errors) = run(&["--input", "t=t.csv", "--out", "sub.ndjson", "--check", "a notNull unique"]);
    assert_eq!(errors, "");
    let rows = std::fs::read_to_string(volume.path().join("sub.ndjson")).expect("written");
    assert!(rows.starts_with("{\"a\":1,\"B b\":0.5,\"species\":\"x\"}\n"), "{rows}");
    let up = format!("../{}/sub.ndjson", volume.path().file_name().expect("a name").to_string_lossy());
    let (rows, _) = run(&["--input", &format!("u={up}"), "--sql", "SELECT sum(a) AS s FROM u", "--out", "-"]);
    assert_eq!(rows, "s\n6\n");
    let (_, errors) = run(&["--input", "t=t.csv", "--out", "sub.ndjson", "--check", "a max=1"]);
    assert!(errors.contains("above max 1 in 2 of 3 rows"), "{errors}");
    let kept = std::fs::read_to_string(volume.path().join("sub.ndjson")).expect("the old file");
    assert!(kept.contains("\"a\":3"), "a failed check leaves the old file");
    let names = std::fs::read_dir(volume.path()).expect("a folder").count();
    assert_eq!(names, 2, "no draft is left");
    let (_, errors) = run(&["--input", "t=gone.csv", "--out", "-"]);
    assert!(errors.contains("gone.csv"), "{errors}");
}

#[test]
fn a_command_names_files_by_their_whole_paths_and_links_to_nothing_are_not_left_out() {
    let volume = Volume::new();
    let file = volume.put("d1.csv", "a\n1\n");
    let run = |arguments: &[&str]| {
        let mut command = worker(&["prepare", "--out", "-"]);
        command.args(arguments).current_dir(volume.path()).output().expect("the worker runs")
    };
    let output = run(&["--input", "t=d1.csv", "--format", "t=csv", "--pattern", "t=a"]);
    let place = format!("it is about {}", file.canonicalize().expect("a path").display());
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).1.contains(&place), "{output:?}");
    std::os::unix::fs::symlink("gone.csv", volume.path().join("d2.csv")).expect("a link");
    let output = run(&["--input", "t=d*.csv"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        text(&output).1.contains("d2.csv is a symbolic link to gone.csv, and nothing is there"),
        "{output:?}"
    );
}

#[test]
fn a_result_is_compressed_where_its_name_says_so_and_a_name_that_cannot_be_is_refused_first() {
    let volume = Volume::new();
    volume.put("t.csv", "a,b\n1,x\n2,y\n");
    let run = |arguments: &[&str]| {
        let mut command = worker(&["prepare", "--input", "t=t.csv"]);
        command.args(arguments).current_dir(volume.path()).output().expect("the worker runs")
    };
    let read = |name: &str| std::fs::read(volume.path().join(name)).expect("written");
    for name in ["x.csv.gz", "x.ndjson.gz", "x.CSV.ZST", "x.ndjson.zst"] {
        let output = run(&["--out", name, "--check", "a notNull"]);
        assert!(output.status.success(), "{output:?}");
        let first = read(name);
        let magic = if name.to_lowercase().ends_with(".gz") { &[0x1f, 0x8b][..] } else { &[0x28, 0xb5] };
        assert!(first.starts_with(magic), "{name}: {first:?}");
        run(&["--out", name]);
        assert_eq!(read(name), first, "{name}");
        let again = format!("u={name}");
        let (rows, errors) = text(
            &worker(&["prepare", "--input", &again, "--out", "-"])
                .current_dir(volume.path())
                .output()
                .expect("the worker runs"),
        );
        assert_eq!((rows.as_str(), errors.as_str()), ("a,b\n1,x\n2,y\n", ""), "{name}");
    }
    for (name, part) in [
        ("x.parquet.gz", "leave .gz out"),
        ("x.csv.bz2", "end the name with .gz or .zst"),
        ("s3://lake/x.parquet.zst", "leave .zst out"),
    ] {
        let output =
            run(&["--out", name, "--out-format", if name.contains("csv") { "csv" } else { "parquet" }]);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        assert!(text(&output).1.contains(part), "{output:?}");
        assert!(!volume.path().join(name).exists(), "{name}");
    }
    let drafts = std::fs::read_dir(volume.path()).expect("a folder");
    let hidden = drafts
        .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0, "no draft is left");
}

#[test]
fn a_wrong_command_line_ends_with_2_and_help_with_0() {
    for (arguments, code) in [
        (&["prepare", "--nonsense"][..], 2),
        (&["prepare", "--input", "x", "--out", "-"], 2),
        (&[], 2),
        (&["prepare", "--help"], 0),
        (&["step", "--help"], 0),
        (&["--version"], 0),
        (&["completion", "bash"], 0),
    ] {
        let output = worker(arguments).output().expect("the worker runs");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let mut child =
        worker(&["prepare", "--sql", "SELECT value FROM generate_series(1, 100000000000)", "--out", "-"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the worker runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("text"), "value");
    drop(lines);
    let output = child.wait_with_output().expect("waited for");
    assert_eq!((output.status.code(), text(&output).1.as_str()), (Some(0), ""));
}

#[test]
fn limits_of_the_system_and_files_of_other_kinds_are_named() {
    let volume = Volume::new();
    let rows: String = (0..10_000).map(|row| format!("{row}\n")).collect();
    volume.put("t.csv", format!("a\n{rows}"));
    let run = |shell: &str, arguments: &[&str]| {
        let worker = worker(&[]);
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")])
            .arg(worker.get_program())
            .arg("prepare");
        command.args(arguments).current_dir(volume.path()).output().expect("sh runs")
    };
    let out = ["--input", "t=t.csv", "--out", "out.csv"];
    let limited = run("ulimit -f 8", &out);
    assert_eq!(limited.status.code(), Some(4), "{limited:?}");
    assert!(text(&limited).1.contains("raise the limit of a file's size (ulimit -f)"), "{limited:?}");
    // Less than the stack of its first thread.
    let limited = run("ulimit -v 400000", &out);
    assert_eq!(limited.status.code(), Some(1), "{limited:?}");
    assert!(text(&limited).1.contains("is the address space limited (ulimit -v"), "{limited:?}");
    let piped = run("mkfifo pipe.csv", &["--input", "t=pipe.csv", "--out", "out.csv"]);
    assert_eq!(piped.status.code(), Some(3), "{piped:?}");
    assert!(text(&piped).1.contains("pipe.csv is not a regular file: a pipe"), "{piped:?}");
    let names = std::fs::read_dir(volume.path()).expect("a folder").count();
    assert_eq!(names, 2, "nothing was written, and no draft is left");
}
