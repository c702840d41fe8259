//! Pieces: the Jobs that make up one run of a step, one after the other. Today every step has the committing one only.

use serde::{Deserialize, Serialize};

/// Which of the Jobs of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Piece {
    /// Trials of a search, one a pod.
    Trials,
    /// Shards of the data, one a pod.
    Shards,
    /// What commits the result: all of the run, or what is left when the pieces before it are done.
    #[default]
    Commit,
}

impl Piece {
    /// Every piece there is.
    pub const ALL: [Self; 3] = [Self::Trials, Self::Shards, Self::Commit];

    /// The name in labels and in Jobs' names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trials => "trials",
            Self::Shards => "shards",
            Self::Commit => "commit",
        }
    }

    /// The piece of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|piece| piece.name() == name)
    }
}
