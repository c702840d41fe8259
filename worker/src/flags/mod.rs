//! Flags that several commands share: sizes, durations, memory, the network, and the table that is read.
//!
//! Owns how they are typed and what they mean. Must not know any command: each action's own flags are in its folder.

mod formats;
mod quantity;
mod source_flags;
mod work_flags;

pub use formats::TableFormat;
pub use quantity::{parse_bytes, parse_duration};
pub use source_flags::{SourceFlags, parse_reading};
pub use work_flags::WorkFlags;
