//! How much a row of each class counts.

use std::collections::BTreeMap;

use mlpipeline_crds::ClassWeight;

use super::error::TrainError;
use super::learner::Names;
use super::matrix::Rows;

/// The most classes that an error names.
const MOST_NAMED: usize = 20;

/// What a step says of how much classes count.
#[derive(Clone, Debug)]
pub(super) struct ClassWeights {
    rule: Option<ClassWeight>,
    by_name: BTreeMap<String, f64>,
    /// The weight of each class, where weights are by name and the names' places are known.
    placed: Option<Vec<f64>>,
}

impl ClassWeights {
    pub(super) fn new(rule: Option<ClassWeight>, by_name: &BTreeMap<String, f64>) -> Self {
        Self { rule, by_name: by_name.clone(), placed: None }
    }

    /// The same with the places of the classes that it names; none where it names none.
    ///
    /// # Errors
    /// When there is no such class.
    pub(super) fn placed(&self, algorithm: &str, names: &Names<'_>) -> Result<Option<Self>, TrainError> {
        if self.by_name.is_empty() {
            return Ok(None);
        }
        if let Some(unknown) = self.by_name.keys().find(|name| !names.classes.contains(name)) {
            return Err(TrainError::Spec(format!(
                "algorithm.{algorithm}.classWeights.{unknown}: {unknown} is not a class of the target; its classes are {}",
                shown(names.classes)
            )));
        }
        let weight = |class: &String| self.by_name.get(class).copied().unwrap_or(1.0);
        Ok(Some(Self { placed: Some(names.classes.iter().map(weight).collect()), ..self.clone() }))
    }

    /// The weight of a row of each class; each class has rows.
    ///
    /// # Errors
    /// When classes are named whose places are not known.
    pub(super) fn of(&self, rows: &Rows<'_>, classes: &[u32], count: usize) -> Result<Vec<f64>, TrainError> {
        match (self.rule, &self.placed) {
            (_, Some(placed)) => Ok(placed.clone()),
            (_, None) if !self.by_name.is_empty() => {
                Err(TrainError::Internal("the classes of weights were not looked up".to_owned()))
            }
            (None, None) => Ok(vec![1.0; count]),
            (Some(ClassWeight::Balanced), None) => {
                let balanced = |size: f64| rows.len() as f64 / (count as f64 * size.max(1.0));
                Ok(class_sizes(rows, classes, count).into_iter().map(balanced).collect())
            }
        }
    }
}

/// The first classes' names.
fn shown(classes: &[String]) -> String {
    let first: Vec<&str> = classes.iter().take(MOST_NAMED).map(String::as_str).collect();
    match classes.len().saturating_sub(MOST_NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// How many rows each class has.
pub(super) fn class_sizes(rows: &Rows<'_>, classes: &[u32], count: usize) -> Vec<f64> {
    let mut sizes = vec![0.0; count];
    for row in rows.numbers() {
        let class = classes.get(*row as usize).map_or(0, |class| *class as usize);
        if let Some(size) = sizes.get_mut(class) {
            *size += 1.0;
        }
    }
    sizes
}
