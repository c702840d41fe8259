//! A model that knows only the target: what any other must beat.

use ndarray::Array1;

use super::quantile::quantile;
use super::task::Task;
use crate::evaluation::{ClassOutcomes, NumberOutcomes, Outcomes};

impl Task {
    /// What a model would predict for rows that knows the targets of these others, and nothing else: the most frequent class
    /// (the first of equals) and each class's share as its probability, or the mean or quantile. None without a target.
    pub(super) fn naive(&self, known: &[u32], rows: &[u32]) -> Option<Outcomes> {
        match self {
            Self::Classify { labels, classes, .. } => {
                let class =
                    |row: &u32| classes.get(*row as usize).map_or(labels.len(), |class| *class as usize);
                let mut counts = vec![0_u32; labels.len()];
                for row in known {
                    if let Some(count) = counts.get_mut(class(row)) {
                        *count += 1;
                    }
                }
                let most = counts.iter().max().and_then(|most| counts.iter().position(|count| count == most));
                let share = |count: &u32| f64::from(*count) / known.len() as f64;
                let shares: Array1<f64> = counts.iter().map(share).collect();
                let mut outcomes = ClassOutcomes::new(labels.len(), rows.len()).with_room(rows.len());
                rows.iter()
                    .for_each(|row| outcomes.push(class(row), most.unwrap_or_default(), shares.view()));
                Some(Outcomes::Classes(outcomes))
            }
            Self::Regress { learner, numbers } => {
                let number = |row: &u32| numbers.get(*row as usize).copied().unwrap_or_default();
                let answer = match learner.quantile() {
                    Some(share) => quantile(known.iter().map(number).collect(), share),
                    None => known.iter().map(number).sum::<f64>() / known.len() as f64,
                };
                let mut outcomes = NumberOutcomes::of_quantile(learner.quantile()).with_room(rows.len());
                rows.iter().for_each(|row| outcomes.push(number(row), answer));
                Some(Outcomes::Numbers(outcomes))
            }
            Self::Find { .. } => None,
        }
    }

    /// What the naive model answers; there is none without a target.
    pub(super) fn naive_answer(&self) -> Option<String> {
        match self {
            Self::Classify { .. } => {
                Some("the most frequent class, with each class's share as its probability".to_owned())
            }
            Self::Regress { learner, .. } if learner.forecast().is_some() => {
                Some("the last number of the series".to_owned())
            }
            Self::Regress { learner, .. } => Some(match learner.quantile() {
                Some(share) => format!("the {share} quantile"),
                None => "the mean".to_owned(),
            }),
            Self::Find { .. } => None,
        }
    }
}
