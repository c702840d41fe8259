//! What an algorithm that can learn both classes and numbers is to learn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Predicts;

/// What to learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LearningTask {
    /// The target's values are classes.
    #[default]
    Classification,
    /// The target's values are numbers.
    Regression,
}

impl LearningTask {
    /// What an algorithm with this task predicts; classes when it is absent.
    pub(super) fn predicts(task: Option<Self>) -> Predicts {
        match task.unwrap_or_default() {
            Self::Classification => Predicts::Classes,
            Self::Regression => Predicts::Numbers,
        }
    }

    /// The task, unless it is what holds without it.
    pub(super) fn unless_default(task: Option<Self>) -> Option<Self> {
        task.filter(|task| *task != Self::default())
    }
}
