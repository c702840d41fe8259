//! Where NDJSON ceases to be a table: the first line in which a column holds another kind of value than before.

use std::sync::Arc;

use super::json_line::add_line;
use super::json_type::{ColumnTypes, JsonKinds};
use crate::table::TableError;
use crate::table::file::LocalFile;
use crate::table::text::{Block, Malformed, malformed_block};

/// The error for lines that have no common columns, with the first line after which there were none. Reads the files once more, up to
/// that line.
pub(super) fn mixed_at(
    files: &[LocalFile],
    blocks: &[Block],
    types: &Arc<ColumnTypes>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<(), TableError> {
    let mut met = JsonKinds::new(Arc::clone(types));
    let mut bytes = Vec::new();
    for block in blocks {
        if stop() {
            return Err(TableError::Stopped);
        }
        block.read(files, &mut bytes)?;
        let mut here = JsonKinds::new(Arc::clone(types));
        add_lines(&mut here, &bytes, |_| Ok(()))
            .map_err(|malformed| malformed_block(files, block, malformed))?;
        let mut with = met.clone();
        with.merge(here);
        if with.fields().is_err() {
            let check = |met: &JsonKinds| met.fields().map(drop);
            add_lines(&mut met, &bytes, check)
                .map_err(|malformed| malformed_block(files, block, malformed))?;
        }
        met = with;
    }
    Ok(())
}

/// Adds every line of a block to what was met, and checks that after each.
pub(super) fn add_lines(
    kinds: &mut JsonKinds,
    bytes: &[u8],
    check: impl Fn(&JsonKinds) -> Result<(), String>,
) -> Result<(), Malformed> {
    let mut offset = 0_u64;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii();
        if !text.is_empty() {
            add_line(kinds, text)
                .and_then(|()| check(kinds))
                .map_err(|problem| Malformed { offset, problem })?;
        }
        offset += line.len() as u64;
    }
    Ok(())
}
