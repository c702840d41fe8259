//! The chart's own page, which `helm show readme` prints and registries show: written from the chart's metadata, so that no version in it is
//! stale.

use std::collections::BTreeSet;

use serde_json::Value;

use super::helm::{NAMESPACE, chart};

/// The whole page.
pub fn page() -> String {
    let text = std::fs::read_to_string(chart().join("Chart.yaml")).unwrap();
    let about: Value = serde_saphyr::from_str(&text).unwrap();
    let field = |name: &str| about[name].as_str().unwrap_or_else(|| panic!("no {name} in Chart.yaml"));
    let kubernetes = field("kubeVersion").trim_start_matches(">=").trim_end_matches("-0");
    format!(
        "<!-- Written by `make chart` from Chart.yaml. -->
# mlpipeline {version}

{description}. This chart installs the operator {app} for Kubernetes {kubernetes} or newer. Nothing has to be set:

```sh
helm upgrade --install mlpipeline CHART --namespace {NAMESPACE} --create-namespace
helm --namespace {NAMESPACE} test mlpipeline
```

`CHART` is this chart: a folder, an archive, or its address in a registry. `helm show values CHART` lists every value with what it is for.
`namespaces` limits the operator to some namespaces, without a ClusterRole; `image.repository` and `workerImage.repository` name a registry of
yours; `podMonitor.enabled`, `prometheusRule.enabled` and `grafanaDashboard.enabled` have it watched.

An upgrade brings the CustomResourceDefinition with it, starts no step again, and replaces no pod that serves:

```sh
helm upgrade mlpipeline CHART --namespace {NAMESPACE} --reset-then-reuse-values
```

Uninstalling keeps the definition, every pipeline, what serves, and all data, unless `crds.keep` is false:

```sh
helm uninstall mlpipeline --namespace {NAMESPACE}
```
",
        version = field("version"),
        description = field("description"),
        app = field("appVersion"),
    )
}

#[test]
fn the_page_of_the_chart_names_only_values_that_there_are() {
    let values = std::fs::read_to_string(chart().join("values.yaml")).unwrap();
    let values: Value = serde_saphyr::from_str(&values).unwrap();
    let page = page();
    let quoted: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(|text| is_value(text)).collect();
    assert!(quoted.len() > 5, "{quoted:?}");
    for path in quoted {
        let pointer = format!("/{}", path.replace('.', "/"));
        assert!(values.pointer(&pointer).is_some(), "{path} is not a value");
    }
}

/// Whether a quoted text looks like the name of a value: words in camelCase with dots between.
fn is_value(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '.')
}
