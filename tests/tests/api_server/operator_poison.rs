//! S11: whatever resources and children say that the API server lets them say, the operator continues, and so do other pipelines.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{ListParams, Patch, PatchParams};
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};
use super::specs::{chain, crash_course};

/// Last words that no worker of ours says.
fn odd_words() -> Vec<String> {
    let deep = format!("{}1{}", "[".repeat(2000), "]".repeat(2000));
    [
        "",
        "null",
        "{",
        "done",
        "{\"outcome\": 5}",
        "{\"outcome\": \"Succeeded\", \"revision\": \"../..\", \"metrics\": {\"a\": 1e999}}",
        "{\"outcome\": \"Succeeded\", \"rows\": -1}",
        "\u{0}\u{202e}é\u{1f4a9}",
        &"x".repeat(4096),
        &deep,
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Whether the programs of a bed have panicked.
fn panicked(bed: &Bed) -> bool {
    std::fs::read_to_string(bed.log_file()).unwrap().contains("panicked")
}

/// Seen to fail with an operator that unwraps what it reads of a report.
#[tokio::test]
async fn s11_odd_last_words_of_pods_are_told_and_harm_nobody_else() {
    let bed = Bed::new("poison-words").await;
    let mut operator = bed.start(&["--concurrency", "1"]);
    let words = odd_words();
    let mut poisoned = Vec::new();
    for (at, words) in words.iter().enumerate() {
        for code in [0, 3] {
            let step = format!("p{at}-{code}");
            bed.script().ends.insert(step.clone(), (code, words.clone()));
            let run = json!({"steps": [{"name": step, "retries": 0, "run": {"image": "none"}}]});
            bed.apply(&format!("poison-{step}"), &run).await;
            poisoned.push(format!("poison-{step}"));
        }
    }
    for name in &poisoned {
        wait_until(&format!("a word about {name}"), LONG, async || {
            let status = bed.pipelines().get(name).await.map_err(|error| error.to_string())?.status;
            let status = status.unwrap_or_default();
            let settled = |now: &&_| {
                let condition: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition = now;
                condition.status == "True" && ["Ready", "Stalled"].contains(&condition.type_.as_str())
            };
            let said = status.conditions.iter().find(settled).is_some();
            if said { Ok(()) } else { Err(serde_json::to_string(&status).unwrap()) }
        })
        .await;
    }
    bed.apply("healthy", &chain(2)).await;
    bed.condition("healthy", "Ready", "True").await;
    assert!(operator.try_wait().unwrap().is_none() && !panicked(&bed));
}

/// Puts garbage into all annotations of ours, or odd words into all labels, as far as the API server takes them.
async fn garble<K>(bed: &Bed, garbage: &Value, labels: bool)
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let ours = ListParams::default().labels("mlpipeline.dev/pipeline=iris");
    for object in bed.api::<K>().list(&ours).await.unwrap() {
        let of_ours = |keys: &BTreeMap<String, String>, value: &Value| -> Value {
            let ours = keys.keys().filter(|key| key.starts_with("mlpipeline.dev/"));
            ours.map(|key| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into()
        };
        let marks = match labels {
            false => json!({"annotations": of_ours(object.annotations(), garbage)}),
            true => json!({"labels": of_ours(object.labels(), &json!("Odd_1.-x"))}),
        };
        let garbled = Patch::Merge(json!({"metadata": marks}));
        match bed.api::<K>().patch(&object.name_any(), &PatchParams::default(), &garbled).await {
            Ok(_) => {}
            // A pod of a Deployment whose own marks were changed before has gone meanwhile.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => panic!("{}: {error}", object.name_any()),
        }
    }
}

/// Seen to fail with an operator that unwraps the fingerprint that it reads of a Job's annotation.
#[tokio::test]
async fn s11_garbled_marks_of_children_and_odd_marks_of_a_resource_are_lived_through() {
    let bed = Bed::new("poison-marks").await;
    let mut operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    let large = "é{\u{202e}".repeat(20_000);
    let marks = json!({"annotations": {"mlpipeline.dev/applied": large, "kubectl.kubernetes.io/x": "{"}, "labels": {
        "mlpipeline.dev/pipeline": "other", "mlpipeline.dev/step": "", "app.kubernetes.io/managed-by": "nobody",
    }, "finalizers": ["their.org/hold"]});
    let odd = Patch::Merge(json!({ "metadata": marks }));
    bed.pipelines().patch("iris", &PatchParams::default(), &odd).await.unwrap();
    let garbage = [json!("{"), json!("null"), json!("\u{202e}é"), json!("[".repeat(5000)), json!(null)];
    // Annotations first: what has odd labels is no longer found.
    for (garbage, labels) in garbage.iter().map(|garbage| (garbage, false)).chain([(&json!(null), true)]) {
        garble::<Job>(&bed, garbage, labels).await;
        garble::<Pod>(&bed, garbage, labels).await;
        garble::<CronJob>(&bed, garbage, labels).await;
        garble::<Deployment>(&bed, garbage, labels).await;
        bed.apply("healthy", &chain(1)).await;
        bed.condition("healthy", "Ready", "True").await;
        bed.pipelines().delete("healthy", &Default::default()).await.unwrap();
    }
    assert!(operator.try_wait().unwrap().is_none() && !panicked(&bed));
    // What its pods reported is lost: a rerun is all that it needs.
    let mut again = crash_course();
    again["steps"][0]["rerun"] = json!("again");
    again["steps"][1]["rerun"] = json!("again");
    bed.apply("iris", &again).await;
    bed.condition("iris", "Ready", "True").await;
    let released = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    bed.pipelines().patch("iris", &PatchParams::default(), &released).await.unwrap();
}
