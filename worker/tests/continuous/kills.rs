//! Processes that are killed, and several at once: nothing is lost, and nothing is done twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::receiver::Receiver;
use crate::steps::{drop_file, lines, names, posts, step, texts};
use crate::support::Volume;
use crate::support::at_work::{Worker, wait_until};

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

#[test]
fn two_processes_at_once_publish_each_file_once() {
    let volume = Volume::new();
    let files = 60;
    let workers = [Worker::start(&volume, &lines("csv")), Worker::start(&volume, &lines("csv"))];
    for number in 0..files {
        drop_file(&volume, &format!("{number}.txt"), &format!("n={number}\n"));
    }
    wait_until("half of the files", || names(&volume, "csv/published").len() >= files / 2);
    // One of them does the work; whichever it is, the other continues when it ends.
    let [first, second] = workers;
    first.kill();
    wait_until("all files", || names(&volume, "csv/published").len() == files);
    assert_eq!(second.stop(), 0);
    assert_eq!(numbers(&texts(&volume, "csv/published")), (0..files as u64).collect::<Vec<_>>());
}
