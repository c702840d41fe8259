//! The path below which the endpoints answer too: an Ingress passes on the path that its caller asked for, its own prefix
//! included.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use super::metrics::Endpoint;

/// A path below which the endpoints answer too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPrefix {
    /// As a request spells it, without a slash at the end.
    path: String,
    /// Where the docs are below it.
    docs: HeaderValue,
}

impl FromStr for PathPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err("a path begins with /".to_owned());
        }
        let mut path = String::new();
        for byte in text.trim_end_matches('/').bytes() {
            if byte.is_ascii_graphic() {
                path.push(byte.into());
            } else {
                let _ = write!(path, "%{byte:02X}");
            }
        }
        let docs = HeaderValue::try_from(format!("{path}/docs")).map_err(|error| error.to_string())?;
        Ok(Self { path, docs })
    }
}

impl PathPrefix {
    /// Takes the prefix from a request's path, and says whether that was all of it. The path of an endpoint stays as it is, be it the
    /// prefix or not: an Ingress may be for `/predict` only, and then opens nothing else.
    fn take_from(&self, uri: &mut Uri) -> bool {
        if [uri.path(), &self.path].into_iter().any(|path| Endpoint::of(path) != Endpoint::Other) {
            return false;
        }
        let asked = uri.path_and_query().map_or("", PathAndQuery::as_str);
        let Some(rest) = asked.strip_prefix(&self.path) else { return false };
        let is_all = rest.is_empty() || rest.starts_with('?');
        if !is_all && !rest.starts_with('/') {
            return false;
        }
        let rest = if is_all { PathAndQuery::try_from(format!("/{rest}")) } else { rest.parse() };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = rest.ok();
        if let Ok(without) = Uri::from_parts(parts) {
            *uri = without;
        }
        is_all
    }
}

/// Answers a request below the prefix as one without.
pub async fn below(State(prefix): State<Arc<PathPrefix>>, mut request: Request, next: Next) -> Response {
    let is_all = prefix.take_from(request.uri_mut());
    let mut response = next.run(request).await;
    // What the root says of the docs is relative, and a prefix without a slash at its end is not a folder.
    if is_all && let Some(docs) = response.headers_mut().get_mut(header::LOCATION) {
        docs.clone_from(&prefix.docs);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(prefix: &str, asked: &str) -> (String, bool) {
        let mut uri: Uri = asked.parse().expect("a URI");
        let is_all = prefix.parse::<PathPrefix>().expect("a prefix").take_from(&mut uri);
        (uri.to_string(), is_all)
    }

    #[test]
    fn a_path_loses_the_prefix_and_nothing_else() {
        for (prefix, asked, expected) in [
            ("/v1", "/v1/predict", "/predict"),
            ("/v1/", "/v1/predict?a=/v1/b", "/predict?a=/v1/b"),
            ("/a/b", "/a/b/", "/"),
            ("/v1", "/v1/v1/docs", "/v1/docs"),
            ("/größe", "/gr%C3%B6%C3%9Fe/docs", "/docs"),
            ("/{x}*:y", "/{x}*:y/docs", "/docs"),
            ("/v1", "http://example.com/v1/docs", "http://example.com/docs"),
            ("/v1", "/v1//docs", "//docs"),
        ] {
            assert_eq!(taken(prefix, asked), (expected.to_owned(), false), "{prefix} {asked}");
        }
    }

    #[test]
    fn other_paths_stay_as_they_are() {
        for (prefix, asked) in [
            ("/v1", "/v10/predict"),
            ("/v1", "/v2/predict"),
            ("/v1", "/predict"),
            ("/v1", "/"),
            ("/", "/nowhere"),
            ("/predict", "/predict"),
            ("/predict", "/predict?now"),
            ("/predict", "/predict/metrics"),
            ("/health", "/health/metrics"),
            ("/v1", "*"),
        ] {
            assert_eq!(taken(prefix, asked), (asked.to_owned(), false), "{prefix} {asked}");
        }
    }

    #[test]
    fn the_prefix_alone_is_the_root() {
        assert_eq!(taken("/v1", "/v1"), ("/".to_owned(), true));
        assert_eq!(taken("/v1/", "/v1?a=b"), ("/?a=b".to_owned(), true));
    }

    #[test]
    fn a_prefix_begins_with_a_slash() {
        for wrong in ["", "v1", "http://example.com/v1"] {
            assert!(wrong.parse::<PathPrefix>().is_err(), "{wrong}");
        }
    }
}
