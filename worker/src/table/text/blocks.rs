//! Text files as blocks of whole records: what lets several cores read one file and the rows still come in its order.
//!
//! Owns the walk over a file and the parallel work on its blocks. Must not know the formats: they say where records end.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use super::buffers::Buffers;
use super::nul::nul_run;
use crate::table::TableError;
use crate::table::file::LocalFile;

/// How many bytes of a file a block has, unless a single record is longer.
const BLOCK_BYTES: usize = 1 << 20;

/// What a block's buffer has room for beyond the block: most often, what is left of the block before.
const RECORD_ROOM: usize = 64 << 10;

/// The longest record, in bytes. It bounds the memory that an unclosed quote can take.
pub(crate) const RECORD_LIMIT: usize = 64 << 20;

/// A part of a file that holds whole records.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The file's place in the list of files.
    pub file: usize,
    /// Where it begins, in bytes from the file's start.
    pub offset: u64,
    /// How many bytes it has.
    pub length: usize,
}

impl Block {
    /// Reads the block into a buffer.
    pub(crate) fn read(&self, files: &[LocalFile], bytes: &mut Vec<u8>) -> Result<(), TableError> {
        let Some(file) = files.get(self.file) else {
            return Err(TableError::Internal("a block of a file that is not there".into()));
        };
        make_room(bytes, self.length);
        let open = file.open()?;
        file.read_at(&open, bytes, self.offset)
    }
}

/// Finds where records end.
pub(crate) trait Splitter {
    /// Goes over bytes that follow those of the previous call, and gives the position after the last record that ends in
    /// them.
    fn last_end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed>;

    /// Called at the end of the file.
    fn finish(&mut self) -> Result<(), Malformed>;
}

/// A block with its number, counted over all files, and its summary.
type Inspected<Summary> = (usize, Block, Result<Summary, Malformed>);

/// Blocks on their way to the threads that inspect them, each with its number and bytes.
type Waiting = Arc<Mutex<mpsc::Receiver<(usize, Block, Vec<u8>)>>>;

/// Something wrong in a file, at a byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Where, in bytes from the start of what was inspected.
    pub offset: u64,
    /// What is wrong, and what to do.
    pub problem: String,
}

/// Splits the rest of a file, from `start` on, into blocks and gives each with its bytes to `take`, in order; `take` returns
/// false to have no more.
fn split(
    index: usize,
    file: &LocalFile,
    start: u64,
    splitter: &mut dyn Splitter,
    buffers: &Buffers,
    take: &mut dyn FnMut(Block, Vec<u8>) -> bool,
) -> Result<(), TableError> {
    let open = file.open()?;
    let at =
        |base: u64, malformed: Malformed| locate(&open, file, base + malformed.offset, malformed.problem);
    // A record that does not end may be what is missing of a file.
    let missing = |held: &[u8], offset: u64| {
        nul_run(held).map(|(place, problem)| locate(&open, file, offset + place as u64, problem))
    };
    let mut offset = start;
    let (mut held, mut known) = (buffers.take_used(), 0);
    loop {
        make_room(&mut held, known + BLOCK_BYTES);
        let read = read_full(&open, file, held.get_mut(known..).unwrap_or_default(), offset + known as u64)?;
        held.truncate(known + read);
        if read == 0 {
            splitter
                .finish()
                .map_err(|malformed| missing(&held, offset).unwrap_or_else(|| at(start, malformed)))?;
            if !held.is_empty() {
                take(Block { file: index, offset, length: held.len() }, held);
            }
            return Ok(());
        }
        let end = splitter
            .last_end(held.get(known..).unwrap_or_default())
            .map_err(|malformed| at(start, malformed))?;
        let Some(end) = end else {
            if held.len() > RECORD_LIMIT {
                let problem = format!(
                    "a record that begins here is longer than {} MiB; is a quote not closed, or a line end missing?",
                    RECORD_LIMIT >> 20
                );
                return Err(missing(&held, offset).unwrap_or_else(|| locate(&open, file, offset, problem)));
            }
            known = held.len();
            continue;
        };
        let left = held.get(known + end..).unwrap_or_default();
        let mut rest = buffers.take_used();
        make_room(&mut rest, left.len() + BLOCK_BYTES);
        if let Some(start) = rest.get_mut(..left.len()) {
            start.copy_from_slice(left);
        }
        let next = left.len();
        held.truncate(known + end);
        known = next;
        let length = held.len();
        if !take(Block { file: index, offset, length }, std::mem::replace(&mut held, rest)) {
            return Ok(());
        }
        offset += length as u64;
    }
}

/// Makes a buffer so many bytes long. Those that it has stay as they are; what the others are means nothing.
fn make_room(buffer: &mut Vec<u8>, length: usize) {
    // Grown as it fills, a buffer would have twice the room that it needs.
    if buffer.capacity() < length {
        buffer.reserve_exact(length + RECORD_ROOM - buffer.len());
    }
    buffer.resize(length, 0);
}

fn read_full(open: &File, file: &LocalFile, buffer: &mut [u8], offset: u64) -> Result<usize, TableError> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match open.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(TableError::io("read", &file.path)(error)),
        }
    }
    file.unchanged(open)?;
    Ok(filled)
}

