//! Sets of categories, which splits of trees ask for.
//!
//! Must not know what a code stands for.

/// Categories by their codes, which are whole numbers from 0 to 255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CategorySet([u64; 4]);

impl CategorySet {
    /// How many bytes a set has in a file.
    pub(super) const SIZE: usize = 32;

    /// Adds a category.
    pub fn insert(&mut self, code: u8) {
        if let Some(word) = self.0.get_mut(usize::from(code) / 64) {
            *word |= 1 << (code % 64);
        }
    }

    /// Whether a category is in it.
    #[must_use]
    pub fn contains(&self, code: u8) -> bool {
        self.0.get(usize::from(code) / 64).is_some_and(|word| word >> (code % 64) & 1 == 1)
    }

    /// The categories in it, in their order.
    pub fn codes(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |code| self.contains(*code))
    }

    /// How many categories are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether no category is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Its bytes in a file: bit `code % 8` of byte `code / 8` is that of a category.
    pub(super) fn to_bytes(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().flat_map(u64::to_le_bytes)
    }

    pub(super) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let mut set = Self::default();
        for (word, bytes) in set.0.iter_mut().zip(bytes.chunks(8)) {
            *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        set
    }

    /// Whether a value is the code of a category in it.
    pub(super) fn has(&self, value: f64) -> bool {
        (0.0..256.0).contains(&value) && self.contains(value as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_codes_that_were_added_and_survives_its_bytes() {
        let mut set = CategorySet::default();
        assert!(set.is_empty());
        [0, 63, 64, 200, 255].into_iter().for_each(|code| set.insert(code));
        assert_eq!((set.codes().collect::<Vec<_>>(), set.len()), (vec![0, 63, 64, 200, 255], 5));
        let bytes: Vec<u8> = set.to_bytes().collect();
        assert_eq!((bytes[0], bytes[7], bytes[8], bytes[31]), (1, 128, 1, 128));
        assert_eq!(CategorySet::from_bytes(bytes.try_into().expect("32 bytes")), set);
        assert!(set.has(63.0) && !set.has(62.0) && !set.has(256.0) && !set.has(-1.0) && !set.has(f64::NAN));
    }
}
