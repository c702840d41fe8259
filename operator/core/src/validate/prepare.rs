//! What a prepare step needs: inputs with names for the SQL, and checks that could pass.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use mlpipeline_crds::{Check, CheckNumber, Input, PodSettings, Prepare};

use super::actions::Checked;
use super::errors::Errors;
use super::{continuous, data, output};
use crate::quoted::quoted;

impl Checked for Prepare {
    fn check(&self, _: &PodSettings, path: &str, errors: &mut Errors) {
        let count = self.inputs.len();
        if self.sql.is_none() && count != 1 {
            errors.add_with_hint(
                path,
                format!("has {count} inputs and no sql; without sql exactly one input is copied"),
                "write a SELECT that says what the result is",
            );
        }
        errors.require(
            count <= 16,
            format!("{path}.inputs"),
            format!("has {count} inputs; at most 16 are allowed"),
        );
        errors.require(
            self.sql.as_ref().is_none_or(|sql| !sql.trim().is_empty()),
            format!("{path}.sql"),
            "is empty: write a SELECT, or leave sql out to copy the only input",
        );
        let mut names = BTreeSet::new();
        for (index, input) in self.inputs.iter().enumerate() {
            let path = format!("{path}.inputs[{index}]");
            // SQL folds the case of names, so two that differ only in case would be one table.
            errors.require(
                names.insert(input.name.to_ascii_lowercase()),
                format!("{path}.name"),
                format!("{} is the name of an earlier input too", quoted(&input.name)),
            );
            check_input(input, &path, errors);
        }
        output::check(self.output.as_ref(), &format!("{path}.output"), errors);
        if self.continuous.is_some() {
            continuous::check(self, path, errors);
        }
        for (index, check) in self.checks.iter().enumerate() {
            check_check(check, &format!("{path}.checks[{index}]"), errors);
        }
    }
}

fn check_input(input: &Input, path: &str, errors: &mut Errors) {
    let first = input.name.chars().next();
    let fits = first.is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && input.name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        && input.name.len() <= 63;
    errors.require(
        fits,
        format!("{path}.name"),
        format!(
            "{} is not a valid table name: letters, digits and _, no digit first, 63 at most",
            quoted(&input.name)
        ),
    );
    data::check(&input.reference(), path, errors);
}

fn check_check(check: &Check, path: &str, errors: &mut Errors) {
    let rules = [
        check.not_null.is_some(),
        check.unique.is_some(),
        check.one_of.is_some(),
        check.min.is_some(),
        check.max.is_some(),
    ];
    let has_rule = rules.contains(&true);
    match (&check.sql, &check.column) {
        (Some(_), Some(_)) | (None, None) => {
            errors.add(path, "has both sql and column, or neither: a check is exactly one of them")
        }
        (Some(_), None) => {
            errors.require(
                check.equals.is_some(),
                path,
                "an sql check needs equals: the number that the query must give",
            );
            errors.require(
                !has_rule,
                path,
                "notNull, unique, oneOf, min and max are only for a column check",
            );
        }
        (None, Some(_)) => {
            errors.require(
                has_rule,
                path,
                "a column check needs at least one of notNull, unique, oneOf, min and max",
            );
            errors.require(check.equals.is_none(), path, "equals is only for an sql check");
        }
    }
    for (field, number) in [("equals", check.equals), ("min", check.min), ("max", check.max)] {
        errors.require_finite(number.map(CheckNumber::nearest), format!("{path}.{field}"));
    }
    errors.require(
        check.one_of.as_ref().is_none_or(|values| !values.is_empty()),
        format!("{path}.oneOf"),
        "is empty: no value could pass",
    );
    if let (Some(min), Some(max)) = (check.min, check.max) {
        let is_possible = min.partial_cmp(&max).is_none_or(Ordering::is_le);
        errors.require(is_possible, path, format!("min {min} is more than max {max}: no value could pass"));
    }
}
