//! Flags of a command that reads one table.

use clap::Args;
use mlpipeline_crds::{DataSource, Format, OnMismatch, Reading};

use super::TableFormat;
use crate::credentials::Secrets;
use crate::failure::StepError;
use crate::table::local_uri;

/// One table to read.
#[derive(Clone, Debug, Args)]
pub struct SourceFlags {
    /// The table: a file (* stands for any part of a name) or URL.
    #[arg(long, value_name = "FILE_OR_URL")]
    pub data: String,
    /// The table's format; by the extension when absent.
    #[arg(long, value_enum)]
    pub format: Option<TableFormat>,
    /// The columns of a CSV that has no header.
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// A text file's columns: a regular expression whose named groups, (?<name>…), become the columns of each line.
    #[arg(long, value_name = "REGEX", conflicts_with = "columns")]
    pub pattern: Option<String>,
    /// Leave out lines in which the pattern is not found, rather than fail.
    #[arg(long, requires = "pattern")]
    pub skip_mismatch: bool,
    /// How text is read, as `reading` of a pipeline in JSON: {"delimiter":";","types":{"zip":"text"}}.
    #[arg(long, value_name = "JSON", value_parser = parse_reading)]
    pub reading: Option<Reading>,
}

impl SourceFlags {
    /// The source. `name` is what the variables with its credentials call it.
    ///
    /// # Errors
    /// When the table is at a URL of a scheme that is not read, or the current folder is not known.
    pub fn source(&self, name: &str, secrets: &Secrets) -> Result<DataSource, StepError> {
        Ok(DataSource::Uri {
            uri: local_uri(&self.data)?,
            format: self.format.map(Format::from),
            columns: self.columns.clone(),
            pattern: self.pattern.clone(),
            on_mismatch: self.skip_mismatch.then_some(OnMismatch::Skip),
            reading: self.reading.clone().map(Box::new),
            sha256: None,
            credentials: secrets.prefix_if_any(&format!("MLPIPELINE_SECRET_INPUT_{name}_")),
        })
    }
}

/// Reads the `reading` of a table.
///
/// # Errors
/// When it is not such JSON.
pub fn parse_reading(text: &str) -> Result<Reading, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("it is not valid JSON of reading: {error}; write it like {{\"delimiter\":\";\",\"decimal\":\",\"}}")
    })
}
