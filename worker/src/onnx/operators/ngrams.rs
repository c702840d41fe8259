//! Which words and sequences of words a text has: a column for each that was learned.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::super::kind::Kind;
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::{Tensor, Values};
use super::super::work::Work;

/// The most words between two of a sequence.
const SKIP_LIMIT: usize = 100;

/// The longest sequence.
const LENGTH_LIMIT: usize = 100;

/// What is made of a sequence each time that it occurs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// One is added.
    Count,
    /// Its weight stands there.
    Weight,
    /// Its weight is added.
    Sum,
}

/// The sequences of words, as a tree: each word leads on from those before it.
struct Sequences {
    next: HashMap<(u32, u32), u32>,
    /// The sequence that ends at a place of the tree, if one does: its column and weight.
    ends: Vec<Option<(usize, f32)>>,
}

impl Sequences {
    /// No sequence: the tree's root alone.
    fn new() -> Self {
        Self { next: HashMap::new(), ends: vec![None] }
    }

    fn add(&mut self, words: &[u32], end: (usize, f32)) -> Result<(), Problem> {
        let mut at = 0;
        for word in words {
            let new = self.ends.len() as u32;
            at = *self.next.entry((at, *word)).or_insert(new);
            if at == new {
                self.ends.push(None);
            }
        }
        match self.ends.get_mut(at as usize) {
            Some(place @ None) => *place = Some(end),
            _ => return Err(Problem::graph("a sequence of words is in its pool twice")),
        }
        Ok(())
    }
}

/// The words of a pool, numbered.
struct Words {
    texts: HashMap<Arc<str>, u32>,
    numbers: HashMap<i64, u32>,
    /// The pool, by those numbers.
    pool: Vec<u32>,
}

/// A word that is in no sequence.
const UNKNOWN: u32 = u32::MAX;

impl Words {
    fn of(node: &Node<'_>) -> Result<Self, Problem> {
        fn numbered<T: Hash + Eq + Clone>(pool: &[T]) -> (HashMap<T, u32>, Vec<u32>) {
            let mut known = HashMap::new();
            let number = |word: &T| {
                let new = known.len() as u32;
                *known.entry(word.clone()).or_insert(new)
            };
            let places = pool.iter().map(number).collect();
            (known, places)
        }
        let (strings, integers) = (node.strings("pool_strings")?, node.ints("pool_int64s"));
        if strings.is_empty() == integers.is_empty() {
            return Err(Problem::graph("it has not one of pool_strings and pool_int64s"));
        }
        let (texts, of_texts) = numbered(&strings);
        let (numbers, of_numbers) = numbered(integers);
        Ok(Self { texts, numbers, pool: [of_texts, of_numbers].concat() })
    }

    fn in_input(&self, input: &Tensor) -> Result<Vec<u32>, Problem> {
        match input.values() {
            Values::Text(texts) if self.numbers.is_empty() => {
                Ok(texts.iter().map(|text| self.texts.get(text).copied().unwrap_or(UNKNOWN)).collect())
            }
            Values::I64(_) | Values::I32(_) if self.texts.is_empty() => {
                let known = |number: &i64| self.numbers.get(number).copied().unwrap_or(UNKNOWN);
                Ok(input.integers()?.iter().map(known).collect())
            }
            _ => {
                let (pool, found) =
                    (if self.texts.is_empty() { "whole numbers" } else { "texts" }, input.kind().name());
                Err(Problem::graph(format!("it gets values of type {found} and has a pool of {pool}")))
            }
        }
    }
}

/// What a node learned, and how it counts.
struct Vectorizer {
    words: Words,
    sequences: Sequences,
    mode: Mode,
    /// The shortest and the longest sequence, and how many words may be between two of it.
    lengths: (usize, usize),
    skip: usize,
    columns: usize,
}

impl Vectorizer {
    fn of(node: &Node<'_>) -> Result<Self, Problem> {
        let mode = match node.string("mode", "")?.as_str() {
            "TF" => Mode::Count,
            "IDF" => Mode::Weight,
            "TFIDF" => Mode::Sum,
            other => return Err(Problem::graph(format!("the mode {other} is not computed"))),
        };
        let setting = |name: &str, least: usize, most: usize| {
            let found = node.int(name, -1);
            usize::try_from(found)
                .ok()
                .filter(|value| (least..=most).contains(value))
                .ok_or_else(|| Problem::graph(format!("{name} is {found}, and not from {least} to {most}")))
        };
        let skip = setting("max_skip_count", 0, SKIP_LIMIT)?;
        let longest = setting("max_gram_length", 1, LENGTH_LIMIT)?;
        let lengths = (setting("min_gram_length", 1, longest)?, longest);
        let (words, mut sequences) = (Words::of(node)?, Sequences::new());
        let columns = add_sequences(node, &words.pool, lengths, &mut sequences)?;
        Ok(Self { words, sequences, mode, lengths, skip, columns })
    }

