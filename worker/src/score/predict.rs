//! Rows with their predictions, as a stream.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use ndarray::ArrayView2;

use super::ScoreError;
use super::columns::{prediction_columns, with_predictions};
use super::tally::Tally;
use crate::failure::StepError;
use crate::features::FeatureReader;
use crate::model::{Model, ModelError};
use crate::table::query_error;

/// The table's rows, in their order, with the model's predictions beside them. What was predicted is counted in `tally`.
///
/// # Errors
/// When the table lacks a feature or has a column of a prediction's name. The stream ends with an error at the first row
/// that cannot be predicted for.
pub(super) async fn predictions(
    table: DataFrame,
    model: Arc<Model>,
    tally: Arc<Mutex<Tally>>,
) -> Result<SendableRecordBatchStream, StepError> {
    let input = table.schema().as_arrow().clone();
    let schema = Arc::new(with_predictions(&input, model.schema())?);
    let reader = FeatureReader::new(&input, model.schema().names())?;
    let rows = table.execute_stream().await.map_err(|error| query_error(&error))?;
    let scorer = Scorer { model, reader, numbers: Vec::new(), tally, schema: SchemaRef::clone(&schema) };
    let scored = stream::try_unfold((rows, scorer), async |(mut rows, mut scorer)| match rows.next().await {
        Some(batch) => {
            let scored = scorer.score(&batch?).map_err(external)?;
            Ok(Some((scored, (rows, scorer))))
        }
        None => {
            scorer.reader.finish().map_err(|error| external(error.into()))?;
            Ok(None)
        }
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, scored)))
}

/// What was counted.
pub(super) fn tallied(tally: &Mutex<Tally>) -> Tally {
    tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn external(error: StepError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Predicts for batch after batch.
struct Scorer {
    model: Arc<Model>,
    reader: FeatureReader,
    /// The features of one batch, row by row.
    numbers: Vec<f64>,
    tally: Arc<Mutex<Tally>>,
    schema: SchemaRef,
}

impl Scorer {
    fn score(&mut self, batch: &RecordBatch) -> Result<RecordBatch, StepError> {
        let before = self.reader.rows();
        self.reader.read(batch, &mut self.numbers)?;
        let shape = (batch.num_rows(), self.model.schema().features.len());
        let rows = ArrayView2::from_shape(shape, &self.numbers).map_err(|error| internal(&error))?;
        let predictions = self.model.predict(rows).map_err(|error| match error {
            // The row of the batch becomes the row of the input.
            ModelError::Overflow { row } => ModelError::Overflow { row: row + before as usize },
            other => other,
        })?;
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).add(&predictions);
        let mut columns = batch.columns().to_vec();
        columns.extend(prediction_columns(&predictions, self.model.schema().target.labels()));
        Ok(RecordBatch::try_new(SchemaRef::clone(&self.schema), columns).map_err(|error| internal(&error))?)
    }
}

fn internal(error: &dyn std::error::Error) -> ScoreError {
    ScoreError::Internal(error.to_string())
}
