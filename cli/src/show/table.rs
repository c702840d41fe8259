//! Tables of text: columns as wide as their widest cell, and words in the colour of what they mean.

use anstyle::{AnsiColor, Effects, Style};
use mlpipeline_crds::StepState;

/// What a word means for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    Plain,
    /// Success.
    Good,
    /// In progress.
    Busy,
    /// Waiting.
    Quiet,
    /// Blocked or rejected.
    Warning,
    /// Failure.
    Bad,
}

impl Tone {
    /// The style on a terminal.
    #[must_use]
    pub fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Good => colour(AnsiColor::Green),
            Self::Busy => colour(AnsiColor::Cyan),
            Self::Quiet => Style::new().effects(Effects::DIMMED),
            Self::Warning => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red),
        }
    }

    /// What a step's state means for the reader.
    #[must_use]
    pub fn of(state: StepState) -> Self {
        match state {
            StepState::Done | StepState::Serving => Self::Good,
            StepState::Running => Self::Busy,
            StepState::Waiting | StepState::Suspended => Self::Quiet,
            StepState::Rejected | StepState::Blocked => Self::Warning,
            StepState::Failed => Self::Bad,
        }
    }
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell of plain text.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A cell whose text means something.
    #[must_use]
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        // A message may hold anything; a table's row is one line.
        let text = text.into().replace(['\n', '\r', '\t'], " ");
        Self { text, tone }
    }
}

/// Prints a table on standard output.
pub fn table(head: &[&str], rows: Vec<Vec<Cell>>) {
    for line in render(head, rows) {
        super::printed::output(line);
    }
}

fn render(head: &[&str], rows: Vec<Vec<Cell>>) -> Vec<String> {
    let head = head.iter().map(|title| Cell::toned(*title, Tone::Quiet)).collect();
    let rows: Vec<Vec<Cell>> = std::iter::once(head).chain(rows).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.text.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter()
        .map(|row| {
            let last = row.len().saturating_sub(1);
            let cells = row.iter().zip(&widths).enumerate().map(|(index, (cell, width))| {
                let width = if index == last { 0 } else { *width };
                let style = cell.tone.style();
                format!("{style}{:width$}{style:#}", cell.text)
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_rows_are_one_line() {
        let rows = vec![
            vec![Cell::plain("data"), Cell::plain("two\nlines")],
            vec![Cell::plain("é"), Cell::plain("x")],
        ];
        let lines: Vec<String> = render(&["STEP", "REASON"], rows)
            .iter()
            .map(|line| anstream::adapter::strip_str(line).to_string())
            .collect();
        assert_eq!(lines, ["STEP  REASON", "data  two lines", "é     x"]);
    }
}
