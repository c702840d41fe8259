//! What the columns of a train step need: roles that fit them, limits within bounds, and products of numbers.

use std::collections::BTreeSet;

use mlpipeline_crds::{
    Algorithm, CategorySplits, ColumnRole, GradientBoosting, Interaction, Scale, Train, TrainColumn,
};

use super::errors::Errors;
use crate::quoted::quoted;

/// Checks them.
pub(super) fn check(train: &Train, path: &str, errors: &mut Errors) {
    check_columns(train, path, errors);
    check_interactions(train, path, errors);
}

fn check_columns(train: &Train, path: &str, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for (index, column) in train.columns.iter().enumerate() {
        let path = format!("{path}.columns[{index}]");
        let name = quoted(&column.name);
        errors.require(
            Some(&column.name) != train.target.as_ref(),
            format!("{path}.name"),
            format!("{name} is the target: it is taken as its algorithm needs it"),
        );
        errors.require(
            train.features.is_empty()
                || train.features.contains(&column.name)
                || Some(&column.name) == train.target.as_ref(),
            format!("{path}.name"),
            format!("{name} is not among the features, so that nothing is done with it: add it there, or leave it out"),
        );
        errors.require(
            names.insert(&column.name),
            format!("{path}.name"),
            format!("{name} is the name of an earlier column too"),
        );
        errors.require_between(column.max_categories, (1, 1000), format!("{path}.maxCategories"));
        errors.require(
            column.max_categories.is_none() || matches!(column.taken_as, None | Some(ColumnRole::Category)),
            format!("{path}.maxCategories"),
            "is for categories: leave it out, or set as to category",
        );
        errors.require(
            !splits_subsets(&train.algorithm)
                || column.max_categories.is_none_or(|most| most <= GradientBoosting::MOST_CATEGORIES),
            format!("{path}.maxCategories"),
            format!(
                "is more than the {} that gradientBoosting takes with categories: subsets: lower it, or leave categories out",
                GradientBoosting::MOST_CATEGORIES
            ),
        );
        for (field, number, role, name) in [
            ("maxTerms", column.max_terms, ColumnRole::Text, "text"),
            ("buckets", column.buckets, ColumnRole::Hash, "hash"),
        ] {
            errors.require_between(number, (1, 4096), format!("{path}.{field}"));
            errors.require(
                number.is_none() || column.taken_as == Some(role),
                format!("{path}.{field}"),
                format!("goes with as: {name}: set it, or leave {field} out"),
            );
        }
        errors.require(
            column.order.is_empty() || column.taken_as == Some(ColumnRole::Ordinal),
            format!("{path}.order"),
            "goes with as: ordinal: set it, or leave order out",
        );
        errors.require(
            !is_scaled_text(column),
            format!("{path}.scale"),
            "is for numbers, dates, ordinals and means of the target: leave it out, or take the column as one of these",
        );
        let mut ordered = BTreeSet::new();
        if let Some(twice) = column.order.iter().find(|text| !ordered.insert(*text)) {
            errors
                .add(format!("{path}.order"), format!("names {} twice; name each text once", quoted(twice)));
        }
        let needs_target = train.algorithm.chosen().is_none_or(|chosen| chosen.predicts().needs_target());
        errors.require(
            column.taken_as != Some(ColumnRole::Target) || needs_target,
            format!("{path}.as"),
            "is target, and this algorithm learns without one: take category or hash",
        );
    }
}

/// Whether the columns of 0 and 1, or of words, that a text becomes are to be scaled. Without a role, the data say later what it is.
fn is_scaled_text(column: &TrainColumn) -> bool {
    let is_scaled = column.scale.is_some_and(|scale| scale != Scale::None);
    is_scaled
        && match column.taken_as {
            Some(ColumnRole::Category | ColumnRole::Text | ColumnRole::Hash | ColumnRole::Ignore) => true,
            Some(ColumnRole::Number | ColumnRole::Ordinal | ColumnRole::Date | ColumnRole::Target) | None => {
                false
            }
        }
}

/// Products are of numbers that are learnt from; what columns there are, the data say later.
fn check_interactions(train: &Train, path: &str, errors: &mut Errors) {
    for (number, interaction) in train.interactions.iter().enumerate() {
        let path = format!("{path}.interactions[{number}].columns");
        errors.require(
            (2..=Interaction::MOST_COLUMNS).contains(&interaction.columns.len()),
            &path,
            format!(
                "names {} columns; 2 to {} are allowed",
                interaction.columns.len(),
                Interaction::MOST_COLUMNS
            ),
        );
        let mut names = BTreeSet::new();
        for (place, name) in interaction.columns.iter().enumerate() {
            let path = format!("{path}[{place}]");
            let shown = quoted(name);
            errors.require(names.insert(name), &path, format!("{shown} is named before; name it once"));
            let is_target = Some(name) == train.target.as_ref();
            errors.require(
                !is_target,
                &path,
                format!("{shown} is the target: a model cannot predict from it"),
            );
            errors.require(
                is_target || train.features.is_empty() || train.features.contains(name),
                &path,
                format!("{shown} is not among the features; add it there, or leave it out"),
            );
            let taken_as =
                train.columns.iter().find(|column| column.name == *name).and_then(|column| column.taken_as);
            errors.require(
                matches!(taken_as, None | Some(ColumnRole::Number)),
                &path,
                format!("{shown} is not taken as a number, and only numbers have products"),
            );
        }
    }
}

/// Whether columns of categories are split by sets of them.
fn splits_subsets(algorithm: &Algorithm) -> bool {
    let boosting = algorithm.gradient_boosting.as_ref();
    boosting.is_some_and(|boosting| boosting.categories == Some(CategorySplits::Subsets))
}
