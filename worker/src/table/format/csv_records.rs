//! The records of CSV text: where they end in a stream, and their fields in a block.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::table::text::{Malformed, Splitter};

/// The signs that give CSV its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold delimiters or line ends.
    pub quote: u8,
    /// Before a quote inside a quoted field; `None` where such a quote is doubled.
    pub escape: Option<u8>,
    /// At the start of lines that are left out.
    pub comment: Option<u8>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: b',', quote: b'"', escape: None, comment: None }
    }
}

impl Dialect {
    fn reader(&self) -> Reader {
        ReaderBuilder::new()
            .delimiter(self.delimiter)
            .quote(self.quote)
            .escape(self.escape)
            .double_quote(self.escape.is_none())
            .comment(self.comment)
            .build()
    }
}

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

    fn follow(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let Dialect { quote, escape, comment, .. } = self.dialect;
        let mut newline = None;
        let mut carriage_return = None;
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
                        let problem = "text follows the closing quote of a field; a quoted field ends with its quote, and a quote inside it is doubled";
                        return Err(Malformed { offset: self.seen + at as u64, problem: problem.to_owned() });
                    }
                    match byte {
                        b'\n' => newline = Some(at + 1),
                        b'\r' => carriage_return = Some(at + 1),
                        _ => {}
                    }
                    next
                }
            };
        }
        self.state = state;
        Ok(newline.or(carriage_return))
    }
}

/// Goes over the records of text that ends where a record ends. Records without quotes are split where they lie; those with
/// quotes are copied without them.
#[derive(Debug)]
pub(super) struct Records<'a> {
    dialect: Dialect,
    input: &'a str,
    /// Whether every line end is a line feed, perhaps behind a carriage return.
    plain_ends: bool,
    position: usize,
    start: usize,
    /// Where the fields of the current record begin and end, in the input or, where it was copied, in `copy`.
    fields: Vec<(usize, usize)>,
    copied: bool,
    reader: Reader,
    copy: Vec<u8>,
    text: String,
    ends: Vec<usize>,
}

impl<'a> Records<'a> {
    pub(super) fn new(input: &'a str, dialect: Dialect) -> Self {
        let bytes = input.as_bytes();
        let plain_ends =
            memchr::memchr_iter(b'\r', bytes).all(|at| bytes.get(at + 1).is_some_and(|next| *next == b'\n'));
        Self {
            dialect,
            input,
            plain_ends,
            position: 0,
            start: 0,
            fields: Vec::new(),
            copied: false,
            reader: dialect.reader(),
            copy: vec![0; 4096],
            text: String::new(),
            ends: vec![0; 64],
        }
    }

    /// Goes to the next record; false when there is none.
    pub(super) fn advance(&mut self) -> bool {
        let bytes = self.input.as_bytes();
        loop {
            // Blank lines are not records; a record begins behind them.
            while matches!(bytes.get(self.position), Some(b'\n' | b'\r')) {
                self.position += 1;
            }
            if self.dialect.comment.is_none() || bytes.get(self.position).copied() != self.dialect.comment {
                break;
            }
            let rest = bytes.get(self.position..).unwrap_or_default();
            self.position += memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |at| at + 1);
        }
        self.start = self.position;
        if self.start >= bytes.len() {
            return false;
        }
        if self.plain_ends && self.advance_plain(bytes) {
            return true;
        }
        self.advance_quoted(bytes)
    }

    /// Splits the record at the position where it lies; false, and nothing done, when it has a quote.
    fn advance_plain(&mut self, bytes: &[u8]) -> bool {
        self.fields.clear();
        let rest = bytes.get(self.start..).unwrap_or_default();
        let mut from = self.start;
        for at in memchr::memchr3_iter(self.dialect.delimiter, b'\n', self.dialect.quote, rest) {
            let found = rest.get(at).copied().unwrap_or_default();
            if found == self.dialect.quote {
                return false;
            }
            let at = self.start + at;
            if found == self.dialect.delimiter {
                self.fields.push((from, at));
                from = at + 1;
                continue;
            }
            let end = if bytes.get(..at).is_some_and(|line| line.ends_with(b"\r")) { at - 1 } else { at };
            self.fields.push((from, end.max(from)));
            self.position = at + 1;
            self.copied = false;
            return true;
        }
        // The last record need not have a line end.
        self.fields.push((from, bytes.len()));
        self.position = bytes.len();
        self.copied = false;
        true
    }

    fn advance_quoted(&mut self, bytes: &[u8]) -> bool {
        let (mut written, mut ended) = (0, 0);
        self.reader.reset();
        loop {
            let input = bytes.get(self.position..).unwrap_or_default();
            let (result, read, wrote, ends) = self.reader.read_record(
                input,
                self.copy.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(ended..).unwrap_or_default(),
            );
            self.position += read;
            written += wrote;
            ended += ends;
            match result {
                // The next turn has no input, which shows the reader that this is the end.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.copy.resize(self.copy.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return false,
            }
        }
        self.text.clear();
        // Only signs of one byte are left out, so what remains is UTF-8.
        self.text.push_str(&String::from_utf8_lossy(self.copy.get(..written).unwrap_or_default()));
        self.fields.clear();
        let mut from = 0;
        for end in self.ends.get(..ended).unwrap_or_default() {
            self.fields.push((from, *end));
            from = *end;
        }
        self.copied = true;
        true
    }

    /// How many fields the record has.
    pub(super) fn fields(&self) -> usize {
        self.fields.len()
    }

    /// A field of the record; empty beyond the last.
    pub(super) fn field(&self, index: usize) -> &str {
        let Some((from, to)) = self.fields.get(index).copied() else { return "" };
        let text = if self.copied { self.text.as_str() } else { self.input };
        text.get(from..to).unwrap_or_default()
    }

    /// Where the record begins, in bytes.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Where the next record begins, in bytes.
    pub(super) fn position(&self) -> usize {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn records_have_their_fields_without_quotes() {
        let mut records = Records::new("\n\na,\"b,\"\"c\"\r\n\r\n,\nlast", Dialect::default());
        let mut all = Vec::new();
        while records.advance() {
            let fields: Vec<String> =
                (0..records.fields()).map(|index| records.field(index).to_owned()).collect();
            all.push((records.start(), fields));
        }
        let expected = [(2, vec!["a", "b,\"c"]), (15, vec!["", ""]), (17, vec!["last"])];
        assert_eq!(all, expected.map(|(at, fields)| (at, fields.into_iter().map(String::from).collect())));
    }

    #[test]
    fn fields_longer_than_the_buffers_are_whole() {
        let long = "x".repeat(100_000);
        let text = format!("{}{long}\n", ",".repeat(500));
        let mut records = Records::new(&text, Dialect::default());
        assert!(records.advance());
        assert_eq!(records.fields(), 501);
        assert_eq!(records.field(500), long);
        assert!(!records.advance());
    }
}
