//! The schema of a continuous step's files: that of the first file that was processed, which all later ones must have.
//!
//! Without it a column could be numbers in one file and text in the next. It is kept in a file of the step's folder, one for each
//! revision, so that an edited step begins with a new one.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit};
use mlpipeline_crds::ColumnType;
use tempfile::NamedTempFile;

use super::ContinuousError;
use crate::artifact::{ArtifactError, Column, read_small};
use crate::column_words::differences;

/// The most bytes of the file that are read.
const LIMIT: u64 = 16 << 20;

/// The schema that files must have.
#[derive(Debug)]
pub(super) struct PinnedSchema {
    path: PathBuf,
    columns: Option<Vec<Column>>,
}

impl PinnedSchema {
    /// Reads what the first file had, if there was one. A file that cannot be read counts as none: it is written again.
    pub(super) fn read(path: PathBuf) -> Self {
        let text = read_small(&path, LIMIT).ok();
        let columns = text.and_then(|text| serde_json::from_slice(&text).ok());
        Self { path, columns }
    }

    /// The types of the columns, for those that a spec can name.
    pub(super) fn types(&self) -> BTreeMap<String, ColumnType> {
        let named = |column: &Column| {
            let declared = match column.data_type.parse::<DataType>().ok()? {
                DataType::Utf8 => ColumnType::Text,
                DataType::Int64 => ColumnType::Integer,
                DataType::Float64 => ColumnType::Number,
                DataType::Boolean => ColumnType::Boolean,
                DataType::Date32 => ColumnType::Date,
                DataType::Timestamp(TimeUnit::Microsecond, None) => ColumnType::Timestamp,
                _ => return None,
            };
            Some((column.name.clone(), declared))
        };
        self.columns.iter().flatten().filter_map(named).collect()
    }

    /// Those types that other columns of the same names have not.
    pub(super) fn changed(&self, found: &[Column]) -> BTreeMap<String, ColumnType> {
        let known = self.columns.iter().flatten();
        let is_same = |name: &str| {
            found.iter().find(|column| column.name == name).is_none_or(|column| {
                known.clone().any(|known| known.name == name && known.data_type == column.data_type)
            })
        };
        self.types().into_iter().filter(|(name, _)| !is_same(name)).collect()
    }

    /// All columns; none before the first file was processed.
    pub(super) fn columns(&self) -> Vec<Column> {
        self.columns.clone().unwrap_or_default()
    }

    /// Refuses a file with other columns than the first one had.
    ///
    /// # Errors
    /// Names those that differ.
    pub(super) fn check(&self, found: &Schema) -> Result<(), ContinuousError> {
        let found = columns(found);
        match &self.columns {
            Some(expected) if *expected != found => {
                Err(ContinuousError::Schema { differences: differences(&typed(&found), &typed(expected)) })
            }
            _ => Ok(()),
        }
    }

    /// Keeps the columns of the first file that was processed.
    ///
    /// # Errors
    /// When storage refuses.
    pub(super) fn keep(&self, found: &[Column]) -> Result<(), ArtifactError> {
        if self.columns.is_some() {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let io = |action| ArtifactError::io(action, &self.path);
        let mut draft = NamedTempFile::new_in(folder).map_err(io("create"))?;
        let text = serde_json::to_vec(found).unwrap_or_default();
        draft.write_all(&text).map_err(io("write"))?;
        draft.as_file().sync_all().map_err(io("sync"))?;
        draft.persist(&self.path).map_err(|error| io("write")(error.error))?;
        Ok(())
    }
}

/// A schema as it is kept.
pub(super) fn columns(schema: &Schema) -> Vec<Column> {
    let column = |field: &std::sync::Arc<datafusion::arrow::datatypes::Field>| Column {
        name: field.name().clone(),
        data_type: field.data_type().to_string(),
    };
    schema.fields().iter().map(column).collect()
}

/// Columns with their types.
fn typed(columns: &[Column]) -> Vec<(&str, String)> {
    columns.iter().map(|column| (column.name.as_str(), column.data_type.clone())).collect()
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::datatypes::Field;

    use super::*;

    #[test]
    fn the_first_schema_is_kept_and_another_one_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("schema");
        let schema = |data_type: DataType| Schema::new(vec![Field::new("id", data_type, true)]);
        let first = PinnedSchema::read(path.clone());
        assert!(first.types().is_empty());
        first.check(&schema(DataType::Int64)).expect("nothing is kept yet");
        first.keep(&columns(&schema(DataType::Int64))).expect("kept");
        let next = PinnedSchema::read(path);
        assert_eq!(next.types(), BTreeMap::from([("id".to_owned(), ColumnType::Integer)]));
        next.check(&schema(DataType::Int64)).expect("the same");
        let error = next.check(&schema(DataType::Utf8)).expect_err("another").to_string();
        assert!(error.contains("first file: \"id\" is text instead of integer; correct"), "{error}");
    }
}
