//! Which columns a step multiplies, by their places.
//!
//! Owns that each is a number that is learnt from, and that no pair is there twice.

use std::collections::BTreeSet;

use mlpipeline_crds::Interaction;

use super::columns::{Column, Treatment};
use super::error::TrainError;
use crate::preprocess::Product;

/// The products of each pair of each list, in the lists' order.
///
/// # Errors
/// When a list has fewer than two columns or one twice, or a column is not learnt from or not a number.
pub(super) fn products(interactions: &[Interaction], columns: &[Column]) -> Result<Vec<Product>, TrainError> {
    let (mut products, mut seen) = (Vec::new(), BTreeSet::new());
    for (number, interaction) in interactions.iter().enumerate() {
        let refuse =
            |problem: String| Err(TrainError::Spec(format!("interactions[{number}].columns: {problem}")));
        let mut places = Vec::new();
        for name in &interaction.columns {
            match columns.iter().position(|column| column.name == *name) {
                None => {
                    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
                    return refuse(format!(
                        "\"{name}\" is not among the columns that are learnt from; they are {}",
                        known.join(", ")
                    ));
                }
                Some(place) if places.contains(&(place as u32)) => {
                    return refuse(format!("\"{name}\" is named twice; name it once"));
                }
                Some(place) => places.push(place as u32),
            }
            let is_number = columns
                .iter()
                .any(|column| column.name == *name && matches!(column.treatment, Treatment::Number(_)));
            if !is_number {
                return refuse(format!(
                    "\"{name}\" is not taken as a number, and only numbers have products"
                ));
            }
        }
        if places.len() < 2 {
            return refuse("name two or more columns".to_owned());
        }
        for (place, first) in places.iter().enumerate() {
            for second in places.iter().skip(place + 1) {
                let product = Product { first: *first, second: *second };
                if seen.insert((product.first.min(product.second), product.first.max(product.second))) {
                    products.push(product);
                }
            }
        }
    }
    Ok(products)
}

/// What products are called.
pub(super) fn names(products: &[Product], columns: &[Column]) -> Vec<String> {
    let name =
        |place: u32| columns.get(place as usize).map(|column| column.name.as_str()).unwrap_or_default();
    products.iter().map(|product| format!("{} × {}", name(product.first), name(product.second))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FeatureKind;

    fn columns() -> Vec<Column> {
        let column = |name: &str, treatment| Column {
            name: name.to_owned(),
            treatment,
            asked_for: false,
            order: Vec::new(),
            scale: mlpipeline_crds::Scale::None,
        };
        let number = Treatment::Number(FeatureKind::Float);
        vec![
            column("a", number),
            column("city", Treatment::Category(None)),
            column("b", number),
            column("c", number),
        ]
    }

    fn of(lists: &[&[&str]]) -> Result<Vec<String>, String> {
        let list =
            |names: &&[&str]| Interaction { columns: names.iter().map(|name| (*name).to_owned()).collect() };
        let lists: Vec<Interaction> = lists.iter().map(list).collect();
        let found = products(&lists, &columns()).map_err(|error| error.to_string())?;
        Ok(names(&found, &columns()))
    }

    #[test]
    fn each_pair_of_a_list_is_multiplied_once() {
        assert_eq!(
            of(&[&["a", "b", "c"], &["c", "a"]]),
            Ok(vec!["a × b".into(), "a × c".into(), "b × c".into()])
        );
        assert_eq!(of(&[]), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_two_numbers_is_refused_by_its_place() {
        for (list, wrong) in [
            (vec!["a"], "two or more columns"),
            (vec!["a", "a"], "\"a\" is named twice"),
            (vec!["a", "d"], "\"d\" is not among the columns that are learnt from; they are a, city, b, c"),
            (vec!["a", "city"], "\"city\" is not taken as a number"),
        ] {
            let found = of(&[&["a", "b"], &list]).expect_err("refused");
            assert!(found.contains("interactions[1].columns") && found.contains(wrong), "{found}");
        }
    }
}
