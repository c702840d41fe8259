//! The names that Kubernetes takes.

use super::errors::Errors;
use crate::quoted::quoted;

/// Whether this is a DNS subdomain, which is what Kubernetes takes for most names.
pub(super) fn is_dns_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_dns_label)
}

/// Whether this is a DNS label, of any length.
pub(super) fn is_dns_label(label: &str) -> bool {
    let edge = |character: Option<char>| {
        character.is_some_and(|edge| edge.is_ascii_lowercase() || edge.is_ascii_digit())
    };
    edge(label.chars().next())
        && edge(label.chars().last())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// Whether this is the key of a label, or the name of a taint, a topology or a resource: PREFIX/NAME, or NAME.
pub(super) fn is_qualified_name(key: &str) -> bool {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    prefix.is_none_or(is_dns_name) && !name.is_empty() && is_label_value(name)
}

/// Whether this is the value of a label.
pub(super) fn is_label_value(value: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let bytes = value.as_bytes();
    bytes.len() <= 63
        && is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// Whether this is the key of an entry in a Secret or ConfigMap.
pub(super) fn is_entry_key(key: &str) -> bool {
    (1..=253).contains(&key.len())
        && key != "."
        && !key.starts_with("..")
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Adds an error for a name that no object of this kind can have: Kubernetes rejects the reference, or waits for the object forever.
pub(super) fn check_name_of(kind: &str, name: Option<&str>, path: impl Into<String>, errors: &mut Errors) {
    if let Some(name) = name.filter(|name| !is_dns_name(name)) {
        if name.is_empty() {
            return errors.add_with_hint(
                path,
                "is empty",
                format!("name a {kind}, or leave the field out where it is not needed"),
            );
        }
        errors.add_with_hint(
            path,
            format!("{} is not a valid {kind} name", quoted(name)),
            "lower-case letters, digits, - and . are allowed, 253 at most",
        );
    }
}

/// Adds an error for the key of an entry that no Secret or ConfigMap can hold.
pub(super) fn check_entry_key(key: &str, path: impl Into<String>, errors: &mut Errors) {
    errors.require(
        is_entry_key(key),
        path,
        format!(
            "{} is not a valid key of an entry: letters, digits, -, _ and . are allowed, 253 at most",
            quoted(key)
        ),
    );
}
