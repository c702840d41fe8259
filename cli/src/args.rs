//! The command line: commands, arguments and their help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use mlpipeline_core::duration::parse_duration;

/// Run, check and plan MLPipelines.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Examples:
  Run a pipeline on this machine, and serve its model:
    kubectl mlpipeline local pipeline.yaml
  Show what an edit would re-run:
    kubectl mlpipeline plan pipeline.yaml
  Find the mistakes in some files, all at once:
    kubectl mlpipeline validate *.yaml

Exit codes of all commands: 0 success, 1 the files are wrong or something failed, 2 wrong usage."
)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check files, and report everything that is wrong at once
    Validate(Validate),
    /// Show what would run, and why
    Plan(PlanArguments),
    /// Show the trials of searches for parameters, the best first
    Trials(TrialsArguments),
    /// Run a pipeline on this machine
    Local(Local),
    /// Print the completions of a shell
    #[command(after_help = "Example:
  source <(kubectl-mlpipeline completion bash)")]
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Remove a container that `local` started when `local` is gone
    #[command(hide = true)]
    Watchdog {
        /// The container's name
        #[arg(long)]
        container: String,
        /// The file with the container's variables, removed when `local` is gone
        #[arg(long)]
        variables: std::path::PathBuf,
        /// The container tool and its arguments
        #[arg(last = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// As JSON, on standard output
    Json,
}

