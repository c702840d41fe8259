//! Whether another installation of the operator looks after a namespace of ours: both would write the same objects. The operator looks again
//! and again, warns of each once, and counts them in a metric; it changes nothing.
//!
//! Must not need a right of its own: Deployments are listed where children are, so one is seen that lies in a namespace of ours. That two
//! releases of the chart share a namespace that neither is in, the chart refuses (`_namespaces_check.tpl`).

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Container;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

use super::metrics::Metrics;

/// The labels of the operator's Deployment, however it is installed.
const SELECTOR: &str = "app.kubernetes.io/name=mlpipeline-operator,app.kubernetes.io/component=operator";

/// How often to look: somebody may install another one at any time.
const PERIOD: Duration = Duration::from_secs(600);
/// How long to wait before Deployments are listed again, where the API server could not be reached.
const RETRY: Duration = Duration::from_secs(30);

/// What an installation does. Those that take part in one election are one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    /// Namespace and name of the lease; none without an election.
    pub(super) lease: Option<(String, String)>,
    /// How many pods it has, and the Deployment's name; of this process's own, the namespace that it runs in and its pod's name.
    pub(super) place: Place,
    /// The namespaces that it looks after; all when empty.
    pub(super) namespaces: Vec<String>,
}

/// Where an installation runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// This process.
    Own {
        /// The namespace.
        namespace: String,
        /// The pod, or the machine.
        host: String,
    },
    /// A Deployment.
    Deployment {
        /// How many pods it asks for.
        replicas: i32,
    },
}

