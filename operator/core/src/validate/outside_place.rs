//! Objects and tables outside of the pipeline, to be compared however their URIs are written. Must not call two places one that may differ: two
//! Secrets can lead to two stores with buckets of one name.

use std::net::IpAddr;

use mlpipeline_crds::{ObjectLocation, Output, TableLocation};

use crate::format::output_format;

/// What the key of a result is called that is delivered to a folder, before its extension.
const IN_FOLDER: &str = "data";

/// One object or table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// An object of S3: the Secret that leads to its store, the bucket and the key.
    Object(Option<String>, String, String),
    /// A table: host, port, database, schema and table.
    Table(String, u16, String, String, String),
}

impl Place {
    /// Where a result is delivered to and replaces what was there; `None` for all other results, and for URIs that are wrong.
    pub(super) fn of_output(output: &Output) -> Option<Self> {
        let uri = output.uri.as_deref()?;
        if let Ok(location) = ObjectLocation::parse(uri) {
            let key = match location.key.strip_suffix('/') {
                Some(folder) => {
                    format!("{folder}/{IN_FOLDER}.{}", output_format(Some(output)).extension())
                }
                None => location.key,
            };
            return Some(Self::Object(output.secret.clone(), location.bucket, key));
        }
        table(uri)
    }

    /// Whether what is read from a URI, with the credentials of a Secret, is this place or among what is read.
    pub(super) fn is_read_by(&self, uri: &str, secret: Option<&str>) -> bool {
        match self {
            Self::Object(own, bucket, key) => ObjectLocation::parse(uri)
                .is_ok_and(|read| own.as_deref() == secret && *bucket == read.bucket && fits(&read.key, key)),
            Self::Table(..) => table(uri).as_ref() == Some(self),
        }
    }
}

fn table(uri: &str) -> Option<Place> {
    let TableLocation { host, port, database, schema, table } = TableLocation::parse(uri).ok()?;
    let host =
        host.parse::<IpAddr>().map_or_else(|_| host.to_ascii_lowercase(), |address| address.to_string());
    Some(Place::Table(host, port, database, schema, table))
}

/// Whether a key fits a pattern, part by part, as the worker reads it: * stands for any part of a name, and names that begin with a dot are found
/// only by patterns that do.
fn fits(pattern: &str, key: &str) -> bool {
    let parts = || pattern.split('/').zip(key.split('/'));
    pattern.split('/').count() == key.split('/').count()
        && parts().all(|(pattern, name)| {
            let is_shown = pattern.starts_with('.') || !name.starts_with('.');
            is_shown && name_fits(pattern, name)
        })
}

fn name_fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let (between, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in between.split('*') {
        let Some((_, behind)) = left.split_once(part) else { return false };
        left = behind;
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_however_it_is_written() {
        for (written, read, expected) in [
            ("postgres://db/shop/t", "postgres://DB:5432/shop/public.t", true),
            ("postgres://[::1]/shop/t", "postgres://[0:0::1]:5432/shop/public.%74", true),
            ("postgres://db/shop/t", "postgres://db:5433/shop/t", false),
            ("postgres://db/shop/t", "postgres://db/shop/other.t", false),
            ("postgres://db/shop/t", "postgres://db/shop/T", false),
            ("s3://lake/out/", "s3://lake/out/data.parquet", true),
            ("s3://lake/out/", "s3://lake/out/*", true),
            ("s3://lake/out/", "s3://lake/*/d*a.p*t", true),
            ("s3://lake/out/", "s3://lake/*.parquet", false),
            ("s3://lake/out/", "s3://lake/out/*.csv", false),
            ("s3://lake/out/.a.csv", "s3://lake/out/*.csv", false),
            ("s3://lake/a.csv", "s3://lakes/a.csv", false),
            ("s3://lake/aa.csv", "s3://lake/a*a.csv", true),
            ("s3://lake/a.csv", "s3://lake/a*a.csv", false),
            ("https://host/a.csv", "https://host/a.csv", false),
        ] {
            let output = Output { uri: Some(written.to_owned()), ..Output::default() };
            let found = Place::of_output(&output).is_some_and(|place| place.is_read_by(read, None));
            assert_eq!(found, expected, "{written} {read}");
        }
    }

    #[test]
    fn one_bucket_by_two_secrets_may_be_two() {
        let output = Output {
            uri: Some("s3://lake/a.csv".to_owned()),
            secret: Some("a".to_owned()),
            ..Output::default()
        };
        let place = Place::of_output(&output).expect("a place");
        assert!(place.is_read_by("s3://lake/a.csv", Some("a")));
        assert!(!place.is_read_by("s3://lake/a.csv", Some("b")));
    }
}
