//! Texts in one case, and taken apart into words or signs.

use std::sync::Arc;

use super::super::kind::Kind;
use super::super::node::{Inputs, Node, Run};
use super::super::problem::Problem;
use super::super::tensor::Tensor;
use super::super::work::Work;
use super::token_pattern::{Searcher, TokenPattern};

/// What stands where a text has fewer tokens than the others of a batch: no sign of Unicode, so that no token of a text equals it. The
/// file's own padding could, and an answer about a text would depend on the longest one beside it.
const PADDING: &str = "\u{ffff}";

/// What begins and ends a text's tokens, where it is asked for.
const BEGIN: &str = "\u{2}";
/// See [`BEGIN`].
const END: &str = "\u{3}";

/// The most expressions that separate tokens.
const SEPARATOR_LIMIT: usize = 256;

/// Texts in one case, without those that count for nothing. Cases are those of Unicode and of Python, where one sign may become several;
/// ONNX Runtime changes sign by sign.
pub(super) fn string_normalizer(node: &Node<'_>) -> Result<Run, Problem> {
    fn same(text: &str) -> String {
        text.to_owned()
    }
    /// A text as it is changed, after its memory was taken: no more than what has become of it is ever held beside it.
    fn made(
        text: &Arc<str>,
        change: Option<fn(&str) -> String>,
        work: &mut Work,
    ) -> Result<Arc<str>, Problem> {
        let Some(change) = change else { return Ok(Arc::clone(text)) };
        work.reserve_text(text.len())?;
        let changed = change(text);
        work.reserve_text(changed.len().saturating_sub(text.len()))?;
        Ok(Arc::from(changed))
    }
    let action = node.string("case_change_action", "NONE")?;
    let is_exact = node.flag("is_case_sensitive", false);
    let change: Option<fn(&str) -> String> = match action.as_str() {
        "NONE" => None,
        "LOWER" => Some(str::to_lowercase),
        "UPPER" => Some(str::to_uppercase),
        other => return Err(Problem::graph(format!("case_change_action {other} is not computed"))),
    };
    let compared: fn(&str) -> String = if is_exact { same } else { str::to_lowercase };
    let stops: std::collections::HashSet<String> =
        node.strings("stopwords")?.iter().map(|word| compared(word)).collect();
    Ok(Box::new(move |inputs: &Inputs<'_>, work: &mut Work| {
        let input = inputs.get(0)?;
        let texts = input.as_slice::<Arc<str>>()?;
        work.reserve(input.shape(), Kind::Text)?;
        work.step(texts.iter().map(|text| text.len() as u64).sum())?;
        let for_each_row = work.rows;
        let mut changed = |text: &Arc<str>| made(text, change, work);
        if stops.is_empty() {
            let all = texts.iter().map(changed).collect::<Result<Vec<_>, _>>()?;
            return Ok(vec![Tensor::new(input.shape().to_vec(), all)?]);
        }
        let counts = |text: &&Arc<str>| !stops.contains(&compared(text));
        let (is_list, rows) = match input.shape() {
            [rows] => (true, *rows),
            [1, _] => (false, 1),
            _ => return Err(Problem::graph("it drops words of one list alone")),
        };
        if is_list && rows == for_each_row {
            // A text for each row: one that counts for nothing leaves its row empty, as it does where it is the only one.
            let kept = texts.iter().map(|text| if counts(&text) { changed(text) } else { Ok(Arc::from("")) });
            return Ok(vec![Tensor::new(vec![rows], kept.collect::<Result<_, _>>()?)?]);
        }
        let mut kept = texts.iter().filter(counts).map(changed).collect::<Result<Vec<Arc<str>>, _>>()?;
        if kept.is_empty() {
            kept.push(Arc::from(""));
        }
        let shape = if is_list { vec![kept.len()] } else { vec![1, kept.len()] };
        Ok(vec![Tensor::new(shape, kept)?])
    }))
}

/// How a text is taken apart.
enum Split {
    /// Into what an expression finds.
    Tokens(Box<TokenPattern>),
    /// At what expressions find, one after the other.
    Separators(Vec<TokenPattern>),
    /// Into signs.
    Signs,
}

/// Where a token lies in its text: its first byte and the one after its last.
type Range = (usize, usize);

impl Split {
    fn of(node: &Node<'_>) -> Result<Self, Problem> {
        let (expression, separators) = (node.string("tokenexp", "")?, node.strings("separators")?);
        // Any sign is taken for one that is, at the end of a line too.
        if expression == "." {
            return Ok(Self::Signs);
        }
        if !expression.is_empty() {
            return Ok(Self::Tokens(Box::new(TokenPattern::new(&expression)?)));
        }
        match separators.as_slice() {
            [] => Err(Problem::graph("it has neither tokenexp nor separators")),
            [one] if one.is_empty() => Ok(Self::Signs),
            many if many.len() > SEPARATOR_LIMIT => {
                let found = many.len();
                Err(Problem::graph(format!(
                    "it has {found} separators, and at most {SEPARATOR_LIMIT} are computed"
                )))
            }
            many => {
                let all = many.iter().map(|separator| TokenPattern::new(separator));
                Ok(Self::Separators(all.collect::<Result<_, _>>()?))
            }
        }
    }