/// Which files to read.
#[derive(Debug, Args)]
pub struct Files {
    /// Files of YAML or JSON documents; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The namespace of pipelines that name none
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Print JSON
    #[arg(short, long, value_enum)]
    pub output: Option<Output>,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kubectl mlpipeline validate pipeline.yaml
  kubectl kustomize overlays/prod | kubectl mlpipeline validate -
  kubectl mlpipeline validate *.yaml -o json | jq '.errors[].path'

With -o json, prints {valid, pipelines, errors, notes}; each error has file, line, column, pipeline, path, problem
and hint, the last ones null where they are not known.

Exit codes: 0 all files are valid, 1 something is wrong, 2 wrong usage.")]
pub struct Validate {
    /// Which files to check.
    #[command(flatten)]
    pub files: Files,
}

/// Which pipeline, and where its results are.
#[derive(Debug, Args)]
pub struct Place {
    /// The pipeline, as NAME or NAMESPACE/NAME, where the files hold several
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// The folder for results, records and logs
    #[arg(long, value_name = "DIR", default_value = ".mlpipeline", env = "MLPIPELINE_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Run scheduled steps at their times, rather than once and immediately
    #[arg(long)]
    pub on_schedule: bool,
}

/// Which pipeline, and where it is looked for.
#[derive(Debug, Args)]
pub struct Source {
    /// Which files to read.
    #[command(flatten)]
    pub files: Files,
    /// Which pipeline, and where its results are.
    #[command(flatten)]
    pub place: Place,
    /// Look into a cluster in place of the local state: what exists there, and what applying the file would run
    #[arg(long, conflicts_with = "on_schedule")]
    pub cluster: bool,
    /// The kubeconfig's context of that cluster; the current one when absent
    #[arg(long, value_name = "NAME", requires = "cluster")]
    pub context: Option<String>,
    /// How long that cluster may take to answer
    #[arg(long, value_name = "DURATION", requires = "cluster", default_value = "30s", value_parser = duration)]
    pub timeout: Duration,
}

/// Arguments of `trials`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kubectl mlpipeline trials pipeline.yaml
  kubectl mlpipeline trials pipeline.yaml --cluster -n team-a

The ten best of each step's newest search that is done. All are in metrics.json of the model's artifact.

With -o json, prints {namespace, pipeline, steps}; each step has name, metric, revision and trials, whose value and std are
over the folds.

Exit codes: 0 printed, also where there are no trials yet, 1 the files are wrong or the cluster does not answer, 2 wrong usage.")]
pub struct TrialsArguments {
    /// Of which pipeline, here or in a cluster.
    #[command(flatten)]
    pub source: Source,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  kubectl mlpipeline plan pipeline.yaml
  kubectl mlpipeline plan pipeline.yaml --cluster --context production -n team-a
  kubectl mlpipeline plan pipeline.yaml --exit-code || echo 'something would run'
  Before an upgrade of the operator, which image its serving pods keep or take:
    kubectl mlpipeline plan pipeline.yaml --cluster --worker-image ghcr.io/mlpipeline/mlpipeline-worker:0.2.0

With --cluster, pipelines that name no namespace are in that of -n, or else in that of the context.

With -o json, prints {namespace, pipeline, changes, steps}; each step has name, kind, action, code, reason,
revision and nextRun. code is for programs, reason is the sentence for people. With --cluster there is images too: of
each step whose pods stay, step, found, next, keeps and message.

Exit codes: 0 planned, 1 the files are wrong, 2 wrong usage, and 3 with --exit-code when something would run.")]
pub struct PlanArguments {
    /// Of which pipeline, here or in a cluster.
    #[command(flatten)]
    pub source: Source,
    /// Exit with 3 when something would run
    #[arg(long)]
    pub exit_code: bool,
    /// The worker image that the operator gives steps which name none, as after an upgrade; notes which pods that stay keep theirs
    #[arg(long, value_name = "IMAGE", requires = "cluster")]
    pub worker_image: Option<String>,
}

/// Arguments of `local`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  Run everything, then serve until Ctrl-C:
    kubectl mlpipeline local pipeline.yaml
  Run what runs to completion, for example in CI:
    kubectl mlpipeline local pipeline.yaml --once
  With the ConfigMap and Secret that it refers to:
    kubectl mlpipeline local pipeline.yaml configmap.yaml secret.yaml
  Read http://iris-data/ from a server on this machine:
    kubectl mlpipeline local pipeline.yaml --resolve iris-data=127.0.0.1:8000

A second start does not repeat what is finished. Results are in DIR/volume, records and logs in DIR/state.
With -o json, prints {namespace, pipeline, ok, steps, endpoints} once everything is done or serving; with
--on-schedule again after each scheduled run.

Exit codes: 0 success, 1 the files are wrong or a step failed, 2 wrong usage.")]
pub struct Local {
    /// Which files to read.
    #[command(flatten)]
    pub files: Files,
    /// Which pipeline, and where its results are.
    #[command(flatten)]
    pub place: Place,
    /// Run what runs to completion, serve nothing, and exit
    #[arg(long, conflicts_with = "on_schedule")]
    pub once: bool,
    /// Run only these steps and what they need
    #[arg(long = "step", value_name = "NAME")]
    pub steps: Vec<String>,
    /// The port of the first serving step; the first free one from 8080 on when absent
    #[arg(long)]
    pub port: Option<u16>,
    /// How many runs are active at the same time; as many as there are cores when absent
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,
    /// Variables for every step, one NAME=VALUE a line; they also replace missing ConfigMaps and Secrets
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// A file of Secrets and ConfigMaps
    #[arg(long, value_name = "FILE")]
    pub secrets: Vec<PathBuf>,
    /// Read from another host than the pipeline says, as HOST[:PORT]=HOST:PORT
    #[arg(long, value_name = "HOST=TARGET", value_parser = redirection)]
    pub resolve: Vec<(String, String)>,
    /// The worker's program; found beside this one or on the PATH when absent
    #[arg(long, value_name = "FILE", env = "MLPIPELINE_WORKER")]
    pub worker: Option<PathBuf>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let seconds = parse_duration(text).filter(|seconds| *seconds > 0);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "write hours, minutes and seconds, for example 30s or 1m30s".into())
}

fn redirection(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(host, target)| !host.is_empty() && target.contains(':'));
    let (host, target) = parts.ok_or("write HOST=HOST:PORT, for example iris-data=127.0.0.1:8000")?;
    Ok((host.to_owned(), target.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        super::Arguments::command().debug_assert();
    }
}
