//! Where rows come from: a step, or a URI that can be read in a format that is known.

use std::collections::BTreeSet;

use mlpipeline_crds::{DataReference, Format};

use super::Errors;
use crate::core::meaning::format_of_uri;
use crate::core::quoted::quoted;

/// Schemes of URIs that the worker can read.
const SCHEMES: [&str; 3] = ["http", "https", "file"];

pub(super) fn check(reference: &DataReference, path: &str, errors: &mut Errors) {
    match (&reference.uri, &reference.step) {
        (Some(_), Some(_)) => errors.add(path, "has both uri and step: keep one"),
        (None, None) => errors.add(path, "has neither uri nor step: say where the rows are"),
        (None, Some(_)) => {
            let described =
                reference.format.is_some() || !reference.columns.is_empty() || reference.sha256.is_some();
            errors.require(
                !described,
                path,
                "format, columns and sha256 describe a uri: a step's dataset knows its own",
            );
        }
        (Some(uri), None) => check_uri(uri, reference, path, errors),
    }
    let mut columns = BTreeSet::new();
    for (index, column) in reference.columns.iter().enumerate() {
        let path = format!("{path}.columns[{index}]");
        errors.require(!column.is_empty(), &path, "is empty: name the column");
        errors.require(
            columns.insert(column),
            &path,
            format!("{} is the name of an earlier column too", quoted(column)),
        );
    }
    if let Some(sha256) = &reference.sha256 {
        let fits = sha256.len() == 64
            && sha256.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        errors.require(
            fits,
            format!("{path}.sha256"),
            format!("{} is no SHA-256: that has 64 lower-case hexadecimal digits", quoted(sha256)),
        );
    }
}

fn check_uri(uri: &str, reference: &DataReference, path: &str, errors: &mut Errors) {
    let uri_path = format!("{path}.uri");
    let known = SCHEMES.join(", ");
    let Some((scheme, rest)) = uri.split_once(':') else {
        errors.add_with_hint(
            uri_path,
            format!("{} has no scheme", quoted(uri)),
            format!("write file: before a path on the volume; schemes are {known}"),
        );
        return;
    };
    if !SCHEMES.contains(&scheme) {
        errors.add(
            &uri_path,
            format!("{} is not a scheme that can be read; there are {known}", quoted(scheme)),
        );
        return;
    }
    if scheme == "file" {
        let confined = !rest.is_empty() && !rest.starts_with('/') && rest.split('/').all(|part| part != "..");
        if !confined {
            errors.add_with_hint(
                &uri_path,
                format!("{} does not stay on the volume", quoted(uri)),
                "write file:folder/name.csv, a path on the volume without .. and without a / first",
            );
        }
    } else {
        errors.require(
            rest.strip_prefix("//").is_some_and(|host| !host.is_empty() && !host.starts_with('/')),
            &uri_path,
            format!("{} names no host", quoted(uri)),
        );
        let host = rest.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains('@') {
            // The message must not repeat it.
            errors.add_with_hint(
                &uri_path,
                "holds a user name or a password, and everybody who may read the pipeline would read it",
                "take out all before the @",
            );
            return;
        }
    }
    let format = reference.format.or_else(|| format_of_uri(uri));
    if format.is_none() {
        errors.add_with_hint(
            format!("{path}.format"),
            format!("is missing, and cannot be told from {}", quoted(uri)),
            "set format to csv, ndjson or parquet",
        );
    }
    errors.require(
        reference.columns.is_empty() || format.is_none_or(|format| format == Format::Csv),
        format!("{path}.columns"),
        "name the columns of a CSV file without header; other formats know theirs",
    );
}