    fn searchers(&self) -> Vec<Searcher<'_>> {
        match self {
            Self::Tokens(pattern) => vec![pattern.searcher()],
            Self::Separators(patterns) => patterns.iter().map(TokenPattern::searcher).collect(),
            Self::Signs => Vec::new(),
        }
    }

    /// The tokens of a text that have so many signs at least.
    fn tokens(
        &self,
        searchers: &mut [Searcher<'_>],
        text: &str,
        least: usize,
        work: &mut Work,
    ) -> Result<Vec<Range>, Problem> {
        match self {
            Self::Signs => {
                Ok(text.char_indices().map(|(place, sign)| (place, place + sign.len_utf8())).collect())
            }
            Self::Tokens(_) => {
                let mut found = Vec::new();
                let mut from = 0;
                for searcher in searchers {
                    while let Some((start, end)) = searcher.find(text, from, work)? {
                        found.extend(is_long(text, (start, end), least).then_some((start, end)));
                        from = beyond(text, (start, end));
                    }
                }
                Ok(found)
            }
            Self::Separators(_) => {
                let mut parts = vec![(0, text.len())];
                for searcher in searchers {
                    let mut next = Vec::new();
                    for part in parts {
                        separate(searcher, text, part, least, &mut next, work)?;
                    }
                    parts = next;
                }
                Ok(parts)
            }
        }
    }
}

/// Adds what lies between the matches in a part of a text. Each part is searched as a text of its own.
fn separate(
    searcher: &mut Searcher<'_>,
    text: &str,
    (first, last): Range,
    least: usize,
    found: &mut Vec<Range>,
    work: &mut Work,
) -> Result<(), Problem> {
    let part = text.get(first..last).unwrap_or_default();
    let mut from = 0;
    loop {
        let matched = searcher.find(part, from, work)?;
        let token = (from, matched.map_or(part.len(), |(start, _)| start));
        if is_long(part, token, least) {
            found.push((first + token.0, first + token.1));
        }
        let Some(matched) = matched else { return Ok(()) };
        from = beyond(part, matched);
    }
}

fn is_long(text: &str, (start, end): Range, least: usize) -> bool {
    text.get(start..end).unwrap_or_default().chars().take(least).count() == least
}

/// Where a search continues: behind the match, or of an empty one behind the sign that follows it.
fn beyond(text: &str, (start, end): Range) -> usize {
    if end > start {
        return end;
    }
    let sign = text.get(start..).and_then(|rest| rest.chars().next());
    start + sign.map_or(1, char::len_utf8)
}

/// Texts taken apart: a dimension more, as long as the most tokens of a text.
pub(super) fn tokenizer(node: &Node<'_>) -> Result<Run, Problem> {
    let split = Split::of(node)?;
    let has_marks = node.flag("mark", false);
    let least = usize::try_from(node.int("mincharnum", 1)).ok().filter(|least| *least > 0);
    let least = least.ok_or_else(|| Problem::graph("mincharnum is not above 0"))?;
    Ok(Box::new(move |inputs: &Inputs<'_>, work: &mut Work| {
        let input = inputs.get(0)?;
        let texts = input.as_slice::<Arc<str>>()?;
        let mut searchers = split.searchers();
        let mut ranges = Vec::with_capacity(texts.len());
        let mut count = 0;
        for text in texts {
            let own = split.tokens(&mut searchers, text, least, work)?;
            count += own.len();
            // Where tokens lie, and the tokens themselves.
            work.reserve(&[own.len(), 2], Kind::Text)?;
            work.reserve_text(own.iter().map(|(start, end)| end.saturating_sub(*start)).sum())?;
            ranges.push(own);
        }
        let most = ranges.iter().map(Vec::len).max().unwrap_or_default();
        let marks = if has_marks && count > 0 { 2 } else { 0 };
        let shape = [input.shape(), &[most + marks]].concat();
        let mut made: Vec<Arc<str>> = Vec::with_capacity(work.reserve(&shape, Kind::Text)?);
        let padding: Arc<str> = Arc::from(PADDING);
        let (begin, end): (Arc<str>, Arc<str>) = (Arc::from(BEGIN), Arc::from(END));
        for (text, own) in texts.iter().zip(&ranges) {
            let tokens = own.iter().map(|(start, end)| Arc::from(text.get(*start..*end).unwrap_or_default()));
            made.extend((marks > 0).then(|| Arc::clone(&begin)));
            made.extend(tokens);
            made.extend((marks > 0).then(|| Arc::clone(&end)));
            made.extend(std::iter::repeat_n(&padding, most - own.len()).cloned());
        }
        Ok(vec![Tensor::new(shape, made)?])
    }))
}
