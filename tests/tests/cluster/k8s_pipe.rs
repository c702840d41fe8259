//! Scenario 3: files that come each minute, on their way through continuous steps to an API of several replicas.

use std::collections::{BTreeMap, BTreeSet};

use mlpipeline_tests::wait_until;

use crate::bed::{Namespace, PATIENCE, kubectl, sample};

pub const CONTINUOUS: [&str; 3] = ["csv", "ndjson", "post"];

#[tokio::test]
async fn scenario_3_every_row_of_every_listing_is_posted_across_the_death_of_each_step() {
    let namespace = Namespace("k8s-pipe");
    apply(&namespace);

    // Files of our own, each row with a mark that says which it is, while each step in turn loses its pod.
    for (number, step) in CONTINUOUS.iter().enumerate() {
        drop_listing(&namespace, number).await;
        let selector = format!("mlpipeline.dev/step={step}");
        namespace.kubectl(&["delete", "pods", "-l", &selector, "--force", "--grace-period=0"]);
    }
    all_rows_are_posted(&namespace, 2).await;
    several_pods_answer(&namespace).await;
    namespace.delete().await;
}

const ROWS: usize = 40;

/// Applies the sample and waits until it is Ready.
pub fn apply(namespace: &Namespace) {
    for file in ["namespace.yaml", "configmap.yaml", "pipeline.yaml"] {
        kubectl(&["apply", "-f", &sample(&format!("k8s-pipe/{file}"))]);
    }
    namespace.wait_ready(&["k8s-pipe"]);
}

/// Waits until each row of a listing for each continuous step has come to the API, and checks that hardly any came twice: a row
/// whose answer was under way when its sender died is sent again, under the same key; no file is.
pub async fn all_rows_are_posted(namespace: &Namespace, most_again: usize) {
    let posted = wait_until("all rows of all listings have come to the API", PATIENCE, async || {
        let posted = posted(namespace)?;
        let wanted = CONTINUOUS.len() * ROWS;
        if posted.len() == wanted { Ok(posted) } else { Err(format!("{} of {wanted} rows", posted.len())) }
    })
    .await;
    let again: usize = posted.values().map(|count| count - 1).sum();
    assert!(again <= most_again, "{again} rows were sent twice: {posted:?}");
}

/// Leaves a listing in the inbox, as the step of the sample does.
pub async fn drop_listing(namespace: &Namespace, number: usize) {
    let script = format!(
        "inbox=$MLPIPELINE_STORAGE/inbox; mkdir -p $inbox
         for row in $(seq {ROWS}); do
           echo \"-r--r--r-- 1 root root 0 Mar 19 23:57 /mark/{number}-$row\"
         done > $inbox/.marks-{number}.txt && mv $inbox/.marks-{number}.txt $inbox/marks-{number}.txt"
    );
    // Every pod of the pipeline has its volume.
    wait_until("the listing is written", PATIENCE, async || {
        namespace.try_kubectl(&["exec", "deployment/k8s-pipe-api", "--", "sh", "-ec", &script])
    })
    .await;
}

/// How often each marked row has come to the API, which prints what it is sent.
fn posted(namespace: &Namespace) -> Result<BTreeMap<String, usize>, String> {
    let mut rows = BTreeMap::new();
    for line in namespace.try_logs("api")?.lines() {
        if let Some((_, mark)) = line.split_once("/mark/") {
            *rows.entry(mark.trim_end_matches(['"', '}']).to_owned()).or_default() += 1;
        }
    }
    Ok(rows)
}

async fn several_pods_answer(namespace: &Namespace) {
    wait_until("more than one pod of the API has answered", PATIENCE, async || {
        let log = namespace.try_logs("post")?;
        let pods: BTreeSet<&str> =
            log.split("k8s-pipe-api-").skip(1).filter_map(|rest| rest.get(..16)).collect();
        if pods.len() > 1 { Ok(()) } else { Err(log) }
    })
    .await;
}
