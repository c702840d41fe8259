//! Texts to weighted words: TF-IDF, as scikit-learn's TfidfVectorizer has it.
//!
//! A word is a run of at least two letters, digits or underscores, in lower case. Its weight in a row is how often it occurs there,
//! times how rare it was among the training rows; a row's weights have the length 1. Words that training did not keep are left out.
//! A missing text is an empty one: all of its weights are 0. (K. Spärck Jones, "A statistical interpretation of term specificity",
//! 1972.)

use serde::{Deserialize, Serialize};

use crate::exact::Row;

/// A longer word, in bytes, is none that rows have in common.
const WORD_LIMIT: usize = 256;

/// The fewest characters of a word.
const FEWEST_CHARACTERS: usize = 2;

/// What rarities may be: with 1 for a word of every row, no number of rows comes near to the most.
const RARITIES: std::ops::RangeInclusive<f64> = 1.0..=100.0;

/// What is done with a column of prose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextTransform {
    /// The words with a column of their own, sorted by bytes.
    terms: Vec<String>,
    /// How rare each is: ln((1 + rows) / (1 + rows that have it)) + 1.
    rarities: Row,
}

impl TextTransform {
    /// Of the words with the number of rows that have them, among so many rows, those `limit` in the most rows; of those in equally
    /// many, the first by bytes.
    #[must_use]
    pub fn new(mut counted: Vec<(String, u64)>, rows: u64, limit: usize) -> Self {
        counted.sort_by(|ours, theirs| theirs.1.cmp(&ours.1).then(ours.0.cmp(&theirs.0)));
        counted.truncate(limit);
        counted.sort();
        let rarity = |count: u64| ((1.0 + rows as f64) / (1.0 + count as f64)).ln() + 1.0;
        let rarities = counted.iter().map(|(_, count)| rarity(*count)).collect();
        Self { terms: counted.into_iter().map(|(term, _)| term).collect(), rarities: Row(rarities) }
    }

    /// The words with a column of their own.
    #[must_use]
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    pub(super) fn width(&self) -> usize {
        self.terms.len()
    }

    pub(super) fn encode(&self, text: Option<&str>, out: &mut [f64]) {
        out.fill(0.0);
        for_each_word(text.unwrap_or_default(), |word| {
            let place = self.terms.binary_search_by(|term| term.as_str().cmp(word)).ok();
            if let Some(weight) = place.and_then(|place| out.get_mut(place)) {
                *weight += 1.0;
            }
        });
        let mut squares = 0.0;
        for (weight, rarity) in out.iter_mut().zip(&self.rarities.0) {
            *weight *= rarity;
            squares += *weight * *weight;
        }
        if squares > 0.0 {
            let length = squares.sqrt();
            out.iter_mut().for_each(|weight| *weight /= length);
        }
    }

    pub(super) fn problem(&self) -> Option<String> {
        let is_sorted = self.terms.windows(2).all(|pair| pair.first() < pair.last());
        let is_whole = self.terms.len() == self.rarities.0.len()
            && self.rarities.0.iter().all(|rarity| RARITIES.contains(rarity));
        (!is_sorted || !is_whole)
            .then(|| "the words of a column are not sorted, distinct and weighted".to_owned())
    }
}

/// Calls `take` for each word of a text, in its order.
pub fn for_each_word(text: &str, mut take: impl FnMut(&str)) {
    let lower = text.to_lowercase();
    let words = lower.split(|sign: char| !(sign.is_alphanumeric() || sign == '_'));
    words
        .filter(|word| word.len() <= WORD_LIMIT && word.chars().nth(FEWEST_CHARACTERS - 1).is_some())
        .for_each(&mut take);
}
