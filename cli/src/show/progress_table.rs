//! The table of steps on a terminal, refreshed in place.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mlpipeline_crds::StepState;

use super::lines::LineWatcher;
use super::summary::summary;
use super::table::Tone;
use crate::local::{Engine, Row, Watcher};

/// Shows a line a step, with a spinner for active ones, until everything is done or serving; plain lines after that.
pub struct TableWatcher {
    screen: MultiProgress,
    bars: BTreeMap<String, ProgressBar>,
    after: Option<LineWatcher>,
}

impl TableWatcher {
    /// Draws on standard error.
    #[must_use]
    pub fn new() -> Self {
        Self { screen: MultiProgress::new(), bars: BTreeMap::new(), after: None }
    }

    fn draw(&mut self, row: &Row, width: usize) {
        let screen = &self.screen;
        let bar = self.bars.entry(row.step.clone()).or_insert_with(|| screen.add(ProgressBar::new_spinner()));
        let style = Tone::of(row.state).style();
        let state = format!("{:?}", row.state).to_lowercase();
        let seconds = row.seconds.filter(|_| row.state != StepState::Running);
        let seconds = seconds.map(|seconds| format!("{seconds:.1} s  ")).unwrap_or_default();
        bar.set_prefix(format!("{:width$}  {:7}", row.step, row.kind.name()));
        bar.set_message(format!("{style}{state:9}{style:#}  {seconds}{}", row.message.replace('\n', " ")));
        let is_busy = row.state == StepState::Running;
        let template =
            if is_busy { "{spinner:.cyan} {prefix}  {wide_msg}" } else { "  {prefix}  {wide_msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if is_busy {
            bar.enable_steady_tick(Duration::from_millis(120))
        } else {
            bar.disable_steady_tick()
        }
        bar.tick();
    }
}

impl Watcher for TableWatcher {
    fn changed(&mut self, engine: &Engine) {
        if let Some(lines) = &mut self.after {
            return lines.changed(engine);
        }
        let rows = engine.rows();
        let width = rows.iter().map(|row| row.step.len()).max().unwrap_or_default();
        for row in &rows {
            self.draw(row, width);
        }
    }

    fn settled(&mut self, engine: &Engine) {
        // The summary's table takes the place of this one.
        drop(std::mem::take(&mut self.bars));
        self.screen.clear().ok();
        self.after = Some(LineWatcher::after(engine));
        summary(engine, false);
    }
}

impl Drop for TableWatcher {
    fn drop(&mut self) {
        self.screen.clear().ok();
    }
}
