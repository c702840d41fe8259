//! The sender: a socket, one write for a request, and its answer before the next one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::Result;
use crate::message::find;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// Posts so many rows, so many over each connection, with heads as long as those of the worker.
pub fn run(url: &str, count: u64, per_connection: u64) -> Result<()> {
    let host =
        url.strip_prefix("http://").ok_or("the URL does not begin with http://")?.trim_end_matches('/');
    let began = Instant::now();
    let mut connection = None;
    for number in 0..count {
        let is_last = (number + 1).is_multiple_of(per_connection.max(1));
        let open = match connection.take() {
            Some(open) => open,
            None => connect(host)?,
        };
        let open = post(open, host, number, is_last)?;
        connection = Some(open).filter(|_| !is_last);
    }
    println!("{:.4}", began.elapsed().as_secs_f64());
    Ok(())
}

fn connect(host: &str) -> Result<TcpStream> {
    let open = TcpStream::connect(host)?;
    open.set_nodelay(true)?;
    open.set_read_timeout(Some(ANSWER))?;
    Ok(open)
}

/// Posts one row and waits for its answer.
fn post(mut connection: TcpStream, host: &str, number: u64, is_last: bool) -> Result<TcpStream> {
    let body = format!("{{\"id\":{number},\"x\":0.5}}");
    let close = if is_last { "connection: close\r\n" } else { "" };
    let request = format!(
        "POST / HTTP/1.1\r\ncontent-type: application/json\r\nidempotency-key: sha256:{number:064x}\r\n{close}user-agent: mlpipeline-bench/0.1.0\r\naccept: */*\r\nhost: {host}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
    while find(&answer, b"\r\n\r\n").is_none() {
        let read = connection.read(&mut buffer)?;
        if read == 0 {
            return Err("the receiver closed the connection before it answered".into());
        }
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    if !answer.starts_with(b"HTTP/1.1 200 ") {
        return Err(format!("the receiver answers {}", String::from_utf8_lossy(&answer)).into());
    }
    Ok(connection)
}
