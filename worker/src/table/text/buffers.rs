//! Buffers for the bytes of blocks that are used again.
//!
//! A buffer as large as a block is memory that the system gives page by page and clears before: over thousands of blocks a seventh of
//! the time that a profile of a prepare step showed. Where a buffer is to be read into, what it held stays in it, so that it is not cleared either.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most bytes of a buffer that is kept: what a single long record needed is given back to the system.
const MOST_KEPT: usize = 4 << 20;

/// The most buffers that are kept.
const MOST_SPARE: usize = 32;

/// Buffers that nobody uses at the moment.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// An empty buffer, with room if there is a spare one.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut buffer = self.take_used();
        buffer.clear();
        buffer
    }

    /// A buffer that still holds what it did, to be read into.
    pub(super) fn take_used(&self) -> Vec<u8> {
        self.spare().pop().unwrap_or_default()
    }

    /// Takes back a buffer.
    pub(crate) fn give(&self, buffer: Vec<u8>) {
        let mut spare = self.spare();
        if buffer.capacity() <= MOST_KEPT && spare.len() < MOST_SPARE {
            spare.push(buffer);
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_unless_they_are_large() {
        let buffers = Buffers::default();
        buffers.give(vec![1; 1000]);
        buffers.give(vec![1; MOST_KEPT + 1]);
        let buffer = buffers.take();
        assert!(buffer.is_empty() && buffer.capacity() >= 1000);
        assert_eq!(buffers.take().capacity(), 0);
        buffers.give(vec![1; 1000]);
        assert_eq!(buffers.take_used().len(), 1000);
    }
}
