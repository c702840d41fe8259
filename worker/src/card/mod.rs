//! The model card: one HTML page that says what a model is, how good it is, on which data, and where it comes from.
//!
//! Owns the page and its plots. It is whole in itself: no script, and nothing is loaded from anywhere, which its content security
//! policy holds browsers to. All text from data is escaped, by maud. It holds no time, no host and no path, so that the same
//! step on the same data gives the same bytes. Must not measure anything: `evaluation` has.

mod charts;
mod classes;
mod format;
mod page;
mod plot;

use crate::evaluation::Evaluation;

/// The name of the file in a model's artifact.
pub const CARD_FILE: &str = "card.html";

/// What a card says.
#[derive(Clone, Debug)]
pub struct Card<'a> {
    /// The column that is predicted.
    pub target: &'a str,
    /// The algorithm's name, as in a spec.
    pub algorithm: &'a str,
    /// Its parameters, each with the value that holds.
    pub parameters: Vec<(String, String)>,
    /// What was measured.
    pub evaluation: &'a Evaluation,
    /// The columns that it was learnt from.
    pub columns: Vec<CardColumn>,
    /// What a person should know of the columns and of how training went.
    pub notes: &'a [String],
    /// What the model comes from: names and what identifies it.
    pub lineage: Vec<(&'static str, String)>,
}

/// One column of the data.
#[derive(Clone, Debug)]
pub struct CardColumn {
    /// Its name.
    pub name: String,
    /// What it was taken as, and how it is scaled.
    pub taken_as: String,
    /// How many rows have no value.
    pub missing: u64,
    /// What its values are like.
    pub values: String,
}

impl Card<'_> {
    /// The page.
    #[must_use]
    pub fn to_html(&self) -> String {
        page::page(self).into_string()
    }
}

#[cfg(test)]
mod tests;
