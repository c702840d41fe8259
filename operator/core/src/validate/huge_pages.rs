//! Huge pages that containers ask for: pages of a size that there is, whole ones, and not without memory or CPU of the usual kind.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::errors::Errors;
use crate::quantity::amount;
use crate::quoted::quoted;

/// What the names of huge pages begin with; their size follows.
pub(super) const PREFIX: &str = "hugepages-";

/// Checks the huge pages among requests and limits. `path` is that of the resources.
pub(super) fn check(
    requests: &BTreeMap<String, Quantity>,
    limits: &BTreeMap<String, Quantity>,
    path: &str,
    errors: &mut Errors,
) {
    let all = || [("requests", requests), ("limits", limits)];
    for (field, amounts) in all() {
        for (name, quantity) in amounts {
            if let Some(size) = name.strip_prefix(PREFIX) {
                check_pages(name, size, quantity, &format!("{path}.{field}"), errors);
            }
        }
    }
    let has = |wanted: fn(&str) -> bool| {
        all().into_iter().any(|(_, amounts)| amounts.keys().any(|name| wanted(name)))
    };
    if has(|name| name.starts_with(PREFIX)) && !has(|name| ["cpu", "memory"].contains(&name)) {
        errors.add_with_hint(
            path,
            "asks for huge pages, and for neither cpu nor memory, which Kubernetes rejects",
            "set requests.memory or limits.memory too",
        );
    }
}

fn check_pages(name: &str, size: &str, quantity: &Quantity, path: &str, errors: &mut Errors) {
    let page = amount(&Quantity(size.to_owned())).filter(|page| *page > 0.0 && page.fract() == 0.0);
    let Some(page) = page else {
        errors.add_with_hint(
            path,
            format!("{} does not name a size of pages", quoted(name)),
            "write hugepages-2Mi or hugepages-1Gi, as the nodes have them",
        );
        return;
    };
    // An amount that cannot be read has an error of its own.
    let Some(amount) = amount(quantity) else { return };
    errors.require(
        amount.ceil() % page == 0.0,
        path,
        format!(
            "{} is {}, which is not a multiple of {size}: ask for whole pages",
            quoted(name),
            quoted(&quantity.0)
        ),
    );
}
