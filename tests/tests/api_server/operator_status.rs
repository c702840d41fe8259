//! S6: the conditions in every version of a resource that its watchers get to see.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use kube::api::{WatchEvent, WatchParams};
use mlpipeline_crds::{MLPipeline, StepReport};
use mlpipeline_tests::wait_until;
use serde_json::json;
use tokio::task::JoinHandle;

use super::operator_bed::{Bed, LONG};
use super::specs::chain;

/// Every version of all pipelines of a bed, from now on.
struct Versions {
    seen: Arc<Mutex<Vec<MLPipeline>>>,
    watching: JoinHandle<()>,
}

impl Versions {
    async fn watch(bed: &Bed) -> Self {
        let seen: Arc<Mutex<Vec<MLPipeline>>> = Arc::default();
        let mut events = bed.pipelines().watch(&WatchParams::default(), "0").await.unwrap().boxed();
        let store = Arc::clone(&seen);
        let watching = tokio::spawn(async move {
            while let Some(Ok(event)) = events.next().await {
                if let WatchEvent::Added(pipeline) | WatchEvent::Modified(pipeline) = event {
                    store.lock().unwrap().push(pipeline);
                }
            }
        });
        Self { seen, watching }
    }

    /// All up to the one of now.
    async fn end(self, bed: &Bed, name: &str) -> Vec<MLPipeline> {
        let last = bed.pipelines().get(name).await.unwrap().metadata.resource_version;
        wait_until("the last version", LONG, async || {
            let seen = self.seen.lock().unwrap();
            let is_last = seen.iter().any(|pipeline| pipeline.metadata.resource_version == last);
            if is_last { Ok(()) } else { Err(format!("{} versions", seen.len())) }
        })
        .await;
        self.watching.abort();
        self.seen.lock().unwrap().clone()
    }
}

/// A condition's status and the time of its last transition.
type Conditions = BTreeMap<String, (String, String)>;

fn conditions(pipeline: &MLPipeline) -> Conditions {
    let status = pipeline.status.clone().unwrap_or_default();
    for condition in &status.conditions {
        assert_eq!(condition.observed_generation, status.observed_generation, "{}", condition.type_);
    }
    let conditions = status.conditions.into_iter();
    conditions.map(|now| (now.type_, (now.status, format!("{:?}", now.last_transition_time)))).collect()
}

fn holds(conditions: &Conditions, kind: &str) -> bool {
    conditions.get(kind).is_some_and(|(status, _)| status == "True")
}

/// Seen to fail with an operator that moves the time with every write, with one that keeps Reconciling beside Stalled, and with
/// one that says Ready of a generation before its work is done.
#[tokio::test]
async fn s6_conditions_are_of_their_generation_never_contradict_and_change_their_time_with_their_status() {
    let bed = Bed::new("status-conditions").await;
    let _operator = bed.start(&[]);
    let versions = Versions::watch(&bed).await;
    let (good, longer) = (chain(2), chain(3));
    let mut wrong = chain(2);
    wrong["steps"][1]["after"] = json!(["nobody"]);
    let mut suspended = longer.clone();
    suspended["suspend"] = json!(true);
    let mut failing = longer.clone();
    failing["steps"][2]["rerun"] = json!("fails");
    failing["steps"][2]["retries"] = json!(0);
    let mut fixed = longer.clone();
    fixed["steps"][2]["rerun"] = json!("goes well");
    let life = [
        (&good, "Ready"),
        (&wrong, "Stalled"),
        (&longer, "Ready"),
        (&suspended, "Suspended"),
        (&longer, "Ready"),
        (&failing, "Stalled"),
        (&fixed, "Ready"),
    ];
    for (spec, outcome) in life {
        let report = StepReport::failed("Broken", "it broke");
        let ends = BTreeMap::from([("s2".to_owned(), (2, report.to_json()))]);
        bed.script().ends = if spec == &failing { ends } else { BTreeMap::new() };
        bed.apply("chain", spec).await;
        bed.condition("chain", outcome, "True").await;
    }
    let versions = versions.end(&bed, "chain").await;
    let (mut before, mut first_words) = (Conditions::new(), BTreeMap::new());
    for pipeline in &versions {
        let now = conditions(pipeline);
        assert!(!(holds(&now, "Reconciling") && holds(&now, "Stalled")), "{pipeline:#?}");
        assert!(!(holds(&now, "Ready") && (holds(&now, "Reconciling") || holds(&now, "Stalled"))), "{now:?}");
        for (kind, (status, time)) in &now {
            if let Some((status_before, time_before)) = before.get(kind)
                && status == status_before
            {
                assert_eq!(time, time_before, "{kind} was {status} before");
            }
        }
        let observed = pipeline.status.as_ref().and_then(|status| status.observed_generation);
        assert!(observed <= pipeline.metadata.generation);
        if observed == pipeline.metadata.generation && !now.is_empty() {
            first_words.entry(observed).or_insert_with(|| holds(&now, "Ready"));
        }
        before = now;
    }
    let first_words: Vec<bool> = first_words.into_values().collect();
    // What is suspended when all is done is as ready as before.
    assert_eq!(first_words, [false, false, false, true, true, false, false]);
}
