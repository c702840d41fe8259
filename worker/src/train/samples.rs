//! Reading a table: the features' matrix, and the target of every row in memory.

use datafusion::arrow::datatypes::Field;
use datafusion::dataframe::DataFrame;
use datafusion::prelude::ident;
use futures::StreamExt;

use super::class_target::ClassReader;
use super::columns::{Asked, Column, Treatment};
use super::error::TrainError;
use super::interactions::products;
use super::keys::{KeyColumns, KeyReader, Keys, row_hashes, write_number, write_text};
use super::learner::Learner;
use super::matrix::Matrix;
use super::memory::{Room, of_measured_classes};
use super::nearly_numbers;
use super::number_target::NumberReader;
use super::task::Task;
use crate::engine::query_error;
use crate::failure::StepError;
use crate::features::{FeatureReader, column_names};
use crate::preprocess::{Product, RawRows, Texts, for_each_word};
use crate::progress::Progress;

/// Texts in more than this share of the rows are an id or free text, unless the step says what the column is.
const DISTINCT_SHARE: f64 = 0.9;

/// With fewer different texts than this, each row having another one is chance.
const FEWEST_IDS: usize = 20;

/// Texts of this many words on average are prose.
const WORDS_OF_PROSE: usize = 4;

/// So many texts say whether a column is prose.
const PROSE_SAMPLE: usize = 1000;

/// A column that was read and is not learnt from.
pub(super) struct LeftOut {
    pub(super) name: String,
    /// Whether its texts look like prose.
    pub(super) is_prose: bool,
    /// The texts that are no numbers, where nearly all others are.
    pub(super) no_numbers: Option<Vec<String>>,
}

/// Everything there is to learn from.
pub(super) struct Samples {
    /// The features as they were read, rows × columns, in memory or in a file.
    pub(super) raw: Matrix,
    /// The texts of each column.
    pub(super) texts: Vec<Texts>,
    /// How many values of each column are missing.
    pub(super) missing: Vec<u64>,
    /// The features, in the order of the matrix.
    pub(super) columns: Vec<Column>,
    /// Products of columns, which are learnt from beside them.
    pub(super) products: Vec<Product>,
    /// Columns of text that were read and are not learnt from.
    pub(super) left_out: Vec<LeftOut>,
    /// What says which rows are kept back and which stay together.
    pub(super) keys: Keys,
    /// The algorithm, with the target of each row.
    pub(super) task: Task,
    /// Where rows may be.
    pub(super) room: Room,
}

impl Samples {
    /// Whether a value of a column may be missing: one is, in some row.
    pub(super) fn is_optional(&self, place: usize) -> bool {
        self.missing.get(place).is_some_and(|missing| *missing > 0)
    }
}

