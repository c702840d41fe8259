//! The words of a column: in how many of the training rows each is.

use std::collections::HashMap;
use std::ops::Range;

use super::error::TrainError;
use super::parallel::over_shards;
use crate::preprocess::{TextTransform, Texts, for_each_word};

/// The most different words of a column that are counted.
const MOST_WORDS: usize = 1_000_000;

/// How many texts are counted at once, and then added to the words of those before.
const WAVE: usize = 1 << 16;

/// A word's rows, and the last text that was counted for it, so that a text counts once.
struct Seen {
    rows: u64,
    text: usize,
}

/// Fits to the places of the training rows' texts (NaN where one is missing).
///
/// # Errors
/// When no text has a word, or there are more words than are counted.
pub(super) fn fit(
    name: &str,
    values: impl Iterator<Item = f64>,
    texts: &Texts,
    limit: usize,
) -> Result<TextTransform, TrainError> {
    let (mut uses, mut rows) = (vec![0_u64; texts.len()], 0);
    for value in values {
        rows += 1;
        // A missing text is an empty one.
        if let Some(count) = (value >= 0.0).then(|| uses.get_mut(value as usize)).flatten() {
            *count += 1;
        }
    }
    let mut counts = HashMap::<String, u64>::new();
    for first in (0..texts.len()).step_by(WAVE) {
        let last = (first + WAVE).min(texts.len());
        for (word, seen) in count(texts, &uses, first..last).into_iter().flatten() {
            *counts.entry(word).or_default() += seen.rows;
        }
        if counts.len() > MOST_WORDS {
            return Err(TrainError::Data(format!(
                "column \"{name}\" is taken as text, and its rows have more than {MOST_WORDS} different words; take it as hash, or leave \
                 out what is not prose (such as numbers and links) in a prepare step"
            )));
        }
    }
    if counts.is_empty() {
        return Err(TrainError::Data(format!(
            "column \"{name}\" is taken as text, and no row to learn from has a word of two characters or more in it; take it as \
             category, or as ignore"
        )));
    }
    Ok(TextTransform::new(counts.into_iter().collect(), rows, limit))
}

/// The words of some texts, in parts that may have the same ones.
fn count(texts: &Texts, uses: &[u64], range: Range<usize>) -> Vec<HashMap<String, Seen>> {
    let first = range.start;
    over_shards(range.len(), |part| {
        let part = first + part.start..first + part.end;
        let mut words = HashMap::<String, Seen>::new();
        for (text, count) in part.clone().zip(uses.get(part).unwrap_or_default()) {
            if *count > 0 {
                for_each_word(texts.get(text).unwrap_or_default(), |word| match words.get_mut(word) {
                    Some(seen) if seen.text == text => {}
                    Some(seen) => *seen = Seen { rows: seen.rows + count, text },
                    None => {
                        words.insert(word.to_owned(), Seen { rows: *count, text });
                    }
                });
            }
        }
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_the_most_rows_are_kept_and_of_equals_the_first() {
        let mut texts = Texts::default();
        let mut place = |text: &str| f64::from(texts.place(text));
        // "same same" has the word once, and the second text is in two rows.
        let values =
            [place("same same b2"), place("Zwei zwei"), place("Zwei zwei"), place("a1, x; same"), f64::NAN];
        let fitted = fit("body", values.into_iter(), &texts, 3).expect("words");
        assert_eq!(fitted.terms(), ["a1", "same", "zwei"]);
    }

    #[test]
    fn more_words_than_are_counted_are_refused_with_advice() {
        let mut texts = Texts::default();
        let text = |first: usize| (first..first + 1000).map(|word| format!("w{word} ")).collect::<String>();
        let values: Vec<f64> =
            (0..=MOST_WORDS / 1000).map(|number| f64::from(texts.place(&text(number * 1000)))).collect();
        let error = fit("body", values.into_iter(), &texts, 3).expect_err("too many").to_string();
        assert!(error.contains("more than 1000000 different words; take it as hash"), "{error}");
    }

    #[test]
    fn texts_without_a_word_are_refused_with_advice() {
        let mut texts = Texts::default();
        let values = [f64::from(texts.place("a b c! ¡ 7")), f64::NAN];
        let error = fit("body", values.into_iter(), &texts, 3).expect_err("no words").to_string();
        assert!(error.contains("column \"body\" is taken as text, and no row"), "{error}");
    }
}