/// The error for a byte of a file, with the line that the byte is in.
fn locate(open: &File, file: &LocalFile, offset: u64, problem: String) -> TableError {
    // What is wrong in a file that changed meanwhile is that it changed.
    if let Err(changed) = file.unchanged(open) {
        return changed;
    }
    TableError::line(&file.name, line_of(open, offset), problem)
}

/// The line that a byte of a file is in, from 1.
pub(crate) fn line_of(open: &File, offset: u64) -> u64 {
    let mut line = 1_u64;
    let mut position = 0_u64;
    let mut buffer = vec![0; 64 << 10];
    while position < offset {
        let want = usize::try_from(offset - position).unwrap_or(usize::MAX).min(buffer.len());
        match open.read_at(buffer.get_mut(..want).unwrap_or_default(), position) {
            Ok(0) | Err(_) => break,
            Ok(read) => {
                line += memchr::memchr_iter(b'\n', buffer.get(..read).unwrap_or_default()).count() as u64;
                position += read as u64;
            }
        }
    }
    line
}

/// Indexes the blocks of files whose columns are known, without inspecting the rows.
pub(crate) fn index_blocks(
    files: &[LocalFile],
    starts: &[u64],
    splitter: impl Fn() -> Box<dyn Splitter>,
) -> Result<Vec<Block>, TableError> {
    let mut blocks = Vec::new();
    let buffers = Buffers::default();
    for (index, (file, start)) in files.iter().zip(starts).enumerate() {
        split(index, file, *start, splitter().as_mut(), &buffers, &mut |block, bytes| {
            blocks.push(block);
            buffers.give(bytes);
            true
        })?;
    }
    Ok(blocks)
}

/// Splits every file into blocks, lets `inspect` go over each on several cores, and gives the blocks and their summaries, in
/// order. The first problem, by file and position, is the one reported, whichever core finds it.
pub(crate) fn inspect_blocks<Summary: Send>(
    files: &[LocalFile],
    starts: &[u64],
    splitter: impl Fn() -> Box<dyn Splitter> + Sync,
    inspect: impl Fn(&[u8]) -> Result<Summary, Malformed> + Sync,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<(Vec<Block>, Vec<Summary>), TableError> {
    let workers = cores();
    let (send, receive) = mpsc::sync_channel::<(usize, Block, Vec<u8>)>(workers);
    let receive = Arc::new(Mutex::new(receive));
    let found = Mutex::new(Vec::new());
    let failed = AtomicBool::new(false);
    let buffers = Buffers::default();
    let mut split_error = None;
    thread::scope(|scope| {
        for _ in 0..workers {
            let receive = Arc::clone(&receive);
            scope.spawn(|| inspect_received(receive, &inspect, &found, &failed, &buffers));
        }
        // The workers' clones are the only ones left, so that sending fails should they all be gone.
        drop(receive);
        let mut number = 0;
        for (index, (file, start)) in files.iter().zip(starts).enumerate() {
            let result = split(index, file, *start, splitter().as_mut(), &buffers, &mut |block, bytes| {
                number += 1;
                !failed.load(Ordering::Relaxed) && !stop() && send.send((number, block, bytes)).is_ok()
            });
            if let Err(error) = result {
                split_error = Some((index, error));
            }
            if split_error.is_some() || failed.load(Ordering::Relaxed) || stop() {
                break;
            }
        }
        drop(send);
    });
    if stop() {
        return Err(TableError::Stopped);
    }
    let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_by_key(|(number, ..)| *number);
    let mut blocks = Vec::with_capacity(found.len());
    let mut summaries = Vec::with_capacity(found.len());
    for (_, block, summary) in found {
        match summary {
            Ok(summary) => summaries.push(summary),
            Err(malformed) => return Err(malformed_block(files, &block, malformed)),
        }
        blocks.push(block);
    }
    // Blocks are before whatever stopped the splitting, so what was found in them comes first.
    split_error.map_or(Ok((blocks, summaries)), |(_, error)| Err(error))
}

fn inspect_received<Summary>(
    receive: Waiting,
    inspect: &impl Fn(&[u8]) -> Result<Summary, Malformed>,
    found: &Mutex<Vec<Inspected<Summary>>>,
    failed: &AtomicBool,
    buffers: &Buffers,
) {
    loop {
        let next = receive.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok((number, block, bytes)) = next else { return };
        let summary = inspect(&bytes);
        buffers.give(bytes);
        if summary.is_err() {
            failed.store(true, Ordering::Relaxed);
        }
        found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, block, summary));
    }
}

/// The error for what is wrong in a block, with the line.
pub(crate) fn malformed_block(files: &[LocalFile], block: &Block, malformed: Malformed) -> TableError {
    let Some(file) = files.get(block.file) else {
        return TableError::Internal("a block of a file that is not there".into());
    };
    match file.open() {
        Ok(open) => locate(&open, file, block.offset + malformed.offset, malformed.problem),
        Err(error) => error,
    }
}

/// How many threads work on blocks at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get).min(16)
}

/// A text's beginning in quotes, for messages.
pub(crate) fn shown(text: &str) -> String {
    /// How many characters are shown.
    const SHOWN: usize = 80;
    let start: String = text.chars().take(SHOWN).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("{start:?}{more}")
}
