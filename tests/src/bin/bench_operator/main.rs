//! `make bench-operator`: many pipelines of three runs at once, beside the least that any program could do.
//!
//! The floor is a client that creates the very same Jobs and starts the next one when it sees the pod of the one before
//! succeed. Both run on the same API server, controllers, scheduler and simulated node, one after the other: floor, operator,
//! floor, so that a machine that gets slower or faster meanwhile shows.

// A benchmark says that something is wrong by a panic, as a test does.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

mod floor;
mod installed;
mod load;
mod machine;
mod report;
mod suspended;
mod witness;

use std::time::Duration;

use clap::Parser;
use mlpipeline_tests::control_plane::{ControlPlane, Settings};
use mlpipeline_tests::programs;

use crate::installed::Installed;
use crate::report::Figures;

/// Measures the operator beside a client that does nothing but chain Jobs.
#[derive(Parser)]
struct Arguments {
    /// How many pipelines are applied at once.
    #[arg(long, default_value_t = 300)]
    pipelines: usize,
    /// Requests a second that each of Kubernetes' own controllers may make; a table line for each.
    #[arg(long, value_delimiter = ',', default_values_t = [20, 1000])]
    controller_qps: Vec<u32>,
    /// For how long the idle operator is watched, in seconds.
    #[arg(long, default_value_t = 60)]
    idle_seconds: u64,
    /// Measures the memory of the operator with so many suspended pipelines instead.
    #[arg(long)]
    suspended: Option<usize>,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    if let Some(count) = arguments.suspended {
        return suspended::measure(count).await;
    }
    let mut all = Vec::new();
    for qps in &arguments.controller_qps {
        let figures = measure(*qps, &arguments).await;
        eprintln!("{}", report::table(std::slice::from_ref(&figures)));
        all.push(figures);
    }
    println!("{}", report::table(&all));
}

async fn measure(controller_qps: u32, arguments: &Arguments) -> Figures {
    let count = arguments.pipelines;
    let mut control_plane =
        ControlPlane::start(Settings { controller_qps, ..Settings::default() }).await.unwrap();
    let stages = programs::repository().join("tests/bench/operator/stages.yaml");
    control_plane.simulate_node(&stages).await.unwrap();
    eprintln!("controller QPS {controller_qps}: logs are in {}", control_plane.folder().display());
    let installed = Installed::start(&control_plane).await;
    let jobs = floor::templates(&control_plane).await;
    let before = floor::chains_a_minute(&control_plane, "floor-1", &jobs, count).await;
    eprintln!("floor: {:.0} chains a minute", before.chains_a_minute);

    let since = control_plane.audit().position().await;
    let cpu = installed.cpu();
    let operator = load::pipelines_a_minute(&control_plane, "measured", count).await;
    eprintln!("operator: {:.0} chains a minute", operator.chains_a_minute);
    witness::wait_for_silence(&control_plane, &installed.user).await;
    let busy_cpu = installed.cpu() - cpu;
    let memory = installed.peak_memory();
    let seen = witness::whole_life(&control_plane, &installed.user, "measured", since).await;

    let after = floor::chains_a_minute(&control_plane, "floor-2", &jobs, count).await;
    eprintln!("floor again: {:.0} chains a minute", after.chains_a_minute);
    witness::wait_for_silence(&control_plane, &installed.user).await;
    let (since, cpu) = (control_plane.audit().position().await, installed.cpu());
    tokio::time::sleep(Duration::from_secs(arguments.idle_seconds)).await;
    let idle = witness::writes(&control_plane, &installed.user, since).await;
    Figures {
        controller_qps,
        pipelines: count,
        floor: [before, after],
        operator,
        busy_cpu,
        memory,
        seen,
        idle_seconds: arguments.idle_seconds,
        idle_cpu: installed.cpu() - cpu,
        idle,
    }
}
