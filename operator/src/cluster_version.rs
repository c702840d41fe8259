//! Whether the cluster is older than what is supported: said once, at start. The chart refuses such a cluster; the other ways to install ask
//! nobody. Must not keep the operator from starting: most of it works, and what serves should be looked after.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::version::Info;
use kube::Client;

/// The oldest Kubernetes that is supported, as the chart's `kubeVersion` has it.
pub const OLDEST: (u32, u32) = (1, 31);

/// How long to wait before an API server is asked again that did not answer.
const RETRY: Duration = Duration::from_secs(30);

/// Asks the cluster for its version, by one call that every account may make, and logs a warning where it is too old.
pub async fn warn_if_too_old(client: Client) {
    loop {
        match client.apiserver_version().await {
            Ok(version) => {
                if let Some(warning) = warning(&version) {
                    tracing::warn!("{warning}");
                }
                return;
            }
            Err(error) => tracing::debug!(%error, "cannot ask for the version of the cluster yet"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// The warning about a version; none where it is new enough, or says nothing that can be read.
fn warning(version: &Info) -> Option<String> {
    let found = (number(&version.major)?, number(&version.minor)?);
    let (major, minor) = OLDEST;
    (found < OLDEST).then(|| {
        format!(
            "this cluster is Kubernetes {}, and operator {} supports {major}.{minor} or newer: what pipelines ask for may be refused or ignored; \
             upgrade Kubernetes, or install a release of the operator that supports this one",
            version.git_version,
            env!("CARGO_PKG_VERSION")
        )
    })
}

/// The number at the start of a text: some clusters add a sign.
fn number(text: &str) -> Option<u32> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(major: &str, minor: &str) -> Option<String> {
        let git_version = format!("v{major}.{minor}.4");
        warning(&Info { major: major.to_owned(), minor: minor.to_owned(), git_version, ..Info::default() })
    }

    #[test]
    fn a_cluster_that_is_too_old_is_named_with_both_versions_and_the_way_out() {
        let warning = said("1", "30").expect("a warning");
        for part in ["v1.30.4", "1.31 or newer", "upgrade Kubernetes"] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
        assert!(said("1", "9").is_some() && said("1", "30+").is_some());
    }

    #[test]
    fn nothing_is_said_of_a_cluster_that_is_new_enough_or_does_not_say() {
        for (major, minor) in [("1", "31"), ("1", "36+"), ("2", "0"), ("", ""), ("one", "x")] {
            assert_eq!(said(major, minor), None, "{major}.{minor}");
        }
    }
}
