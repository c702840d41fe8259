//! What a model's column is called, by the column of the table that it was made from.
//!
//! Must not know of rows.

use super::notes::short;
use crate::preprocess::Transform;

/// The parts of a time, in the order of their columns.
const PARTS_OF_TIME: [&str; 6] = ["day", "year", "month", "day of the month", "day of the week", "hour"];

/// What one of the columns is called that a transform makes of a table's column.
pub(super) fn part_name(column: &str, transform: &Transform, part: usize) -> String {
    let column = short(column);
    match transform {
        Transform::Number(_) if part > 0 => format!("{column} is missing"),
        Transform::Category(category) => match category.categories.get(part) {
            Some(text) => format!("{column} = {}", short(text)),
            None if category.other && part == category.categories.len() => {
                format!("{column} = any other text")
            }
            None => format!("{column} is missing"),
        },
        Transform::Time(_) => match PARTS_OF_TIME.get(part).filter(|_| part < transform.sized()) {
            Some(name) => format!("{column} ({name})"),
            None => format!("{column} is missing"),
        },
        Transform::Text(text) => match text.terms().get(part) {
            Some(term) => format!("{column} ({})", short(term)),
            None => column,
        },
        Transform::Number(_)
        | Transform::Code(_)
        | Transform::Ordinal(_)
        | Transform::Target(_)
        | Transform::Hash(_) => column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::{CategoryTransform, NumberTransform, TimeKind, TimeTransform};

    #[test]
    fn a_part_is_named_by_what_it_says() {
        let number = Transform::Number(NumberTransform { impute: Some(1.0), indicator: true });
        let categories = vec!["blue".to_owned(), "red".to_owned()];
        let category = Transform::Category(CategoryTransform { categories, other: true, indicator: true });
        let time = TimeTransform { kind: TimeKind::Date, impute: Some(0), indicator: true, missing: false };
        let time = Transform::Time(time);
        for (transform, part, expected) in [
            (&number, 0, "x"),
            (&number, 1, "x is missing"),
            (&category, 1, "x = red"),
            (&category, 2, "x = any other text"),
            (&category, 3, "x is missing"),
            (&time, 0, "x (day)"),
            (&time, 4, "x (day of the week)"),
            (&time, 5, "x is missing"),
        ] {
            assert_eq!(part_name("x", transform, part), expected);
        }
    }
}