/// Looks for other installations, and logs a warning of each that is new. Never ends, as all that runs beside the controllers.
pub(super) async fn keep_looking(client: Client, metrics: Arc<Metrics>, own: Installation) {
    let mut known = Vec::new();
    loop {
        let wait = match warnings(&client, &own).await {
            Ok(found) => {
                metrics.conflicting_installations(found.len());
                new_warnings(&found, &known).for_each(|warning| tracing::warn!("{warning}"));
                if found.is_empty() && !known.is_empty() {
                    tracing::info!(
                        "no other installation of the operator is left that looks after a namespace of this one"
                    );
                }
                known = found;
                PERIOD
            }
            // What is not allowed now will not be in a moment.
            Err(kube::Error::Api(error)) => {
                tracing::debug!(%error, "cannot look for other installations");
                PERIOD
            }
            Err(error) => {
                tracing::debug!(%error, "cannot look for other installations yet");
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// The warnings that were not there before.
fn new_warnings<'a>(found: &'a [String], known: &'a [String]) -> impl Iterator<Item = &'a String> {
    found.iter().filter(|warning| !known.contains(warning))
}

/// A warning for each other installation, in the namespaces where children are listed. Any recent state will do, so that the API server
/// answers from its cache.
async fn warnings(client: &Client, own: &Installation) -> Result<Vec<String>, kube::Error> {
    let places: Vec<Api<Deployment>> = match own.namespaces.as_slice() {
        [] => vec![Api::all(client.clone())],
        some => some.iter().map(|namespace| Api::namespaced(client.clone(), namespace)).collect(),
    };
    let query = ListParams::default().labels(SELECTOR).match_any();
    let mut found = Vec::new();
    for place in places {
        let deployments = place.list(&query).await?;
        found.extend(deployments.iter().filter_map(|deployment| warning(deployment, own)));
    }
    Ok(found)
}

/// What to say of a Deployment of the operator, if it is another installation for namespaces of ours.
fn warning(deployment: &Deployment, own: &Installation) -> Option<String> {
    let other = Installation::of_deployment(deployment)?;
    let is_own = own.is_of(deployment);
    if let (Place::Deployment { replicas: 2.. }, None, true) = (&other.place, &other.lease, is_own) {
        return Some(format!(
            "Deployment {}/{} runs several pods of the operator without an election: all write the same objects; add --leader-elect, or set \
             replicas to 1",
            deployment.namespace().unwrap_or_default(),
            deployment.name_any(),
        ));
    }
    // Those of one lease take turns. Without a lease, only this process's own Deployment is the same installation.
    let is_same = if other.lease.is_some() { other.lease == own.lease } else { is_own };
    let shared = if is_same { None } else { own.shared_with(&other) }?;
    Some(format!(
        "Deployment {}/{} is another installation of the operator that looks after {shared} too: both write the same objects, and each \
         reverts what the other one writes; give them distinct lists of namespaces (--namespace, or the chart's value `namespaces`), or \
         uninstall one",
        deployment.namespace().unwrap_or_default(),
        deployment.name_any(),
    ))
}

impl Installation {
    /// None for a Deployment that runs nothing.
    fn of_deployment(deployment: &Deployment) -> Option<Self> {
        let spec = deployment.spec.as_ref().filter(|spec| spec.replicas != Some(0))?;
        let container = spec.template.spec.as_ref()?.containers.first()?;
        let one = |flag, variable| values(container, flag, variable).pop();
        let is_elected = container.args.iter().flatten().any(|argument| argument == "--leader-elect")
            || one("--leader-elect", "MLPIPELINE_LEADER_ELECT").is_some_and(|value| value == "true");
        let lease = is_elected.then(|| {
            let namespace = one("--lease-namespace", "MLPIPELINE_LEASE_NAMESPACE");
            let name = one("--lease-name", "MLPIPELINE_LEASE_NAME");
            (
                namespace.unwrap_or_else(|| deployment.namespace().unwrap_or_default()),
                name.unwrap_or_else(|| "mlpipeline-operator".to_owned()),
            )
        });
        let mut namespaces = values(container, "--namespace", "MLPIPELINE_NAMESPACES");
        namespaces.retain(|namespace| !namespace.is_empty());
        let place = Place::Deployment { replicas: spec.replicas.unwrap_or(1) };
        Some(Self { lease, place, namespaces })
    }

    /// Whether this process is a pod of the Deployment: of its namespace, and named after it and two hashes.
    fn is_of(&self, deployment: &Deployment) -> bool {
        let Place::Own { namespace, host } = &self.place else { return false };
        let name = deployment.name_any();
        let hashes = host.strip_prefix(&name).and_then(|rest| rest.strip_prefix('-'));
        deployment.namespace().as_ref() == Some(namespace)
            && hashes.is_some_and(|hashes| hashes.split('-').count() == 2)
    }

    /// The namespaces that both look after, for a sentence.
    fn shared_with(&self, other: &Self) -> Option<String> {
        match (self.namespaces.as_slice(), other.namespaces.as_slice()) {
            ([], []) => Some("all namespaces".to_owned()),
            ([], some) | (some, []) => Some(some.join(", ")),
            (ours, theirs) => {
                let both: Vec<&str> =
                    ours.iter().filter(|name| theirs.contains(name)).map(String::as_str).collect();
                (!both.is_empty()).then(|| both.join(", "))
            }
        }
    }
}

/// What a container's arguments give a flag, else what a variable of its environment says.
fn values(container: &Container, flag: &str, variable: &str) -> Vec<String> {
    let arguments = container.args.as_deref().unwrap_or_default();
    let next = arguments.iter().skip(1).map(Some).chain([None]);
    let given = arguments.iter().zip(next).filter_map(|(argument, next)| match argument.strip_prefix(flag) {
        Some("") => next.map(String::as_str),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    let variables = container.env.iter().flatten().filter(|entry| entry.name == variable);
    let mut found: Vec<&str> = given.collect();
    if found.is_empty() {
        found.extend(variables.filter_map(|entry| entry.value.as_deref()));
    }
    found.iter().flat_map(|value| value.split(',')).map(|value| value.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn installation(lease: &str, namespaces: &[&str]) -> Installation {
        let (namespace, name) = lease.split_once('/').expect("namespace/name");
        Installation {
            lease: Some((namespace.to_owned(), name.to_owned())),
            place: Place::Deployment { replicas: 2 },
            namespaces: namespaces.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    /// This process, without an election.
    fn alone(namespace: &str, host: &str) -> Installation {
        let place = Place::Own { namespace: namespace.to_owned(), host: host.to_owned() };
        Installation { lease: None, place, namespaces: Vec::new() }
    }

    fn deployment(replicas: u32, args: &[&str], env: &Value) -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"name": "team-operator", "namespace": "team"},
            "spec": {"replicas": replicas, "selector": {}, "template": {"spec": {"containers": [
                {"name": "operator", "args": args, "env": env},
            ]}}},
        }))
        .expect("a Deployment")
    }

    #[test]
    fn an_installation_is_read_from_flags_and_variables() {
        let flags = ["--leader-elect", "--lease-name=team", "--namespace=a", "--namespace", "b,c"];
        let found = Installation::of_deployment(&deployment(2, &flags, &json!([])));
        assert_eq!(found, Some(installation("team/team", &["a", "b", "c"])));
        let variables = json!([
            {"name": "MLPIPELINE_NAMESPACES", "value": "a, b"}, {"name": "MLPIPELINE_LEADER_ELECT", "value": "true"},
            {"name": "MLPIPELINE_LEASE_NAMESPACE", "value": "system"},
        ]);
        let found = Installation::of_deployment(&deployment(2, &[], &variables));
        assert_eq!(found, Some(installation("system/mlpipeline-operator", &["a", "b"])));
        let place = Place::Deployment { replicas: 1 };
        let alone = Installation { lease: None, place, namespaces: Vec::new() };
        assert_eq!(Installation::of_deployment(&deployment(1, &[], &json!([]))), Some(alone));
        assert_eq!(Installation::of_deployment(&deployment(0, &flags, &json!([]))), None, "it runs nothing");
    }

    #[test]
    fn a_warning_is_repeated_only_after_it_was_gone() {
        let [one, two] = ["one", "two"].map(str::to_owned);
        let new =
            |found: &[String], known: &[String]| new_warnings(found, known).cloned().collect::<Vec<_>>();
        assert_eq!(new(&[one.clone(), two.clone()], std::slice::from_ref(&one)), std::slice::from_ref(&two));
        assert_eq!(new(std::slice::from_ref(&one), &[one.clone(), two]), Vec::<String>::new());
        assert_eq!(new(std::slice::from_ref(&one), &[]), [one]);
    }

    #[test]
    fn only_another_election_for_the_same_namespaces_is_warned_of() {
        let other = deployment(2, &["--leader-elect", "--lease-name=x", "--namespace=a,b"], &json!([]));
        for (own, shared) in [
            (installation("team/x", &["a"]), None),
            (installation("team/y", &["c"]), None),
            (installation("team/y", &["b", "c"]), Some("looks after b too")),
            (installation("elsewhere/x", &[]), Some("looks after a, b too")),
        ] {
            let warning = warning(&other, &own);
            assert_eq!(warning.is_some(), shared.is_some(), "{own:?}: {warning:?}");
            if let (Some(warning), Some(shared)) = (warning, shared) {
                assert!(warning.contains("team/team-operator") && warning.contains(shared), "{warning}");
            }
        }
        let own = alone("team", "team-operator-5d4f7c9b8-x2x4z");
        let warning_of = |replicas, own: &Installation| warning(&deployment(replicas, &[], &json!([])), own);
        assert_eq!(warning_of(1, &own), None, "it is this process's own");
        let several = warning_of(2, &own).expect("a warning");
        assert!(several.contains("--leader-elect"), "{several}");
        for other in [
            alone("elsewhere", "team-operator-5d4f7c9b8-x2x4z"),
            alone("team", "team-operator-two-5d4f7c9b8-x2x4z"),
            alone("default", "a-laptop"),
        ] {
            let warning = warning_of(1, &other).expect("both run without an election, and both write");
            assert!(warning.contains("another installation"), "{warning}");
        }
        let all = deployment(2, &["--leader-elect"], &json!([]));
        let warning = warning(&all, &installation("other/y", &[])).expect("a warning");
        assert!(warning.contains("all namespaces"), "{warning}");
    }
}
