//! What an import step needs: a place that a file is read from, and names that fit each other.

use std::collections::BTreeSet;

use mlpipeline_crds::{DataReference, Format, Import, PodSettings};

use super::actions::Checked;
use super::errors::Errors;
use super::{data, features};
use crate::quoted::quoted;

impl Checked for Import {
    fn check(&self, _: &PodSettings, path: &str, errors: &mut Errors) {
        let file = &self.onnx;
        errors.require(
            !file.uri.starts_with("postgres:"),
            format!("{path}.onnx.uri"),
            "is a table of a database, and a model is a file: write http://, https://, s3:// or file:PATH",
        );
        if !file.uri.starts_with("postgres:") {
            // The place is checked as that of rows is; the format is of the model's own.
            let place = DataReference {
                uri: Some(file.uri.clone()),
                format: Some(Format::Parquet),
                sha256: file.sha256.clone(),
                secret: file.secret.clone(),
                ..DataReference::default()
            };
            data::check(&place, &format!("{path}.onnx"), errors);
        }
        errors.require(
            !file.uri.contains('*') || file.uri.starts_with("http"),
            format!("{path}.onnx.uri"),
            "has a *, and a model is one file: name it",
        );
        errors.require(!self.target.is_empty(), format!("{path}.target"), "is empty: name what is predicted");
        features::check(&self.features, Some(&self.target), &format!("{path}.features"), errors);
        errors.require(
            self.classes.len() != 1,
            format!("{path}.classes"),
            "has one class: a classifier needs at least two",
        );
        let mut classes = BTreeSet::new();
        for (index, class) in self.classes.iter().enumerate() {
            errors.require(
                classes.insert(class),
                format!("{path}.classes[{index}]"),
                format!("{} is an earlier class too", quoted(class)),
            );
        }
    }
}
