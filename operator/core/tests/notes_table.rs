//! What is valid, in every form that Kubernetes takes, and what is noted of it: what may be stuck on many clusters, or does nothing.
//!
//! `tests/notes_table.txt` holds the rows, with all notes of each spec; `yaml_table` says how they are written.

#![allow(clippy::panic, reason = "tests fail by panicking")]

mod yaml_table;

use mlpipeline_core::notes::notes;
use mlpipeline_core::validate::validate;

const TABLE: &str = include_str!("notes_table.txt");

#[test]
fn every_form_is_valid_and_what_may_be_stuck_is_noted_in_these_words() {
    let really = yaml_table::played(TABLE, |resource, spec| match validate(resource) {
        Ok(pipeline) => notes(&pipeline),
        Err(errors) => panic!("{spec}\n{errors:#?}"),
    });
    yaml_table::compare("notes_table.txt", TABLE, &really);
}
