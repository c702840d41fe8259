//! The worker against a real PostgreSQL and a real S3 server, both on loopback, and the sample that uses them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod bed;
mod canary;
mod models;
mod objects;
mod sample;
mod tables;
