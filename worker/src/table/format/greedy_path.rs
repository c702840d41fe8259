//! The quick way through a line: the one that a regular expression tries first.
//!
//! Owns patterns that are a row of characters and repeated classes of characters, as those of columns nearly always are. A search prefers to
//! repeat as often as it can, and turns back only where what follows does not fit. So where the first way through, without a turn, reaches the pattern's end, it is the match,
//! with the very groups; where it does not, nothing is known, and the regular expression has to decide.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look};

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

/// As many characters of a set as there are, within bounds.
#[derive(Clone, Debug)]
struct Run {
    set: CharacterSet,
    least: usize,
    most: usize,
    /// Whether they need not be counted: there may be any number of them, or all but none.
    is_open: bool,
}

/// A set of characters.
#[derive(Clone, Debug)]
struct CharacterSet {
    /// Whether a byte is a character of ASCII that is in it.
    ascii: [bool; 256],
    /// Characters of ASCII that follow each other and are in it, of which eight are looked at together.
    range: AsciiRange,
    /// The ranges of all others, in order.
    others: Box<[(char, char)]>,
}

/// Bytes of ASCII from one to another.
#[derive(Clone, Copy, Debug)]
struct AsciiRange {
    /// In each of eight bytes: what is added to a byte so that its highest bit tells whether it is as large as the first of the range.
    first: u64,
    /// And whether it is larger than the last.
    last: u64,
}

impl AsciiRange {
    fn new(first: u8, last: u8) -> Self {
        let eight = |byte: u8| u64::from_le_bytes([byte; 8]);
        Self { first: eight(0x80 - first.min(0x7F)), last: eight(0x7F - last.min(0x7F)) }
    }

    /// How many of eight bytes come before the first one that is not in the range.
    fn run(self, bytes: u64) -> usize {
        const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
        // Without the highest bit, no sum carries into the next byte.
        let low = bytes & !HIGHEST;
        let is_in = (low + self.first) & !(low + self.last) & !bytes & HIGHEST;
        ((is_in ^ HIGHEST).trailing_zeros() / 8) as usize
    }
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
        let bytes = line.as_bytes();
        let mut at = 0;
        for step in &self.steps {
            match step {
                Step::Start if at == 0 => {}
                Step::End if at == bytes.len() => {}
                Step::Start | Step::End => return false,
                Step::Literal(literal) => {
                    if !bytes.get(at..).is_some_and(|rest| rest.starts_with(literal)) {
                        return false;
                    }
                    at += literal.len();
                }
                Step::Run(run) => {
                    let Some(end) = run.end(line, at) else { return false };
                    at = end;
                }
                Step::Group(group, run) => {
                    let Some(end) = run.end(line, at) else { return false };
                    if let Some(place) = groups.get_mut(*group) {
                        *place = (at, end);
                    }
                    at = end;
                }
                Step::Open(group) => {
                    if let Some((start, _)) = groups.get_mut(*group) {
                        *start = at;
                    }
                }
                Step::Close(group) => {
                    if let Some((_, end)) = groups.get_mut(*group) {
                        *end = at;
                    }
                }
            }
        }
        true
    }
}

impl Run {
    fn new(set: CharacterSet, least: usize, most: usize) -> Self {
        Self { set, least, most, is_open: most == usize::MAX && least <= 1 }
    }

    /// Where characters of the set that begin at a byte end, if they are enough.
    #[inline]
    fn end(&self, line: &str, start: usize) -> Option<usize> {
        let bytes = line.as_bytes();
        let run = self.set.range.run(eight_from(bytes, start));
        // What most often ends a run: a character of ASCII that is not of the set, soon, or the line's end.
        let end = start + run;
        if run < 8 && self.is_open && run >= self.least {
            match bytes.get(end) {
                Some(byte) if self.set.is_ascii(*byte) || !byte.is_ascii() => {}
                _ => return Some(end),
            }
        }
        if self.is_open { self.long_end(line, start) } else { self.counted_end(line, start) }
    }

