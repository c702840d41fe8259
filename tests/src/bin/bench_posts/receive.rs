//! The receiver: a thread for each connection, which accepts every post and counts it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::message::request;
use crate::{Result, rows};

/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(30);

const ACCEPTED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// What has come so far.
#[derive(Default)]
struct Received {
    connections: AtomicU64,
    requests: AtomicU64,
    rows: AtomicU64,
    bytes: AtomicU64,
}

/// Accepts posts until standard input ends, at most for so long, and prints what came.
pub fn run(longest: Duration) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("http://{}/", listener.local_addr()?);
    let received = Arc::new(Received::default());
    let counted = Arc::clone(&received);
    // It ends with the process.
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let received = Arc::clone(&counted);
            received.connections.fetch_add(1, Ordering::Relaxed);
            // Whoever breaks a connection off sees that itself.
            thread::spawn(move || answer(connection, &received).ok());
        }
    });
    // Whoever started this may be gone without a word.
    thread::spawn(move || {
        thread::sleep(longest);
        std::process::exit(1);
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    let Received { connections, requests, rows, bytes } = received.as_ref();
    let [connections, requests, rows, bytes] =
        [connections, requests, rows, bytes].map(|count| count.load(Ordering::Relaxed));
    println!("{{\"connections\":{connections},\"requests\":{requests},\"rows\":{rows},\"bytes\":{bytes}}}");
    Ok(())
}

/// Answers the requests of a connection until there are no more.
fn answer(mut connection: TcpStream, received: &Received) -> Result<()> {
    connection.set_nodelay(true)?;
    connection.set_read_timeout(Some(IDLE))?;
    let (mut held, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        let read = connection.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        held.extend_from_slice(buffer.get(..read).unwrap_or_default());
        loop {
            let found = match request(&held) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => {
                    connection.write_all(REFUSED)?;
                    return Err(error);
                }
            };
            received.requests.fetch_add(1, Ordering::Relaxed);
            received.rows.fetch_add(rows::count(&found.body), Ordering::Relaxed);
            received.bytes.fetch_add(found.length as u64, Ordering::Relaxed);
            connection.write_all(ACCEPTED)?;
            if found.closes {
                return Ok(());
            }
            held.drain(..found.length);
        }
    }
}
