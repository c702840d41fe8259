//! An HTTP server on loopback that keeps what is sent to it, and answers several requests at once.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Post {
    /// What the request asks for: path and query.
    pub path: String,
    /// The number of the connection that it came by, from 0 on.
    pub connection: usize,
    /// The header Idempotency-Key.
    pub key: String,
    /// The header Authorization.
    pub authorization: Option<String>,
    pub body: String,
}

/// Status line and further headers, and the body, for a request of this number, from 1 on.
type Reply = dyn Fn(usize, &Post) -> (String, String) + Send + Sync;

pub struct Receiver {
    pub address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Receiver {
    /// Takes everything.
    pub fn start() -> Self {
        Self::answering(|_, _| ("200 OK".into(), "{\"response\":\"ok\"}".into()))
    }

    pub fn answering(reply: impl Fn(usize, &Post) -> (String, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let posts: Arc<Mutex<Vec<Post>>> = Arc::default();
        let (kept, reply): (_, Arc<Reply>) = (Arc::clone(&posts), Arc::new(reply));
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (stream, kept, reply) =
                    (stream.expect("a connection"), Arc::clone(&kept), Arc::clone(&reply));
                std::thread::spawn(move || converse(stream, number, &kept, reply.as_ref()));
            }
        });
        Self { address, posts }
    }

    pub fn url(&self) -> String {
        format!("http://{}/rows", self.address)
    }

    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().expect("posts").clone()
    }

    pub fn bodies(&self) -> Vec<String> {
        self.posts().into_iter().map(|post| post.body).collect()
    }
}

/// Answers the requests of a connection until either side closes it.
fn converse(mut stream: TcpStream, connection: usize, kept: &Mutex<Vec<Post>>, reply: &Reply) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut length, mut key, mut authorization, mut close) = (0, String::new(), None, false);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        line.clear();
        while reader.read_line(&mut line).ok()? > 0 && line != "\r\n" {
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().expect("a length"),
                "idempotency-key" => key = value.trim().to_owned(),
                "authorization" => authorization = Some(value.trim().to_owned()),
                "connection" => close = value.trim() == "close",
                _ => {}
            }
            line.clear();
        }
        if line.is_empty() {
            return None;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let post =
            Post { path, connection, key, authorization, body: String::from_utf8(body).expect("text") };
        let number = {
            let mut kept = kept.lock().expect("posts");
            kept.push(post.clone());
            kept.len()
        };
        let (head, text) = reply(number, &post);
        // In one piece: the rest of an answer in pieces would wait for the client's acknowledgement.
        let answer = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        stream.write_all(answer.as_bytes()).ok()?;
        if close {
            return None;
        }
    }
}
