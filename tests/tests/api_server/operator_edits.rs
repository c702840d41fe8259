//! What an edit of each kind of field costs: exactly what depends on it is done again, and nothing else is written (Q3).

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use mlpipeline_tests::control_plane::AuditPosition;
use serde_json::{Value, json};

use super::operator_bed::Bed;
use super::specs::crash_course;

/// What an edit costs: for each write of a child what was written how often.
type Cost = BTreeMap<String, usize>;

/// Statuses and events that an edit may cost beside its children: begun, each step and what follows from it, done.
const MOST_REPORTS: usize = 16;

fn cost(writes: &[(&str, usize)]) -> Cost {
    writes.iter().map(|(write, count)| ((*write).to_owned(), *count)).collect()
}

/// The children of `iris` that were written since then, and how often its status and events were.
async fn costs(bed: &Bed, since: AuditPosition) -> (Cost, usize) {
    let (mut children, mut reports) = (Cost::new(), 0);
    for event in bed.writes(&bed.operator, since).await {
        let resource = event.resource();
        if !event.object_ref.name.starts_with("iris") {
            continue;
        }
        match resource.as_str() {
            "mlpipelines/status" | "events" => reports += 1,
            _ => *children.entry(format!("{} {resource}", event.verb)).or_default() += 1,
        }
    }
    (children, reports)
}

/// The edits, one after the other: where, what, and the children that this costs.
fn edits() -> Vec<(&'static str, Value, Cost)> {
    // Another model: served, and used by the runs of the schedule from now on. The report of each run is kept with its Job.
    let model = [("create jobs", 1), ("patch jobs", 1), ("patch deployments", 1), ("patch cronjobs", 1)];
    // The first apply after its creation hands the number of pods over to the autoscaler.
    let first = [("create jobs", 1), ("patch jobs", 1), ("patch deployments", 2), ("patch cronjobs", 1)];
    // The runs of the schedule read the data too, and take them up before the model that follows from them.
    let data = [("create jobs", 2), ("patch jobs", 2), ("patch deployments", 1), ("patch cronjobs", 2)];
    vec![
        ("/steps/1/train/gate/min", json!(0.8), cost(&[])),
        ("/steps/0/retries", json!(5), cost(&[])),
        ("/steps/0/timeout", json!("1h"), cost(&[])),
        ("/steps/1/pod", json!({"labels": {"team": "a"}, "resources": {"limits": {"cpu": "1"}}}), cost(&[])),
        // So many runs are kept by a CronJob itself.
        ("/history", json!(9), cost(&[("patch cronjobs", 1)])),
        ("/steps/1/train/algorithm/logisticRegression/maxIterations", json!(300), cost(&first)),
        ("/steps/1/rerun", json!("2026-11-21"), cost(&model)),
        ("/steps/0/prepare/sql", json!("SELECT DISTINCT * FROM iris"), cost(&data)),
        ("/steps/0/rerun", json!("again"), cost(&data)),
        ("/steps/2/pod/resources/requests/memory", json!("256Mi"), cost(&[("patch deployments", 1)])),
        ("/steps/2/serve/autoscaling/maxReplicas", json!(7), cost(&[("patch horizontalpodautoscalers", 1)])),
        ("/steps/2/serve/ingress/host", json!("other.example.com"), cost(&[("patch ingresses", 1)])),
        ("/steps/2/serve/service/type", json!("NodePort"), cost(&[("patch services", 1)])),
        ("/steps/3/schedule/cron", json!("0 3 * * *"), cost(&[("patch cronjobs", 1)])),
        ("/steps/3/schedule/suspend", json!(true), cost(&[("patch cronjobs", 1)])),
        ("/suspend", json!(true), cost(&[])),
        ("/suspend", json!(false), cost(&[])),
    ]
}

fn put(spec: &mut Value, path: &str, value: Value) {
    let (parent, field) = path.rsplit_once('/').expect("a path");
    spec.pointer_mut(parent).expect(path)[field] = value;
}

/// Seen to fail with an operator for which retries change what a step means.
#[tokio::test]
async fn q3_an_edit_of_each_kind_of_field_does_again_what_depends_on_it_and_nothing_else() {
    let bed = Bed::new("edits").await;
    let _operator = bed.start(&[]);
    let mut spec = crash_course();
    bed.apply("iris", &spec).await;
    bed.condition("iris", "Ready", "True").await;
    let begin = bed.control_plane.audit().position().await;
    let (mut total, mut wrong) = (Cost::new(), Vec::new());
    for (path, value, expected) in edits() {
        let since = bed.control_plane.audit().position().await;
        put(&mut spec, path, value.clone());
        bed.apply("iris", &spec).await;
        let is_suspended = spec["suspend"] == json!(true);
        if is_suspended {
            bed.condition("iris", "Suspended", "True").await;
        } else {
            bed.condition("iris", "Ready", "True").await;
        }
        let (children, reports) = costs(&bed, since).await;
        if children != expected || reports > MOST_REPORTS {
            wrong.push(format!("{path} = {value}: {children:?} and {reports} reports, not {expected:?}"));
        }
        for (write, count) in expected {
            *total.entry(write).or_default() += count;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Nothing came late.
    bed.passes("marker").await;
    assert_eq!(costs(&bed, begin).await.0, total);
    let runs = bed.names::<Job>().await.into_iter().filter(|name| name.starts_with("iris")).count();
    assert_eq!(runs, 2 + total["create jobs"], "all within the history");
}
