//! `local`: the same pipeline, plan and revisions as in a cluster, with processes for pods and a folder for the volume.
//!
//! A loop of named steps: observe the records and replicas, plan with the pure core, start and stop what the plan says, wait
//! until something changes. Must not decide on its own what runs.

mod engine;
pub mod environment;
mod foreign_variables;
mod inboxes;
pub mod job;
mod long_running;
mod process;
mod proxy;
mod replica;
mod settings;
mod start;
mod tools;
mod variables_file;
mod watchdog;

pub use engine::{Engine, Row, Watcher};
pub use inboxes::empty_inboxes;
pub use long_running::Endpoint;
pub use settings::{Settings, with_what_they_need};
pub use start::Starter;
pub use tools::{Tools, find_program};
pub use watchdog::watch_container;
