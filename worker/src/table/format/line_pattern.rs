//! The regular expression whose named groups are the columns of lines of text.

use std::sync::Arc;

use mlpipeline_crds::OnMismatch;
use regex::{CaptureLocations, Regex};

use super::ReadOptions;
use super::greedy_path::GreedyPath;
use super::kept_places::KeptPlaces;

/// How lines become rows.
#[derive(Clone, Debug)]
pub(super) struct LinePattern {
    regex: Regex,
    /// The quick way, for patterns that have one.
    path: Option<GreedyPath>,
    /// The named groups with their numbers, in the order in which they open.
    pub groups: Arc<[(usize, String)]>,
    /// What becomes of lines in which it is not found.
    pub on_mismatch: OnMismatch,
    /// At the start of lines that are left out.
    comment: Option<String>,
}

impl LinePattern {
    /// The pattern of a spec, with its named groups.
    pub(super) fn new(options: &ReadOptions) -> Result<Self, String> {
        let Some(pattern) = &options.pattern else {
            return Err("a pattern goes with text and text with a pattern: give a regular expression whose named groups are the columns".to_owned());
        };
        let regex = Regex::new(pattern)
            .map_err(|error| format!("the pattern is not a valid regular expression: {error}"))?;
        let named = regex.capture_names().enumerate();
        let groups: Vec<(usize, String)> =
            named.filter_map(|(number, name)| Some((number, name?.to_owned()))).collect();
        if groups.is_empty() {
            let text = format!(
                "the pattern {pattern} has no named group, and these become the columns; write one as (?<name>…)"
            );
            return Err(text);
        }
        Ok(Self {
            path: GreedyPath::new(pattern),
            regex,
            groups: groups.into(),
            on_mismatch: options.on_mismatch.unwrap_or_default(),
            comment: options.reading.comment.clone(),
        })
    }

    /// The groups' names: the columns.
    pub(super) fn names(&self) -> Vec<String> {
        self.groups.iter().map(|(_, name)| name.clone()).collect()
    }

    /// Whether a line has nothing to read.
    pub(super) fn is_left_out(&self, line: &str) -> bool {
        line.trim_ascii().is_empty() || self.comment.as_deref().is_some_and(|sign| line.starts_with(sign))
    }

    /// The pattern as it was written.
    pub(super) fn text(&self) -> &str {
        self.regex.as_str()
    }

    /// A search for the pattern in one line after the other.
    pub(super) fn search(&self) -> Search<'_> {
        let groups = vec![(0, 0); self.regex.captures_len()];
        Search { pattern: self, groups, locations: self.regex.capture_locations() }
    }
}

/// A search for a pattern, which keeps its memory from line to line.
pub(super) struct Search<'a> {
    pattern: &'a LinePattern,
    /// Where each group of the last line was found, by its number, in bytes.
    groups: Vec<(usize, usize)>,
    locations: CaptureLocations,
}

impl Search<'_> {
    /// Whether the pattern is in a line. Its groups are then known.
    pub(super) fn find(&mut self, line: &str) -> bool {
        if self.pattern.path.as_ref().is_some_and(|path| path.find(line, &mut self.groups)) {
            return true;
        }
        if self.pattern.regex.captures_read(&mut self.locations, line).is_none() {
            return false;
        }
        for (number, place) in self.groups.iter_mut().enumerate() {
            *place = self.locations.get(number).unwrap_or_default();
        }
        true
    }

    /// Where the columns are in the line that was searched last, in bytes, in which the pattern was found.
    pub(super) fn places(&self) -> impl Iterator<Item = Option<(usize, usize)>> {
        self.pattern.groups.iter().map(|(number, _)| self.groups.get(*number).copied())
    }

    /// As [`find`](Self::find), where the places of the line's columns were kept, by the line's place among those that were noted.
    pub(super) fn recall(&mut self, kept: &KeptPlaces, line: usize) -> bool {
        let columns = self.pattern.groups.len();
        self.pattern.groups.iter().enumerate().all(|(column, (number, _))| {
            let place = kept.place(line, columns, column);
            place.zip(self.groups.get_mut(*number)).map(|(place, group)| *group = place).is_some()
        })
    }

    /// The text of a column in the line that was searched last, in which the pattern was found; empty where its group takes no part.
    pub(super) fn group<'a>(&self, column: usize, line: &'a str) -> &'a str {
        let place = self.pattern.groups.get(column).and_then(|(number, _)| self.groups.get(*number));
        place.and_then(|(start, end)| line.get(*start..*end)).unwrap_or_default()
    }
}
