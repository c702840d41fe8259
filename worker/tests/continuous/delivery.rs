//! Rows that a continuous step posts: refusals, outages, kills and stops in the middle of a file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::receiver::Receiver;
use crate::steps::{log, names, posts, rows, texts};
use crate::support::Volume;
use crate::support::at_work::{Worker, wait_until};

#[test]
fn rows_that_a_receiver_refuses_put_the_file_aside_and_an_outage_is_waited_out() {
    let refusing = Receiver::answering(|_, post| match post.body.as_str() {
        "{\"n\":2}" => ("422 Unprocessable Content".into(), "two is too much".into()),
        _ => ("200 OK".into(), String::new()),
    });
    let volume = Volume::new();
    volume.put("ns/pipe/csv/published/one.csv", "n\n1\n");
    volume.put("ns/pipe/csv/published/two.csv", "n\n2\n");
    let worker = Worker::start(&volume, &posts("post", "csv", &refusing));
    // The file, the reason, and that none of its rows was taken.
    wait_until("the refusal", || names(&volume, "post/failed").len() == 3);
    wait_until("the delivery", || names(&volume, "post/done").len() == 1);
    wait_until("no rows that are left on the way", || names(&volume, "post/ready").is_empty());
    worker.kill();
    assert!(texts(&volume, "post/failed").iter().any(|text| text.contains("two is too much")));

    let recovering = Receiver::answering(|number, _| match number {
        1..=5 => ("503 Service Unavailable".into(), String::new()),
        _ => ("200 OK".into(), String::new()),
    });
    volume.put("ns/pipe/csv/published/three.csv", "n\n3\n");
    let worker = Worker::start(&volume, &posts("post", "csv", &recovering));
    wait_until("the delivery", || names(&volume, "post/done").len() == 2);
    assert_eq!(worker.stop(), 0);
    let bodies: BTreeSet<String> = recovering.bodies().into_iter().collect();
    assert_eq!(bodies.into_iter().collect::<Vec<_>>(), ["{\"n\":3}"]);
}

#[test]
fn an_endpoint_that_takes_no_rows_at_all_empties_no_inbox() {
    for (status, hint) in [
        ("401 Unauthorized", "output.secret"),
        ("404 Not Found", "output.uri"),
        ("302 Found\r\nLocation: /login", "output.uri"),
    ] {
        let wrong = Arc::new(AtomicBool::new(true));
        let is_wrong = Arc::clone(&wrong);
        let receiver = Receiver::answering(move |_, _| {
            let status = if is_wrong.load(Ordering::SeqCst) { status } else { "200 OK" };
            (status.into(), String::new())
        });
        let volume = Volume::new();
        volume.put("ns/pipe/csv/published/one.csv", "n\n1\n");
        volume.put("ns/pipe/csv/published/two.csv", "n\n2\n");
        let worker = Worker::start(&volume, &posts("post", "csv", &receiver));
        wait_until("two attempts", || receiver.posts().len() >= 2);
        wait_until("the reason in the log", || {
            let log = log(volume.path());
            log.contains(hint) && log.contains("tries again in")
        });
        assert_eq!(names(&volume, "post/failed"), [""; 0], "{status}");
        wrong.store(false, Ordering::SeqCst);
        wait_until("the delivery", || names(&volume, "post/done").len() == 2);
        assert_eq!(worker.stop(), 0);
        assert_eq!(names(&volume, "post/failed"), [""; 0], "{status}");
    }
}

#[test]
fn a_delivery_goes_on_behind_the_last_row_that_was_taken() {
    let volume = Volume::new();
    let rows: String = (1..=2000).map(|row| format!("{row}\n")).collect();
    volume.put("ns/pipe/csv/published/rows.csv", format!("n\n{rows}"));
    let receiver = Receiver::start();
    let spec = posts("post", "csv", &receiver);
    for kill_at in [100, 700, 1500] {
        let worker = Worker::start(&volume, &spec);
        wait_until("some rows", || receiver.posts().len() >= kill_at);
        worker.kill();
    }
    let worker = Worker::start(&volume, &spec);
    wait_until("the delivery", || names(&volume, "post/done").len() == 1);
    assert_eq!(worker.stop(), 0);
    let posts = receiver.posts();
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for post in &posts {
        assert_eq!(*keys.entry(&post.key).or_insert(&post.body), post.body, "one key, two bodies");
    }
    assert_eq!(keys.len(), 2000);
    // At most the row that was under way is sent again at each kill.
    assert!(posts.len() <= 2003, "{}", posts.len());
    assert_eq!(names(&volume, "post/ready"), [""; 0]);
}

#[test]
fn a_stop_in_good_order_waits_for_the_answer_under_way_and_sends_no_row_twice() {
    let held = Arc::new(AtomicBool::new(true));
    let hold = Arc::clone(&held);
    let receiver = Receiver::answering(move |number, _| {
        if number == 3 {
            wait_until("the test lets it answer", || !hold.load(Ordering::SeqCst));
        }
        ("200 OK".into(), String::new())
    });
    let volume = Volume::new();
    volume.put("ns/pipe/csv/published/rows.csv", rows(1..=6));
    let spec = posts("post", "csv", &receiver);
    let worker = Worker::start(&volume, &spec);
    wait_until("the request that is not answered", || receiver.posts().len() == 3);
    worker.terminate();
    wait_until("the worker to know", || log(volume.path()).contains("waits for the receiver's answer"));
    held.store(false, Ordering::SeqCst);
    assert_eq!(worker.ended(), 0);
    assert_eq!(receiver.posts().len(), 3, "nothing is sent once it is to stop");
    let worker = Worker::start(&volume, &spec);
    wait_until("the delivery", || names(&volume, "post/done").len() == 1);
    assert_eq!(worker.stop(), 0);
    let expected: Vec<String> = (1..=6).map(|number| format!("{{\"n\":{number}}}")).collect();
    assert_eq!(receiver.bodies(), expected);
}
