//! What containers ask for: amounts that Kubernetes can read, and requests that fit their limits.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::dns::is_qualified_name;
use super::errors::Errors;
use crate::quoted::quoted;

/// What the amounts of a unit are multiplied by, as a power of ten.
const DECIMAL_UNITS: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// What the amounts of a unit are multiplied by, as a power of two.
const BINARY_UNITS: [(&str, i32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// The resources that have no prefix, beside huge pages.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Checks requests and limits.
pub(super) fn check(resources: Option<&ResourceRequirements>, path: &str, errors: &mut Errors) {
    let Some(resources) = resources else { return };
    errors.require(
        resources.claims.as_ref().is_none_or(Vec::is_empty),
        format!("{path}.claims"),
        "names claims of devices, and pods have none: ask for devices in limits, such as nvidia.com/gpu: 1",
    );
    let empty = BTreeMap::new();
    let requests = resources.requests.as_ref().unwrap_or(&empty);
    let limits = resources.limits.as_ref().unwrap_or(&empty);
    for (field, amounts) in [("requests", requests), ("limits", limits)] {
        for (name, amount) in amounts {
            check_amount_of(name, amount, &format!("{path}.{field}"), errors);
        }
    }
    for (name, request) in requests {
        check_request(name, request, limits.get(name), &format!("{path}.requests"), errors);
    }
}

fn check_amount_of(name: &str, quantity: &Quantity, path: &str, errors: &mut Errors) {
    let is_known = STANDARD.contains(&name) || name.starts_with("hugepages-");
    if !is_qualified_name(name) || !(is_known || name.contains('/')) {
        errors.add_with_hint(
            path,
            format!("{} is not a resource of containers", quoted(name)),
            format!("there are {}, and devices such as nvidia.com/gpu", STANDARD.join(", ")),
        );
    }
    let Some(amount) = amount(quantity) else {
        let problem = format!("{} is {}, which is not a valid amount", quoted(name), quoted(&quantity.0));
        errors.add_with_hint(path, problem, "write a number of 0 or more, such as 2, 500m or 1Gi");
        return;
    };
    errors.require(
        !is_device(name) || amount.fract() == 0.0,
        path,
        format!("{} is {}, and devices are counted: write a whole number", quoted(name), quoted(&quantity.0)),
    );
}

/// Checks a request against the limit. Kubernetes takes a limit for the request where there is only the limit.
fn check_request(name: &str, request: &Quantity, limit: Option<&Quantity>, path: &str, errors: &mut Errors) {
    let is_exact = is_device(name) || name.starts_with("hugepages-");
    let Some(limit) = limit else {
        errors.require(
            !is_exact,
            path,
            format!("{} has a request and no limit: set the same amount in limits", quoted(name)),
        );
        return;
    };
    let (Some(asked), Some(most)) = (amount(request), amount(limit)) else { return };
    let found = format!("{} is {}, and the limit is {}", quoted(name), quoted(&request.0), quoted(&limit.0));
    if is_exact {
        errors.require(asked == most, path, format!("{found}: the two must be equal"));
    } else {
        errors.require(asked <= most, path, format!("{found}: lower the request or raise the limit"));
    }
}

/// Whether a device plugin offers it: those cannot be shared, so a request is also the limit.
fn is_device(name: &str) -> bool {
    name.contains('/') && !name.contains("kubernetes.io/")
}

/// Whether pods with these resources have a request for CPU, by name or by their limit.
pub(super) fn has_cpu_request(resources: Option<&ResourceRequirements>) -> bool {
    let cpu = |amounts: &Option<BTreeMap<String, Quantity>>| amounts.as_ref()?.get("cpu").cloned();
    let request = resources.and_then(|resources| cpu(&resources.requests).or_else(|| cpu(&resources.limits)));
    // An amount that cannot be read has an error of its own.
    request.is_some_and(|request| amount(&request) != Some(0.0))
}

/// The amount that a quantity stands for, as near as a float comes to it: equal amounts in different units are equal here too.
/// `None` for what Kubernetes cannot read, and for amounts below zero.
pub(super) fn amount(quantity: &Quantity) -> Option<f64> {
    let text = quantity.0.as_str();
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let scaled = |power: i32| format!("{number}e{power}").parse::<f64>().ok();
    let find = |units: &[(&str, i32)]| units.iter().find(|(name, _)| *name == unit).map(|(_, power)| *power);
    let amount = match (find(&DECIMAL_UNITS), find(&BINARY_UNITS)) {
        (Some(power), _) => scaled(power),
        (None, Some(power)) => scaled(0).map(|amount| amount * 2_f64.powi(power)),
        (None, None) => unit.strip_prefix(['e', 'E']).and_then(|power| power.parse().ok()).and_then(scaled),
    };
    amount.filter(|amount| amount.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        let read = |text: &str| amount(&Quantity(text.to_owned()));
        for (text, other) in [
            ("0.1", "100m"),
            ("1.1G", "1100M"),
            ("0.1Gi", "107374182.4"),
            ("1e3", "1k"),
            (".5", "500m"),
            ("2.", "2"),
            ("1E", "1e18"),
            ("0", "0Ki"),
        ] {
            assert!(read(text).is_some(), "{text}");
            assert_eq!(read(text), read(other), "{text}");
        }
        for text in
            ["", "-1", "+1", "1 Gi", "1gb", "1K", "m", ".", "1.2.3", "1e", "1e999", "inf", "NaN", "one", "1é"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
