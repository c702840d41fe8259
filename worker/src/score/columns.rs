//! The columns of a prediction: `predicted_` and the target's name, and for classes `probability_` and each label.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};

use super::ScoreError;
use crate::model::{FeatureSchema, Label, Predictions};

/// The input's columns, followed by the prediction's.
///
/// # Errors
/// When the input has a column of the name of one of the prediction's.
pub(super) fn with_predictions(input: &Schema, model: &FeatureSchema) -> Result<Schema, ScoreError> {
    let labels = model.target.labels();
    let data_type = match labels.first() {
        Some(Label::Text(_)) => DataType::Utf8,
        Some(Label::Integer(_)) => DataType::Int64,
        Some(Label::Boolean(_)) => DataType::Boolean,
        None => DataType::Float64,
    };
    let mut fields: Vec<Arc<Field>> = input.fields().iter().cloned().collect();
    let predicted = Field::new(format!("predicted_{}", model.target.name()), data_type, false);
    let probability = |label: &Label| Field::new(format!("probability_{label}"), DataType::Float64, false);
    for field in std::iter::once(predicted).chain(labels.iter().map(probability)) {
        if input.column_with_name(field.name()).is_some() {
            return Err(ScoreError::ColumnTaken(field.name().clone()));
        }
        fields.push(Arc::new(field));
    }
    Ok(Schema::new(fields))
}

/// Predictions as columns, in the order of [`with_predictions`].
pub(super) fn prediction_columns(predictions: &Predictions, labels: &[Label]) -> Vec<ArrayRef> {
    let (index, probabilities) = match predictions {
        Predictions::Numbers(numbers) => {
            return vec![Arc::new(Float64Array::from_iter_values(numbers.iter().copied()))];
        }
        Predictions::Classes { index, probabilities } => (index, probabilities),
    };
    let mut columns = vec![label_column(index, labels)];
    for column in probabilities.columns() {
        columns.push(Arc::new(Float64Array::from_iter_values(column.iter().copied())));
    }
    columns
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
