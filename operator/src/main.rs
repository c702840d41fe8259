//! The operator's binary: flags to options, signals to a stop, errors to an exit code.

use std::io::Write;

use anyhow::Context;
use clap::Parser;
use kube::Config;
use kube::client::ClientBuilder;
use mlpipeline_operator::arguments::{Arguments, Command, RunArguments};
use mlpipeline_operator::check::{self, CheckArguments};
use mlpipeline_operator::crd_file::crd_yaml;
use mlpipeline_operator::operator::Operator;
use mlpipeline_operator::traces::Traces;
use mlpipeline_operator::{cluster_version, connection, logging, probes};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

/// The operator allocates and frees many small objects, and the C library's allocator took a fifth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Crd) => Ok(std::io::stdout().write_all(crd_yaml()?.as_bytes())?),
        Some(Command::Check(arguments)) => check(&arguments),
        Some(Command::Run(run)) => start(run),
        None => start(arguments.run),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn check(arguments: &CheckArguments) -> anyhow::Result<()> {
    let answer = check::check(arguments).await?;
    Ok(std::io::stdout().write_all(answer.as_bytes())?)
}

// One thread is enough: the operator waits far more than it works, and threads that wake each other would cost more.
#[tokio::main(flavor = "current_thread")]
async fn start(run: RunArguments) -> anyhow::Result<()> {
    let identity = identity();
    let traces = start_traces(&run, &identity)?;
    let mut config = Config::infer()
        .await
        .context("no API server is configured: neither a service account nor a kubeconfig was found")?;
    connection::configure(&mut config);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), identity, server = %config.cluster_url, "starting");
    let options = run.options(identity, &config.default_namespace);
    let operator = Operator::new(options, |middleware| {
        let client = ClientBuilder::try_from(config).context("cannot set up the client of the API server")?;
        anyhow::Ok(client.with_layer(&middleware).build())
    })?;
    tokio::spawn(cluster_version::warn_if_too_old(operator.client()));
    let inspection = operator.inspection();
    probes::serve_health(run.health_address, inspection.clone()).await?;
    probes::serve_metrics(run.metrics_address, inspection).await?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("received a stop signal, finishing running reconciles");
    };
    let outcome = operator.run(stop).await;
    if let Some(traces) = traces {
        traces.flush().await;
    }
    outcome?;
    tracing::info!("stopped");
    Ok(())
}

/// Starts logs, and traces where they are requested. An invalid flag ends the program; invalid environment variables, which may be
/// set for a whole cluster, do not.
fn start_traces(run: &RunArguments, identity: &str) -> anyhow::Result<Option<Traces>> {
    let asked = run.otlp_endpoint.as_deref().filter(|text| !text.trim().is_empty());
    let traces = Traces::start(asked, identity, Handle::current());
    logging::start(run.log_format, traces.as_ref().ok().and_then(Option::as_ref));
    match traces {
        Ok(traces) => {
            if let Some(traces) = &traces {
                tracing::info!(collector = traces.address(), "exporting traces of reconciles");
            }
            Ok(traces)
        }
        Err(error) if asked.is_some() => Err(error.into()),
        Err(error) => {
            tracing::warn!("traces are not exported: {error}");
            Ok(None)
        }
    }
}

/// A unique name that contains the pod's.
fn identity() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = std::env::var("HOSTNAME").ok().unwrap_or_else(|| host.trim().to_owned());
    format!("{host}_{:08x}", rand::random::<u32>())
}