    /// Counts the sequences of a row.
    fn count(&self, words: &[u32], row: &mut [f32], work: &mut Work) -> Result<(), Problem> {
        let (mut shortest, longest) = self.lengths;
        for apart in 1..=self.skip + 1 {
            for first in 0..words.len() {
                let (mut at, mut steps) = (0, 0);
                for length in 1..=longest {
                    steps += 1;
                    let Some(word) = words.get(first + (length - 1) * apart) else { break };
                    let Some(next) = self.sequences.next.get(&(at, *word)) else { break };
                    at = *next;
                    let end = self.sequences.ends.get(at as usize).copied().flatten();
                    let Some((column, weight)) = end.filter(|_| length >= shortest) else { continue };
                    let Some(value) = row.get_mut(column) else { continue };
                    *value = match self.mode {
                        Mode::Count => *value + 1.0,
                        Mode::Weight => weight,
                        Mode::Sum => *value + weight,
                    };
                }
                work.step(steps)?;
            }
            // A single word has no others between.
            if shortest == 1 {
                shortest = 2;
            }
            if shortest > longest {
                break;
            }
        }
        Ok(())
    }
}

/// Adds the sequences of a pool, which holds those of one word, of two, and so on; says how many columns they have.
fn add_sequences(
    node: &Node<'_>,
    pool: &[u32],
    (shortest, longest): (usize, usize),
    sequences: &mut Sequences,
) -> Result<usize, Problem> {
    let (starts, columns, weights) =
        (node.ints("ngram_counts"), node.ints("ngram_indexes"), node.floats("weights"));
    if longest > starts.len() {
        return Err(Problem::graph("ngram_counts is shorter than max_gram_length"));
    }
    if !weights.is_empty() && weights.len() != columns.len() {
        let (found, expected) = (weights.len(), columns.len());
        return Err(Problem::graph(format!("it has {found} weights for {expected} sequences of words")));
    }
    let (mut number, mut width) = (0, 0);
    for (place, start) in starts.iter().enumerate() {
        let length = place + 1;
        let wrong = || Problem::graph(format!("its pool has not whole sequences of {length} words"));
        let start = usize::try_from(*start).map_err(|_| wrong())?;
        let end = match starts.get(place + 1) {
            Some(end) => usize::try_from(*end).map_err(|_| wrong())?,
            None => pool.len(),
        };
        let own = pool.get(start..end).filter(|own| own.len() % length == 0).ok_or_else(wrong)?;
        for words in own.chunks(length) {
            let column = columns.get(number).and_then(|column| usize::try_from(*column).ok());
            let column = column.ok_or_else(|| {
                Problem::graph(format!("its sequence of words {number} has no place in ngram_indexes"))
            })?;
            let end = (column, weights.get(number).copied().unwrap_or(1.0));
            if (shortest..=longest).contains(&length) {
                sequences.add(words, end)?;
            }
            number += 1;
        }
    }
    for column in columns {
        let column = usize::try_from(*column)
            .map_err(|_| Problem::graph(format!("ngram_indexes has the place {column}")))?;
        width = width.max(column.saturating_add(1));
    }
    Ok(width)
}

/// The operator.
pub(super) fn vectorizer(node: &Node<'_>) -> Result<Run, Problem> {
    let vectorizer = Vectorizer::of(node)?;
    Ok(Box::new(move |inputs: &Inputs<'_>, work: &mut Work| {
        let input = inputs.get(0)?;
        let (shape, width) = match *input.shape() {
            [width] => (vec![vectorizer.columns], width),
            [rows, width] => (vec![rows, vectorizer.columns], width),
            _ => return Err(Problem::graph("it needs words, or rows of words")),
        };
        work.reserve(input.shape(), Kind::F32)?;
        let words = vectorizer.words.in_input(input)?;
        let mut made = vec![0.0_f32; work.reserve(&shape, Kind::F32)?];
        let rows = words.chunks(width.max(1)).zip(made.chunks_mut(vectorizer.columns.max(1)));
        for (words, row) in rows {
            vectorizer.count(words, row, work)?;
        }
        Ok(vec![Tensor::new(shape, made)?])
    }))
}
