//! S8: what lists child kinds outside of Rust follows their table: the shipped Role, to which `make generate` adds the rules that a new kind
//! needs, and the list of what the tests on a node look for at their end, which it writes.

#![allow(clippy::expect_used, reason = "a test fails by it")]
#![allow(clippy::disallowed_methods, reason = "the Role and the script are files")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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

fn shipped(text: &str) -> BTreeSet<Right> {
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

/// Rules for rights, one for each resource.
fn rules<'a>(rights: impl Iterator<Item = &'a Right>) -> String {
    let mut resources: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (group, resource, verb) in rights {
        resources.entry((group, resource)).or_default().push(verb);
    }
    let rule = |((group, resource), verbs): (&(&str, &str), &Vec<&str>)| {
        let group = if group.is_empty() { "\"\"" } else { group };
        format!("- apiGroups: [{group}]\n  resources: [{resource}]\n  verbs: [{}]\n", verbs.join(", "))
    };
    resources.iter().map(rule).collect()
}

#[test]
fn s8_the_shipped_role_holds_what_each_kind_of_child_needs_and_nothing_else() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config/rbac/operator-role.yaml");
    let mut text = std::fs::read_to_string(&path).expect("the shipped Role");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        text.push_str(&rules(needed().difference(&shipped(&text))));
        std::fs::write(&path, &text).expect("the Role can be written");
    }
    let (needed, shipped) = (needed(), shipped(&text));
    let missing: Vec<&Right> = needed.difference(&shipped).collect();
    assert!(
        missing.is_empty(),
        "add to deploy/config/rbac/operator-role.yaml, or run make generate: {missing:?}"
    );
    let beyond: Vec<&Right> = shipped.difference(&needed).collect();
    assert!(beyond.is_empty(), "remove from deploy/config/rbac/operator-role.yaml: {beyond:?}");
}

#[test]
fn l4_the_tests_on_a_node_look_for_what_is_left_of_every_kind_of_child() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cluster/child-kinds.txt");
    let kinds: String = ChildKind::ALL.iter().map(|kind| format!("{}\n", kind.plural())).collect();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, &kinds).expect("the list can be written");
    }
    let listed = std::fs::read_to_string(&path).expect("the list that tests/cluster/operator.sh reads");
    assert_eq!(listed, kinds, "run make generate, which writes tests/cluster/child-kinds.txt");
}
