//! Continuous steps: each file once, whatever is killed when, and beside whatever other files.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod receiver;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mlpipeline_crds::Revision;
use receiver::Receiver;
use serde_json::{Value, json};
use support::{Volume, worker};

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(180);

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        // A look every few milliseconds: spinning would take the processor from what is waited for.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A step that takes files as they come.
fn step(name: &str, uri: &str, format: &str) -> Value {
    json!({
        "version": 1, "namespace": "ns", "pipeline": "pipe", "step": name,
        "revision": {"fixed": Revision::of(&[name])},
        "action": {"prepare": {
            "inputs": [{"name": "t", "source": {"uri": {"uri": uri}}}], "format": format,
            "continuous": {"pollSeconds": 1, "keep": 2},
        }},
    })
}

/// A step that reads lines like `n=1`.
fn lines(name: &str) -> Value {
    let mut spec = step(name, "file:inbox/*.txt", "csv");
    spec["action"]["prepare"]["inputs"][0]["source"]["uri"]["pattern"] = "^n=(?<n>[0-9]+)$".into();
    spec
}

/// A step that posts what another publishes.
fn posts(name: &str, from: &str, receiver: &Receiver) -> Value {
    let mut spec = step(name, &format!("file:ns/pipe/{from}/published/*"), "parquet");
    spec["action"]["prepare"]["delivery"] = json!({"uri": receiver.url()});
    spec
}

/// A worker at work; killed when dropped.
struct Worker(Child);

impl Worker {
    fn start(volume: &Volume, spec: &Value) -> Self {
        let storage = volume.path().display().to_string();
        let log = std::fs::File::create(volume.path().join("log")).expect("a log");
        let arguments =
            ["step", "--storage", &storage, "--report", "/dev/null", "--allow-address=127.0.0.0/8"];
        let quick = ["--fetch-attempts=2", "--fetch-backoff=1ms", "--log-format=json"];
        let mut command: Command = worker(&[arguments.as_slice(), &quick].concat());
        Self(command.arg(spec.to_string()).stderr(log).spawn().expect("the worker starts"))
    }

    fn kill(mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }

    /// Asks it to stop.
    fn terminate(&self) {
        Command::new("kill").arg(self.0.id().to_string()).status().expect("kill runs");
    }

    /// Waits for its end; its exit code.
    fn ended(mut self) -> i32 {
        wait_until("the worker's end", || self.0.try_wait().expect("a child").is_some());
        self.0.wait().expect("ended").code().expect("an exit code")
    }