    /// [`Self::end`] of any number of characters.
    fn long_end(&self, line: &str, start: usize) -> Option<usize> {
        let bytes = line.as_bytes();
        let mut at = start;
        loop {
            let run = self.set.range.run(eight_from(bytes, at));
            at += run;
            if run == 8 {
                continue;
            }
            match bytes.get(at) {
                Some(byte) if self.set.is_ascii(*byte) => at += self.set.ascii_run(bytes.get(at..)?),
                Some(byte) if !byte.is_ascii() => match self.set.other(line, at) {
                    Some(length) => at += length,
                    None => break,
                },
                _ => break,
            }
        }
        (at >= start + self.least).then_some(at)
    }

    /// [`Self::end`], character by character.
    fn counted_end(&self, line: &str, start: usize) -> Option<usize> {
        let (mut at, mut count) = (start, 0);
        while count < self.most {
            let is_in = line.as_bytes().get(at).is_some_and(|byte| self.set.is_ascii(*byte));
            let Some(length) = (if is_in { Some(1) } else { self.set.other(line, at) }) else { break };
            at += length;
            count += 1;
        }
        (count >= self.least).then_some(at)
    }
}

impl CharacterSet {
    fn new(class: &ClassUnicode) -> Self {
        let mut ascii = [false; 256];
        for (character, is_in) in (0_u8..128).zip(&mut ascii) {
            let character = char::from(character);
            *is_in = class.iter().any(|range| (range.start()..=range.end()).contains(&character));
        }
        let others = class.iter().filter(|range| !range.end().is_ascii());
        // Spaces are what most often stands between columns; else the most characters are looked at together.
        let of_ascii = class.iter().filter_map(|range| {
            let byte = |character: char| u8::try_from(character).ok().filter(u8::is_ascii);
            // Zeros stand for what is beyond a line's end.
            let (first, last) = (byte(range.start())?.max(1), byte(range.end()).unwrap_or(0x7F));
            (first <= last).then_some((first, last))
        });
        let range = of_ascii.max_by_key(|(first, last)| ((*first..=*last).contains(&b' '), last - first));
        // Of no range, no byte is in it: the first is beyond the last.
        let (first, last) = range.unwrap_or((1, 0));
        Self {
            ascii,
            range: AsciiRange::new(first, last),
            others: others.map(|range| (range.start(), range.end())).collect(),
        }
    }

    fn contains(&self, character: char) -> bool {
        let after = self.others.partition_point(|(start, _)| *start <= character);
        after.checked_sub(1).and_then(|at| self.others.get(at)).is_some_and(|(_, end)| character <= *end)
    }

    /// How many bytes at the start are characters of ASCII that are in the set.
    fn ascii_run(&self, bytes: &[u8]) -> usize {
        bytes.iter().position(|byte| !self.is_ascii(*byte)).unwrap_or(bytes.len())
    }

    fn is_ascii(&self, byte: u8) -> bool {
        self.ascii.get(usize::from(byte)).copied().unwrap_or_default()
    }

    /// How many bytes the character at a byte has, if it is one of the set and not of ASCII.
    fn other(&self, line: &str, at: usize) -> Option<usize> {
        if line.as_bytes().get(at)?.is_ascii() {
            return None;
        }
        let character = line.get(at..)?.chars().next()?;
        self.contains(character).then(|| character.len_utf8())
    }
}

/// Eight bytes from a place on, the first as the lowest; zeros stand for those beyond the end.
fn eight_from(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(eight) = rest.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    match bytes.last_chunk() {
        // What lies before the place is shifted out.
        Some(last) => u64::from_le_bytes(*last).checked_shr(8 * (8 - rest.len() as u32)).unwrap_or(0),
        None => rest.iter().rev().fold(0, |eight, byte| eight << 8 | u64::from(*byte)),
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
            steps.push(Step::Run(Run::new(CharacterSet::new(class), 1, 1)));
        }
        HirKind::Repetition(repetition) if repetition.greedy => {
            let set = match repetition.sub.kind() {
                HirKind::Class(Class::Unicode(class)) => CharacterSet::new(class),
                HirKind::Literal(literal) => CharacterSet::new(&single(&literal.0)?),
                _ => return None,
            };
            let least = usize::try_from(repetition.min).ok()?;
            let most = repetition.max.map_or(Ok(usize::MAX), usize::try_from).ok()?;
            steps.push(Step::Run(Run::new(set, least, most)));
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
