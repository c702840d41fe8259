//! The quick way through a line: the one that a regular expression tries first.
//!
//! Owns patterns that are a row of characters and repeated classes of characters, as those of columns nearly always are. A search prefers to
//! repeat as often as it can, and turns back only where what follows does not fit. So where the first way through, without a turn, reaches the pattern's end, it is the match,
//! with the very groups; where it does not, nothing is known, and the regular expression has to decide.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};

use super::character_run::Run;

/// A pattern as steps through a line.
#[derive(Clone, Debug)]
pub(super) struct GreedyPath {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// The line begins here.
    Start,
    /// The line ends here.
    End,
    /// These bytes come next.
    Literal(Box<[u8]>),
    /// As many characters of a set as there are, within bounds.
    Run(Run),
    /// A group of this number that is no more than such characters.
    Group(usize, Run),
    /// A group of this number begins.
    Open(usize),
    /// And ends.
    Close(usize),
}

impl GreedyPath {
    /// The steps of a pattern, if it is one that has no choices but how often to repeat.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let mut steps = Vec::new();
        append(&regex_syntax::parse(pattern).ok()?, &mut steps)?;
        Some(Self { steps })
    }

    /// Goes through a line from its start and notes where each group begins and ends, in bytes, by its number. Whether the pattern's end was
    /// reached: if not, the groups mean nothing.
    pub(super) fn find(&self, line: &str, groups: &mut [(usize, usize)]) -> bool {
        let mut at = 0;
        for step in &self.steps {
            let end = match step {
                Step::Run(run) => run.end(line, at),
                Step::Group(group, run) => {
                    let end = run.end(line, at);
                    if let (Some(end), Some(place)) = (end, groups.get_mut(*group)) {
                        *place = (at, end);
                    }
                    end
                }
                other => other.end(line, at, groups),
            };
            let Some(end) = end else { return false };
            at = end;
        }
        true
    }
}

impl Step {
    /// Where a step that is no run of characters ends, if it is one that can be made here. Apart from runs, which are most of a pattern and are to be quick.
    #[inline(never)]
    fn end(&self, line: &str, at: usize, groups: &mut [(usize, usize)]) -> Option<usize> {
        let rest = line.as_bytes().get(at..)?;
        match self {
            Self::Start => (at == 0).then_some(at),
            Self::End => rest.is_empty().then_some(at),
            Self::Literal(literal) => rest.starts_with(literal).then_some(at + literal.len()),
            Self::Open(group) => {
                if let Some((start, _)) = groups.get_mut(*group) {
                    *start = at;
                }
                Some(at)
            }
            Self::Close(group) => {
                if let Some((_, end)) = groups.get_mut(*group) {
                    *end = at;
                }
                Some(at)
            }
            Self::Run(run) | Self::Group(_, run) => run.end(line, at),
        }
    }
}

/// Adds the steps of a part of a pattern, if it has some.
fn append(part: &Hir, steps: &mut Vec<Step>) -> Option<()> {
    match part.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => steps.push(Step::Literal(literal.0.clone())),
        HirKind::Look(Look::Start) => steps.push(Step::Start),
        HirKind::Look(Look::End) => steps.push(Step::End),
        HirKind::Class(Class::Unicode(class)) => {
            steps.push(Step::Run(Run::new(class, 1, 1)));
        }
        HirKind::Repetition(repetition) if repetition.greedy => {
            let class = match repetition.sub.kind() {
                HirKind::Class(Class::Unicode(class)) => class,
                HirKind::Literal(literal) => &single(&literal.0)?,
                _ => return None,
            };
            let least = usize::try_from(repetition.min).ok()?;
            let most = repetition.max.map_or(Ok(usize::MAX), usize::try_from).ok()?;
            steps.push(Step::Run(Run::new(class, least, most)));
        }
        HirKind::Capture(capture) => {
            let group = usize::try_from(capture.index).ok()?;
            let before = steps.len();
            steps.push(Step::Open(group));
            append(&capture.sub, steps)?;
            match (steps.len() - before, steps.pop()) {
                (2, Some(Step::Run(run))) => {
                    steps.pop();
                    steps.push(Step::Group(group, run));
                }
                (_, last) => steps.extend(last.into_iter().chain([Step::Close(group)])),
            }
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| append(part, steps))?,
        HirKind::Look(_)
        | HirKind::Class(Class::Bytes(_))
        | HirKind::Repetition(_)
        | HirKind::Alternation(_) => {
            return None;
        }
    }
    Some(())
}

/// The set of one character, if this is one.
fn single(literal: &[u8]) -> Option<ClassUnicode> {
    let mut characters = std::str::from_utf8(literal).ok()?.chars();
    let character = characters.next().filter(|_| characters.as_str().is_empty())?;
    Some(ClassUnicode::new([regex_syntax::hir::ClassUnicodeRange::new(character, character)]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    #[test]
    fn patterns_of_columns_have_a_first_way_and_choices_have_none() {
        for pattern in [
            r"^(?<mod>\S+)\s+(?<no>\d+)\s+(?<date>\w+ +\d+ [\d:]+)\s+(?<file>.+)$",
            r"(?<key>\w)=(?<value>\d{1,3})?x?",
            r"(?i)^(?<a>ü*)é(?<b>[^,]*),(?s:.*)$",
            "(?<a>)",
        ] {
            // An optional group is a choice.
            assert_eq!(GreedyPath::new(pattern).is_some(), !pattern.contains(")?"), "{pattern}");
        }
        for pattern in [r"(?<a>x|yy)", r"(?<a>\S+?) ", r"\b(?<a>x)", r"(?<a>(?:ab)+)", r"(?m)^(?<a>x)$", "("]
        {
            assert!(GreedyPath::new(pattern).is_none(), "{pattern}");
        }
    }

    /// Parts of patterns, of which some fit only after a turn back.
    fn part() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            r"\S+",
            r"\s+",
            r"\d+",
            r"\w*",
            r".+",
            r".*",
            r"[ab]{2,3}",
            r"[^b]*",
            "a",
            "b?",
            " ",
            "é",
            r"\s",
            r"[é-ü]{0,2}",
            "ab",
            "(?i:É)",
            "$",
            "^",
        ])
    }

    proptest! {
        #[test]
        fn where_the_first_way_reaches_the_end_it_is_the_match_with_its_groups(
            parts in prop::collection::vec((part(), any::<bool>()), 1..7),
            lines in prop::collection::vec("[ab1 éü\u{a0}\u{0}]{0,30}", 1..40),
        ) {
            let pattern: String = parts
                .iter()
                .map(|(part, is_group)| if *is_group { format!("({part})") } else { (*part).to_owned() })
                .collect();
            let regex = Regex::new(&pattern).expect("a pattern");
            let path = GreedyPath::new(&pattern).expect("a first way");
            for line in &lines {
                let mut groups = vec![(0, 0); regex.captures_len()];
                if path.find(line, &mut groups) {
                    let found = regex.captures(line).expect("a match");
                    for (number, (start, end)) in groups.into_iter().enumerate().skip(1) {
                        let group = found.get(number).expect("a group that takes part");
                        prop_assert_eq!((start, end), (group.start(), group.end()), "{} in {:?}", pattern, line);
                    }
                }
            }
        }
    }
}