/// Reads the features and the target of every row, in the table's order.
///
/// # Errors
/// When a column is missing, named twice or empty, a value is not of its column's form or not a target, there are no rows, or
/// more than fit into memory.
pub(super) async fn read(
    table: DataFrame,
    asked: Asked<'_>,
    keys: KeyColumns,
    learner: Learner,
    room: Room,
    progress: Progress,
) -> Result<Samples, StepError> {
    let schema = table.schema().as_arrow().clone();
    let columns = asked.choose(&schema)?;
    // Before any row is read: all that can be wrong with them.
    products(asked.interactions, &columns)?;
    let target_field = asked.target.map(|target| schema.field_with_name(target)).transpose();
    let target_field = target_field.map_err(|error| TrainError::Internal(error.to_string()))?;
    let mut targets = Targets::new(learner, target_field)?;
    let row_seed = keys.row_seed();
    // A column may be learnt from too, and is read once.
    let mut names: Vec<&str> =
        columns.iter().map(|column| column.name.as_str()).chain(asked.target).collect();
    for (role, name) in keys.named() {
        schema.field_with_name(name).map_err(|_| TrainError::ColumnNotFound {
            role,
            name: name.to_owned(),
            columns: column_names(&schema),
        })?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let selected = table
        .select(names.into_iter().map(ident).collect::<Vec<_>>())
        .map_err(|error| query_error(&error))?;
    let mut keys = KeyReader::new(keys, selected.schema().as_arrow())?;
    let reader = FeatureReader::new(selected.schema().as_arrow(), columns.iter().map(Column::input))?;
    let mut stream = selected.execute_stream().await.map_err(|error| query_error(&error))?;
    let streamed = targets.row_bytes(columns.len());
    let (mut matrix, mut read) = (Matrix::new(columns.len()), RawRows::new(columns.len()));
    let bar = progress.rows("read");
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|error| query_error(&error))?;
        reader.read(&batch, matrix.rows() as u64, &mut read)?;
        if asked.target.is_some() {
            targets.read(batch.column(columns.len()))?;
        }
        keys.read(&batch, matrix.rows() as u64)?;
        matrix.extend(&read.numbers);
        room.place(&mut matrix, streamed)?;
        bar.add(batch.num_rows() as u64);
    }
    if matrix.rows() == 0 {
        let message = "the training data have no rows; look at the step or file that they come from";
        return Err(TrainError::Data(message.to_owned()).into());
    }
    reader.finish(matrix.rows() as u64)?;
    let RawRows { texts, missing, .. } = read;
    let (keys, task) = (keys.finish(), targets.finish()?);
    let (products_of, left_out) = (asked.interactions, Vec::new());
    let mut samples =
        Samples { raw: matrix, texts, missing, columns, products: Vec::new(), left_out, keys, task, room };
    // Before any column is left out: which ones are, depends on all rows.
    samples.keys.hashes = samples.keys.hashes.take().or_else(|| Some(hashes(&samples, row_seed?)));
    check_empty(&samples)?;
    let mut samples = leave_out(samples)?;
    samples.products = products(products_of, &samples.columns)?;
    Ok(samples)
}

/// The hash of each row.
fn hashes(samples: &Samples, seed: i64) -> Vec<u64> {
    let names: Vec<&str> = samples.columns.iter().map(|column| column.name.as_str()).collect();
    row_hashes(seed, &samples.raw, &samples.texts, &names, |row, bytes| match &samples.task {
        Task::Classify { labels, classes, .. } => {
            let label = classes.get(row).and_then(|class| labels.get(*class as usize));
            write_text(bytes, &label.map(ToString::to_string).unwrap_or_default());
        }
        Task::Regress { numbers, .. } => write_number(bytes, numbers.get(row).copied().unwrap_or(f64::NAN)),
        Task::Find { .. } => {}
    })
}

/// A column without any value tells nothing, and would be expected of every row that is predicted for.
fn check_empty(samples: &Samples) -> Result<(), TrainError> {
    let rows = samples.raw.rows() as u64;
    let empty = samples.columns.iter().zip(&samples.missing).find(|(_, missing)| **missing == rows);
    match empty {
        None => Ok(()),
        Some((column, _)) => Err(TrainError::Data(format!(
            "column \"{0}\" is empty in every row; leave it out: name the features without it, or set columns: [{{name: {0}, as: \
             ignore}}]",
            column.name
        ))),
    }
}

