//! The names that Kubernetes takes.

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
