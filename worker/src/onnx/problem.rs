//! What can be wrong while a graph is computed.

use mlpipeline_crds::beginning;

/// The most characters of a name that a message repeats.
const NAME_SHOWN: usize = 80;

/// What is wrong, without the node that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The graph contradicts itself, or asks for what is not there.
    Graph(String),
    /// A value of the rows is none that the graph computes with.
    Value {
        /// The row, from 0, where it is known.
        row: Option<usize>,
        /// What is wrong with it.
        problem: String,
    },
    /// It takes more memory or time than a batch of rows may.
    Limit(String),
}

impl Problem {
    /// The graph's own.
    pub(super) fn graph(problem: impl Into<String>) -> Self {
        Self::Graph(problem.into())
    }

    /// That of a value.
    pub(super) fn value(row: usize, problem: impl Into<String>) -> Self {
        Self::Value { row: Some(row), problem: problem.into() }
    }

    /// The same with the place where it occurred before it.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Graph(problem) => Self::Graph(format!("{place}: {problem}")),
            Self::Limit(problem) => Self::Limit(format!("{place}: {problem}")),
            Self::Value { row, problem } => Self::Value { row, problem: format!("{place}: {problem}") },
        }
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Graph(text) | Self::Limit(text) | Self::Value { problem: text, .. } => text,
        }
    }
}

/// A name as messages show it.
pub(super) fn shown_name(name: &str) -> String {
    format!("\"{}\"", beginning(name, NAME_SHOWN))
}
