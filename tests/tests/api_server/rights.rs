//! S8: the operator's Role holds what it does and nothing else (`witness.rs` sees to the same in every other test); and what happens where a verb of it is missing.

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ListParams, Patch, PatchParams};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};
use super::shipped_roles::{rights_without, shipped_role};
use super::specs::{chain, chain_of_crash_course, crash_course, storage};
use super::witness::{Right, asked_for, shipped_rights};

/// Rights without which the API server denies a call that its audit log records under another verb: an apply of an object that
/// does not exist yet, and a child that blocks its owner's deletion.
fn implied() -> impl Iterator<Item = (&'static str, &'static str)> {
    let applied = ChildKind::ALL.into_iter().filter(|kind| kind.is_applied());
    applied.map(|kind| ("create", kind.plural())).chain([("update", "mlpipelines/finalizers")])
}

/// A container that runs all the time.
fn workload(kind: &str) -> Value {
    let run = json!({"image": "none", "workload": kind, "ports": [{"name": "http", "port": 80}]});
    json!({"storage": storage(), "steps": [{"name": "w", "run": run}]})
}

#[tokio::test]
async fn s8_what_the_operator_does_and_what_its_role_says_are_the_same() {
    let bed = Bed::new("rights-equal").await;
    let since = bed.control_plane.audit().position().await;
    let _operator = bed.start(&["--leader-elect"]);
    bed.apply("iris", &crash_course()).await;
    bed.condition("iris", "Ready", "True").await;
    // Runs all the time in each way, and then not at all: everything is applied and deleted once.
    for kind in ["StatefulSet", "DaemonSet", "Deployment", "Job"] {
        bed.apply("iris", &workload(kind)).await;
        bed.condition("iris", "Ready", "True").await;
    }
    let job = bed.names::<Job>().await.pop().unwrap();
    let bare = Patch::Merge(json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}}));
    bed.api::<Job>().patch(&job, &PatchParams::default(), &bare).await.unwrap();
    let query = bed.control_plane.audit().query().since(since).user(bed.operator.username());
    for (verb, resource) in [("update", "leases"), ("patch", "jobs")] {
        wait_until(&format!("{verb} {resource}"), LONG, async || {
            let seen = query.clone().resource(resource).verb(verb).events().await;
            if seen.is_empty() { Err("none".to_owned()) } else { Ok(()) }
        })
        .await;
    }
    let events = query.events().await;
    let refused: Vec<_> = events.iter().filter(|event| event.response_status.code == 403).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let seen = asked_for(bed.control_plane, bed.operator.username(), since).await;
    let allowed = shipped_rights();
    let beyond: Vec<_> = seen.difference(&allowed).collect();
    assert!(beyond.is_empty(), "done and not in the role: {beyond:?}");
    let unseen: BTreeSet<Right> = allowed.difference(&seen).cloned().collect();
    let implied = implied().map(|(verb, resource)| (verb.to_owned(), resource.to_owned()));
    assert_eq!(unseen, implied.collect::<BTreeSet<Right>>(), "in the role and never done");
}

#[tokio::test]
async fn a_missing_right_is_named_with_the_role_to_fix_and_granting_it_is_enough() {
    let bed = Bed::new("rights-missing").await;
    let _operator = bed.start(&[]);
    let written = [("create", "jobs"), ("patch", "services"), ("delete", "services")];
    for (at, (verb, resource)) in implied().chain(written).enumerate() {
        bed.limit_rights(rights_without(verb, resource)).await;
        let name = format!("p{at}");
        let spec = match resource {
            "statefulsets" => workload("StatefulSet"),
            "daemonsets" => workload("DaemonSet"),
            "jobs" => chain(1),
            _ => crash_course(),
        };
        bed.apply(&name, &spec).await;
        if verb == "delete" {
            bed.condition(&name, "Ready", "True").await;
            bed.apply(&name, &chain_of_crash_course(1)).await;
        }
        let message = bed.until_not_ready(&name, "Forbidden").await;
        let said = if verb == "update" { "finalizers".to_owned() } else { format!("cannot {verb} resource") };
        assert!(
            message.contains(&said) && message.contains("operator-role.yaml"),
            "{verb} {resource}: {message}"
        );
        assert_eq!(bed.condition(&name, "Stalled", "True").await.0, "Forbidden");
        bed.limit_rights(shipped_role().rules.unwrap()).await;
        bed.condition(&name, "Ready", "True").await;
        bed.pipelines().delete(&name, &Default::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_kind_that_cannot_be_listed_blocks_only_the_pipelines_that_need_it() {
    let bed = Bed::new("rights-blind").await;
    bed.limit_rights(rights_without("list", "ingresses")).await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.apply("chain", &chain(2)).await;
    bed.condition("chain", "Ready", "True").await;
    let message = bed.until_not_ready("iris", "Forbidden").await;
    for part in ["list and watch of ingresses", "cannot list resource", "operator-role.yaml"] {
        assert!(message.contains(part), "{message}");
    }
    let events = bed.api::<Event>().list(&ListParams::default()).await.unwrap();
    assert!(events.iter().any(|event| event.reason.as_deref() == Some("Forbidden")), "{events:?}");
    bed.limit_rights(shipped_role().rules.unwrap()).await;
    bed.condition("iris", "Ready", "True").await;
}

/// The list is complete, and a watch that is allowed again reports nothing by itself.
#[tokio::test]
async fn a_watch_that_is_denied_and_granted_again_blocks_only_the_pipelines_that_need_it() {
    let bed = Bed::new("rights-unwatched").await;
    bed.limit_rights(rights_without("watch", "ingresses")).await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    bed.apply("chain", &chain(2)).await;
    let message = bed.until_not_ready("iris", "Forbidden").await;
    assert!(message.contains("cannot watch resource") && message.contains("operator-role.yaml"), "{message}");
    bed.condition("chain", "Ready", "True").await;
    bed.limit_rights(shipped_role().rules.unwrap()).await;
    bed.condition("iris", "Ready", "True").await;
}

#[tokio::test]
async fn a_status_that_cannot_be_written_is_reported_by_an_event() {
    let bed = Bed::new("rights-status").await;
    bed.limit_rights(rights_without("patch", "mlpipelines/status")).await;
    let _operator = bed.start(&[]);
    bed.apply("chain", &chain(1)).await;
    wait_until("an event", LONG, async || {
        let events = bed.api::<Event>().list(&ListParams::default()).await.unwrap();
        let found = events.iter().find(|event| event.reason.as_deref() == Some("Forbidden"));
        let note = found.and_then(|event| event.note.clone()).ok_or("none")?;
        if note.contains("mlpipelines/status") { Ok(()) } else { Err(note) }
    })
    .await;
    bed.limit_rights(shipped_role().rules.unwrap()).await;
    bed.condition("chain", "Ready", "True").await;
}
