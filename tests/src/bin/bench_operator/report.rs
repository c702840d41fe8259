//! The figures as a table for the documentation.

use std::time::Duration;

use crate::machine::Turn;
use crate::witness::Seen;

/// All that was measured with one setting of the controllers.
pub struct Figures {
    pub controller_qps: u32,
    pub pipelines: usize,
    /// The floor, before the operator's turn and after it.
    pub floor: [Turn; 2],
    pub operator: Turn,
    pub busy_cpu: Duration,
    /// The peak, in MB.
    pub memory: f64,
    pub seen: Seen,
    pub idle_seconds: u64,
    pub idle_cpu: Duration,
    /// Writes while idle, by verb and resource.
    pub idle: Vec<(String, usize)>,
}

/// A table with a column for each setting.
pub fn table(all: &[Figures]) -> String {
    let row = |name: &str, cell: &dyn Fn(&Figures) -> String| {
        let cells: Vec<String> = all.iter().map(cell).collect();
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    let mut table = row("", &|figures| format!("controllers' QPS {}", figures.controller_qps));
    table += &format!("|---|{}\n", "---|".repeat(all.len()));
    table += &row("pipelines", &|figures| figures.pipelines.to_string());
    table += &row("floor, chains a minute (before, after)", &|figures| {
        let [before, after] = figures.floor.each_ref().map(|turn| turn.chains_a_minute);
        format!("{before:.0}, {after:.0}")
    });
    table += &row("operator, chains a minute", &|figures| format!("{:.0}", figures.operator.chains_a_minute));
    table += &row("ratio to the floor's mean", &|figures| {
        let [before, after] = figures.floor.each_ref().map(|turn| turn.chains_a_minute);
        format!("{:.2}", figures.operator.chains_a_minute * 2.0 / (before + after))
    });
    table +=
        &row("apply → first Job, own share, p50", &|figures| percentile(&figures.seen.own_share, 0.50));
    table +=
        &row("apply → first Job, own share, p99", &|figures| percentile(&figures.seen.own_share, 0.99));
    table += &row("CPU", &|figures| format!("{:.2} s", figures.busy_cpu.as_secs_f64()));
    table += &row("CPU of the whole machine (before, operator, after)", &|figures| {
        let [before, after] = figures.floor.each_ref().map(|turn| turn.machine.as_secs_f64());
        format!("{before:.0} s, {:.0} s, {after:.0} s", figures.operator.machine.as_secs_f64())
    });
    table += &row("peak memory", &|figures| format!("{:.0} MB", figures.memory));
    table += &row("writes a pipeline, without events", &|figures| a_pipeline(figures, false));
    table += &row("events a pipeline", &|figures| a_pipeline(figures, true));
    table += &row("writes by call", &|figures| calls(&figures.seen.writes));
    table += &row("of these failed", &|figures| figures.seen.failed.to_string());
    table += &row("writes while idle", &|figures| {
        format!("{} in {} s", calls(&figures.idle), figures.idle_seconds)
    });
    table += &row("CPU while idle", &|figures| format!("{:.2} s", figures.idle_cpu.as_secs_f64()));
    table
}

fn calls(writes: &[(String, usize)]) -> String {
    let list: Vec<String> = writes.iter().map(|(call, count)| format!("{count} {call}")).collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}

fn a_pipeline(figures: &Figures, events: bool) -> String {
    let count: usize = figures
        .seen
        .writes
        .iter()
        .filter(|(call, _)| call.ends_with(" events") == events)
        .map(|(_, count)| count)
        .sum();
    format!("{:.1}", count as f64 / figures.pipelines as f64)
}

/// The smallest value that so great a part of all does not exceed.
fn percentile(sorted: &[f64], part: f64) -> String {
    let at = (sorted.len() as f64 * part).ceil() as usize;
    let value = at.checked_sub(1).and_then(|at| sorted.get(at));
    value.map_or("none".to_owned(), |value| format!("{value:.0} ms"))
}
