//! The records of CSV text: where they end in a stream, and their fields in a block.

use csv_core::{ReadRecordResult, Reader};

use super::blocks::{Malformed, Splitter};

/// Follows quotes through a file, to tell the line ends that end a record from those inside a quoted field.
#[derive(Debug, Default)]
pub(super) struct CsvSplitter {
    state: State,
    /// Bytes seen before the current call.
    seen: u64,
    /// Where the last quoted field began.
    quote: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first half of a doubled quote.
    QuoteInQuoted,
}

impl Splitter for CsvSplitter {
    fn last_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let end = if self.state != State::Quoted
            && self.state != State::QuoteInQuoted
            && memchr::memchr(b'"', bytes).is_none()
        {
            // Without quotes every line end ends a record.
            if let Some(last) = bytes.last() {
                self.state = state_after(*last);
            }
            memchr::memrchr(b'\n', bytes).or_else(|| memchr::memrchr(b'\r', bytes)).map(|at| at + 1)
        } else {
            self.follow(bytes)?
        };
        self.seen += bytes.len() as u64;
        Ok(end)
    }

    fn finish(&mut self) -> Result<(), Malformed> {
        if self.state == State::Quoted {
            let problem =
                "a quoted field begins here and is never closed; close it, or double the quotes in it"
                    .to_owned();
            return Err(Malformed { offset: self.quote, problem });
        }
        Ok(())
    }
}

/// The state after a byte outside quotes.
fn state_after(byte: u8) -> State {
    if matches!(byte, b',' | b'\n' | b'\r') { State::FieldStart } else { State::Plain }
}

impl CsvSplitter {
    fn follow(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut newline = None;
        let mut carriage_return = None;
        let mut state = self.state;
        for (at, byte) in bytes.iter().enumerate() {
            state = match (state, byte) {
                (State::Quoted, b'"') => State::QuoteInQuoted,
                (State::Quoted, _) => State::Quoted,
                (State::QuoteInQuoted, b'"') => State::Quoted,
                (State::FieldStart, b'"') => {
                    self.quote = self.seen + at as u64;
                    State::Quoted
                }
                (State::FieldStart | State::Plain | State::QuoteInQuoted, b'\n' | b'\r' | b',') => {
                    match byte {
                        b'\n' => newline = Some(at + 1),
                        b'\r' => carriage_return = Some(at + 1),
                        _ => {}
                    }
                    State::FieldStart
                }
                (State::QuoteInQuoted, _) => {
                    let problem = "text follows the closing quote of a field; a quoted field ends with its quote, and a quote inside it is doubled";
                    return Err(Malformed { offset: self.seen + at as u64, problem: problem.to_owned() });
                }
                (State::FieldStart | State::Plain, _) => State::Plain,
            };
        }
        self.state = state;
        Ok(newline.or(carriage_return))
    }
}

/// Goes over the records of text that ends where a record ends.
#[derive(Debug)]
pub(super) struct Records<'a> {
    reader: Reader,
    input: &'a [u8],
    position: usize,
    start: usize,
    /// The fields of the current record, without quotes, end to end.
    data: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    fields: usize,
}

impl<'a> Records<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(),
            input,
            position: 0,
            start: 0,
            data: vec![0; 4096],
            ends: vec![0; 64],
            fields: 0,
        }
    }

    /// Goes to the next record; false when there is none.
    pub(super) fn advance(&mut self) -> bool {
        // Blank lines are no records; a record begins behind them.
        while matches!(self.input.get(self.position), Some(b'\n' | b'\r')) {
            self.position += 1;
        }
        self.start = self.position;
        let (mut written, mut ended) = (0, 0);
        loop {
            let input = self.input.get(self.position..).unwrap_or_default();
            let (result, read, wrote, ends) = self.reader.read_record(
                input,
                self.data.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(ended..).unwrap_or_default(),
            );
            self.position += read;
            written += wrote;
            ended += ends;
            match result {
                // The next turn has no input, which tells the reader that this is the end.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.data.resize(self.data.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.fields = ended;
                    return true;
                }
                ReadRecordResult::End => return false,
            }
        }
    }

    /// How many fields the record has.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// A field of the record; empty beyond the last.
    pub(super) fn field(&self, index: usize) -> &[u8] {
        let end = self.ends.get(index).copied().unwrap_or_default();
        let start =
            index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.data.get(start..end).unwrap_or_default()
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
        let mut splitter = CsvSplitter::default();
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
            let mut splitter = CsvSplitter::default();
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
                let mut records = Records::new(text.as_bytes());
                let mut rows = Vec::new();
                while records.advance() {
                    rows.push((0..records.fields()).map(|field| records.field(field).to_vec()).collect::<Vec<_>>());
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
        let mut records = Records::new(b"\n\na,\"b,\"\"c\"\r\n\r\n,\nlast");
        let mut all = Vec::new();
        while records.advance() {
            let fields: Vec<String> = (0..records.fields())
                .map(|index| String::from_utf8_lossy(records.field(index)).into_owned())
                .collect();
            all.push((records.start(), fields));
        }
        let expected = [(2, vec!["a", "b,\"c"]), (15, vec!["", ""]), (17, vec!["last"])];
        assert_eq!(all, expected.map(|(at, fields)| (at, fields.into_iter().map(String::from).collect())));
    }

    #[test]
    fn fields_longer_than_the_buffers_are_whole() {
        let long = "x".repeat(100_000);
        let text = format!("{}{long}\n", ",".repeat(500));
        let mut records = Records::new(text.as_bytes());
        assert!(records.advance());
        assert_eq!(records.fields(), 501);
        assert_eq!(records.field(500), long.as_bytes());
        assert!(!records.advance());
    }
}
