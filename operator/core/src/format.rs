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
    given.or_else(|| format_of_uri(object()?)).unwrap_or(Format::Parquet)
}

/// The format that a URI's extension stands for, compression aside.
#[must_use]
pub fn format_of_uri(uri: &str) -> Option<Format> {
    // A table of a database is not a file, whatever its name.
    if uri.starts_with("postgres:") {
        return None;
    }
    let path = uri.split(['?', '#']).next().unwrap_or(uri).to_ascii_lowercase();
    let path = [".gz", ".zst"].iter().find_map(|suffix| path.strip_suffix(suffix)).unwrap_or(&path);
    let (_, extension) = path.rsplit_once('.')?;
    match extension {
        "csv" => Some(Format::Csv),
        "ndjson" | "jsonl" | "json" => Some(Format::Ndjson),
        "parquet" => Some(Format::Parquet),
        _ => None,
    }
}
