//! What decides, beside the seed, which rows are kept back and which stay together: a value of each row.
//!
//! Owns reading these values, and the hash of a row. The hash is part of what a revision means: it is the first 64 bits of a SHA-256
//! over the seed and the values alone, so that it depends on nothing but them, on no machine, release, or other row.

use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use mlpipeline_crds::SplitBy;
use sha2::{Digest, Sha256};

use super::error::TrainError;
use super::matrix::{Matrix, PartedBy};
use super::parallel::over_shards;
use super::settings::{Settings, TestSplit};
use crate::features::{FeatureReader, is_number, value_type};
use crate::preprocess::{Form, Input, RawRows, Spelling, Texts, parse_time};

/// Which columns have the values.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyColumns {
    group: Option<String>,
    hash: Option<String>,
    time: Option<String>,
    /// The seed of hashes, where rows are split by them.
    seed: Option<i64>,
}

/// The values of all rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    /// Equal numbers are of rows that stay together.
    pub(super) groups: Option<Vec<u32>>,
    /// The hash of each row, or of the column that stands for it.
    pub(super) hashes: Option<Vec<u64>>,
    /// When each row is from.
    pub(super) times: Option<Vec<f64>>,
}

impl Keys {
    /// How rows are to be kept back while an algorithm learns: as the split does it.
    pub(super) fn parted_by(&self) -> PartedBy<'_> {
        match (&self.times, &self.groups) {
            (Some(times), _) => PartedBy::Times(times),
            (None, Some(groups)) => PartedBy::Groups(groups),
            (None, None) => PartedBy::Chance,
        }
    }

    /// The group of each of these rows, where rows have groups.
    pub(super) fn groups_of(&self, rows: &[u32]) -> Option<Vec<u32>> {
        let groups = self.groups.as_ref()?;
        Some(rows.iter().map(|row| groups.get(*row as usize).copied().unwrap_or_default()).collect())
    }
}

impl KeyColumns {
    /// The columns that a step's split and folds need.
    pub(super) fn of(settings: &Settings) -> Self {
        let group = settings.group_by.clone();
        let Some(TestSplit { by, column, seed, .. }) = &settings.split else {
            return Self { group, ..Self::default() };
        };
        match by {
            SplitBy::Shuffle => Self { group, ..Self::default() },
            SplitBy::Hash => {
                // Rows of a group have one hash, and so stay together.
                Self { hash: column.clone().or_else(|| group.clone()), group, time: None, seed: Some(*seed) }
            }
            SplitBy::Time => Self { group, time: column.clone(), ..Self::default() },
        }
    }

    /// The columns, each with the field of the spec that names it.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [("groupBy", &self.group), ("split.column", &self.hash), ("split.column", &self.time)];
        all.into_iter().filter_map(|(role, name)| Some((role, name.as_deref()?)))
    }

    /// The seed of the hash of whole rows, where no column stands for them.
    pub(super) fn row_seed(&self) -> Option<i64> {
        self.seed.filter(|_| self.hash.is_none())
    }
}

/// Reads the values of batch after batch.
#[derive(Debug)]
pub(super) struct KeyReader {
    columns: KeyColumns,
    reader: FeatureReader,
    read: RawRows,
    values: Vec<Vec<f64>>,
}

impl KeyReader {
    /// A reader of these columns from batches of this schema.
    ///
    /// # Errors
    /// When a column is not there, or its type holds no such values.
    pub(super) fn new(columns: KeyColumns, schema: &Schema) -> Result<Self, TrainError> {
        let form = |name: &str, of_others: Form| match schema.field_with_name(name) {
            Ok(field) => match value_type(field.data_type()) {
                number if number.is_floating() || number.is_decimal() => Form::Number,
                time if time.is_temporal() => Form::Time,
                whole if is_number(whole) && of_others == Form::Time => Form::Number,
                _ => of_others,
            },
            Err(_) => of_others,
        };
        let input = |name: &String, of_others| Input {
            name: name.clone(),
            form: form(name, of_others),
            optional: false,
            spelling: Spelling::default(),
        };
        let by_value =
            [&columns.group, &columns.hash].into_iter().flatten().map(|name| input(name, Form::Text));
        let by_time = columns.time.iter().map(|name| input(name, Form::Time));
        let inputs: Vec<Input> = by_value.chain(by_time).collect();
        let count = inputs.len();
        let reader = FeatureReader::new(schema, inputs).map_err(unfit)?;
        Ok(Self { columns, reader, read: RawRows::new(count), values: vec![Vec::new(); count] })
    }

    /// Takes in a batch, of which `before` rows came before.
    pub(super) fn read(&mut self, batch: &RecordBatch, before: u64) -> Result<(), TrainError> {
        self.reader.read(batch, before, &mut self.read).map_err(unfit)?;
        let width = self.values.len().max(1);
        for (place, values) in self.values.iter_mut().enumerate() {
            values.extend(self.read.numbers.iter().skip(place).step_by(width));
        }
        Ok(())
    }

    /// All rows' values.
    pub(super) fn finish(self) -> Keys {
        let Self { columns, read, values, .. } = self;
        let mut read = values.into_iter().zip(read.texts);
        let group = columns.group.and_then(|_| read.next());
        let hash = columns.hash.and_then(|_| read.next());
        let time = columns.time.and_then(|_| read.next());
        let seed = columns.seed.unwrap_or_default();
        Keys {
            groups: group.map(|(values, texts)| distinct(values, texts).0),
            hashes: hash.map(|(values, texts)| {
                let (places, texts) = distinct(values, texts);
                let of: Vec<u64> = texts.iter().map(|text| hash_of_value(seed, text)).collect();
                places.into_iter().map(|place| of.get(place as usize).copied().unwrap_or_default()).collect()
            }),
            times: time.map(|(times, _)| times),
        }
    }
}

