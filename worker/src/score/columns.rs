//! The columns of a prediction: `predicted_` and the target's name, and for classes `probability_` and each label; without a target,
//! what is found by its own names.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::ScoreError;
use crate::model::{FeatureSchema, Label, Predictions, Target};

/// The input's columns, followed by the prediction's.
///
/// # Errors
/// When the input has a column of the name of one of the prediction's.
pub(super) fn with_predictions(input: &Schema, model: &FeatureSchema) -> Result<Schema, ScoreError> {
    let mut fields: Vec<Arc<Field>> = input.fields().iter().cloned().collect();
    for field in prediction_fields(&model.target) {
        if input.column_with_name(field.name()).is_some() {
            return Err(ScoreError::ColumnTaken(field.name().clone()));
        }
        fields.push(Arc::new(field));
    }
    Ok(Schema::new(fields))
}

fn prediction_fields(target: &Target) -> Vec<Field> {
    let field = |name: String, data_type| Field::new(name, data_type, false);
    let predicted = |data_type| field(format!("predicted_{}", target.name()), data_type);
    let number = |name| field(name, DataType::Float64);
    match target {
        Target::Number { .. } => vec![predicted(DataType::Float64)],
        Target::Class { labels, .. } => {
            let probability = |label: &Label| number(format!("probability_{label}"));
            std::iter::once(predicted(label_type(labels))).chain(labels.iter().map(probability)).collect()
        }
        Target::Finding(finding) => {
            let answers = finding.answers();
            let answer =
                (!answers.is_empty()).then(|| field(finding.name().to_owned(), label_type(&answers)));
            answer.into_iter().chain(finding.numbers().into_iter().map(number)).collect()
        }
    }
}

fn label_type(labels: &[Label]) -> DataType {
    match labels.first() {
        Some(Label::Integer(_)) => DataType::Int64,
        Some(Label::Boolean(_)) => DataType::Boolean,
        Some(Label::Text(_)) | None => DataType::Utf8,
    }
}

/// Predictions as columns, in the order of [`with_predictions`]. The answers are those that the target may have.
pub(super) fn prediction_columns(predictions: &Predictions, answers: &[Label]) -> Vec<ArrayRef> {
    let (index, numbers) = match predictions {
        Predictions::Numbers(numbers) => {
            return vec![Arc::new(Float64Array::from_iter_values(numbers.iter().copied()))];
        }
        Predictions::Classes { index, probabilities: numbers } | Predictions::Findings { index, numbers } => {
            (index, numbers)
        }
    };
    let answer = (!answers.is_empty()).then(|| label_column(index, answers));
    let column = |column: ndarray::ArrayView1<'_, f64>| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(column.iter().copied()))
    };
    answer.into_iter().chain(numbers.columns().into_iter().map(column)).collect()
}

fn label_column(index: &[usize], labels: &[Label]) -> ArrayRef {
    let label = |class: &usize| labels.get(*class);
    match labels.first() {
        Some(Label::Integer(_)) => {
            Arc::new(Int64Array::from_iter(index.iter().map(|class| match label(class) {
                Some(Label::Integer(value)) => Some(*value),
                _ => None,
            })))
        }
        Some(Label::Boolean(_)) => {
            Arc::new(BooleanArray::from_iter(index.iter().map(|class| match label(class) {
                Some(Label::Boolean(value)) => Some(*value),
                _ => None,
            })))
        }
        _ => Arc::new(StringArray::from_iter(index.iter().map(|class| match label(class) {
            Some(Label::Text(value)) => Some(value.as_str()),
            _ => None,
        }))),
    }
}
