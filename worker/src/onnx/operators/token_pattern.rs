//! A regular expression of a file, in the dialect of RE2 (<https://github.com/google/re2/wiki/Syntax>), which texts are split with.
//!
//! Owns that it means there and here the same: of the matches that begin first the longest is found, and `\w`, `\d`, `\s` and `\b` are
//! about ASCII. An expression that begins with `(?u)`, as those of Python do and RE2's cannot, is about Unicode; `\b` may begin and end such
//! a one. Owns that its size and
//! the steps of a search are bounded, too. Must not know what is split.

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetBinaryOp, ClassSetItem, Flag, FlagsItemKind,
    Span,
};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::try_is_word_character;

use super::super::problem::{Problem, shown_name};
use super::super::work::Work;

/// The most bytes of an expression.
pub(in super::super) const PATTERN_LIMIT: usize = 4096;

/// How deep its groups may be.
const DEPTH: u32 = 50;

/// The most bytes of its automaton, and of the states that a search keeps.
const AUTOMATON_LIMIT: usize = 1 << 20;
const STATES_LIMIT: usize = 4 << 20;

/// The work of a byte that is looked at.
const STEPS_OF_BYTE: u64 = 4;

/// An expression, ready to search.
#[derive(Clone, Debug)]
pub(super) struct TokenPattern {
    automaton: DFA,
    /// Whether a match begins, and ends, where a word of Unicode does.
    at_words: (bool, bool),
    /// The steps that a new state of a search may take at most: each of its bytes looks at each state of the expression.
    of_state: u64,
}

impl TokenPattern {
    /// An expression of a file.
    ///
    /// # Errors
    /// When it is none, means something else in RE2, or is too large.
    pub(super) fn new(pattern: &str) -> Result<Self, Problem> {
        let wrong = |problem: &str| {
            let first = problem.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Problem::graph(format!("the regular expression {} is not computed: {first}", shown_name(pattern)))
        };
        if pattern.len() > PATTERN_LIMIT {
            let problem = format!("it has {} bytes, and at most {PATTERN_LIMIT} are read", pattern.len());
            return Err(wrong(&problem));
        }
        let parse = |text: &str| {
            let parsed = ParserBuilder::new().nest_limit(DEPTH).build().parse(text);
            parsed.map_err(|error| wrong(&error.to_string()))
        };
        let (is_unicode, mut text) = match pattern.strip_prefix("(?u)") {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        let mut ast = parse(text)?;
        let mut at_words = (false, false);
        if is_unicode {
            (text, at_words) = without_words(text, &ast);
            ast = parse(text)?;
        }
        let mut dialect = Dialect::default();
        ast::visit(&ast, &mut dialect).map_err(wrong)?;
        let rewritten = if is_unicode { text.to_owned() } else { dialect.rewritten(text) };
        if rewritten != text {
            ast = parse(&rewritten)?;
        }
        let meaning = TranslatorBuilder::new().build().translate(&rewritten, &ast);
        let meaning = meaning.map_err(|error| wrong(&error.to_string()))?;
        let configuration = thompson::Config::new().nfa_size_limit(Some(AUTOMATON_LIMIT));
        let states = thompson::Compiler::new().configure(configuration).build_from_hir(&meaning);
        let states = states.map_err(|error| wrong(&error.to_string()))?;
        // All matches from a place, the last of which is the longest.
        let configuration = DFA::config().match_kind(MatchKind::All).cache_capacity(STATES_LIMIT);
        let size = states.states().len() as u64;
        let automaton = DFA::builder().configure(configuration).build_from_nfa(states);
        let automaton = automaton.map_err(|error| wrong(&error.to_string()))?;
        let of_state = size.saturating_mul(automaton.byte_classes().alphabet_len() as u64);
        Ok(Self { automaton, at_words, of_state })
    }

    /// Begins to search: states are kept from one text to the next.
    pub(super) fn searcher(&self) -> Searcher<'_> {
        Searcher { pattern: self, cache: self.automaton.create_cache() }
    }
}

/// A search through texts, one after the other.
pub(super) struct Searcher<'a> {
    pattern: &'a TokenPattern,
    cache: Cache,
}

