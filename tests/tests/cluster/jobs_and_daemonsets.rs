//! Scenario 4: Jobs and DaemonSets.

use std::collections::BTreeSet;
use std::time::Duration;

use mlpipeline_tests::wait_until;
use serde_json::json;

use crate::bed::{Namespace, TIMEOUT, kubectl, own_node, sample};

/// How long bad luck may last: the Job controller's pause doubles with each failure in a row, and six in a row take 630 s.
const CHANCE_TIMEOUT: Duration = Duration::from_secs(900);

#[tokio::test]
async fn scenario_4_jobs_and_daemon_sets() {
    let lesson = Namespace("jobs-lesson");
    kubectl(&["apply", "-k", &sample("jobs-and-daemonsets")]);
    lesson.wait_ready(&["pi", "parts", "numbers", "clock", "logs", "compressor"]);
    lesson.wait_ready_within(CHANCE_TIMEOUT, &["chance"]);

    a_single_process(&lesson);
    six_completions_two_at_a_time(&lesson);
    a_number_for_each_completion(&lesson);
    a_work_queue(&lesson);
    a_daemon_reached_by_the_nodes_address(&lesson).await;
    a_daemon_that_meets_pods_in_a_folder(&lesson).await;
    // On another cluster this machine's folders are not the node's, and `make e2e` says that this is left out.
    if own_node() {
        a_folder_of_the_node_where_the_platform_team_allows_it(&lesson).await;
    }
    a_schedule_suspended_and_resumed(&lesson).await;
    // It is the platform team's, which keeps it: it is gone once nobody claims it.
    kubectl(&["delete", "persistentvolume", "node-folder", "--wait=false", "--ignore-not-found"]);
    lesson.kubectl(&["delete", "mlp", "node-logs", "--wait", "--ignore-not-found"]);
    lesson.kubectl(&["delete", "persistentvolumeclaim", "node-folder", "--wait=false", "--ignore-not-found"]);
    lesson.delete().await;
}

fn a_single_process(lesson: &Namespace) {
    let digits: String = lesson.logs("digits").replace(['\\', '\n'], "");
    assert!(digits.starts_with("3.14159265358979"), "{digits}");
    assert_eq!(digits.len(), 2002);
    let job = lesson.get(&format!("job/{}", lesson.jobs("digits")[0]));
    assert_eq!(job["spec"]["template"]["spec"]["restartPolicy"], "OnFailure");
}

fn six_completions_two_at_a_time(lesson: &Namespace) {
    let job = lesson.get(&format!("job/{}", lesson.jobs("check")[0]));
    assert_eq!((&job["spec"]["completions"], &job["spec"]["parallelism"]), (&json!(6), &json!(2)));
    assert_eq!(job["status"]["succeeded"], 6);
    let logs = lesson.logs("check");
    assert_eq!(logs.lines().filter(|line| line.starts_with("SUCCESS")).count(), 6, "{logs}");
}

fn a_number_for_each_completion(lesson: &Namespace) {
    let logs = lesson.logs("part");
    let parts: BTreeSet<&str> = logs.lines().collect();
    assert_eq!(parts, BTreeSet::from(["part 0 of 3", "part 1 of 3", "part 2 of 3"]));
}

/// Each number was handed out once, and each worker stopped when the queue was empty.
fn a_work_queue(lesson: &Namespace) {
    let job = lesson.get(&format!("job/{}", lesson.jobs("multiplier")[0]));
    assert_eq!(job["spec"]["parallelism"], 3);
    assert_eq!(job["status"]["succeeded"], 3);
    let logs = lesson.logs("multiplier");
    let mut numbers: Vec<u32> = logs.lines().filter_map(|line| line.parse().ok()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=100).map(|number| number * 2).collect::<Vec<_>>(), "{logs}");
}

async fn a_daemon_reached_by_the_nodes_address(lesson: &Namespace) {
    let pods = lesson.kubectl(&["get", "pods", "-l", "mlpipeline.dev/step=client", "-o", "name"]);
    let clients: BTreeSet<&str> = pods
        .lines()
        .filter_map(|name| name.strip_prefix("pod/"))
        .filter(|name| name.starts_with("logs-"))
        .collect();
    assert_eq!(clients.len(), 2, "{pods}");
    wait_until("the daemon has heard of both clients", TIMEOUT, async || {
        let log = lesson.try_kubectl(&["exec", "daemonset/logs-daemon", "--", "cat", "/tmp/node_log"])?;
        if clients.iter().all(|client| log.contains(&format!("from {client}"))) { Ok(()) } else { Err(log) }
    })
    .await;
}

