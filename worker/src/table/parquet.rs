//! Parquet files as a table.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use url::Url;

use super::TableError;
use super::blocks::TextFile;

/// A table of Parquet files that have the same columns, in the order of their paths.
pub(super) fn table(files: &[TextFile]) -> Result<Arc<dyn TableProvider>, TableError> {
    let mut first: Option<(&TextFile, SchemaRef)> = None;
    for file in files {
        let schema = schema(file)?;
        match &first {
            None => first = Some((file, schema)),
            Some((first, expected)) if expected.fields() != schema.fields() => {
                let problem = format!(
                    "its columns are {}, but those of {} are {}; files that are read together have the same columns",
                    columns(&schema),
                    first.name,
                    columns(expected)
                );
                return Err(TableError::content(&file.name, problem));
            }
            Some(_) => {}
        }
    }
    let Some((_, schema)) = first else {
        return Err(TableError::Internal("a table of no file".into()));
    };
    let paths = files.iter().map(path_of).collect::<Result<Vec<ListingTableUrl>, _>>()?;
    let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension("");
    let config =
        ListingTableConfig::new_with_multi_paths(paths).with_listing_options(options).with_schema(schema);
    let table = ListingTable::try_new(config).map_err(|error| TableError::Internal(error.to_string()))?;
    Ok(Arc::new(table))
}

/// A file's path as a URL, which holds any character of it: none is a wildcard.
fn path_of(file: &TextFile) -> Result<ListingTableUrl, TableError> {
    let path = std::path::absolute(&file.path).map_err(TableError::io("find", &file.path))?;
    let url = Url::from_file_path(&path)
        .map_err(|()| TableError::Source(format!("{} has no form as a URL", path.display())))?;
    ListingTableUrl::try_new(url, None).map_err(|error| TableError::Internal(error.to_string()))
}

fn schema(file: &TextFile) -> Result<SchemaRef, TableError> {
    let open = File::open(&file.path).map_err(TableError::io("open", &file.path))?;
    let length = open.metadata().map_err(TableError::io("look at", &file.path))?.len();
    if length == 0 {
        return Err(TableError::content(&file.name, "the file is empty"));
    }
    let metadata = ArrowReaderMetadata::load(&open, ArrowReaderOptions::new()).map_err(|error| {
        TableError::content(&file.name, format!("it is no whole Parquet file of {length} bytes: {error}"))
    })?;
    Ok(Arc::clone(metadata.schema()))
}

fn columns(schema: &SchemaRef) -> String {
    let all: Vec<String> =
        schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    all.join(", ")
}