    fn stop(self) -> i32 {
        self.terminate();
        self.ended()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Names in a folder of a step, hidden ones left out, sorted.
fn names(volume: &Volume, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(volume.path().join("ns/pipe").join(folder))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// The texts of a folder's files, sorted.
fn texts(volume: &Volume, folder: &str) -> Vec<String> {
    let path = volume.path().join("ns/pipe").join(folder);
    let mut texts: Vec<String> = names(volume, folder)
        .iter()
        .map(|name| std::fs::read_to_string(path.join(name)).expect("a file"))
        .collect();
    texts.sort();
    texts
}

/// Puts a file where steps look for it, in one step.
fn drop_file(volume: &Volume, name: &str, text: &str) -> PathBuf {
    let hidden = volume.put(&format!("inbox/.{name}"), text);
    let path = volume.path().join("inbox").join(name);
    std::fs::rename(hidden, &path).expect("renamed");
    path
}

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

fn rows(numbers: impl IntoIterator<Item = u32>) -> String {
    numbers.into_iter().fold("n\n".to_owned(), |text, number| format!("{text}{number}\n"))
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

#[test]
fn a_result_that_cannot_be_published_ends_the_process_and_the_next_one_publishes_it() {
    let volume = Volume::new();
    let published = volume.path().join("ns/pipe/csv/published");
    let worker = Worker::start(&volume, &lines("csv"));
    wait_until("the folders", || published.is_dir());
    std::fs::remove_dir(&published).expect("removed");
    std::fs::write(&published, "in the way").expect("a file");
    drop_file(&volume, "a.txt", "n=1\n");
    assert_eq!(worker.ended(), 4, "{}", log(volume.path()));
    assert!(log(volume.path()).contains("published"), "{}", log(volume.path()));
    assert_eq!((names(&volume, "csv/ready").len(), names(&volume, "csv/done").len()), (1, 1));
    std::fs::remove_file(&published).expect("removed");
    let worker = Worker::start(&volume, &lines("csv"));
    wait_until("the result", || names(&volume, "csv/published").len() == 1);
    assert_eq!(worker.stop(), 0);
    assert_eq!(texts(&volume, "csv/published"), ["n\n1\n"]);
    assert_eq!(names(&volume, "csv/ready"), [""; 0]);
}

#[test]
fn two_processes_at_once_publish_each_file_once() {
    let volume = Volume::new();
    let files = 60;
    let workers = [Worker::start(&volume, &lines("csv")), Worker::start(&volume, &lines("csv"))];
    for number in 0..files {
        drop_file(&volume, &format!("{number}.txt"), &format!("n={number}\n"));
    }
    wait_until("half of the files", || names(&volume, "csv/published").len() >= files / 2);
    // One of them does the work; whichever it is, the other goes on when it ends.
    let [first, second] = workers;
    first.kill();
    wait_until("all files", || names(&volume, "csv/published").len() == files);
    assert_eq!(second.stop(), 0);
    assert_eq!(numbers(&texts(&volume, "csv/published")), (0..files as u64).collect::<Vec<_>>());
}

/// The numbers in files of one row each, sorted.
fn numbers(texts: &[String]) -> Vec<u64> {
    let mut numbers: Vec<u64> =
        texts.iter().map(|text| text.lines().nth(1).expect("a row").parse().expect("a number")).collect();
    numbers.sort_unstable();
    numbers
}

/// Numbers that look random and are the same each time (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Three continuous steps in a row; one of them after the other is killed at a moment of a seeded choice. In the end every row
/// was delivered, each under a key of its own, and no file is left on the way.
#[test]
fn a_chain_loses_and_doubles_nothing_under_thirty_kills() {
    let volume = Volume::new();
    let receiver = Receiver::start();
    let specs = [
        lines("csv"),
        step("ndjson", "file:ns/pipe/csv/published/*", "ndjson"),
        posts("post", "ndjson", &receiver),
    ];
    let start = |spec: &Value| Worker::start(&volume, spec);
    let mut workers: Vec<Option<Worker>> = specs.iter().map(start).map(Some).collect();
    let mut random = Numbers(7);
    let (kills, files_a_kill) = (30, 4);
    for kill in 0..kills {
        for file in 0..files_a_kill {
            let number = kill * files_a_kill + file;
            drop_file(&volume, &format!("{number}.txt"), &format!("n={number}\n"));
        }
        let moment = Instant::now() + Duration::from_micros(random.below(400_000));
        wait_until("the moment", || Instant::now() >= moment);
        let victim = random.below(3) as usize;
        workers[victim].take().expect("a worker").kill();
        workers[victim] = Some(start(&specs[victim]));
    }
    let total = kills * files_a_kill;
    let delivered = || receiver.bodies().into_iter().collect::<BTreeSet<_>>().len() as u64;
    wait_until("all rows", || delivered() == total);
    wait_until("an empty chain", || {
        let on_the_way = [
            "csv/published",
            "csv/claimed",
            "csv/ready",
            "ndjson/published",
            "ndjson/claimed",
            "ndjson/ready",
            "post/claimed",
            "post/ready",
        ];
        on_the_way.iter().all(|folder| names(&volume, folder).is_empty())
    });
    for worker in workers.into_iter().flatten() {
        assert_eq!(worker.stop(), 0);
    }
    // Had a file been published twice, its row would have come by two files, and so under two keys.
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for post in receiver.posts() {
        keys.entry(post.body).or_default().insert(post.key);
    }
    assert!(keys.values().all(|keys| keys.len() == 1), "{keys:#?}");
    for step in ["csv", "ndjson", "post"] {
        assert_eq!(names(&volume, &format!("{step}/failed")), [""; 0]);
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

#[test]
fn the_process_ends_when_storage_is_gone() {
    let volume = Volume::new();
    let worker = Worker::start(&volume, &lines("csv"));
    wait_until("the folders", || volume.path().join("ns/pipe/csv/published").is_dir());
    std::fs::rename(volume.path().join("ns"), volume.path().join("gone")).expect("renamed");
    assert_eq!(worker.ended(), 4, "{}", log(volume.path()));
}

fn log(volume: &Path) -> String {
    std::fs::read_to_string(volume.join("log")).unwrap_or_default()
}
