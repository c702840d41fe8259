//! The thin shell: everything that talks to the API server or reads a clock.
//!
//! Owns I/O and nothing else: it gathers what the core decides on, and brings about what the core decided.

pub mod crd_file;
pub mod gather;