async fn a_daemon_that_meets_pods_in_a_folder(lesson: &Namespace) {
    let archive = wait_until("a log is packed", TIMEOUT, async || {
        let files = lesson.kubectl(&["exec", "daemonset/compressor-daemon", "--", "ls", "/storage/logs"]);
        files.lines().find(|file| file.ends_with(".tar.gz")).map(str::to_owned).ok_or(files)
    })
    .await;
    let path = format!("/storage/logs/{archive}");
    let packed = lesson.kubectl(&["exec", "daemonset/compressor-daemon", "--", "tar", "-tzf", &path]);
    assert_eq!(packed.trim(), archive.trim_end_matches(".tar.gz"));
}

async fn a_folder_of_the_node_where_the_platform_team_allows_it(lesson: &Namespace) {
    let folder = std::path::Path::new("/var/tmp/mlpipeline-node-folder");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir(folder).expect("the folder of the node is made");
    std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o1777))
        .expect("it is open");
    kubectl(&["apply", "-f", &sample("jobs-and-daemonsets/node-folder.yaml")]);
    lesson.wait_ready(&["node-logs"]);
    wait_until("the daemon has packed what the client left", TIMEOUT, async || {
        let log = lesson.try_kubectl(&["logs", "daemonset/node-logs-daemon"])?;
        if log.contains("packed /storage/client.log") { Ok(()) } else { Err(log) }
    })
    .await;
    assert!(folder.join("client.log.gz").is_file(), "it is the node's own folder");
    std::fs::remove_dir_all(folder).expect("the folder is removed");
}

async fn a_schedule_suspended_and_resumed(lesson: &Namespace) {
    let suspended = async |wanted: bool| {
        let patch = json!({"spec": {"suspend": wanted}}).to_string();
        lesson.kubectl(&["patch", "mlp", "clock", "--type", "merge", "--patch", &patch]);
        wait_until("the CronJob follows", TIMEOUT, async || {
            match &lesson.get("cronjob/clock-simple")["spec"]["suspend"] {
                now if now.as_bool().unwrap_or(false) == wanted => Ok(()),
                now => Err(now.to_string()),
            }
        })
        .await;
    };
    suspended(true).await;
    let before = (lesson.jobs("simple"), last_time(lesson, "clock-simple"));
    a_minute_begins(lesson).await;
    assert_eq!(
        (lesson.jobs("simple"), last_time(lesson, "clock-simple")),
        before,
        "it fired though suspended"
    );

    suspended(false).await;
    let new = wait_until("the schedule fires", TIMEOUT, async || {
        let jobs = lesson.jobs("simple");
        jobs.iter().find(|job| !before.0.contains(job)).cloned().ok_or_else(|| format!("{jobs:?}"))
    })
    .await;
    lesson.kubectl(&["wait", "--for=condition=Complete", &format!("job/{new}"), "--timeout=120s"]);
    assert!(lesson.kubectl(&["logs", &format!("job/{new}")]).contains("UTC"));
}

/// When a CronJob fired last; empty when it never did.
fn last_time(lesson: &Namespace, cron_job: &str) -> String {
    lesson.kubectl(&["get", "cronjob", cron_job, "-o", "jsonpath={.status.lastScheduleTime}"])
}

/// Waits until Kubernetes has seen a minute begin, by a CronJob of our own that nobody suspends: it fires once, and its Job has been
/// made.
async fn a_minute_begins(lesson: &Namespace) {
    let schedule = ["create", "cronjob", "witness", "--image=busybox:1.35", "--schedule=* * * * *"];
    lesson.kubectl(&[&schedule[..], &["--", "true"]].concat());
    wait_until("a minute begins", TIMEOUT, async || {
        let fired = lesson.kubectl(&["get", "cronjob", "witness", "-o", "jsonpath={.status.active}"]);
        if fired.is_empty() { Err("nothing has fired".to_owned()) } else { Ok(()) }
    })
    .await;
    lesson.kubectl(&["delete", "cronjob", "witness", "--wait"]);
}
