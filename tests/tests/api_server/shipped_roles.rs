//! The roles that are shipped, in place and bound to accounts.

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role, RoleBinding};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

/// Gives an account of a namespace the rights of a role there.
pub async fn bind(client: &Client, namespace: &str, kind: &str, role: &str, account: &str) {
    let name = binding_name(role, account);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(client.clone(), namespace);
    bindings.patch(&name, &PatchParams::apply("tests").force(), &Patch::Apply(&binding)).await.unwrap();
}

/// Puts the shipped roles in place, bound to nobody yet.
pub async fn install_roles(client: &Client, namespace: &str) {
    let apply = PatchParams::apply("tests").force();
    let role = shipped_role();
    let roles: Api<ClusterRole> = Api::all(client.clone());
    roles.patch(&role.name_any(), &apply, &Patch::Apply(&role)).await.unwrap();
    let mut election = election_role();
    election.metadata.namespace = Some(namespace.to_owned());
    let roles: Api<Role> = Api::namespaced(client.clone(), namespace);
    roles.patch(&election.name_any(), &apply, &Patch::Apply(&election)).await.unwrap();
}

pub fn binding_name(role: &str, account: &str) -> String {
    format!("{role}-{account}")
}

/// The shipped rights without this verb of this resource.
pub fn rights_without(verb: &str, resource: &str) -> Vec<PolicyRule> {
    let mut rules = Vec::new();
    for rule in shipped_role().rules.unwrap() {
        for one in rule.resources.clone().unwrap() {
            let mut rule = PolicyRule { resources: Some(vec![one.clone()]), ..rule.clone() };
            rule.verbs.retain(|kept| one != resource || kept != verb);
            rules.extend((!rule.verbs.is_empty()).then_some(rule));
        }
    }
    rules
}

/// The role that is shipped.
pub fn shipped_role() -> ClusterRole {
    serde_saphyr::from_str(include_str!("../../../deploy/config/rbac/operator-role.yaml")).unwrap()
}

/// The role of a candidate that is shipped.
pub fn election_role() -> Role {
    let text = include_str!("../../../deploy/config/rbac/leader-election.yaml");
    serde_saphyr::from_str(text.split("\n---").next().unwrap()).unwrap()
}
