//! Which pipelines a change affects, and what an index holds.

use super::*;
use k8s_openapi::api::core::v1::ConfigMap;

fn object(name: &str, pipeline: &str, uid: &str, version: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.into()),
            namespace: Some("ns".into()),
            uid: Some(uid.into()),
            resource_version: Some(version.into()),
            labels: Some(BTreeMap::from([(label::PIPELINE.into(), pipeline.into())])),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

fn key(label: &str) -> PipelineKey {
    PipelineKey { namespace: "ns".into(), label: label.into() }
}

fn list(index: &Index<ConfigMap>, objects: Vec<ConfigMap>) -> BTreeSet<PipelineKey> {
    index.apply_event(Event::Init);
    for object in objects {
        index.apply_event(Event::InitApply(object));
    }
    index.apply_event(Event::InitDone)
}

#[test]
fn l6_a_relist_affects_pipelines_whose_objects_came_changed_or_went_and_no_others() {
    let index = Index::default();
    assert!(!index.is_listed());
    let all = vec![object("1", "a", "u1", "5"), object("2", "b", "u2", "6"), object("3", "c", "u3", "7")];
    assert_eq!(list(&index, all), BTreeSet::from([key("a"), key("b"), key("c")]));
    assert!(index.is_listed());
    let later = vec![object("1", "a", "u1", "5"), object("2", "b", "u2", "9"), object("4", "d", "u4", "8")];
    assert_eq!(list(&index, later), BTreeSet::from([key("b"), key("c"), key("d")]));
    assert!(index.of(&key("c")).is_empty());
}

#[test]
fn an_older_state_never_hides_the_response_to_a_write() {
    let index = Index::default();
    index.insert(object("1", "a", "u1", "10"));
    assert_eq!(index.apply_event(Event::Apply(object("1", "a", "u1", "9"))), BTreeSet::new());
    assert_eq!(index.of(&key("a"))[0].metadata.resource_version.as_deref(), Some("10"));
    index.apply_event(Event::Delete(object("1", "a", "older", "4")));
    assert_eq!(index.len(), 1);
    index.apply_event(Event::Delete(object("1", "a", "u1", "11")));
    assert!(index.is_empty());
}

#[test]
fn a_change_of_dropped_fields_affects_nobody_and_its_version_is_stored() {
    let index = Index::default();
    assert_eq!(index.apply_event(Event::Apply(object("1", "a", "u1", "5"))), BTreeSet::from([key("a")]));
    assert_eq!(index.apply_event(Event::Apply(object("1", "a", "u1", "6"))), BTreeSet::new());
    assert_eq!(index.of(&key("a"))[0].metadata.resource_version.as_deref(), Some("6"));
    let mut changed = object("1", "a", "u1", "7");
    changed.data = Some(BTreeMap::from([("k".into(), "v".into())]));
    assert_eq!(index.apply_event(Event::Apply(changed)), BTreeSet::from([key("a")]));
}

#[test]
fn an_object_that_changes_its_pipeline_affects_both() {
    let index = Index::default();
    index.apply_event(Event::Apply(object("1", "a", "u1", "1")));
    let affected = index.apply_event(Event::Apply(object("1", "b", "u1", "2")));
    assert_eq!(affected, BTreeSet::from([key("a"), key("b")]));
    assert!(index.of(&key("a")).is_empty());
    assert_eq!(index.len(), 1);
}

fn bare(name: &str, uid: &str, version: &str) -> ConfigMap {
    let mut bare = object(name, "", uid, version);
    bare.metadata.labels = None;
    bare
}

/// The watch selects by another label than the pipeline's: such an object is reported as changed, and later as deleted.
#[test]
fn l6_an_object_that_loses_its_pipeline_label_affects_it_and_is_dropped() {
    let index = Index::default();
    index.apply_event(Event::Apply(object("1", "a", "u1", "1")));
    assert_eq!(index.apply_event(Event::Apply(bare("1", "u1", "2"))), BTreeSet::from([key("a")]));
    assert!(index.of(&key("a")).is_empty() && index.owner_key("ns", "1").is_none());
    assert_eq!(index.apply_event(Event::Delete(bare("1", "u1", "3"))), BTreeSet::new());
}

#[test]
fn an_object_that_is_deleted_without_its_label_is_found_by_its_name() {
    let index = Index::default();
    index.apply_event(Event::Apply(object("1", "a", "u1", "1")));
    assert_eq!(index.apply_event(Event::Delete(bare("1", "u1", "3"))), BTreeSet::from([key("a")]));
    assert!(index.is_empty());
}

#[test]
fn a_late_event_of_a_lost_label_hides_neither_the_restored_object_nor_a_successor() {
    let index = Index::default();
    index.insert(object("1", "a", "u1", "9"));
    assert_eq!(index.apply_event(Event::Apply(bare("1", "u1", "5"))), BTreeSet::new());
    assert_eq!(index.apply_event(Event::Apply(bare("1", "u0", "4"))), BTreeSet::new());
    assert_eq!(index.apply_event(Event::Apply(object("1", "b", "u1", "8"))), BTreeSet::new());
    assert_eq!(index.of(&key("a")).len(), 1);
}

#[test]
fn a_list_does_not_go_back_behind_the_response_to_a_newer_write() {
    let index = Index::default();
    list(&index, vec![object("1", "a", "u1", "5")]);
    index.apply_event(Event::Init);
    index.apply_event(Event::InitApply(object("1", "a", "u1", "5")));
    index.insert(object("1", "a", "u1", "7"));
    assert_eq!(index.apply_event(Event::InitDone), BTreeSet::new());
    assert_eq!(index.of(&key("a"))[0].metadata.resource_version.as_deref(), Some("7"));
}
