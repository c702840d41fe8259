//! The operator's flags, each also an environment variable.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use super::check::CheckArguments;
use super::election::Timing;
use super::logging::LogFormat;
use super::operator::{ElectionOptions, Options};
use mlpipeline_core::children::BuildSettings;

/// Runs the pipelines that MLPipeline resources ask for
#[derive(Clone, Debug, Parser)]
#[command(name = "mlpipeline-operator", version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do; run when absent.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to run.
    #[command(flatten)]
    pub run: RunArguments,
}

/// What the program can do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Reconcile pipelines until stopped by a signal.
    Run(RunArguments),
    /// Print the CustomResourceDefinition as YAML.
    Crd,
    /// Check that an installed operator works: create a suspended pipeline, wait until it is looked at, and delete it.
    Check(CheckArguments),
}

/// How the operator runs.
#[derive(Clone, Debug, Args)]
pub struct RunArguments {
    /// A namespace to watch; may be given several times. All namespaces when absent.
    #[arg(long = "namespace", short = 'n', env = "MLPIPELINE_NAMESPACES", value_delimiter = ',')]
    pub namespaces: Vec<String>,
    /// The worker image of pipelines that name none.
    #[arg(long, env = "MLPIPELINE_WORKER_IMAGE", default_value_t = default_image())]
    pub worker_image: String,
    /// Leave the user and the groups of pods to the cluster, as the default policy of OpenShift asks. Changing this replaces all pods that serve.
    #[arg(long, env = "MLPIPELINE_CLUSTER_USER_IDS")]
    pub cluster_user_ids: bool,
    /// Act only while holding a lease, so that several replicas can stand by.
    #[arg(long, env = "MLPIPELINE_LEADER_ELECT")]
    pub leader_elect: bool,
    /// The lease's name.
    #[arg(long, env = "MLPIPELINE_LEASE_NAME", default_value = "mlpipeline-operator")]
    pub lease_name: String,
    /// The lease's namespace; the operator's own when absent.
    #[arg(long, env = "MLPIPELINE_LEASE_NAMESPACE")]
    pub lease_namespace: Option<String>,
    /// The address of /livez, /readyz and /healthz.
    #[arg(long, env = "MLPIPELINE_HEALTH_ADDRESS", default_value = "0.0.0.0:8081")]
    pub health_address: SocketAddr,
    /// The address of /metrics.
    #[arg(long, env = "MLPIPELINE_METRICS_ADDRESS", default_value = "0.0.0.0:8080")]
    pub metrics_address: SocketAddr,
    /// How many pipelines to reconcile at once.
    #[arg(long, env = "MLPIPELINE_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: u16,
    /// The format of log lines.
    #[arg(long, env = "MLPIPELINE_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// Where to send traces of reconciles by OTLP over HTTP, such as http://collector:4318. When absent, OpenTelemetry's own
    /// variables decide (OTEL_EXPORTER_OTLP_ENDPOINT); without either there are none.
    #[arg(long, env = "MLPIPELINE_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
}

impl RunArguments {
    /// The operator's options. `own_namespace` is where the operator itself runs.
    #[must_use]
    pub fn options(&self, identity: String, own_namespace: &str) -> Options {
        Options {
            settings: BuildSettings {
                worker_image: self.worker_image.clone(),
                cluster_user_ids: self.cluster_user_ids,
            },
            namespaces: distinct(&self.namespaces),
            concurrency: self.concurrency,
            election: self.leader_elect.then(|| ElectionOptions {
                lease: self.lease_name.clone(),
                namespace: self.lease_namespace.clone().unwrap_or_else(|| own_namespace.to_owned()),
                timing: Timing::default(),
            }),
            identity,
            clock: Arc::new(Timestamp::now),
        }
    }
}

/// The namespaces that are named, each once: a variable that is set to nothing names none, and a list may end with a comma.
fn distinct(namespaces: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in namespaces.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        if !distinct.iter().any(|known| known == name) {
            distinct.push(name.to_owned());
        }
    }
    distinct
}

/// The worker of the operator's own version.
fn default_image() -> String {
    format!("ghcr.io/mlpipeline/mlpipeline-worker:{}", env!("CARGO_PKG_VERSION"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_flag_has_an_environment_variable() {
        Arguments::command().debug_assert();
        let command = Arguments::command();
        for flag in
            command.get_arguments().filter(|flag| !["help", "version"].contains(&flag.get_id().as_str()))
        {
            assert!(flag.get_env().is_some(), "{}", flag.get_id());
        }
    }

    #[test]
    fn the_election_is_held_in_the_own_namespace_unless_a_flag_names_another() {
        let parsed = Arguments::parse_from(["mlpipeline-operator", "--leader-elect", "-n", "a", "-n", "b"]);
        let options = parsed.run.options("me".into(), "system");
        assert_eq!(options.namespaces, ["a", "b"]);
        assert_eq!(options.election.expect("an election").namespace, "system");
        assert_eq!(parsed.run.otlp_endpoint, None, "traces are off unless asked for");
        let parsed = Arguments::parse_from(["mlpipeline-operator", "run", "--concurrency", "3"]);
        let Some(Command::Run(run)) = parsed.command else { panic!("run") };
        assert!(run.options("me".into(), "system").election.is_none());
        assert!(Arguments::try_parse_from(["mlpipeline-operator", "--concurrency", "0"]).is_err());
    }

    #[test]
    fn no_namespace_is_watched_twice_and_an_empty_name_is_none() {
        let namespaces = |arguments: &[&str]| {
            let parsed = Arguments::parse_from(["mlpipeline-operator"].iter().chain(arguments));
            parsed.run.options("me".into(), "system").namespaces
        };
        assert_eq!(namespaces(&["-n", ""]), Vec::<String>::new());
        assert_eq!(namespaces(&["-n", "b,a, b,", "-n", "a"]), ["b", "a"]);
    }
}
