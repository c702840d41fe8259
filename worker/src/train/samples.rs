//! Reading a table into memory: the features' matrix and the target of every row.

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::dataframe::DataFrame;
use datafusion::prelude::ident;
use futures::StreamExt;

use super::class_target::ClassReader;
use super::error::TrainError;
use super::learner::Learner;
use super::matrix::Matrix;
use super::memory::check_memory;
use super::number_target::NumberReader;
use super::task::Task;
use crate::engine::query_error;
use crate::failure::StepError;
use crate::features::{FeatureReader, column_names, feature_kind};
use crate::model::{FeatureKind, MAX_FEATURES};
use crate::progress::Progress;

/// Everything there is to learn from.
pub(super) struct Samples {
    /// The features, rows × columns.
    pub(super) matrix: Matrix,
    /// The features' names and kinds, in the order of the matrix.
    pub(super) features: Vec<(String, FeatureKind)>,
    /// The algorithm, with the target of each row.
    pub(super) task: Task,
}

/// Reads the features and the target of every row, in the table's order.
///
/// # Errors
/// When a column is missing or named twice, a value is not a number or not a target, there are no rows, or more than fit into
/// memory.
pub(super) async fn read(
    table: DataFrame,
    target: &str,
    features: &[String],
    learner: Learner,
    progress: Progress,
) -> Result<Samples, StepError> {
    let schema = table.schema().as_arrow().clone();
    let names = feature_names(&schema, target, features)?;
    let target_field = field(&schema, target, "target")?;
    let mut targets = Targets::new(learner, target_field)?;
    let columns = names.iter().map(String::as_str).chain([target]).map(ident);
    let selected = table.select(columns.collect::<Vec<_>>()).map_err(|error| query_error(&error))?;
    let reader = FeatureReader::new(selected.schema().as_arrow(), names.iter().map(String::as_str))?;
    let mut stream = selected.execute_stream().await.map_err(|error| query_error(&error))?;
    let (mut matrix, mut numbers) = (Matrix::new(names.len()), Vec::new());
    let bar = progress.rows("read");
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| query_error(&error))?;
        reader.read(&batch, matrix.rows() as u64, &mut numbers)?;
        targets.read(batch.column(names.len()))?;
        matrix.extend(&numbers);
        check_memory(matrix.rows(), names.len())?;
        bar.add(batch.num_rows() as u64);
    }
    if matrix.rows() == 0 {
        let message = "the training data have no rows; look at the step or file that they come from";
        return Err(TrainError::Data(message.to_owned()).into());
    }
    reader.finish(matrix.rows() as u64)?;
    let kind = |name: String| {
        let kind =
            schema.field_with_name(&name).map_or(FeatureKind::Float, |field| feature_kind(field.data_type()));
        (name, kind)
    };
    Ok(Samples { matrix, features: names.into_iter().map(kind).collect(), task: targets.finish()? })
}

fn field<'a>(schema: &'a Schema, name: &str, role: &'static str) -> Result<&'a Field, TrainError> {
    schema.field_with_name(name).map_err(|_| TrainError::ColumnNotFound {
        role,
        name: name.to_owned(),
        columns: column_names(schema),
    })
}

/// The features asked for, or every column but the target.
fn feature_names(schema: &Schema, target: &str, asked: &[String]) -> Result<Vec<String>, TrainError> {
    field(schema, target, "target")?;
    let all = || schema.fields().iter().map(|field| field.name().clone()).filter(|name| name != target);
    let names: Vec<String> = if asked.is_empty() { all().collect() } else { asked.to_vec() };
    let mut seen = std::collections::BTreeSet::new();
    for name in &names {
        field(schema, name, "feature")?;
        if name == target {
            return Err(TrainError::Spec(format!(
                "features: \"{name}\" is the target, which cannot be learnt from; leave it out of the features"
            )));
        }
        if !seen.insert(name) {
            return Err(TrainError::Spec(format!("features: \"{name}\" is named twice; name it once")));
        }
    }
    match names.len() {
        0 => Err(TrainError::Data(format!(
            "the training data have no column but the target \"{target}\"; there is nothing to learn from"
        ))),
        count if count > MAX_FEATURES => Err(TrainError::Spec(format!(
            "features: there are {count}, and a model has at most {MAX_FEATURES}; name those to learn from"
        ))),
        _ => Ok(names),
    }
}

/// The target's reader, with the algorithm that it is for.
enum Targets {
    Classes(Box<dyn super::learner::Classifier>, ClassReader),
    Numbers(Box<dyn super::learner::Regressor>, NumberReader),
}

impl Targets {
    fn new(learner: Learner, field: &Field) -> Result<Self, TrainError> {
        Ok(match learner {
            Learner::Classifier(learner) => {
                Self::Classes(learner, ClassReader::new(field.name(), field.data_type())?)
            }
            Learner::Regressor(learner) => {
                Self::Numbers(learner, NumberReader::new(field.name(), field.data_type())?)
            }
        })
    }

    fn read(&mut self, array: &datafusion::arrow::array::ArrayRef) -> Result<(), TrainError> {
        match self {
            Self::Classes(_, reader) => reader.read(array),
            Self::Numbers(_, reader) => reader.read(array),
        }
    }

    fn finish(self) -> Result<Task, TrainError> {
        Ok(match self {
            Self::Classes(learner, reader) => {
                let (labels, classes) = reader.finish()?;
                Task::Classify { learner, labels, classes }
            }
            Self::Numbers(learner, reader) => Task::Regress { learner, numbers: reader.finish() },
        })
    }
}
