//! Files as they come: each is processed once, and one that fails holds up no other.

use serde_json::json;

use crate::steps::{drop_file, lines, log, names, step, texts};
use crate::support::Volume;
use crate::support::at_work::{Worker, wait_until};

#[test]
fn new_files_are_processed_once_and_a_bad_one_blocks_no_other() {
    let volume = Volume::new();
    drop_file(&volume, "a.txt", "n=1\nn=2\n");
    drop_file(&volume, "b.txt", "n=1\nbad\n");
    volume.put("inbox/half.txt.part", "n=");
    volume.put("inbox/c.txt", "n=3\n");
    let worker = Worker::start(&volume, &lines("csv"));
    wait_until("the first files", || names(&volume, "csv/published").len() == 2);
    // The same name again is another file.
    drop_file(&volume, "a.txt", "n=4\n");
    wait_until("the next file", || names(&volume, "csv/published").len() == 3);
    wait_until("the bad file", || names(&volume, "csv/failed").len() == 2);
    assert_eq!(worker.stop(), 0);
    assert_eq!(texts(&volume, "csv/published"), ["n\n1\n2\n", "n\n3\n", "n\n4\n"]);
    let failed = names(&volume, "csv/failed");
    assert!(failed[0].starts_with("b-") && failed[1] == format!("{}.error", failed[0]), "{failed:?}");
    let reason =
        std::fs::read_to_string(volume.path().join("ns/pipe/csv/failed").join(&failed[1])).expect("a reason");
    assert!(reason.contains("line 2") && reason.contains("\"bad\""), "{reason}");
    // Processed files are kept up to the bound, and what is being written is left alone.
    wait_until("the bound", || names(&volume, "csv/done").len() == 2);
    assert_eq!(names(&volume, "csv/claimed"), [""; 0]);
    let drafts = std::fs::read_dir(volume.path().join("ns/pipe/csv/ready")).expect("a folder");
    assert_eq!(drafts.count(), 0, "the bad file's draft is gone too");
    let left: Vec<_> = std::fs::read_dir(volume.path().join("inbox")).expect("the inbox").collect();
    assert_eq!(left.len(), 1);
}

#[test]
fn a_later_file_has_the_types_of_the_first_only_where_its_values_are_of_them_as_they_are_written() {
    for (format, first, good, others) in [
        (
            "csv",
            "zip,amount\n12345,1.5\n",
            "zip,amount\n54321,2\n",
            &["zip,amount\n01067,1\n", "zip,amount\n1,9007199254740993\n", "zip,amount\n+5,1\n"][..],
        ),
        (
            "ndjson",
            "{\"zip\":12345,\"amount\":1.5}\n",
            "{\"zip\":54321,\"amount\":2}\n",
            &[
                "{\"zip\":\"01067\",\"amount\":1}\n",
                "{\"zip\":1.75,\"amount\":1}\n",
                "{\"zip\":1,\"amount\":9007199254740993}\n",
            ],
        ),
    ] {
        let volume = Volume::new();
        let step = step("files", &format!("file:inbox/*.{format}"), "csv");
        drop_file(&volume, &format!("first.{format}"), first);
        let worker = Worker::start(&volume, &step);
        wait_until("the first file", || names(&volume, "files/published").len() == 1);
        drop_file(&volume, &format!("good.{format}"), good);
        wait_until("the next file", || names(&volume, "files/published").len() == 2);
        for (number, other) in others.iter().enumerate() {
            drop_file(&volume, &format!("other-{number}.{format}"), other);
        }
        // Each with its reason.
        wait_until("the others", || names(&volume, "files/failed").len() == 2 * others.len());
        assert_eq!(worker.stop(), 0);
        assert_eq!(texts(&volume, "files/published"), ["zip,amount\n12345,1.5\n", "zip,amount\n54321,2.0\n"]);
        for name in names(&volume, "files/failed").iter().filter(|name| name.ends_with(".error")) {
            let path = volume.path().join("ns/pipe/files/failed").join(name);
            let reason = std::fs::read_to_string(path).expect("a reason");
            let is_said = [
                "is text instead of integer",
                "is number instead of integer",
                "is text instead of number",
                "is integer instead of number",
            ];
            assert!(is_said.iter().any(|part| reason.contains(part)), "{reason}");
            let has_line = reason.contains("the first such value is in line 1: column \"zip\" has \"1.75\"");
            assert_eq!(has_line, reason.contains("is number instead of integer"), "{reason}");
        }
    }
}

