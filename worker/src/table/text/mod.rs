//! Text files: blocks that several cores read at once, rules for the texts of a column, and columns of values.
//!
//! Must not know a format: `format` says where records end and which field is which column's.

mod blocks;
mod buffers;
mod column;
mod column_kinds;
mod date;
mod field_kind;
mod kinds;
mod nul;
mod plain_number;
mod problems;
mod rules;
mod table;

pub(crate) use blocks::shown;
pub(super) use blocks::{
    Block, Malformed, RECORD_LIMIT, Splitter, cores, index_blocks, inspect_blocks, line_of, malformed_block,
};
pub(super) use buffers::Buffers;
pub(super) use column::ColumnBuilders;
pub(super) use column_kinds::ColumnKinds;
pub(crate) use date::iso_microseconds;
pub(super) use field_kind::is_of;
pub(super) use kinds::{TextKinds, type_of};
pub(super) use nul::nul_run;
pub(crate) use problems::not_of_type;
pub(super) use problems::{OLD_LINE_ENDS, checked, not_utf8, utf8, wrong_type};
pub use rules::ExpectedTypes;
pub(super) use rules::{ColumnRules, FileRules};
pub(super) use table::{BlockBytes, Decode, TextTable};
