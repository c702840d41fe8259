//! Where results go beside storage: that the place can be delivered to, and that nothing is said of it that does not fit.

use std::collections::BTreeMap;

use mlpipeline_crds::{Compression, Format, MLPipelineSpec, ObjectLocation, Output, TableLocation};

use super::data::{check_host, check_secret, require_location};
use super::errors::Errors;
use super::outside_place::Place;
use crate::format::{output_format, replaces};
use crate::quoted::quoted;
use crate::step_kind::{Descriptor, ValidAction};

/// Schemes of URIs that a result can be delivered to.
const SCHEMES: [&str; 4] = ["http", "https", "s3", "postgres"];

/// Checks how a result is written and where it is delivered.
pub(super) fn check(output: Option<&Output>, path: &str, errors: &mut Errors) {
    let Some(output) = output else { return };
    errors.require(
        output.format != Some(Format::Text),
        format!("{path}.format"),
        "text is read, and not written: a result is csv, ndjson or parquet",
    );
    check_secret(output.secret.as_deref(), path, errors);
    errors.require(
        output.secret.is_none() || output.uri.is_some(),
        format!("{path}.secret"),
        "holds the credentials for a uri: name one, or leave secret out",
    );
    errors.require_between(output.rows_per_request, (1, 10_000), format!("{path}.rowsPerRequest"));
    errors.require(
        output.rows_per_request.is_none() || output.uri.as_deref().is_some_and(is_http),
        format!("{path}.rowsPerRequest"),
        "goes with an http or https uri",
    );
    errors.require_between(output.concurrent_requests, (1, 64), format!("{path}.concurrentRequests"));
    errors.require(
        output.concurrent_requests.is_none() || output.uri.as_deref().is_some_and(is_http),
        format!("{path}.concurrentRequests"),
        "goes with an http or https uri",
    );
    if let Some(uri) = &output.uri {
        check_uri(uri, output_format(Some(output)), format!("{path}.uri"), errors);
    }
}

/// Whether rows are posted to a URI.
fn is_http(uri: &str) -> bool {
    ["http:", "https:"].iter().any(|scheme| uri.starts_with(scheme))
}

fn check_uri(uri: &str, format: Format, path: String, errors: &mut Errors) {
    let known = SCHEMES.join(", ");
    match uri.split_once(':') {
        Some(("http" | "https", rest)) => {
            check_host(uri, rest, &path, errors);
        }
        Some(("s3", _)) => check_object(uri, format, path, errors),
        Some(("postgres", _)) => require_location(TableLocation::parse(uri), &path, errors),
        Some((scheme, _)) => errors.add_with_hint(
            path,
            format!(
                "{} is not a scheme that a result can be delivered to; there are {known}",
                quoted(scheme)
            ),
            "leave uri out to keep the result on the pipeline's storage only",
        ),
        None => errors.add(path, format!("{} has no scheme; there are {known}", quoted(uri))),
    }
}

fn check_object(uri: &str, format: Format, path: String, errors: &mut Errors) {
    match ObjectLocation::parse(uri) {
        Ok(location) if location.key.contains('*') => {
            errors.add(path, "has a *, and one object is written: name it");
        }
        Ok(location) => {
            if let Err(problem) = Compression::of_result(&location.key, format) {
                errors.add(path, problem.to_string());
            }
        }
        parsed @ Err(_) => require_location(parsed, &path, errors),
    }
}

/// Checks that no two steps replace each other's result, since a step owns the object or table that it delivers to, and that none replaces what
/// it reads.
pub(super) fn check_all(spec: &MLPipelineSpec, errors: &mut Errors) {
    let mut places: BTreeMap<Place, (String, &str)> = BTreeMap::new();
    let mut uris: BTreeMap<String, (String, &str)> = BTreeMap::new();
    for (index, step) in spec.steps.iter().enumerate() {
        let Some(action) = ValidAction::of(step) else { continue };
        let descriptor = action.descriptor();
        let Some(output) = descriptor.output() else { continue };
        let Some(uri) = output.uri.as_deref().filter(|uri| replaces(uri)) else { continue };
        let path = format!("spec.steps[{index}].{}.output.uri", descriptor.kind().name());
        let place = Place::of_output(output);
        if let Some(place) = &place {
            check_source(place, descriptor, index, &path, errors);
        }
        let here = (path.clone(), step.name.as_str());
        let same_uri = uris.insert(uri.to_owned(), here.clone());
        let same_place = place.and_then(|place| places.insert(place, here));
        if let Some((other_path, other)) = same_uri.or(same_place) {
            errors.add(
                    path,
                    format!(
                        "is where the step {} delivers its result too ({other_path}): each would replace the other's",
                        quoted(other)
                    ),
                );
        }
    }
}

/// Checks that a step does not replace what it reads: the next run would read its own result.
fn check_source(place: &Place, descriptor: &dyn Descriptor, index: usize, path: &str, errors: &mut Errors) {
    let outside = descriptor.outside();
    let source = outside.iter().find(|(_, outside)| place.is_read_by(outside.uri, outside.secret));
    if let Some((field, _)) = source {
        let kind = descriptor.kind().name();
        errors.add_with_hint(
            path,
            format!("is what the step reads (spec.steps[{index}].{kind}.{field}): the result would replace its own source"),
            "deliver to another object or table, which the source's pattern does not fit",
        );
    }
}
