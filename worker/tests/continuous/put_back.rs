//! Failed files that are put back: only rows that were not taken, or changed, are sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mlpipeline_crds::Revision;
use serde_json::json;

use crate::receiver::Receiver;
use crate::steps::{drop_file, log, names, posts, rows};
use crate::support::Volume;
use crate::support::at_work::{Worker, wait_until};

/// Puts a step's only failed file back to where it came from, with other content where that is given.
fn put_back(volume: &Volume, step: &str, to: &str, content: Option<&str>) {
    let folder = volume.path().join("ns/pipe").join(step).join("failed");
    let failed = names(volume, &format!("{step}/failed"));
    let name = failed.iter().find(|name| name.ends_with(".csv")).expect("a failed file");
    if let Some(content) = content {
        std::fs::write(folder.join(name), content).expect("edited");
    }
    std::fs::remove_file(folder.join(format!("{name}.error"))).expect("the reason is removed");
    std::fs::rename(folder.join(name), volume.path().join(to).join(name)).expect("put back");
}

#[test]
fn a_failed_file_that_is_put_back_goes_on_behind_the_rows_that_were_taken() {
    let refuses = Arc::new(AtomicBool::new(true));
    let refusal = Arc::clone(&refuses);
    let receiver = Receiver::answering(move |_, post| {
        if post.body == "{\"n\":5}" && refusal.load(Ordering::SeqCst) {
            ("422 Unprocessable Content".into(), "not yet".into())
        } else {
            ("200 OK".into(), String::new())
        }
    });
    let volume = Volume::new();
    drop_file(&volume, "rows.csv", &rows(1..=10));
    let mut spec = posts("post", "csv", &receiver);
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["uri"] = "file:inbox/*.csv".into();
    for _ in 0..2 {
        // Once in the same process, once in another.
        let worker = Worker::start(&volume, &spec);
        wait_until("the refusal", || names(&volume, "post/failed").len() == 3);
        put_back(&volume, "post", "inbox", None);
        wait_until("the next refusal", || names(&volume, "post/failed").len() == 3);
        worker.kill();
        put_back(&volume, "post", "inbox", None);
    }
    refuses.store(false, Ordering::SeqCst);
    let worker = Worker::start(&volume, &spec);
    wait_until("the delivery", || names(&volume, "post/done").len() == 1);
    assert_eq!(worker.stop(), 0);
    let bodies = receiver.bodies();
    for number in 1..=10 {
        let times = bodies.iter().filter(|body| **body == format!("{{\"n\":{number}}}")).count();
        assert!(if number == 5 { times >= 3 } else { times == 1 }, "row {number}: {times} times");
    }
    let keys: BTreeSet<String> = receiver.posts().into_iter().map(|post| post.key).collect();
    assert_eq!(keys.len(), 10);
    for folder in ["post/failed", "post/ready", "post/claimed"] {
        assert_eq!(names(&volume, folder), [""; 0], "{folder}");
    }
}

/// What is sent after an edit of a half delivered file, or of its step.
#[test]
fn an_edit_sends_rows_again_only_where_those_that_were_taken_change() {
    #[derive(Clone, Copy)]
    struct Edit {
        content: Option<&'static str>,
        sql: Option<&'static str>,
        rows_per_request: Option<u32>,
        sent: &'static [&'static str],
    }
    let same = Edit { content: None, sql: None, rows_per_request: None, sent: &[] };
    let rest: &[_] = &["{\"n\":6}", "{\"n\":7}"];
    let edits = [
        Edit { content: Some("n\n1\n2\n3\n6\n7\n"), sent: rest, ..same },
        Edit { sql: Some("SELECT n FROM t WHERE n <> 5"), sent: rest, ..same },
        Edit {
            content: Some("n\n1\n2\n3\n6\n7\n"),
            rows_per_request: Some(10),
            sent: &["[{\"n\":6},{\"n\":7}]"],
            ..same
        },
        Edit {
            sql: Some("SELECT n + 10 AS n FROM t WHERE n > 5 OR n < 3"),
            sent: &["{\"n\":11}", "{\"n\":12}", "{\"n\":16}", "{\"n\":17}"],
            ..same
        },
        // A row before those that were taken.
        Edit {
            content: Some("n\n0\n1\n2\n3\n"),
            sent: &["{\"n\":0}", "{\"n\":1}", "{\"n\":2}", "{\"n\":3}"],
            ..same
        },
        // Fewer than were taken.
        Edit { content: Some("n\n1\n2\n"), sent: &["{\"n\":1}", "{\"n\":2}"], ..same },
    ];
    for edit in edits {
        let receiver = Receiver::answering(|_, post| match post.body.as_str() {
            "{\"n\":5}" => ("422 Unprocessable Content".into(), "no five".into()),
            _ => ("200 OK".into(), String::new()),
        });
        let volume = Volume::new();
        volume.put("ns/pipe/csv/published/rows.csv", rows([1, 2, 3, 5, 6, 7]));
        let mut spec = posts("post", "csv", &receiver);
        let worker = Worker::start(&volume, &spec);
        wait_until("the refusal", || names(&volume, "post/failed").len() == 3);
        assert_eq!(worker.stop(), 0);
        let before = receiver.posts().len();
        if let Some(sql) = edit.sql {
            spec["action"]["prepare"]["sql"] = sql.into();
        }
        if let Some(rows) = edit.rows_per_request {
            spec["action"]["prepare"]["delivery"]["rowsPerRequest"] = rows.into();
        }
        spec["revision"] = json!({"fixed": Revision::of(&["edited"])});
        put_back(&volume, "post", "ns/pipe/csv/published", edit.content);
        let worker = Worker::start(&volume, &spec);
        wait_until("the delivery", || {
            assert_eq!(
                names(&volume, "post/failed").iter().find(|name| name.ends_with(".error")),
                None,
                "{}",
                log(volume.path())
            );
            names(&volume, "post/done").len() == 1
        });
        assert_eq!(worker.stop(), 0);
        let posts = receiver.posts();
        let sent: Vec<&str> = posts[before..].iter().map(|post| post.body.as_str()).collect();
        assert_eq!(sent, edit.sent);
        let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
        for post in &posts {
            assert_eq!(*keys.entry(&post.key).or_insert(&post.body), post.body, "one key, two bodies");
        }
    }
}
