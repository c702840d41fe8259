//! One HTTP/1.1 request in the bytes of a connection.

use crate::Result;

/// The longest head, in bytes.
const HEAD_BYTES: usize = 64 << 10;

/// The longest body, in bytes.
const BODY_BYTES: usize = 64 << 20;

/// The end of a head.
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A request that has arrived whole.
pub struct Request {
    /// Its content, put together where it came in chunks.
    pub body: Vec<u8>,
    /// Whether the sender has no more for this connection.
    pub closes: bool,
    /// How many bytes of the connection it took.
    pub length: usize,
}

/// How a body says where it ends.
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunks,
}

/// The request at the start of these bytes; `None` where more have to come.
///
/// # Errors
/// When the bytes are not a request, or it is too long.
pub fn request(bytes: &[u8]) -> Result<Option<Request>> {
    let Some(head_end) = find(bytes, HEAD_END) else {
        return if bytes.len() > HEAD_BYTES { Err("a head is too long".into()) } else { Ok(None) };
    };
    let (framing, closes) = head(bytes.get(..head_end).unwrap_or_default())?;
    let start = head_end + HEAD_END.len();
    let rest = bytes.get(start..).unwrap_or_default();
    let body = match framing {
        Framing::Length(length) => rest.get(..length).map(|body| (body.to_vec(), length)),
        Framing::Chunks => chunks(rest)?,
    };
    Ok(body.map(|(body, length)| Request { body, closes, length: start + length }))
}

/// What a head says of the body and the connection.
fn head(head: &[u8]) -> Result<(Framing, bool)> {
    let text = std::str::from_utf8(head)?;
    let mut lines = text.split("\r\n");
    if !lines.next().is_some_and(|line| line.starts_with("POST ") && line.ends_with(" HTTP/1.1")) {
        return Err("only POST of HTTP/1.1 is accepted".into());
    }
    let (mut framing, mut closes) = (Framing::Length(0), false);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a header has no colon")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.parse()?;
            if length > BODY_BYTES {
                return Err("a body is too long".into());
            }
            framing = Framing::Length(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err("the transfer encoding is not chunked".into());
            }
            framing = Framing::Chunks;
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    Ok((framing, closes))
}

/// The content of chunks, and how many bytes they take; `None` where more have to come.
fn chunks(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(line) = find(rest, b"\r\n") else { return Ok(None) };
        let size = std::str::from_utf8(rest.get(..line).unwrap_or_default())?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
        if size > BODY_BYTES || body.len() + size > BODY_BYTES {
            return Err("a body is too long".into());
        }
        let start = line + 2;
        let Some(chunk) = rest.get(start..start + size + 2) else { return Ok(None) };
        body.extend_from_slice(chunk.get(..size).unwrap_or_default());
        at += start + size + 2;
        // Trailers are not for posts of rows.
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

/// Where a part begins.
pub fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_when_its_last_byte_came() {
        let with_length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
        let in_chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\n\r\n";
        for (text, closes) in [(with_length, false), (in_chunks, true)] {
            for end in 0..text.len() {
                assert!(request(&text.as_bytes()[..end]).is_ok_and(|found| found.is_none()), "{end}");
            }
            let twice = text.repeat(2);
            let found = request(twice.as_bytes()).expect("a request").expect("whole");
            assert_eq!((found.body.as_slice(), found.closes), (&b"{\"a\":1}"[..], closes));
            assert_eq!(found.length, text.len());
        }
    }

    #[test]
    fn what_is_not_a_post_is_refused() {
        for text in [
            "GET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        ] {
            assert!(request(text.as_bytes()).is_err(), "{text}");
        }
        assert!(request(&vec![b'a'; HEAD_BYTES + 1]).is_err());
    }
}
