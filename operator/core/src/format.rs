//! What a URI says of a result: its format, and whether it is replaced as a whole. Reads nothing.

use mlpipeline_crds::{Format, Output};

/// Whether what is delivered to a URI replaces what was there: an object or a table. Over HTTP, rows are added to others.
#[must_use]
pub fn replaces(uri: &str) -> bool {
    ["s3:", "postgres:"].iter().any(|scheme| uri.starts_with(scheme))
}

/// The format that a result is written in.
#[must_use]
pub fn output_format(output: Option<&Output>) -> Format {
    let given = output.and_then(|output| output.format);
    // Only an object is a file of its name; rows that are posted are JSON, whatever the path.
    let object = || output?.uri.as_deref().filter(|uri| uri.starts_with("s3:"));
    given.or_else(|| Format::of_uri(object()?)).unwrap_or(Format::Parquet)
}
