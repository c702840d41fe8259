//! A gzip file as RFC 1952 has it: one member after the other. Zeros behind the last one are padding, as of tapes and disks with blocks
//! of a fixed size, and are ignored as gzip's own tools do; anything else there is an error.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// What every member begins with.
const MAGIC: u8 = 0x1f;

/// The plain bytes of all members.
pub(super) struct GzipMembers<R: BufRead> {
    /// The member that is read; none behind the last one.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipMembers<R> {
    pub(super) fn new(input: R) -> Self {
        Self { member: Some(GzDecoder::new(input)) }
    }
}

impl<R: BufRead> Read for GzipMembers<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.member.take() {
            let read = member.read(output)?;
            if read > 0 || output.is_empty() {
                self.member = Some(member);
                return Ok(read);
            }
            let mut rest = member.into_inner();
            match rest.fill_buf()?.first() {
                Some(&MAGIC) => self.member = Some(GzDecoder::new(rest)),
                _ => only_zeros(rest)?,
            }
        }
        Ok(0)
    }
}

fn only_zeros(mut rest: impl BufRead) -> io::Result<()> {
    loop {
        let bytes = rest.fill_buf()?;
        if bytes.is_empty() {
            return Ok(());
        }
        if bytes.iter().any(|byte| *byte != 0) {
            let problem =
                "behind the compressed data are bytes that are not gzip; was something appended to the file?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let length = bytes.len();
        rest.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("a Vec");
        encoder.finish().expect("a Vec")
    }

    /// Read with a buffer so small that members and what follows them lie across its ends.
    fn read(parts: &[&[u8]]) -> io::Result<String> {
        let bytes = parts.concat();
        let mut text = String::new();
        GzipMembers::new(BufReader::with_capacity(7, bytes.as_slice())).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn members_follow_each_other_and_zeros_behind_them_are_padding() {
        let (first, second) = (gzip("a\n1\n"), gzip("2\n"));
        for (parts, expected) in [
            (&[first.as_slice()][..], "a\n1\n"),
            (&[&first, &second], "a\n1\n2\n"),
            (&[&gzip(""), &first], "a\n1\n"),
            (&[&first, &[0; 1]], "a\n1\n"),
            (&[&first, &second, &[0; 1000]], "a\n1\n2\n"),
        ] {
            assert_eq!(read(parts).expect("read"), expected);
        }
    }

    #[test]
    fn what_is_not_gzip_behind_the_data_is_told_from_a_file_that_is_cut_short() {
        let whole = gzip("a\n1\n");
        for rest in [&b"garbage"[..], b"\0\0x", b"\0\x1f\x8b\x08", b"a"] {
            let error = read(&[&whole, rest]).expect_err("no gzip");
            assert!(error.to_string().contains("behind the compressed data"), "{rest:?}: {error}");
        }
        let (cut, begun) = (whole.get(..whole.len() - 3).expect("shorter"), &b"\x1f\x8b\x08"[..]);
        for parts in [&[cut][..], &[&whole, begun]] {
            assert_eq!(read(parts).expect_err("cut").kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