/// A file whose processing takes the process with it each time, as one that needs too much memory does, is played by one that never
/// comes to its end, and a kill.
#[test]
fn a_file_that_ends_the_process_again_and_again_is_put_aside_and_holds_up_no_other() {
    let volume = Volume::new();
    let query = "SELECT count(*) AS n FROM t a, t b WHERE a.n + b.n < 0";
    let mut spec = step("slow", "file:inbox/*.csv", "csv");
    spec["action"]["prepare"]["sql"] = query.into();
    let rows: String = (0..300_000).map(|number| format!("{number}\n")).collect();
    drop_file(&volume, "poison.csv", &format!("n\n{rows}"));
    let claimed = volume.path().join("ns/pipe/slow/claimed");
    for attempt in 1..=5 {
        let worker = Worker::start(&volume, &spec);
        wait_until("the work on the file", || {
            std::fs::read_dir(&claimed).into_iter().flatten().flatten().any(|entry| {
                entry.file_name().to_string_lossy().starts_with(".begun-")
                    && std::fs::read_to_string(entry.path()).is_ok_and(|count| count == attempt.to_string())
            })
        });
        worker.kill();
    }
    let worker = Worker::start(&volume, &spec);
    drop_file(&volume, "good.csv", "n\n1\n");
    wait_until("the other file's result", || names(&volume, "slow/published").len() == 1);
    assert_eq!(worker.stop(), 0);
    let failed = texts(&volume, "slow/failed");
    assert!(failed.iter().any(|text| text.contains("ended the whole process 5 times")), "{failed:?}");
    assert_eq!(std::fs::read_dir(&claimed).expect("a folder").count(), 0, "no count is left");
}

#[test]
fn results_that_would_replace_each_other_are_refused_before_any_file_is_taken() {
    for uri in ["s3://bucket/a.csv", "postgres://db/shop/orders"] {
        let volume = Volume::new();
        let mut spec = lines("csv");
        spec["action"]["prepare"]["delivery"] = json!({"uri": uri});
        volume.step(&spec, &[]).fails(2, "SourceRefused", &["continuous steps send results over http"]);
        assert!(volume.names().is_empty(), "{:?}", volume.names());
    }
}

/// The process may notice before it takes the file, or when it publishes the result: `folders` has a test of either.
#[test]
fn a_folder_of_results_that_was_replaced_ends_the_process_and_the_next_one_publishes() {
    let volume = Volume::new();
    let published = volume.path().join("ns/pipe/csv/published");
    let worker = Worker::start(&volume, &lines("csv"));
    wait_until("the folders", || published.is_dir());
    std::fs::remove_dir(&published).expect("removed");
    std::fs::write(&published, "in the way").expect("a file");
    drop_file(&volume, "a.txt", "n=1\n");
    assert_eq!(worker.ended(), 4, "{}", log(volume.path()));
    assert!(log(volume.path()).contains("published"), "{}", log(volume.path()));
    std::fs::remove_file(&published).expect("removed");
    let worker = Worker::start(&volume, &lines("csv"));
    wait_until("the result", || names(&volume, "csv/published").len() == 1);
    assert_eq!(worker.stop(), 0);
    assert_eq!(texts(&volume, "csv/published"), ["n\n1\n"]);
    assert_eq!((names(&volume, "csv/ready").len(), names(&volume, "csv/done").len()), (0, 1));
}

#[test]
fn the_process_ends_when_storage_is_gone() {
    let volume = Volume::new();
    let worker = Worker::start(&volume, &lines("csv"));
    wait_until("the folders", || volume.path().join("ns/pipe/csv/published").is_dir());
    std::fs::rename(volume.path().join("ns"), volume.path().join("gone")).expect("renamed");
    assert_eq!(worker.ended(), 4, "{}", log(volume.path()));
}