impl Searcher<'_> {
    /// The first and longest match from a place on: its first byte and the one after its last.
    ///
    /// # Errors
    /// When it takes more work than there is left.
    pub(super) fn find(
        &mut self,
        text: &str,
        from: usize,
        work: &mut Work,
    ) -> Result<Option<(usize, usize)>, Problem> {
        let mut start = from;
        while let Some(rest) = text.get(start..) {
            if (!self.pattern.at_words.0 || is_edge(text, start))
                && let Some(end) = self.longest(text, start, work)?
            {
                return Ok(Some((start, end)));
            }
            let Some(sign) = rest.chars().next() else { break };
            start += sign.len_utf8();
        }
        Ok(None)
    }

    /// Where the longest match ends that begins at a place.
    fn longest(&mut self, text: &str, start: usize, work: &mut Work) -> Result<Option<usize>, Problem> {
        // It keeps no more states than fit, and gives none up.
        let stuck = || Problem::graph("its regular expression takes too many states");
        let Self { pattern, cache } = self;
        let input = Input::new(text).range(start..).anchored(Anchored::Yes);
        let mut state = pattern.automaton.start_state_forward(cache, &input).map_err(|_| stuck())?;
        let mut found = None;
        let ends = |end: usize| !pattern.at_words.1 || is_edge(text, end);
        for (place, byte) in text.bytes().enumerate().skip(start) {
            let (held, cleared) = (cache.memory_usage(), cache.clear_count());
            state = pattern.automaton.next_state(cache, state, byte).map_err(|_| stuck())?;
            let is_new = cache.memory_usage() != held || cache.clear_count() != cleared;
            work.step(if is_new { pattern.of_state } else { STEPS_OF_BYTE })?;
            if state.is_match() {
                // Known one byte later.
                if ends(place) {
                    found = Some(place);
                }
            } else if state.is_dead() {
                return Ok(found);
            } else if state.is_quit() {
                return Err(stuck());
            }
        }
        state = pattern.automaton.next_eoi_state(cache, state).map_err(|_| stuck())?;
        work.step(STEPS_OF_BYTE)?;
        Ok(if state.is_match() && ends(text.len()) { Some(text.len()) } else { found })
    }
}

/// Whether a word of Unicode begins or ends at a place.
fn is_edge(text: &str, place: usize) -> bool {
    let is_word = |sign: Option<char>| sign.is_some_and(|sign| try_is_word_character(sign).unwrap_or(false));
    let (before, behind) = text.split_at_checked(place).unwrap_or_default();
    is_word(before.chars().next_back()) != is_word(behind.chars().next())
}

/// An expression without the `\b` that begins it and that ends it, and which of them there were: an automaton knows those of ASCII alone.
fn without_words<'a>(text: &'a str, ast: &Ast) -> (&'a str, (bool, bool)) {
    let Ast::Concat(parts) = ast else { return (text, (false, false)) };
    let edge = |part: Option<&Ast>| match part {
        Some(Ast::Assertion(assertion)) if assertion.kind == AssertionKind::WordBoundary => {
            Some(assertion.span)
        }
        _ => None,
    };
    let (first, last) = (edge(parts.asts.first()), edge(parts.asts.last()));
    let start = first.map_or(0, |span| span.end.offset);
    let end = last.map_or(text.len(), |span| span.start.offset);
    match text.get(start..end) {
        Some(rest) => (rest, (first.is_some(), last.is_some())),
        None => (text, (false, false)),
    }
}

