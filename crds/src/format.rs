//! The formats of tables, and which one the name of a file stands for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A format of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// Comma-separated values (RFC 4180) in UTF-8.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Apache Parquet.
    Parquet,
    /// Lines of text, cut into columns by a pattern. It is read, and not written.
    Text,
}

impl Format {
    /// The name in specs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Text => "text",
        }
    }

    /// The formats whose files are known by their names. Lines of text need a pattern in any case.
    const BY_NAME: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Parquet];

    /// The extension of files of this format, without its dot.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Text => "txt",
        }
    }

    /// Other extensions of files of this format, without their dots.
    fn other_extensions(self) -> &'static [&'static str] {
        match self {
            Self::Ndjson => &["jsonl", "json"],
            Self::Csv | Self::Parquet | Self::Text => &[],
        }
    }

    /// The format of a file or object of this name or path; that of `x.csv.gz` is CSV.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let plain = [".gz", ".zst"].iter().find_map(|suffix| lower.strip_suffix(suffix)).unwrap_or(&lower);
        let (_, extension) = plain.rsplit_once('.')?;
        Self::BY_NAME
            .into_iter()
            .find(|format| extension == format.extension() || format.other_extensions().contains(&extension))
    }

    /// The format that a URI's name stands for. A query and a fragment belong to addresses of the web alone: elsewhere `?` and `#` are part of
    /// the name.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        match uri.split_once(':') {
            // A table of a database is not a file, whatever its name.
            Some(("postgres", _)) => None,
            Some(("http" | "https", rest)) => Self::of_name(rest.split(['?', '#']).next().unwrap_or(rest)),
            Some((_, path)) => Self::of_name(path),
            None => Self::of_name(uri),
        }
    }

    /// The extensions by which formats are known, for messages.
    #[must_use]
    pub fn known_extensions() -> String {
        let all = Self::BY_NAME.into_iter().flat_map(|format| {
            std::iter::once(format.extension()).chain(format.other_extensions().iter().copied())
        });
        all.map(|extension| format!(".{extension}")).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uris_name_says_its_format_and_only_addresses_of_the_web_have_a_query() {
        for (uri, expected) in [
            ("file:in/a.csv", Some(Format::Csv)),
            ("file:in/A.CSV.GZ", Some(Format::Csv)),
            ("s3://lake/*.jsonl.zst", Some(Format::Ndjson)),
            ("file:rows#1.csv", Some(Format::Csv)),
            ("file:x.csv#b.json", Some(Format::Ndjson)),
            ("s3://lake/list?sort=1.parquet", Some(Format::Parquet)),
            ("https://site.example/a.csv?of=b.json#c.parquet", Some(Format::Csv)),
            ("http://site.example/list?file=a.csv", None),
            ("postgres://db/shop/a.csv", None),
            ("file:notes.txt", None),
            ("file:csv", None),
        ] {
            assert_eq!(Format::of_uri(uri), expected, "{uri}");
        }
        assert_eq!(Format::known_extensions(), ".csv, .ndjson, .jsonl, .json, .parquet");
    }
}
