//! Pieces: the Jobs that make up one run of a step, one after the other. Most steps have the committing one only.

use serde::{Deserialize, Serialize};

/// A piece as a kind of step has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannedPiece {
    /// Which one.
    pub piece: Piece,
    /// How many pods share it, each with a number of its own; `None` where the step's spec says how many there are.
    pub pods: Option<u32>,
}

impl PlannedPiece {
    /// The one that commits the result.
    pub const COMMIT: Self = Self { piece: Piece::Commit, pods: None };
}

/// Which of the Jobs of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Piece {
    /// Trials of a search, shared among pods.
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