/// The different values, as texts, and where each row's is among them. Numbers become texts too: 7 is one value in whatever type.
fn distinct(values: Vec<f64>, mut texts: Texts) -> (Vec<u32>, Texts) {
    if texts.is_empty() {
        // 0 and -0 are one value.
        let places = values.into_iter().map(|value| texts.place(&(value + 0.0).to_string())).collect();
        return (places, texts);
    }
    (values.into_iter().map(|place| place as u32).collect(), texts)
}

fn unfit(error: crate::features::FeatureError) -> TrainError {
    TrainError::Data(format!("which rows are kept back or stay together: {error}"))
}

/// The hash of each row: of its features, by the names of their columns, and of its target.
pub(super) fn row_hashes(
    seed: i64,
    raw: &Matrix,
    texts: &[Texts],
    names: &[&str],
    target: impl Fn(usize, &mut Vec<u8>) + Sync,
) -> Vec<u64> {
    let mut places: Vec<usize> = (0..names.len()).collect();
    places.sort_by_key(|place| names.get(*place));
    let shards = over_shards(raw.rows(), |range| {
        let (mut hashes, mut bytes) = (Vec::with_capacity(range.len()), Vec::new());
        for (number, row) in range.clone().zip(raw.stretch(range)) {
            bytes.clear();
            for place in &places {
                let value = row.get(*place).copied().unwrap_or(f64::NAN);
                write(&mut bytes, value, texts.get(*place));
            }
            target(number, &mut bytes);
            hashes.push(hash_of(seed, &bytes));
        }
        hashes
    });
    shards.into_iter().flatten().collect()
}

/// A value, so that no two rows have the same bytes but those with the same values.
fn write(bytes: &mut Vec<u8>, value: f64, texts: Option<&Texts>) {
    match texts.filter(|texts| !texts.is_empty()).and_then(|texts| texts.get(value as usize)) {
        _ if value.is_nan() => bytes.push(0),
        Some(text) => write_text(bytes, text),
        None => {
            bytes.push(1);
            // 0 and -0 are one value.
            bytes.extend((value + 0.0).to_bits().to_be_bytes());
        }
    }
}

/// A text, as a part of a row.
pub(super) fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(2);
    bytes.extend((text.len() as u64).to_be_bytes());
    bytes.extend(text.as_bytes());
}

/// A number, as a part of a row.
pub(super) fn write_number(bytes: &mut Vec<u8>, number: f64) {
    write(bytes, number, None);
}

/// The hash of a value of a column. A date is one value as a text too: one row that holds something else makes texts of all that a CSV file has.
fn hash_of_value(seed: i64, text: &str) -> u64 {
    match parse_time(text) {
        Some(milliseconds) => hash_of(seed, milliseconds.to_string().as_bytes()),
        None => hash_of(seed, text.as_bytes()),
    }
}

fn hash_of(seed: i64, bytes: &[u8]) -> u64 {
    let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(bytes).finalize();
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_one_hash_as_a_date_and_as_a_text() {
        let day = 18_262.0 * 86_400_000.0_f64;
        for text in ["2020-01-01", "2020-01-01T00:00:00", "2020-01-01T00:00:00Z"] {
            assert_eq!(hash_of_value(3, text), hash_of_value(3, &day.to_string()), "{text}");
        }
        assert_ne!(hash_of_value(3, "2020-01-02"), hash_of_value(3, "2020-01-01"));
    }

    #[test]
    fn a_values_hash_never_changes() {
        assert_eq!(hash_of(0, b"customer 7"), HASHED);
        assert_ne!(hash_of(1, b"customer 7"), HASHED);
    }

    /// `printf '\0\0\0\0\0\0\0\0customer 7' | sha256sum`, its first 16 digits.
    const HASHED: u64 = 0xee218ee7391990d2;

    #[test]
    fn a_rows_hash_depends_on_its_values_and_not_on_other_rows_or_the_order_of_columns() {
        let mut texts = Texts::default();
        let (red, blue) = (f64::from(texts.place("red")), f64::from(texts.place("blue")));
        let none = Texts::default();
        let matrix = |rows: &[[f64; 2]]| {
            let mut matrix = Matrix::new(2);
            rows.iter().for_each(|row| matrix.extend(row));
            matrix
        };
        let target = |_: usize, bytes: &mut Vec<u8>| write_text(bytes, "yes");
        let forward = row_hashes(
            7,
            &matrix(&[[1.0, red], [f64::NAN, blue], [0.0, red]]),
            &[none.clone(), texts.clone()],
            &["size", "tint"],
            target,
        );
        // Another order of rows, columns and texts.
        let mut turned = Texts::default();
        let (blue, red) = (f64::from(turned.place("blue")), f64::from(turned.place("red")));
        let rows = matrix(&[[red, -0.0], [blue, f64::NAN], [red, 1.0], [red, 5.0]]);
        let backward = row_hashes(7, &rows, &[turned, none], &["tint", "size"], target);
        assert_eq!(backward[..3], [forward[2], forward[1], forward[0]]);
        let different: std::collections::BTreeSet<u64> = backward.into_iter().collect();
        assert_eq!(different.len(), 4);
    }
}
