//! How far characters of one set reach in a line.
//!
//! Owns runs of characters, of which eight bytes are looked at together. Nothing of a run is waited for that can be known before: where a line has many
//! of them, each begins where the one before ends, and that chain is what takes the time. Must not know patterns.

use regex_syntax::hir::ClassUnicode;

/// As many characters of a set as there are, within bounds.
#[derive(Clone, Debug)]
pub(super) struct Run {
    set: CharacterSet,
    least: usize,
    most: usize,
    /// Whether they need not be counted: there may be any number of them, or all but none.
    is_open: bool,
    /// Whether a run is most often a single character, as spaces between columns are.
    is_often_one: bool,
}

/// A set of characters.
#[derive(Clone, Debug)]
struct CharacterSet {
    /// Whether a byte is a character of ASCII that is in it.
    ascii: [bool; 256],
    /// Whether a byte is a character of ASCII that is not in it.
    ends: [bool; 256],
    /// Characters of ASCII that follow each other and are in it, of which eight are looked at together.
    range: AsciiRange,
    /// The ranges of all others, in order.
    others: Box<[(char, char)]>,
}

/// Bytes of ASCII from one to another.
#[derive(Clone, Copy, Debug)]
struct AsciiRange {
    /// In each of eight bytes: what is added to a byte so that its highest bit says whether it is as large as the first of the range.
    first: u64,
    /// And whether it is larger than the last.
    last: u64,
}

impl AsciiRange {
    fn new(first: u8, last: u8) -> Self {
        let eight = |byte: u8| u64::from_le_bytes([byte; 8]);
        Self { first: eight(0x80 - first.min(0x7F)), last: eight(0x7F - last.min(0x7F)) }
    }

    /// The highest bit of each of eight bytes that is not in the range.
    #[inline(always)]
    fn outside(self, bytes: u64) -> u64 {
        const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
        // Without the highest bit, no sum carries into the next byte.
        let low = bytes & !HIGHEST;
        (!(low + self.first) | (low + self.last) | bytes) & HIGHEST
    }
}

impl Run {
    /// A run of characters of a class, of at least so many and at most so many.
    pub(super) fn new(class: &ClassUnicode, least: usize, most: usize) -> Self {
        let set = CharacterSet::new(class);
        let is_often_one = set.is_ascii(b' ') && !set.is_ascii(b'a');
        Self { set, least, most, is_open: most == usize::MAX && least <= 1, is_often_one }
    }

    /// Where characters of the set that begin at a byte end, if they are enough.
    #[inline(always)]
    pub(super) fn end(&self, line: &str, start: usize) -> Option<usize> {
        if !self.is_open {
            return self.counted_end(line, start);
        }
        let bytes = line.as_bytes();
        if self.is_often_one
            && let Some(&[first, second]) = bytes.get(start..).and_then(<[u8]>::first_chunk)
            && self.set.is_ascii(first)
            && self.set.ends_before(second)
        {
            return Some(start + 1);
        }
        let mut at = start;
        loop {
            let outside = self.set.range.outside(eight_from(bytes, at));
            if outside == 0 {
                // A number that does not depend on these bytes, so that the next ones are loaded meanwhile.
                at += 8;
                continue;
            }
            at += (outside.trailing_zeros() / 8) as usize;
            if bytes.get(at).is_none_or(|byte| self.set.ends_before(*byte)) {
                break;
            }
            let Some(end) = self.beyond_range(line, at) else { break };
            at = end;
        }
        (at >= start + self.least).then_some(at)
    }

    /// Where characters of the set that are not of its range of ASCII end, if one is at this byte.
    #[cold]
    fn beyond_range(&self, line: &str, at: usize) -> Option<usize> {
        let rest = line.as_bytes().get(at..)?;
        if self.set.is_ascii(*rest.first()?) {
            return Some(at + self.set.ascii_run(rest));
        }
        Some(at + self.set.other(line, at)?)
    }

    /// [`Self::end`], character by character.
    #[inline(never)]
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
        let ends = std::array::from_fn(|byte| byte < 128 && !ascii.get(byte).copied().unwrap_or_default());
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
            ends,
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

    /// Whether a run ends before this byte, whatever follows it.
    fn ends_before(&self, byte: u8) -> bool {
        self.ends.get(usize::from(byte)).copied().unwrap_or_default()
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
#[inline(always)]
fn eight_from(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..at.saturating_add(8)).and_then(<[u8]>::first_chunk) {
        Some(eight) => u64::from_le_bytes(*eight),
        None => last_from(bytes, at),
    }
}

/// [`eight_from`] where there are fewer.
#[inline(never)]
fn last_from(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    match bytes.last_chunk() {
        // What lies before the place is shifted out.
        Some(last) => u64::from_le_bytes(*last).checked_shr(8 * (8 - rest.len() as u32)).unwrap_or(0),
        None => rest.iter().rev().fold(0, |eight, byte| eight << 8 | u64::from(*byte)),
    }
}
