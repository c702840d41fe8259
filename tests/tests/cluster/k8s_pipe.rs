//! Scenario 3: files that come each minute, on their way through continuous steps to an API of several replicas.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_tests::wait_until;

use crate::bed::{Namespace, Pod, TIMEOUT, kubectl, sample};
use crate::killing::{force_delete, others_run};

/// The steps that run all the time, in the order in which files go through them.
pub const RUNNING: [&str; 4] = ["csv", "ndjson", "post", "api"];

/// How many files are dropped at once, and how many rows each has: work for a second, so that a kill meets somebody at work.
const FILES: usize = 20;
const ROWS: usize = 10;

/// The folder of the steps on the volume, and where the API keeps what it takes.
const STEPS: &str = "$MLPIPELINE_STORAGE/k8s-pipe/k8s-pipe";
const RECEIVED: &str = "$MLPIPELINE_STORAGE/received";

#[tokio::test]
async fn scenario_3_every_row_of_every_listing_is_posted_across_the_death_of_each_step() {
    let mut pipe = Pipe::apply();
    a_listing_is_written_though_its_pod_is_deleted(&pipe.namespace).await;
    for step in RUNNING {
        let deleted = pipe.cut_off(step, force_delete).await;
        others_run(&pipe.namespace, step, &deleted).await;
    }
    pipe.all_rows_have_come().await;
    several_pods_answer(&pipe.namespace).await;
    pipe.namespace.delete().await;
}

/// The sample, with files of ours on their way, each row with a mark that says which it is.
pub struct Pipe {
    pub namespace: Namespace,
    /// How often files were dropped.
    drops: usize,
    /// How often somebody was killed.
    kills: usize,
}

impl Pipe {
    /// Applies the sample and waits until it is Ready.
    pub fn apply() -> Self {
        let namespace = Namespace("k8s-pipe");
        kubectl(&["apply", "-k", &sample("k8s-pipe")]);
        namespace.wait_ready(&["k8s-pipe"]);
        Self { namespace, drops: 0, kills: 0 }
    }

    /// Drops files and kills a step's pods when one of the files is at work there, until one was cut off: it is still claimed when
    /// they are dead. The API has no files: it is cut off when rows are on their way to it. The pods that were killed.
    pub async fn cut_off(&mut self, step: &str, kill: impl Fn(&Namespace, &str) -> Vec<Pod>) -> Vec<Pod> {
        let at = if step == "api" { "post" } else { step };
        let claimed =
            format!("for file in {STEPS}/{at}/claimed/marks-*; do [ ! -e \"$file\" ] || exit 0; done");
        let is_at_work = format!("for look in $(seq 6000); do {claimed}; usleep 10000; done; exit 1");
        for _ in 0..5 {
            wait_until("somebody is there to be killed", TIMEOUT, async || {
                let pods = self.namespace.pods(step)?;
                let there = pods.iter().any(|pod| pod.is_ready && !pod.is_deleted);
                if there { Ok(()) } else { Err(format!("{pods:?}")) }
            })
            .await;
            self.drop_files().await;
            self.shell(&is_at_work).await.unwrap_or_else(|problem| panic!("no file came to {at}: {problem}"));
            let killed = kill(&self.namespace, step);
            self.kills += 1;
            let is_claimed = format!("{claimed}; exit 1");
            if self.shell(&is_claimed).await.is_ok() {
                return killed;
            }
        }
        panic!("{step} was never killed at work");
    }

    /// Leaves files in the inbox, as the step of the sample does.
    async fn drop_files(&mut self) {
        let number = self.drops;
        self.drops += 1;
        let script = format!(
            "inbox=$MLPIPELINE_STORAGE/inbox; mkdir -p $inbox
             for file in $(seq {FILES}); do
               for row in $(seq {ROWS}); do
                 echo \"-r--r--r-- 1 root root 0 Mar 19 23:57 /mark/{number}-$file-$row\"
               done > $inbox/.marks-{number}-$file.txt
               mv $inbox/.marks-{number}-$file.txt $inbox/marks-{number}-$file.txt
             done"
        );
        self.shell(&script).await.unwrap_or_else(|problem| panic!("no files are dropped: {problem}"));
    }

    /// Runs a script in a pod that has the pipeline's volume: its exit code 1 is an error. What else goes wrong, as when the pod has just
    /// been killed, is tried again.
    async fn shell(&self, script: &str) -> Result<String, String> {
        wait_until("a script is run on the volume", TIMEOUT, async || {
            let marked = format!("({script}) && echo it holds || echo it does not");
            let said = self.namespace.try_kubectl(&[
                "exec",
                "deployment/k8s-pipe-api",
                "--",
                "sh",
                "-c",
                &marked,
            ])?;
            match (said.strip_suffix("it holds\n"), said.ends_with("it does not\n")) {
                (Some(said), _) => Ok(Ok(said.to_owned())),
                (None, true) => Ok(Err(said)),
                (None, false) => Err(said),
            }
        })
        .await
    }

