//! The pipeline that a command asks about, and what exists of it: on this machine or in a cluster.

use mlpipeline_cluster::SessionOptions;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;

use super::cluster::Cluster;
use crate::args::Source;
use crate::exit_status::ExitStatus;
use crate::manifest::Namespace;
use crate::show;

/// The pipeline of the files, and what a cluster has of it where one was asked for.
///
/// # Errors
/// The exit status, once the problem was printed.
pub fn open(source: &Source) -> Result<(ValidatedPipeline, Option<Observed>), ExitStatus> {
    let failed = |problem: String| {
        show::error(&problem);
        ExitStatus::Failure
    };
    let cluster = source.cluster.then(|| Cluster::open(session_options(source)));
    let cluster = cluster.transpose().map_err(failed)?;
    let namespace = match (&source.files.namespace, &cluster) {
        (Some(name), _) => Namespace::Required(name),
        (None, Some(cluster)) => Namespace::Context(cluster.namespace()),
        (None, None) => Namespace::Unset,
    };
    let manifests = super::read(&source.files, namespace).ok_or(ExitStatus::Failure)?;
    let found = super::choose(manifests.pipelines, &source.place).map_err(|problem| {
        show::error(&problem);
        ExitStatus::WrongUsage
    })?;
    let pipeline = found.pipeline;
    let observed = cluster.map(|cluster| cluster.observe(&pipeline)).transpose().map_err(failed)?;
    Ok((pipeline, observed))
}

fn session_options(source: &Source) -> SessionOptions {
    SessionOptions {
        context: source.context.clone(),
        namespace: source.files.namespace.clone(),
        timeout: source.timeout,
    }
}