#[test]
fn the_types_of_what_a_step_publishes_are_those_of_the_step_that_takes_it() {
    let volume = Volume::new();
    let mut first = step("in", "file:inbox/*.csv", "csv");
    first["version"] = 2.into();
    first["action"]["prepare"]["inputs"][0]["source"]["uri"]["reading"] =
        json!({"types": {"plz": "text", "day": "date"}});
    let second = step("out", "file:ns/pipe/in/published/*", "ndjson");
    // A first file without rows says nothing of the types, and postal codes look like numbers.
    drop_file(&volume, "a.csv", "plz,day,n\n");
    let worker = Worker::start(&volume, &first);
    wait_until("the first file", || names(&volume, "in/published").len() == 1);
    drop_file(&volume, "b.csv", "plz,day,n\n10115,2024-01-31,x\n");
    wait_until("the second file", || names(&volume, "in/published").len() == 2);
    assert_eq!(worker.stop(), 0);
    let worker = Worker::start(&volume, &second);
    wait_until("both", || names(&volume, "out/published").len() == 2);
    assert_eq!(worker.stop(), 0);
    assert_eq!(
        texts(&volume, "out/published"),
        ["", "{\"plz\":\"10115\",\"day\":\"2024-01-31\",\"n\":\"x\"}\n"]
    );
    assert_eq!(names(&volume, "out/failed"), [""; 0]);
    let hidden = |folder: &str| {
        let entries = std::fs::read_dir(volume.path().join("ns/pipe").join(folder)).expect("a folder");
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    // Nothing is left beside files that were taken.
    for folder in ["in/published", "in/ready", "out/claimed", "out/ready"] {
        assert_eq!(hidden(folder), [""; 0], "{folder}");
    }
    // A third takes rows of no lines, too.
    let worker = Worker::start(&volume, &step("last", "file:ns/pipe/out/published/*", "csv"));
    wait_until("both", || names(&volume, "last/published").len() == 2);
    assert_eq!(worker.stop(), 0);
    assert_eq!(texts(&volume, "last/published"), ["plz,day,n\n", "plz,day,n\n10115,2024-01-31,x\n"]);
}

#[test]
fn a_column_without_values_is_of_whatever_type_the_first_file_made_it() {
    for (format, first, later) in [
        ("csv", "t,n\n2024-01-01T10:00:00Z,1\n", &["t,n\n,2\n", "t,n\n,\n"][..]),
        (
            "ndjson",
            "{\"tags\":[1],\"o\":{\"a\":1,\"b\":[\"x\"]}}\n",
            &[
                "{\"tags\":[],\"o\":null}\n",
                "{\"tags\":null,\"o\":{}}\n",
                "{\"tags\":[null],\"o\":{\"b\":[],\"a\":null}}\n",
                "{\"o\":{\"a\":2}}\n",
                "",
            ],
        ),
    ] {
        let volume = Volume::new();
        drop_file(&volume, &format!("first.{format}"), first);
        let worker = Worker::start(&volume, &step("files", &format!("file:inbox/*.{format}"), "parquet"));
        wait_until("the first file", || names(&volume, "files/published").len() == 1);
        for (number, text) in later.iter().enumerate() {
            drop_file(&volume, &format!("{number}.{format}"), text);
        }
        wait_until("the others", || {
            names(&volume, "files/published").len() == 1 + later.len()
                || !names(&volume, "files/failed").is_empty()
        });
        assert_eq!(worker.stop(), 0);
        assert_eq!(names(&volume, "files/failed"), [""; 0], "{format} {}", log(volume.path()));
    }
}

#[test]
fn a_step_whose_first_file_was_read_without_its_types_takes_the_others_as_that_one() {
    let volume = Volume::new();
    let mut first = step("in", "file:inbox/*.csv", "csv");
    first["version"] = 2.into();
    first["action"]["prepare"]["inputs"][0]["source"]["uri"]["reading"] = json!({"types": {"plz": "text"}});
    drop_file(&volume, "a.csv", "plz,n\n10115,x\n");
    let worker = Worker::start(&volume, &first);
    wait_until("the first file", || names(&volume, "in/published").len() == 1);
    assert_eq!(worker.stop(), 0);
    let second = step("out", "file:ns/pipe/in/published/*", "ndjson");
    // So a worker that hands no types over pinned it.
    let pinned = volume.path().join("ns/pipe/out");
    std::fs::create_dir_all(&pinned).expect("a folder");
    let revision = second["revision"]["fixed"].as_str().expect("a revision");
    let columns = json!([{"name": "plz", "type": "Int64"}, {"name": "n", "type": "Utf8"}]);
    std::fs::write(pinned.join(format!(".schema-{revision}.json")), columns.to_string()).expect("a file");
    let worker = Worker::start(&volume, &second);
    wait_until("the file", || {
        names(&volume, "out/published").len() == 1 || !names(&volume, "out/failed").is_empty()
    });
    assert_eq!(worker.stop(), 0);
    assert_eq!(texts(&volume, "out/published"), ["{\"plz\":10115,\"n\":\"x\"}\n"], "{}", log(volume.path()));
}
