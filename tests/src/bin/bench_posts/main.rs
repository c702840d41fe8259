//! Posts over HTTP for `make bench-worker`: a receiver that does as little as a receiver can, and a sender that does as little as a sender can.
//!
//! A receiver in Python alone bounds what is measured, and a sender beside it says what the sockets of the machine allow. Both are compiled,
//! talk over loopback only, and end by themselves.

mod message;
mod receive;
mod rows;
mod send;

use std::error::Error;
use std::time::Duration;

const USAGE: &str = "usage: bench-posts receive SECONDS     accept posts at the URL that is printed, until standard input ends, and print what came
       bench-posts send URL COUNT PER_CONNECTION     post one row after the other, so many over a connection; prints the seconds";

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["receive", seconds] => receive::run(Duration::from_secs(seconds.parse()?)),
        ["send", url, count, per_connection] => send::run(url, count.parse()?, per_connection.parse()?),
        _ => Err(USAGE.into()),
    }
}