/// Where an expression means something else here than in RE2: what is there instead.
#[derive(Default)]
struct Dialect {
    instead: Vec<(Span, &'static str)>,
}

impl Dialect {
    fn class(&mut self, class: &ClassPerl) {
        self.instead.push((
            class.span,
            match (&class.kind, class.negated) {
                (ClassPerlKind::Digit, false) => "[0-9]",
                (ClassPerlKind::Digit, true) => "[^0-9]",
                (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
                (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
                (ClassPerlKind::Space, false) => r"[\t\n\f\r ]",
                (ClassPerlKind::Space, true) => r"[^\t\n\f\r ]",
            },
        ));
    }

    fn rewritten(mut self, text: &str) -> String {
        self.instead.sort_by_key(|(span, _)| span.start.offset);
        let mut made = String::with_capacity(text.len());
        let mut end = 0;
        for (span, instead) in self.instead {
            made.push_str(text.get(end..span.start.offset).unwrap_or_default());
            made.push_str(instead);
            end = span.end.offset;
        }
        made + text.get(end..).unwrap_or_default()
    }
}

impl ast::Visitor for &mut Dialect {
    type Output = ();
    type Err = &'static str;

    fn finish(self) -> Result<(), Self::Err> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        let flags = match ast {
            Ast::ClassPerl(class) => {
                self.class(class);
                None
            }
            Ast::Assertion(assertion) => {
                match assertion.kind {
                    AssertionKind::WordBoundary => self.instead.push((assertion.span, r"(?-u:\b)")),
                    AssertionKind::NotWordBoundary => self.instead.push((assertion.span, r"(?-u:\B)")),
                    AssertionKind::StartLine
                    | AssertionKind::EndLine
                    | AssertionKind::StartText
                    | AssertionKind::EndText => {}
                    _ => return Err(r"it asks for the start or end of a word; \b is computed"),
                }
                None
            }
            Ast::Flags(flags) => Some(&flags.flags),
            Ast::Group(group) => group.flags(),
            _ => None,
        };
        let mut items = flags.iter().flat_map(|flags| &flags.items);
        let is_unknown = |kind: &FlagsItemKind| {
            matches!(kind, FlagsItemKind::Flag(Flag::Unicode | Flag::CRLF | Flag::IgnoreWhitespace))
        };
        if items.any(|item| is_unknown(&item.kind)) {
            return Err("of its flags, i, m, s and U are computed");
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        match item {
            ClassSetItem::Perl(class) => self.class(class),
            ClassSetItem::Bracketed(_) => {
                return Err(r"it has a [ within [ ]; write a literal one as \[");
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), Self::Err> {
        Err(r"it has &&, -- or ~~ within [ ]; write literal ones with \ before each")
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::WORK_LIMIT;
    use super::*;

    fn tokens(pattern: &str, text: &str) -> Vec<String> {
        let pattern = TokenPattern::new(pattern).expect("an expression");
        let (mut searcher, mut work) = (pattern.searcher(), Work::new(1, false));
        let (mut from, mut found) = (0, Vec::new());
        while let Some((start, end)) = searcher.find(text, from, &mut work).expect("a search") {
            found.extend((end > start).then(|| text[start..end].to_owned()));
            from = end.max(start + 1);
        }
        found
    }

    #[test]
    fn expressions_mean_what_they_do_in_re2() {
        for (pattern, text, expected) in [
            // The longest, be it the first that is written or not.
            ("a|ab", "ab abc a", vec!["ab", "ab", "a"]),
            ("a?(ab)?", "ab", vec!["ab"]),
            ("a+?", "aaa", vec!["aaa"]),
            // ASCII, but for a single sign and what is written out.
            (r"\w+", "über wörter é1", vec!["ber", "w", "rter", "1"]),
            (r"\b\w\w+\b", "über wörter", vec!["ber", "rter"]),
            (r"[\w-]+", "a-b é", vec!["a-b"]),
            (r"[^\W_]+", "a_b é", vec!["a", "b"]),
            (r"\d+", "12 ٣", vec!["12"]),
            (r"\S+", "a\u{a0}b c\u{b}d", vec!["a\u{a0}b", "c\u{b}d"]),
            (".", "éa\n", vec!["é", "a"]),
            ("[a-zäöü]+", "über öl", vec!["über", "öl"]),
            ("(?i)ab", "AB aB", vec!["AB", "aB"]),
            ("[[:alpha:]]+", "ab1é", vec!["ab"]),
            (r"\pL+", "ab1éß", vec!["ab", "éß"]),
            // Python's: of Unicode.
            (r"(?u)\b\w\w+\b", "über a wörter", vec!["über", "wörter"]),
            (r"(?u)\b[a-zü]+\b", "abé über", vec!["über"]),
            (r"(?u)\w", "é-a", vec!["é", "a"]),
        ] {
            assert_eq!(tokens(pattern, text), expected, "{pattern} of {text}");
        }
    }

    #[test]
    fn what_means_something_else_or_is_too_large_is_refused() {
        let long = "a".repeat(PATTERN_LIMIT + 1);
        for (pattern, expected) in [
            ("(", "\"(\" is not computed: unclosed group"),
            ("[a&&b]", "it has &&, -- or ~~ within [ ]"),
            ("[a[b]]", "it has a [ within [ ]"),
            (r"\<a", "the start or end of a word"),
            ("(?x)a", "of its flags, i, m, s and U are computed"),
            ("a(?u:b)", "of its flags, i, m, s and U are computed"),
            (r"(a)\1", "backreferences are not supported"),
            ("(?=a)", "look-around"),
            (long.as_str(), "it has 4097 bytes, and at most 4096 are read"),
            (r"(?u)a\bb", "Unicode word boundaries"),
            (r"(\pL{100}){100}", "is not computed: "),
            (&"(".repeat(2000), "is not computed: "),
        ] {
            let found = TokenPattern::new(pattern).expect_err(pattern);
            assert!(found.text().contains(expected), "{}", found.text());
        }
    }

    #[test]
    fn a_search_that_looks_at_each_text_again_and_again_ends() {
        // Each place is the begin of a match that is only ruled out at the end.
        let pattern = TokenPattern::new("a.*b").expect("an expression");
        let text = "a".repeat(5_000);
        let mut work = Work::new(1, false);
        // What others took before.
        work.step(WORK_LIMIT - 10_000_000).expect("some is left");
        let found = pattern.searcher().find(&text, 0, &mut work);
        assert!(matches!(found, Err(Problem::Limit(_))), "{found:?}");
    }
}
