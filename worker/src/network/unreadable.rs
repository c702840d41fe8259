//! Answers that cannot be read as HTTP, and connections that end without one: what came, in words for people.
//!
//! Owns the words. Must not know whether it is worth trying again.

use std::error::Error;

/// What a server sent in place of an answer; `None` where the error is of something else, such as that there is no connection.
pub(crate) fn unreadable(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        let said = current.downcast_ref::<hyper::Error>().and_then(in_words);
        if said.is_some() {
            return said;
        }
        cause = current.source();
    }
    None
}

fn in_words(error: &hyper::Error) -> Option<&'static str> {
    // For some kinds the library has no more than its words.
    let said = error.to_string();
    if error.is_incomplete_message() {
        Some("the connection was closed before the head of the answer had come")
    } else if said.contains("content-length") {
        Some("the answer has several lengths in Content-Length, or one that is not a number")
    } else if said.contains("too large") {
        Some("the head of the answer is too large")
    } else if error.is_parse() || said.contains("unexpected message") {
        Some("what came is not an answer of HTTP; is something else listening there, or is it https?")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use crate::network::{Connections, Network};

    #[tokio::test]
    async fn an_answer_that_cannot_be_read_is_told_from_no_connection() {
        for (bytes, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "several lengths"),
            ("HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\na", "several lengths"),
            ("220 mail.example.com ESMTP\r\n", "not an answer of HTTP"),
            ("HTTP/1.1 2", "before the head of the answer"),
        ] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            let url = format!("http://{}/", listener.local_addr().expect("an address"));
            std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a connection");
                assert!(stream.read(&mut [0; 4096]).expect("a request") > 0);
                stream.write_all(bytes.as_bytes()).expect("sent");
                stream.shutdown(std::net::Shutdown::Write).expect("ended");
                // Bytes that nobody took would end the connection before the answer is read.
                let _ = stream.read_to_end(&mut Vec::new());
            });
            let network =
                Network { allowed: vec!["127.0.0.0/8".parse().expect("a range")], ..Network::default() };
            let url: url::Url = url.parse().expect("a URL");
            let connections = Connections::new(&url, http::HeaderMap::new(), 1, &network, None);
            let own = ("idempotency-key", http::HeaderValue::from_static("key"));
            let posted = connections.expect("TLS").post(own, bytes::Bytes::from_static(b"{}")).await;
            let error = posted.err().expect("no answer");
            let said = super::unreadable(error.as_ref());
            assert!(said.is_some_and(|said| said.contains(expected)), "{bytes}: {said:?} {error:?}");
        }
    }
}
