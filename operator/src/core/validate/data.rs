//! Where rows come from: a step, or a URI that can be read in a format that is known.

use std::collections::BTreeSet;

use mlpipeline_crds::{DataReference, Format, ObjectLocation, Output, TableLocation};

use super::{Errors, is_dns_name};
use crate::core::meaning::format_of_uri;
use crate::core::quoted::quoted;

/// Schemes of URIs that the worker can read.
const SCHEMES: [&str; 5] = ["http", "https", "s3", "postgres", "file"];

/// Schemes of URIs that a result can be delivered to.
const OUTPUT_SCHEMES: [&str; 2] = ["s3", "postgres"];

pub(super) fn check(reference: &DataReference, path: &str, errors: &mut Errors) {
    match (&reference.uri, &reference.step) {
        (Some(_), Some(_)) => errors.add(path, "has both uri and step: keep one"),
        (None, None) => errors.add(path, "has neither uri nor step: say where the rows are"),
        (None, Some(_)) => {
            let described =
                reference.format.is_some() || !reference.columns.is_empty() || reference.sha256.is_some();
            errors.require(
                !described && reference.secret.is_none(),
                path,
                "format, columns, sha256 and secret go with a uri: a step's dataset knows its own",
            );
        }
        (Some(uri), None) => check_uri(uri, reference, path, errors),
    }
    check_secret(reference.secret.as_deref(), path, errors);
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
    match scheme {
        "file" => check_path(uri, rest, reference, &uri_path, errors),
        "s3" => require_location(ObjectLocation::parse(uri), &uri_path, errors),
        "postgres" => require_location(TableLocation::parse(uri), &uri_path, errors),
        _ if !check_host(uri, rest, &uri_path, errors) => return,
        _ => {}
    }
    if scheme == "postgres" {
        let described =
            reference.format.is_some() || !reference.columns.is_empty() || reference.sha256.is_some();
        errors.require(
            !described,
            path,
            "format, columns and sha256 describe files: a table of a database knows its columns",
        );
        return;
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

fn check_path(uri: &str, rest: &str, reference: &DataReference, path: &str, errors: &mut Errors) {
    let confined = !rest.is_empty() && !rest.starts_with('/') && rest.split('/').all(|part| part != "..");
    if !confined {
        errors.add_with_hint(
            path,
            format!("{} does not stay on the volume", quoted(uri)),
            "write file:folder/name.csv, a path on the volume without .. and without a / first",
        );
    }
    errors.require(
        reference.secret.is_none(),
        path,
        "is a file on the volume, which needs no credentials: leave secret out",
    );
}

/// Checks the host of an http URI; says whether it may be shown.
fn check_host(uri: &str, rest: &str, path: &str, errors: &mut Errors) -> bool {
    errors.require(
        rest.strip_prefix("//").is_some_and(|host| !host.is_empty() && !host.starts_with('/')),
        path,
        format!("{} names no host", quoted(uri)),
    );
    let host = rest.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        // The message must not repeat it.
        errors.add_with_hint(
            path,
            "holds a user name or a password, and everybody who may read the pipeline would read it",
            "take out all before the @, and name a Secret with username and password in secret",
        );
        return false;
    }
    true
}

fn require_location<T>(parsed: Result<T, mlpipeline_crds::LocationError>, path: &str, errors: &mut Errors) {
    if let Err(error) = parsed {
        errors.add(path, error.to_string());
    }
}

fn check_secret(secret: Option<&str>, path: &str, errors: &mut Errors) {
    if let Some(name) = secret {
        errors.require(
            is_dns_name(name),
            format!("{path}.secret"),
            format!("{} is no name of a Secret in this namespace", quoted(name)),
        );
    }
}

/// Checks where a result is delivered.
pub(super) fn check_output(output: &Output, path: &str, errors: &mut Errors) {
    check_secret(output.secret.as_deref(), path, errors);
    let uri_path = format!("{path}.uri");
    let Some(uri) = &output.uri else {
        errors.require(
            output.secret.is_none(),
            format!("{path}.secret"),
            "holds the credentials for a uri: name one, or leave secret out",
        );
        return;
    };
    match uri.split_once(':').map(|(scheme, _)| scheme) {
        Some("s3") => match ObjectLocation::parse(uri) {
            Ok(location) if location.key.contains('*') => {
                errors.add(uri_path, "has a *, and one object is written: name it");
            }
            Ok(location) if [".gz", ".zst"].iter().any(|end| location.key.to_lowercase().ends_with(end)) => {
                errors.add(
                    uri_path,
                    "names a compressed file, and results are not compressed: leave .gz or .zst out",
                );
            }
            parsed => require_location(parsed, &uri_path, errors),
        },
        Some("postgres") => require_location(TableLocation::parse(uri), &uri_path, errors),
        Some(scheme) => errors.add(
            uri_path,
            format!(
                "{} is not a scheme that results are delivered to; there are {}",
                quoted(scheme),
                OUTPUT_SCHEMES.join(" and ")
            ),
        ),
        None => errors.add(
            uri_path,
            format!("{} has no scheme; there are {}", quoted(uri), OUTPUT_SCHEMES.join(" and ")),
        ),
    }
}
