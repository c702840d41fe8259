//! The regular expression whose named groups are the columns of lines of text.

use std::sync::Arc;

use mlpipeline_crds::OnMismatch;
use regex::{CaptureLocations, Regex};

use super::ReadOptions;

/// How lines become rows.
#[derive(Clone, Debug)]
pub(super) struct LinePattern {
    /// What is looked for in each line.
    pub regex: Regex,
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

    /// The text of a group in a line whose groups were found; empty where it takes no part.
    pub(super) fn group<'a>(&self, index: usize, line: &'a str, found: &CaptureLocations) -> &'a str {
        let place = self.groups.get(index).and_then(|(number, _)| found.get(*number));
        place.and_then(|(start, end)| line.get(start..end)).unwrap_or_default()
    }
}
