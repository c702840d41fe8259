//! The access to a cluster that the operator and the command line share.
//!
//! Owns how a session with an API server is opened and how a pipeline's children are listed. Must not decide anything, write
//! anything, or know of caches, elections or terminals.

mod children;
mod session;

pub use children::{ListError, list_children};
pub use session::{Session, SessionError, SessionOptions};