/// Leaves out columns of text that tell rows apart rather than what rows have in common.
fn leave_out(mut samples: Samples) -> Result<Samples, TrainError> {
    let rows = samples.raw.rows() as f64;
    let tells_rows_apart = |place: usize, column: &Column| {
        let texts = samples.texts.get(place).map_or(0, Texts::len);
        let missing = samples.missing.get(place).copied().unwrap_or_default() as f64;
        matches!(column.treatment, Treatment::Category(_))
            && texts >= FEWEST_IDS
            && !column.asked_for
            && texts as f64 > DISTINCT_SHARE * (rows - missing)
    };
    let numbered = || samples.columns.iter().enumerate();
    let out: Vec<usize> = numbered()
        .filter(|(place, column)| tells_rows_apart(*place, column))
        .map(|(place, _)| place)
        .collect();
    if out.is_empty() {
        return Ok(samples);
    }
    let kept = || numbered().filter(|(place, _)| !out.contains(place));
    let places: Vec<usize> = kept().map(|(place, _)| place).collect();
    if places.is_empty() {
        return Err(TrainError::Data(
            "each column to learn from has another text in nearly each row, and there is nothing to learn from; name features to \
             learn from anyway"
                .to_owned(),
        ));
    }
    let left_out = out.iter().filter_map(|place| {
        let name = samples.columns.get(*place)?.name.clone();
        let texts = samples.texts.get(*place)?;
        Some(LeftOut { name, is_prose: is_prose(texts), no_numbers: nearly_numbers::others(texts.iter()) })
    });
    let left_out = left_out.collect();
    let columns = kept().map(|(_, column)| column.clone()).collect();
    let missing = places.iter().filter_map(|place| samples.missing.get(*place).copied()).collect();
    let raw = samples.raw.select_columns(&places)?;
    let texts = places.iter().filter_map(|place| samples.texts.get_mut(*place).map(std::mem::take)).collect();
    let Samples { keys, task, room, .. } = samples;
    Ok(Samples { raw, texts, missing, columns, products: Vec::new(), left_out, keys, task, room })
}

/// Whether texts are prose rather than names or ids, by how many words the first of them have.
fn is_prose(texts: &Texts) -> bool {
    let mut words = 0;
    texts.iter().take(PROSE_SAMPLE).for_each(|text| for_each_word(text, |_| words += 1));
    words >= WORDS_OF_PROSE * texts.len().min(PROSE_SAMPLE)
}

/// The target's reader, with the algorithm that it is for.
enum Targets {
    Classes(Box<dyn super::learner::Classifier>, ClassReader),
    Numbers(Box<dyn super::learner::Regressor>, NumberReader),
    None(Box<dyn super::learner::Finder>),
}

impl Targets {
    fn new(learner: Learner, field: Option<&Field>) -> Result<Self, TrainError> {
        let named =
            || field.ok_or_else(TrainError::missing_target).map(|field| (field.name(), field.data_type()));
        Ok(match learner {
            Learner::Classifier(learner) => {
                let (name, data_type) = named()?;
                Self::Classes(learner, ClassReader::new(name, data_type)?)
            }
            Learner::Regressor(learner) => {
                let (name, data_type) = named()?;
                Self::Numbers(learner, NumberReader::new(name, data_type)?)
            }
            Learner::Finder(learner) => Self::None(learner),
        })
    }

    /// What the learner holds of each row of so many columns that is read from a file; none where all must be in memory. How many
    /// classes there are is not known yet: it is asked again once they are.
    fn row_bytes(&self, width: usize) -> Option<usize> {
        match self {
            Self::Classes(learner, _) => Some(learner.row_bytes(width, 0)? + of_measured_classes(0, 0)),
            Self::Numbers(learner, _) => learner.row_bytes(width),
            Self::None(learner) => learner.row_bytes(width),
        }
    }

    fn read(&mut self, array: &datafusion::arrow::array::ArrayRef) -> Result<(), TrainError> {
        match self {
            Self::Classes(_, reader) => reader.read(array),
            Self::Numbers(_, reader) => reader.read(array),
            Self::None(_) => Ok(()),
        }
    }

    fn finish(self) -> Result<Task, TrainError> {
        Ok(match self {
            Self::Classes(learner, reader) => {
                let (labels, classes) = reader.finish()?;
                Task::Classify { learner, labels, classes }
            }
            Self::Numbers(learner, reader) => Task::Regress { learner, numbers: reader.finish()? },
            Self::None(learner) => Task::Find { learner },
        })
    }
}
