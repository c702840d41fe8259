//! What a request asks for.

use std::collections::HashMap;

use http::{HeaderMap, Method};

/// A request, taken apart.
#[derive(Clone, Debug)]
pub struct Asked {
    pub verb: String,
    pub resource: String,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub is_status: bool,
    /// Whether a patch is merged as it is, in contrast to an apply.
    pub is_merge: bool,
    pub query: HashMap<String, String>,
}

impl Asked {
    pub fn read(method: &Method, uri: &http::Uri, headers: &HeaderMap) -> Self {
        let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        let rest = if parts[0] == "api" { &parts[2..] } else { &parts[3.min(parts.len() - 1)..] };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        let query: HashMap<String, String> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(decode)
            .collect();
        let name = rest.get(1).map(|name| (*name).to_owned());
        let verb = match (method, &name) {
            (&Method::GET, Some(_)) => "get",
            (&Method::GET, None) if query.get("watch").is_some_and(|watch| watch == "true") => "watch",
            (&Method::GET, None) => "list",
            (&Method::POST, _) => "create",
            (&Method::PUT, _) => "update",
            (&Method::PATCH, _) => "patch",
            (&Method::DELETE, _) => "delete",
            (other, _) => panic!("nobody asks for {other}"),
        };
        let is_status = rest.get(2) == Some(&"status");
        let is_merge = headers.get("content-type").is_some_and(|kind| kind == "application/merge-patch+json");
        Self { verb: verb.into(), resource: rest[0].into(), namespace, name, is_status, is_merge, query }
    }
}

fn decode((key, value): (&str, &str)) -> (String, String) {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex = [rest.next().expect("hex"), rest.next().expect("hex")];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&hex).expect("hex"), 16).expect("hex"));
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    (key.to_owned(), String::from_utf8(bytes).expect("UTF-8"))
}
