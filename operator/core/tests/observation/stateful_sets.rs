//! What the counts of a StatefulSet say of a roll-out.

use mlpipeline_core::observation::{Snapshot, read};
use serde_json::{Value, json};

use crate::object;

/// Pods of the newest template that are ready, and whether a roll-out is over, of three.
fn rolled(status: Value) -> (i32, bool) {
    let mut status = status;
    let all = [("replicas", 3), ("readyReplicas", 3), ("observedGeneration", 2)];
    all.iter().for_each(|(name, count)| status[*name] = json!(count));
    let set = object(json!({
        "metadata": {"name": "shop-db", "generation": 2, "labels": {"mlpipeline.dev/step": "db"}},
        "spec": {"replicas": 3, "selector": {}, "template": {}, "serviceName": "shop-db"},
        "status": status,
    }));
    let observed = read(&Snapshot { stateful_sets: vec![set], ..Snapshot::default() });
    let found = observed.steps["db"].long_running.clone().expect("a workload");
    (found.updated_ready, found.settled)
}

#[test]
fn d1_a_set_that_adopted_pods_of_an_earlier_template_is_not_rolled_out_before_they_are_replaced() {
    let named = |current: &str, update: &str| json!({"currentRevision": current, "updateRevision": update});
    let counted = |mut status: Value, current: i32, updated: i32| {
        status["currentReplicas"] = json!(current);
        status["updatedReplicas"] = json!(updated);
        rolled(status)
    };
    assert_eq!(counted(named("old", "new"), 2, 1), (1, false));
    assert_eq!(counted(named("new", "new"), 3, 3), (3, true));
    assert_eq!(counted(named("new", "new"), 3, 0), (3, true), "it may count no updated pods once it is over");
    assert_eq!(counted(named("new", "new"), 1, 1), (1, false), "two were adopted");
}
