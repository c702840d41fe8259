//! S8: the shipped Role follows the table of child kinds.

#![allow(clippy::expect_used, reason = "a test fails by it")]

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::ClusterRole;
use mlpipeline_core::child_kind::ChildKind;

/// API group, resource and verb.
type Right = (String, String, String);

/// What the operator needs besides its children.
const OTHERS: [(&str, &str, &[&str]); 5] = [
    ("mlpipeline.dev", "mlpipelines", &["list", "watch"]),
    ("mlpipeline.dev", "mlpipelines/status", &["patch"]),
    // Children block the deletion of their owner in the foreground, which some clusters allow only with this.
    ("mlpipeline.dev", "mlpipelines/finalizers", &["update"]),
    ("", "pods", &["list", "watch"]),
    ("events.k8s.io", "events", &["create", "list", "patch", "watch"]),
];

fn verbs(kind: ChildKind) -> &'static [&'static str] {
    match kind {
        // A claim holds data: the operator never deletes one.
        ChildKind::PersistentVolumeClaim => &["create", "get", "list", "patch", "watch"],
        _ => &["create", "delete", "get", "list", "patch", "watch"],
    }
}

fn needed() -> BTreeSet<Right> {
    let children = ChildKind::ALL.into_iter().map(|kind| {
        let group = kind.api_version().rsplit_once('/').map_or("", |(group, _)| group);
        (group, kind.plural(), verbs(kind))
    });
    let rights = children.chain(OTHERS).flat_map(|(group, resource, verbs)| {
        verbs.iter().map(move |verb| (group.to_owned(), resource.to_owned(), (*verb).to_owned()))
    });
    rights.collect()
}

fn shipped() -> BTreeSet<Right> {
    let text = include_str!("../../deploy/config/rbac/operator-role.yaml");
    let role: ClusterRole = serde_saphyr::from_str(text).expect("a ClusterRole");
    let mut rights = BTreeSet::new();
    for rule in role.rules.expect("rules") {
        for group in rule.api_groups.expect("groups") {
            for resource in rule.resources.iter().flatten() {
                rights.extend(rule.verbs.iter().map(|verb| (group.clone(), resource.clone(), verb.clone())));
            }
        }
    }
    rights
}

#[test]
fn s8_the_shipped_role_holds_what_each_kind_of_child_needs_and_nothing_else() {
    let (needed, shipped) = (needed(), shipped());
    let missing: Vec<&Right> = needed.difference(&shipped).collect();
    assert!(missing.is_empty(), "add to deploy/config/rbac/operator-role.yaml: {missing:?}");
    let beyond: Vec<&Right> = shipped.difference(&needed).collect();
    assert!(beyond.is_empty(), "remove from deploy/config/rbac/operator-role.yaml: {beyond:?}");
}
