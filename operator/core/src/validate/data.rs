//! Where rows come from: a step, or a URI that can be read in a format that is known.

use std::collections::BTreeSet;

use mlpipeline_crds::{DataReference, Format, ObjectLocation, TableLocation};

use super::dns::is_dns_name;
use super::errors::Errors;
use super::{pattern, reading};
use crate::quoted::quoted;

/// Schemes of URIs that the worker can read.
const SCHEMES: [&str; 5] = ["http", "https", "s3", "postgres", "file"];

pub(super) fn check(reference: &DataReference, path: &str, errors: &mut Errors) {
    match (&reference.uri, &reference.step) {
        (Some(_), Some(_)) => errors.add(path, "has both uri and step: keep one"),
        (None, None) => errors.add(path, "has neither uri nor step: say where the rows are"),
        (None, Some(_)) => {
            errors.require(
                !is_described(reference) && reference.secret.is_none(),
                path,
                "format, columns, pattern, onMismatch, reading, sha256 and secret go with a uri: a step's dataset knows its own",
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
            format!("{} is not a valid SHA-256: write 64 lower-case hexadecimal digits", quoted(sha256)),
        );
    }
}

/// Whether something says what the files look like.
fn is_described(reference: &DataReference) -> bool {
    reference.format.is_some()
        || !reference.columns.is_empty()
        || reference.pattern.is_some()
        || reference.on_mismatch.is_some()
        || reference.reading.is_some()
        || reference.sha256.is_some()
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
        errors.require(
            !is_described(reference),
            path,
            "format, columns, pattern, onMismatch and sha256 describe files: a table of a database knows its columns",
        );
        return;
    }
    check_pattern(reference, path, errors);
    reading::check(reference.reading.as_deref(), &format!("{path}.reading"), errors);
    let text = reference.pattern.as_ref().map(|_| Format::Text);
    let format = reference.format.or(text).or_else(|| Format::of_uri(uri));
    if format.is_none() {
        errors.add_with_hint(
            format!("{path}.format"),
            format!("is missing, and {} does not show it", quoted(uri)),
            "set format to csv, ndjson or parquet, or give the pattern of its lines",
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
pub(super) fn check_host(uri: &str, rest: &str, path: &str, errors: &mut Errors) -> bool {
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
            "remove all before the @, and name a Secret with username and password in secret",
        );
        return false;
    }
    if uri.contains(|sign: char| sign.is_whitespace() || sign.is_control()) {
        errors.add_with_hint(path, format!("{} has a blank in it", quoted(uri)), "write %20 for a blank");
    }
    // An IPv6 address has colons of its own, in brackets.
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    if let Some((_, port)) = behind.rsplit_once(':')
        && !port.parse::<u16>().is_ok_and(|port| port > 0)
    {
        let problem = format!("{} has the port {}; 1 to 65535 is allowed", quoted(uri), quoted(port));
        errors.add(path, problem);
    }
    true
}

pub(super) fn require_location<T>(
    parsed: Result<T, mlpipeline_crds::LocationError>,
    path: &str,
    errors: &mut Errors,
) {
    if let Err(error) = parsed {
        errors.add(path, error.to_string());
    }
}

pub(super) fn check_secret(secret: Option<&str>, path: &str, errors: &mut Errors) {
    if let Some(name) = secret {
        errors.require(
            is_dns_name(name),
            format!("{path}.secret"),
            format!("{} is not a valid name of a Secret", quoted(name)),
        );
    }
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
    pattern::check(pattern, at, errors);
}