    /// Waits until no file of ours is on its way any more, and only then looks at what the API has kept: each row has come; none under
    /// two keys, as it would if a file were published twice; and hardly any twice under its one key: a request that was on its way when
    /// its sender or its receiver died is sent again.
    pub async fn all_rows_have_come(&self) {
        // Against the stream no file could slip by: each is looked for where it was before where it goes.
        let folders: Vec<String> = RUNNING
            .iter()
            .flat_map(|step| {
                ["claimed", "ready", "published"].map(|folder| format!("{STEPS}/{step}/{folder}"))
            })
            .collect();
        let look = format!(
            "find $MLPIPELINE_STORAGE/inbox {} -name '*marks-*' 2>/dev/null || true",
            folders.join(" ")
        );
        // How many files there are depends on how many kills met nobody at work, so what is bounded is the time without progress.
        let mut left = usize::MAX;
        while left > 0 {
            left = wait_until("a file less is on its way", TIMEOUT, async || {
                let files = self.shell(&look).await?;
                let now = files.lines().count();
                if now < left { Ok(now) } else { Err(format!("{now} files: {files}")) }
            })
            .await;
        }
        let failed = self.shell(&format!("ls {STEPS}/*/failed")).await.unwrap_or_default();
        assert!(!failed.contains("marks-"), "{failed}");

        let kept =
            self.shell(&format!("cat {RECEIVED}/*")).await.unwrap_or_else(|problem| panic!("{problem}"));
        let received = marks(&kept);
        let wanted: BTreeSet<String> = (0..self.drops)
            .flat_map(|drop| (1..=FILES).map(move |file| (drop, file)))
            .flat_map(|(drop, file)| (1..=ROWS).map(move |row| format!("{drop}-{file}-{row}")))
            .collect();
        let lost: Vec<&String> = wanted.iter().filter(|mark| !received.contains_key(*mark)).collect();
        assert!(lost.is_empty(), "{} of {} rows were lost: {lost:?}", lost.len(), wanted.len());
        let doubled: Vec<_> = received.iter().filter(|(_, keys)| keys.len() > 1).collect();
        assert!(doubled.is_empty(), "rows were sent as if they were others: {doubled:?}");
        let again: usize = received.values().flat_map(BTreeMap::values).map(|count| count - 1).sum();
        assert!(again <= self.kills, "{again} rows came again, of one kill each at most one: {}", self.kills);
    }
}

/// How often each marked row has come to the API, by its key.
fn marks(kept: &str) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut received: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for line in kept.lines() {
        if let (Some((key, _)), Some((_, mark))) = (line.split_once(' '), line.split_once("/mark/")) {
            let mark = mark.trim_end_matches(['"', '}']).to_owned();
            *received.entry(mark).or_default().entry(key.to_owned()).or_default() += 1;
        }
    }
    received
}

/// The listing is a Job of its schedule, and over in a moment. Here the first pod of such a Job stops before its last command, and
/// is deleted with half of its work done: nobody takes the half, and another pod writes it all.
async fn a_listing_is_written_though_its_pod_is_deleted(namespace: &Namespace) {
    let mut job = namespace.get("cronjob/k8s-pipe-listing")["spec"]["jobTemplate"].take();
    job["apiVersion"] = "batch/v1".into();
    job["kind"] = "Job".into();
    job["metadata"]["name"] = "listing-now".into();
    let script = &mut job["spec"]["template"]["spec"]["containers"][0]["command"][2];
    let last = "mv \"$inbox";
    let stop = "cut=\"$MLPIPELINE_STORAGE/cut\"; [ -e \"$cut\" ] || { touch \"$cut\"; exec sleep 1000; }";
    let stopped = script.as_str().expect("a script").replace(last, &format!("{stop}\n{last}"));
    assert_ne!(*script, stopped.as_str(), "the script's last command is another now");
    *script = stopped.into();
    let file = tempfile::NamedTempFile::with_suffix(".json").expect("a temporary file");
    std::fs::write(file.path(), job.to_string()).expect("the Job is written");
    namespace.kubectl(&["create", "-f", &file.path().display().to_string()]);

    wait_until("half of the listing is written", TIMEOUT, async || {
        let look = "ls -A $MLPIPELINE_STORAGE/cut $MLPIPELINE_STORAGE/inbox/.listing-*";
        namespace.try_kubectl(&["exec", "deployment/k8s-pipe-api", "--", "sh", "-c", look])
    })
    .await;
    let pods = || namespace.kubectl(&["get", "pods", "-l", "job-name=listing-now", "-o", "name"]);
    let first = pods();
    namespace.kubectl(&["delete", first.trim(), "--force", "--grace-period=0"]);
    namespace.kubectl(&["wait", "--for=condition=Complete", "job/listing-now", "--timeout=180s"]);
    let second = pods();
    assert!(!second.is_empty() && !second.contains(first.trim()), "{first} was deleted, and {second} ended");
    // It is ours, and goes with no pipeline.
    namespace.kubectl(&["delete", "job", "listing-now", "--wait"]);
}

async fn several_pods_answer(namespace: &Namespace) {
    wait_until("more than one pod of the API has answered", TIMEOUT, async || {
        let log = namespace.try_logs("post")?;
        let pods: BTreeSet<&str> =
            log.split("k8s-pipe-api-").skip(1).filter_map(|rest| rest.get(..16)).collect();
        if pods.len() > 1 { Ok(()) } else { Err(log) }
    })
    .await;
}
