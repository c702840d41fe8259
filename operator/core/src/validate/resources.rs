//! What containers ask for: amounts that Kubernetes can read, and requests that fit their limits.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::dns::is_qualified_name;
use super::errors::Errors;
use super::huge_pages;
use crate::quantity::amount;
use crate::quoted::quoted;

/// The resources that have no prefix, beside huge pages.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// What an administrator's quota for a resource is named with: no resource of containers begins so.
const QUOTA_PREFIX: &str = "requests.";

/// The least limits that a container can begin within, in bytes: no container runtime starts one in less memory, and the log of one needs a
/// block of storage. Less is a slip of the unit: 128m is an eighth of a byte. No limit at all is written as 0.
const LEAST_LIMITS: [(&str, f64, &str); 2] =
    [("memory", 512_000.0, "500Ki"), ("ephemeral-storage", LEAST_STORAGE, "4Ki")];

/// The least that can hold a file, in bytes.
pub(super) const LEAST_STORAGE: f64 = 4096.0;

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
    for (name, least, shown) in LEAST_LIMITS {
        let limit =
            limits.get(name).filter(|limit| amount(limit).is_some_and(|limit| is_below(limit, least)));
        if let Some(limit) = limit {
            errors.add_with_hint(
                format!("{path}.limits"),
                format!(
                    "{} is {}, and no container works within less than {shown}",
                    quoted(name),
                    quoted(&limit.0)
                ),
                "write bytes with their unit, such as 128Mi or 1Gi",
            );
        }
    }
    huge_pages::check(requests, limits, path, errors);
    for (name, request) in requests {
        check_request(name, request, limits.get(name), &format!("{path}.requests"), errors);
    }
}

fn check_amount_of(name: &str, quantity: &Quantity, path: &str, errors: &mut Errors) {
    let is_known = STANDARD.contains(&name) || name.starts_with(huge_pages::PREFIX);
    let is_device_name = name.contains('/') && !(is_device(name) && is_of_quota(name));
    if !is_qualified_name(name) || !(is_known || is_device_name) {
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
    if name == "cpu" && is_of_bytes(quantity) {
        errors.add_with_hint(
            path,
            format!("{} is {}, and that unit is of bytes", quoted(name), quoted(&quantity.0)),
            "write cores, such as 2, or thousandths of one, such as 500m",
        );
    }
    errors.require(
        !is_device(name) || amount.fract() == 0.0,
        path,
        format!("{} is {}, and devices are counted: write a whole number", quoted(name), quoted(&quantity.0)),
    );
}

/// Whether an amount has a unit that makes no sense for cores: Mi, or a million of them.
fn is_of_bytes(quantity: &Quantity) -> bool {
    ["i", "k", "M", "G", "T", "P", "E"].iter().any(|unit| quantity.0.ends_with(unit))
}

/// Checks a request against the limit. Kubernetes takes a limit for the request where there is only the limit.
fn check_request(name: &str, request: &Quantity, limit: Option<&Quantity>, path: &str, errors: &mut Errors) {
    let is_exact = is_device(name) || name.starts_with(huge_pages::PREFIX);
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

/// Whether the name is that of a quota, or too long to have one, as Kubernetes asks of devices.
fn is_of_quota(name: &str) -> bool {
    name.starts_with(QUOTA_PREFIX) || !is_qualified_name(&format!("{QUOTA_PREFIX}{name}"))
}

/// Whether an amount of bytes is some, and less than this.
pub(super) fn is_below(amount: f64, least: f64) -> bool {
    amount > 0.0 && amount < least
}

/// Whether pods with these resources have a request for CPU, by name or by their limit.
pub(super) fn has_cpu_request(resources: Option<&ResourceRequirements>) -> bool {
    let cpu = |amounts: &Option<BTreeMap<String, Quantity>>| amounts.as_ref()?.get("cpu").cloned();
    let request = resources.and_then(|resources| cpu(&resources.requests).or_else(|| cpu(&resources.limits)));
    // An amount that cannot be read has an error of its own.
    request.is_some_and(|request| amount(&request) != Some(0.0))
}
