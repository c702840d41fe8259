//! S8 over the whole suite: whatever a test brings the operator to do, it asks for nothing that its shipped roles do not hold.
//!
//! That each right is used as well is `rights.rs`'s: one test brings about everything, and so the rights of the roles and what
//! the whole suite's audit log shows are the same set, in whatever order and number its tests run.

use std::collections::BTreeSet;

use k8s_openapi::api::rbac::v1::PolicyRule;
use mlpipeline_tests::control_plane::{AuditPosition, ControlPlane, Identity};

use super::shipped_roles::{election_role, shipped_role};

/// A verb, and a resource as a Role names it.
pub type Right = (String, String);

/// Looks, when its test ends, at what the operator of the test has asked for.
pub struct Witness {
    control_plane: &'static ControlPlane,
    users: Vec<String>,
    since: AuditPosition,
}

impl Witness {
    pub async fn new(control_plane: &'static ControlPlane, operator: &Identity) -> Self {
        let since = control_plane.audit().position().await;
        Self { control_plane, users: vec![operator.username().to_owned()], since }
    }

    /// Looks at another replica too.
    pub fn watches(&mut self, user: &Identity) {
        self.users.push(user.username().to_owned());
    }

    async fn look(&self) {
        for user in &self.users {
            let seen = asked_for(self.control_plane, user, self.since).await;
            let beyond: Vec<_> = seen.difference(&shipped_rights()).cloned().collect();
            assert!(beyond.is_empty(), "{user} asked for what is in no role: {beyond:?}");
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // A test that fails has said why.
        if std::thread::panicking() {
            return;
        }
        // The test's own runtime is about to end.
        let looked = std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(self.look());
            });
            looking.join()
        });
        if let Err(panic) = looked {
            std::panic::resume_unwind(panic);
        }
    }
}

/// What a user asked for since then, whatever the answer.
pub async fn asked_for(control_plane: &ControlPlane, user: &str, since: AuditPosition) -> BTreeSet<Right> {
    let events = control_plane.audit().query().since(since).user(user).events().await;
    let of_resources = events.iter().filter(|event| !event.object_ref.resource.is_empty());
    of_resources.map(|event| (event.verb.clone(), event.resource())).collect()
}

/// What the shipped roles hold.
pub fn shipped_rights() -> BTreeSet<Right> {
    let rules = [shipped_role().rules, election_role().rules].into_iter().flatten().flatten();
    let mut rights = BTreeSet::new();
    for PolicyRule { verbs, resources, .. } in rules {
        for resource in resources.into_iter().flatten() {
            rights.extend(verbs.iter().map(|verb| (verb.clone(), resource.clone())));
        }
    }
    rights
}
