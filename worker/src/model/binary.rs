//! Reading the binary files of models: little-endian numbers after each other.
//!
//! Nothing is allocated for more than the bytes that are there. Must not know what the numbers mean.

use super::ModelError;

/// The bytes that are not read yet.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or_else(ended)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn number(&mut self) -> Result<u32, ModelError> {
        self.take().map(u32::from_le_bytes)
    }

    pub(super) fn floats(&mut self, count: usize) -> Result<Vec<f64>, ModelError> {
        let chunks = self.bytes(count, 8)?.chunks_exact(8);
        Ok(chunks.filter_map(|chunk| chunk.try_into().ok().map(f64::from_le_bytes)).collect())
    }

    pub(super) fn numbers(&mut self, count: usize) -> Result<Vec<u32>, ModelError> {
        let chunks = self.bytes(count, 4)?.chunks_exact(4);
        Ok(chunks.filter_map(|chunk| chunk.try_into().ok().map(u32::from_le_bytes)).collect())
    }

    fn bytes(&mut self, count: usize, size: usize) -> Result<&'a [u8], ModelError> {
        let length = count.checked_mul(size).ok_or_else(ended)?;
        let (first, rest) = self.0.split_at_checked(length).ok_or_else(ended)?;
        self.0 = rest;
        Ok(first)
    }
}

/// The error of a file that is too short.
pub(super) fn ended() -> ModelError {
    ModelError::Invalid("the file beside it ends too early".to_owned())
}
