//! The chart as a version before this one, for tests of upgrades: no version has been published yet.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

use super::programs;

/// Where the schema of an MLPipeline's spec is in the definition.
pub const SPEC: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
/// The field of the spec that this version has and the version before has not.
pub const NEW_FIELD: &str = "history";

/// Puts the chart into a folder, as an older version, whose pods are others and whose definition lacks a field; answers its path.
///
/// # Errors
/// When the chart is no longer such that this can be done, or the folder cannot be written.
pub fn version_before(folder: &Path) -> anyhow::Result<PathBuf> {
    let chart = folder.join("mlpipeline");
    copy(&programs::repository().join("charts/mlpipeline"), &chart)?;
    let version = format!("\nversion: {}\n", env!("CARGO_PKG_VERSION"));
    edit(&chart.join("Chart.yaml"), &version, "\nversion: 0.0.1\n")?;
    let pods = "terminationGracePeriodSeconds: ";
    edit(&chart.join("templates/deployment.yaml"), &format!("{pods}30"), &format!("{pods}29"))?;
    let definition = chart.join("files/crd.yaml");
    let mut crd: Value = serde_saphyr::from_str(&fs::read_to_string(&definition)?)?;
    let fields =
        crd.pointer_mut(SPEC).and_then(Value::as_object_mut).context("the definition has no spec")?;
    fields.remove(NEW_FIELD).with_context(|| format!("the definition has no spec.{NEW_FIELD}"))?;
    fs::write(definition, crd.to_string())?;
    Ok(chart)
}

fn edit(file: &Path, now: &str, then: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(file)?;
    if !text.contains(now) {
        bail!("{} has no {now:?}", file.display());
    }
    Ok(fs::write(file, text.replace(now, then))?)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lacks_the_field_and_has_every_other() {
        let folder = tempfile::tempdir().unwrap();
        let chart = version_before(folder.path()).unwrap();
        let fields = |chart: &Path| {
            let text = fs::read_to_string(chart.join("files/crd.yaml")).unwrap();
            let crd: Value = serde_saphyr::from_str(&text).unwrap();
            let fields = crd.pointer(SPEC).and_then(Value::as_object).unwrap();
            fields.keys().cloned().collect::<Vec<_>>()
        };
        let mut now = fields(&programs::repository().join("charts/mlpipeline"));
        assert!(now.iter().any(|field| field == NEW_FIELD));
        now.retain(|field| field != NEW_FIELD);
        assert_eq!(fields(&chart), now);
    }
}
