//! The records of a block of CSV text, and their fields.

use csv_core::{ReadRecordResult, Reader};

use super::COLUMN_LIMIT;
use super::csv_dialect::Dialect;
use super::csv_marks::Marks;

/// How many fields of a record are found: one more than a table has columns.
const FIELD_LIMIT: usize = COLUMN_LIMIT + 1;

/// Goes over the records of text that ends where a record ends. Most records are split where they lie; those with quotes inside
/// of fields are copied without them.
#[derive(Debug)]
pub(super) struct Records<'a> {
    dialect: Dialect,
    input: &'a str,
    marks: Marks<'a>,
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
            marks: Marks::new(bytes, dialect),
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

    /// Splits the record at the position where it lies; false, and nothing done, when a field is not what stands between two
    /// signs: a quote that is doubled, escaped or inside a field.
    fn advance_plain(&mut self, bytes: &[u8]) -> bool {
        self.fields.clear();
        self.copied = false;
        self.marks.skip_to(self.start);
        let mut from = self.start;
        while let Some(at) = self.marks.next() {
            let found = bytes.get(at).copied().unwrap_or_default();
            if found == self.dialect.delimiter {
                self.add(from, at);
                from = at + 1;
            } else if found == b'\n' {
                let returned = at > from && bytes.get(at - 1) == Some(&b'\r');
                self.add(from, if returned { at - 1 } else { at });
                self.position = at + 1;
                return true;
            } else {
                let Some(end) = self.quoted_field(bytes, from, at) else { return false };
                if bytes.get(end) != Some(&self.dialect.delimiter) {
                    self.position = bytes.len().min(end + 1);
                    return true;
                }
                from = end + 1;
            }
        }
        // The last record need not have a line end.
        self.add(from, bytes.len());
        self.position = bytes.len();
        true
    }

    fn add(&mut self, from: usize, to: usize) {
        if self.fields.len() < FIELD_LIMIT {
            self.fields.push((from, to));
        }
    }

    /// Adds a field whose first sign is a quote, and gives the place of the delimiter, line feed or end of text behind it; `None`
    /// unless it begins and ends with a quote and has none inside.
    fn quoted_field(&mut self, bytes: &[u8], from: usize, opening: usize) -> Option<usize> {
        if opening != from || self.dialect.escape.is_some() {
            return None;
        }
        let is_quote = |at: &usize| bytes.get(*at) == Some(&self.dialect.quote);
        let closing = std::iter::from_fn(|| self.marks.next()).find(is_quote)?;
        let behind = match bytes.get(closing + 1) {
            Some(b'\r') => closing + 2,
            _ => closing + 1,
        };
        let next = self.marks.next();
        if next.unwrap_or(bytes.len()) != behind || next.is_some_and(|at| is_quote(&at)) {
            return None;
        }
        self.add(from + 1, closing);
        Some(behind)
    }

    fn advance_quoted(&mut self, bytes: &[u8]) -> bool {
        let (mut written, mut ended) = (0, 0);
        self.reader.reset();
        loop {
            let mut input = bytes.get(self.position..).unwrap_or_default();
            // The reader takes a byte order mark off whatever it is given first. The file's own is not here any more: this one is a value's,
            // and in two pieces it is no mark.
            if self.position == self.start && input.starts_with("\u{feff}".as_bytes()) {
                input = input.get(..1).unwrap_or_default();
            }
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
                // No table has so many: only that there are more matters.
                ReadRecordResult::OutputEndsFull if ended >= FIELD_LIMIT => ended = FIELD_LIMIT,
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
        for end in self.ends.get(..ended.min(FIELD_LIMIT)).unwrap_or_default() {
            self.fields.push((from, *end));
            from = *end;
        }
        self.copied = true;
        true
    }

    /// How many fields the record has, up to [`FIELD_LIMIT`].
    pub(super) fn fields(&self) -> usize {
        self.fields.len()
    }

    /// A field of the record; empty beyond the last.
    pub(super) fn field(&self, index: usize) -> &str {
        let Some((from, to)) = self.fields.get(index).copied() else { return "" };
        let text = if self.copied { self.text.as_str() } else { self.input };
        text.get(from..to).unwrap_or_default()
    }

    /// The bytes of a field.
    pub(super) fn bytes(&self, index: usize) -> &[u8] {
        let Some((from, to)) = self.fields.get(index).copied() else { return b"" };
        let text = if self.copied { self.text.as_str() } else { self.input };
        text.as_bytes().get(from..to).unwrap_or_default()
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
    fn what_looks_like_a_byte_order_mark_is_a_part_of_every_record_alike() {
        let text = "\u{feff}a,1\n\u{feff}a,\"x\"\"y\"\n\u{feff}\"a\",2\n\u{feff}\"a,\"\"\n\u{feff}";
        let mut records = Records::new(text, Dialect::default());
        let mut all = Vec::new();
        while records.advance() {
            all.push((0..records.fields()).map(|index| records.field(index).to_owned()).collect::<Vec<_>>());
        }
        let expected: [&[&str]; 5] = [
            &["\u{feff}a", "1"],
            &["\u{feff}a", "x\"y"],
            &["\u{feff}\"a\"", "2"],
            &["\u{feff}\"a", ""],
            &["\u{feff}"],
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn of_a_record_with_more_fields_than_any_table_only_that_is_found() {
        for text in [",".repeat(1_000_000), format!("{}\"a\"\"b\"\nc", ",".repeat(1_000_000))] {
            let mut records = Records::new(&text, Dialect::default());
            assert!(records.advance());
            assert_eq!(records.fields(), FIELD_LIMIT);
            assert!(records.ends.len() < 4 * FIELD_LIMIT && records.fields.capacity() < 4 * FIELD_LIMIT);
            assert_eq!(records.advance(), text.ends_with('c'));
        }
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
