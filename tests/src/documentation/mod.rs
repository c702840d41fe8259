//! The documentation as something that can be run: its fenced blocks, and sessions that type its commands.
//!
//! Two kinds of blocks are checked. In a ```` ```console ```` block each line that begins with `$ ` is a command, and the
//! lines up to the next one are what it prints: `…` stands for any text within a line, and on a line of its own for any number of
//! lines; revisions and durations stand for any of their kind. ```` ```console background ```` starts a command that keeps running. A block with `title=NAME` is a file that the
//! reader saves under that name.

mod block;
mod expectation;
mod running;
mod session;

pub use block::{Block, blocks, pages};
pub use expectation::difference;
pub use session::Session;
