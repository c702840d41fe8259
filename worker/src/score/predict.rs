//! Rows with their predictions, as a stream.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};
use ndarray::ArrayView2;

use super::ScoreError;
use super::columns::{prediction_columns, with_predictions};
use super::tally::Tally;
use crate::engine::{query_error, until_failed};
use crate::failure::StepError;
use crate::features::FeatureReader;
use crate::model::{Label, Model, Predictions};
use crate::preprocess::RawRows;

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
    let reader = FeatureReader::new(&input, model.schema().inputs())?.within(model.largest_value());
    let rows = table.execute_stream().await.map_err(|error| query_error(&error))?;
    let answers = model.schema().target.answers();
    let scorer = Arc::new(Scorer { model, reader, answers, schema: SchemaRef::clone(&schema) });
    let (mut before, of_end) = (0_u64, Arc::clone(&scorer));
    let scored = until_failed(rows)
        .map(move |batch| {
            let (scorer, first) = (Arc::clone(&scorer), before);
            before += batch.as_ref().map_or(0, |batch| batch.num_rows() as u64);
            // Predicting is work for a core, so it has a thread of its own. The results come in the order of the rows.
            let scored = batch.map(|batch| tokio::task::spawn_blocking(move || scorer.score(&batch, first)));
            async move {
                match scored?.await {
                    Ok(scored) => scored.map_err(external),
                    Err(lost) => Err(external(ScoreError::lost(lost).into())),
                }
            }
        })
        .buffered(at_once());
    let state = (Box::pin(scored), tally, of_end, 0_u64);
    let counted = stream::try_unfold(state, async |(mut scored, tally, scorer, rows)| {
        match scored.try_next().await? {
            Some((batch, predictions)) => {
                tally.lock().unwrap_or_else(PoisonError::into_inner).add(&predictions);
                let rows = rows + batch.num_rows() as u64;
                Ok(Some((batch, (scored, tally, scorer, rows))))
            }
            None => {
                scorer.reader.finish(rows).map_err(|error| external(error.into()))?;
                Ok(None)
            }
        }
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, counted)))
}

/// How many batches are predicted for at the same time. It bounds the memory.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(16)
}

/// What was counted.
pub(super) fn tallied(tally: &Mutex<Tally>) -> Tally {
    tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn external(error: StepError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// Predicts for a batch, on any thread.
struct Scorer {
    model: Arc<Model>,
    reader: FeatureReader,
    /// What the target may be.
    answers: Vec<Label>,
    schema: SchemaRef,
}

impl Scorer {
    /// The batch with its predictions beside it. `before` is how many rows came before it.
    fn score(&self, batch: &RecordBatch, before: u64) -> Result<(RecordBatch, Predictions), StepError> {
        let width = self.model.schema().features.len();
        let mut raw = RawRows::new(width);
        self.reader.read(batch, before, &mut raw)?;
        let rows = ArrayView2::from_shape((batch.num_rows(), width), &raw.numbers)
            .map_err(|error| internal(&error))?;
        let predictions = self.model.with_texts(&raw.texts).predict(rows).map_err(|error| {
            // The row of the batch becomes the row of the input.
            error.after(before as usize)
        })?;
        let mut columns = batch.columns().to_vec();
        columns.extend(prediction_columns(&predictions, &self.answers));
        let scored = RecordBatch::try_new(SchemaRef::clone(&self.schema), columns);
        Ok((scored.map_err(|error| internal(&error))?, predictions))
    }
}

fn internal(error: &dyn std::error::Error) -> ScoreError {
    ScoreError::Internal(error.to_string())
}
