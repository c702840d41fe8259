//! Where the records of CSV text end in a stream, whatever stands in quotes.

use super::csv_dialect::Dialect;
use crate::table::text::{Malformed, Splitter};

/// Follows quotes through a file, to tell the line ends that end a record from those inside a quoted field.
#[derive(Debug)]
pub(super) struct CsvSplitter {
    dialect: Dialect,
    state: State,
    /// Bytes seen before the current call.
    seen: u64,
    /// Where the last quoted field began.
    quote: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Plain,
    Quoted,
    /// After an escape inside a quoted field.
    Escaped,
    /// After a quote inside a quoted field: its end, or the first half of a doubled quote.
    QuoteInQuoted,
    Comment,
}

impl Splitter for CsvSplitter {
    fn last_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let in_quotes = matches!(self.state, State::Quoted | State::Escaped | State::QuoteInQuoted);
        let end = if !in_quotes
            && self.dialect.comment.is_none()
            && memchr::memchr(self.dialect.quote, bytes).is_none()
        {
            // Without quotes every line end ends a record.
            if let Some(last) = bytes.last() {
                self.state = self.state_after(*last);
            }
            memchr::memrchr(b'\n', bytes).or_else(|| memchr::memrchr(b'\r', bytes)).map(|at| at + 1)
        } else if self.dialect.comment.is_none() {
            self.leap(bytes)?
        } else {
            self.follow(bytes)?
        };
        self.seen += bytes.len() as u64;
        Ok(end)
    }

    fn finish(&mut self) -> Result<(), Malformed> {
        if matches!(self.state, State::Quoted | State::Escaped) {
            let problem =
                "a quoted field begins here and is never closed; close it, or double the quotes in it"
                    .to_owned();
            return Err(Malformed { offset: self.quote, problem });
        }
        Ok(())
    }
}

impl CsvSplitter {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, state: State::RecordStart, seen: 0, quote: 0 }
    }

    /// The state after a byte outside quotes.
    fn state_after(&self, byte: u8) -> State {
        match byte {
            b'\n' | b'\r' => State::RecordStart,
            _ if byte == self.dialect.delimiter => State::FieldStart,
            _ => State::Plain,
        }
    }

    /// Follows quotes from one to the next: what stands between them is looked at only for its last line end.
    fn leap(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let Dialect { quote, escape, .. } = self.dialect;
        let mut ends = LineEnds::default();
        let (mut at, mut state) = (0, self.state);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let byte = rest.first().copied().unwrap_or_default();
            let (length, next) = match state {
                State::Quoted => {
                    let found = memchr::memchr2(quote, escape.unwrap_or(quote), rest);
                    let sign = found.and_then(|found| rest.get(found).copied());
                    let next = match sign {
                        None => State::Quoted,
                        Some(_) if sign == escape => State::Escaped,
                        Some(_) => State::QuoteInQuoted,
                    };
                    (found.map_or(rest.len(), |found| found + 1), next)
                }
                State::Escaped => (1, State::Quoted),
                State::QuoteInQuoted if byte == quote && escape.is_none() => (1, State::Quoted),
                State::QuoteInQuoted if self.state_after(byte) == State::Plain => {
                    return Err(self.text_behind_quote(at));
                }
                State::RecordStart | State::FieldStart if byte == quote => {
                    self.quote = self.seen + at as u64;
                    (1, State::Quoted)
                }
                // Of quotes, only those behind a sign begin a field.
                _ => {
                    let length = memchr::memchr(quote, rest).unwrap_or(rest.len()).max(1);
                    let part = rest.get(..length).unwrap_or_default();
                    ends.add(part, at);
                    (length, part.last().map_or(state, |last| self.state_after(*last)))
                }
            };
            at += length;
            state = next;
        }
        self.state = state;
        Ok(ends.last())
    }

    fn text_behind_quote(&self, at: usize) -> Malformed {
        let problem = "text follows the closing quote of a field; a quoted field ends with its quote, and a quote inside it is doubled";
        Malformed { offset: self.seen + at as u64, problem: problem.to_owned() }
    }

    /// Follows quotes and comments byte by byte.
    fn follow(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let Dialect { quote, escape, comment, .. } = self.dialect;
        let mut ends = LineEnds::default();
        let mut state = self.state;
        for (at, &byte) in bytes.iter().enumerate() {
            state = match state {
                State::Quoted if Some(byte) == escape => State::Escaped,
                State::Quoted if byte == quote => State::QuoteInQuoted,
                State::Quoted | State::Escaped => State::Quoted,
                State::QuoteInQuoted if byte == quote && escape.is_none() => State::Quoted,
                State::RecordStart if Some(byte) == comment => State::Comment,
                State::Comment if !matches!(byte, b'\n' | b'\r') => State::Comment,
                State::RecordStart | State::FieldStart if byte == quote => {
                    self.quote = self.seen + at as u64;
                    State::Quoted
                }
                _ => {
                    let next = self.state_after(byte);
                    if state == State::QuoteInQuoted && next == State::Plain {
                        return Err(self.text_behind_quote(at));
                    }
                    if next == State::RecordStart {
                        ends.add(&[byte], at);
                    }
                    next
                }
            };
        }
        self.state = state;
        Ok(ends.last())
    }
}

