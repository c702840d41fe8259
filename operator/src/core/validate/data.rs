//! Where rows come from: a step, or a URI that can be read in a format that is known.

use std::collections::BTreeSet;

use mlpipeline_crds::{DataReference, Format, Output};
use regex::Regex;

use super::Errors;
use crate::core::meaning::format_of_uri;
use crate::core::quoted::quoted;

/// Schemes of URIs that the worker can read.
const SCHEMES: [&str; 3] = ["http", "https", "file"];

/// Schemes of URIs that a result can be sent to.
const OUTPUT_SCHEMES: [&str; 2] = ["http", "https"];

pub(super) fn check(reference: &DataReference, path: &str, errors: &mut Errors) {
    match (&reference.uri, &reference.step) {
        (Some(_), Some(_)) => errors.add(path, "has both uri and step: keep one"),
        (None, None) => errors.add(path, "has neither uri nor step: say where the rows are"),
        (None, Some(_)) => {
            let described = reference.format.is_some()
                || !reference.columns.is_empty()
                || reference.pattern.is_some()
                || reference.on_mismatch.is_some()
                || reference.sha256.is_some();
            errors.require(
                !described,
                path,
                "format, columns, pattern, onMismatch and sha256 describe a uri: a step's dataset knows its own",
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
    } else if !check_host(uri, rest, &uri_path, errors) {
        return;
    }
    check_pattern(reference, path, errors);
    let text = reference.pattern.as_ref().map(|_| Format::Text);
    let format = reference.format.or(text).or_else(|| format_of_uri(uri));
    if format.is_none() {
        errors.add_with_hint(
            format!("{path}.format"),
            format!("is missing, and cannot be told from {}", quoted(uri)),
            "set format to csv, ndjson or parquet, or give the pattern of its lines",
        );
    }
    errors.require(
        reference.columns.is_empty() || format.is_none_or(|format| format == Format::Csv),
        format!("{path}.columns"),
        "name the columns of a CSV file without header; other formats know theirs",
    );
}

/// Checks how lines of text become columns.
fn check_pattern(reference: &DataReference, path: &str, errors: &mut Errors) {
    let at = format!("{path}.pattern");
    let Some(pattern) = &reference.pattern else {
        errors.require(
            reference.on_mismatch.is_none(),
            format!("{path}.onMismatch"),
            "says what becomes of lines without the pattern, and there is no pattern",
        );
        errors.require(
            reference.format != Some(Format::Text),
            at,
            "is missing: text needs a regular expression whose named groups, (?<name>…), are the columns",
        );
        return;
    };
    if let Some(format) = reference.format.filter(|format| *format != Format::Text) {
        errors.add(&at, format!("cuts lines of text, and format is {}: keep one of the two", format.name()));
    }
    match Regex::new(pattern) {
        // The library draws a picture of several lines; its last line says what is wrong.
        Err(error) => {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            errors.add(at, format!("{} is no regular expression: {reason}", quoted(pattern)));
        }
        Ok(regex) if regex.capture_names().flatten().next().is_none() => errors.add_with_hint(
            at,
            format!("{} has no named group, and these become the columns", quoted(pattern)),
            "write one as (?<name>…)",
        ),
        Ok(_) => {}
    }
}

/// Checks where a result is sent.
pub(super) fn check_output(output: Option<&Output>, path: &str, errors: &mut Errors) {
    let Some(output) = output else { return };
    errors.require(
        output.format != Some(Format::Text),
        format!("{path}.format"),
        "text is read, and not written: a result is csv, ndjson or parquet",
    );
    errors.require_between(output.rows_per_request, (1, 10_000), format!("{path}.rowsPerRequest"));
    errors.require(
        output.rows_per_request.is_none() || output.uri.is_some(),
        format!("{path}.rowsPerRequest"),
        "goes with an http or https uri",
    );
    let Some(uri) = &output.uri else { return };
    let at = format!("{path}.uri");
    let known = OUTPUT_SCHEMES.join(", ");
    match uri.split_once(':') {
        Some((scheme, rest)) if OUTPUT_SCHEMES.contains(&scheme) => {
            check_host(uri, rest, &at, errors);
        }
        Some((scheme, _)) => errors.add_with_hint(
            at,
            format!("{} is not a scheme that a result can be sent to; there are {known}", quoted(scheme)),
            "leave uri out to keep the result on the pipeline's storage only",
        ),
        None => errors.add(at, format!("{} has no scheme; there are {known}", quoted(uri))),
    }
}

/// Checks the host of a URI; its text is not repeated where it may hold a password.
fn check_host(uri: &str, rest: &str, path: &str, errors: &mut Errors) -> bool {
    errors.require(
        rest.strip_prefix("//").is_some_and(|host| !host.is_empty() && !host.starts_with('/')),
        path,
        format!("{} names no host", quoted(uri)),
    );
    let host = rest.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
    let is_open = host.contains('@');
    if is_open {
        errors.add_with_hint(
            path,
            "holds a user name or a password, and everybody who may read the pipeline would read it",
            "take out all before the @",
        );
    }
    !is_open
}