/// Where the last lines end: with a line feed or, where there is none, with a carriage return.
#[derive(Default)]
struct LineEnds {
    line_feed: Option<usize>,
    carriage_return: Option<usize>,
}

impl LineEnds {
    /// Notes the last line end of bytes that begin at a place.
    fn add(&mut self, bytes: &[u8], start: usize) {
        let last = |sign| memchr::memrchr(sign, bytes).map(|at| start + at + 1);
        self.line_feed = last(b'\n').or(self.line_feed);
        if self.line_feed.is_none() {
            self.carriage_return = last(b'\r').or(self.carriage_return);
        }
    }

    fn last(&self) -> Option<usize> {
        self.line_feed.or(self.carriage_return)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::format::csv_records::Records;

    /// The ends of records as a walk in one piece, and in pieces of every length, finds them.
    fn last_end(text: &str, piece: usize) -> Result<Option<usize>, u64> {
        let mut splitter = CsvSplitter::new(Dialect::default());
        let mut end = None;
        let mut at = 0;
        for bytes in text.as_bytes().chunks(piece) {
            if let Some(found) = splitter.last_end(bytes).map_err(|malformed| malformed.offset)? {
                end = Some(at + found);
            }
            at += bytes.len();
        }
        splitter.finish().map_err(|malformed| malformed.offset)?;
        Ok(end)
    }

    #[test]
    fn line_ends_inside_quotes_end_no_record_however_the_file_is_read() {
        let rows = [
            ("a,b\n1,2", Ok(Some(4))),
            ("a\n\"x\ny", Err(2)),
            ("a\n\"x\ny\"\n", Ok(Some(8))),
            ("a\n\"x\"\"\ny\"\nz", Ok(Some(10))),
            ("a,5\" disk\nb", Ok(Some(10))),
            ("\"a\"b\n", Err(3)),
            ("a\rb\rc", Ok(Some(4))),
            ("", Ok(None)),
            ("\"\"", Ok(None)),
            ("\"\"\"", Err(0)),
        ];
        for (text, expected) in rows {
            assert_eq!(last_end(text, 1000), expected, "{text:?}");
            for piece in 1..text.len() {
                let found = last_end(text, piece);
                assert_eq!(found, expected, "{text:?} by {piece}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn leaps_from_quote_to_quote_come_to_what_a_walk_byte_by_byte_does(
            text in "[a,\"\\\\\n\r]{0,60}",
            piece in 1_usize..20,
            has_escape: bool,
        ) {
            let dialect = Dialect { escape: has_escape.then_some(b'\\'), ..Dialect::default() };
            let (mut walk, mut leaps) = (CsvSplitter::new(dialect), CsvSplitter::new(dialect));
            for bytes in text.as_bytes().chunks(piece) {
                let expected = walk.follow(bytes);
                proptest::prop_assert_eq!(leaps.leap(bytes), expected.clone());
                if expected.is_err() {
                    break;
                }
                proptest::prop_assert_eq!((leaps.state, leaps.quote), (walk.state, walk.quote));
                walk.seen += bytes.len() as u64;
                leaps.seen += bytes.len() as u64;
            }
        }

        /// Whatever the text and however it is cut, the end that the walk finds is one that the parser finds too, so that a
        /// block never holds half a record.
        #[test]
        fn every_end_that_is_found_is_the_end_of_a_record(text in "[a,\"\n\r]{0,40}", piece in 1_usize..10) {
            let mut splitter = CsvSplitter::new(Dialect::default());
            let mut ends = Vec::new();
            let mut at = 0;
            for bytes in text.as_bytes().chunks(piece) {
                match splitter.last_end(bytes) {
                    Ok(end) => ends.extend(end.map(|end| at + end)),
                    Err(_) => break,
                }
                at += bytes.len();
            }
            let all = |text: &str| {
                let mut records = Records::new(text, Dialect::default());
                let mut rows = Vec::new();
                while records.advance() {
                    rows.push((0..records.fields()).map(|field| records.field(field).to_owned()).collect::<Vec<_>>());
                }
                rows
            };
            for end in ends {
                let (before, after) = text.split_at(end);
                let mut parts = all(before);
                parts.extend(all(after));
                proptest::prop_assert_eq!(parts, all(&text));
            }
        }
    }
}
