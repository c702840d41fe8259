//! Where the signs that give CSV its structure stand in text, found in 64 bytes at a time.
//!
//! Fields are short, so a search for each sign alone would cost more than what it skips.

use super::csv_dialect::Dialect;

/// How many bytes are looked at together.
const WINDOW: usize = 64;

/// The delimiters, line feeds and quotes of text, in their order.
#[derive(Debug)]
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    signs: [u8; 3],
    /// Where the window begins, a multiple of its length.
    window: usize,
    /// The signs of the window that are still to come, the first byte's as the lowest bit.
    found: u64,
}

impl<'a> Marks<'a> {
    pub(super) fn new(bytes: &'a [u8], dialect: Dialect) -> Self {
        let mut marks = Self { bytes, signs: [dialect.delimiter, b'\n', dialect.quote], window: 0, found: 0 };
        marks.found = marks.look();
        marks
    }

    /// Continues at this byte, which must not lie before those that were passed.
    pub(super) fn skip_to(&mut self, position: usize) {
        let window = position - position % WINDOW;
        if window != self.window {
            self.window = window;
            self.found = self.look();
        }
        self.found &= u64::MAX << (position % WINDOW);
    }

    /// Where the next sign stands.
    pub(super) fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            if self.window >= self.bytes.len() {
                return None;
            }
            self.window += WINDOW;
            self.found = self.look();
        }
        let at = self.window + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(at)
    }

    /// The signs of the window.
    fn look(&self) -> u64 {
        let rest = self.bytes.get(self.window..).unwrap_or_default();
        match rest.first_chunk() {
            Some(whole) => signs_in(whole, self.signs),
            None => {
                let mut padded = [0; WINDOW];
                for (to, from) in padded.iter_mut().zip(rest) {
                    *to = *from;
                }
                let all = signs_in(&padded, self.signs);
                // Padding is no sign, whatever the signs are.
                all & !u64::MAX.checked_shl(rest.len() as u32).unwrap_or(0)
            }
        }
    }
}

/// Which bytes are one of the signs. Written so that the compiler compares many bytes with one instruction.
fn signs_in(bytes: &[u8; WINDOW], [delimiter, line_feed, quote]: [u8; 3]) -> u64 {
    let mut flags = [0_u8; WINDOW];
    for (flag, byte) in flags.iter_mut().zip(bytes) {
        *flag = u8::from(*byte == delimiter) | u8::from(*byte == line_feed) | u8::from(*byte == quote);
    }
    let (words, _) = flags.as_chunks();
    words
        .iter()
        .enumerate()
        .fold(0, |found, (at, word)| found | gather(u64::from_le_bytes(*word)) << (8 * at))
}

/// Flags, the lowest bits of eight bytes whose other bits are zero, side by side.
fn gather(flags: u64) -> u64 {
    // Each product of a flag and a bit of the factor has a place of its own, so nothing carries.
    flags.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_its_bit() {
        for bits in 0..=u8::MAX {
            let bytes = std::array::from_fn(|at| bits >> at & 1);
            assert_eq!(gather(u64::from_le_bytes(bytes)), u64::from(bits));
        }
    }

    proptest::proptest! {
        #[test]
        fn every_sign_is_found_once_from_any_byte_on(text in "[a,\"\n\ré]{0,200}", from in 0_usize..200) {
            let bytes = text.as_bytes();
            let from = from.min(bytes.len());
            let mut marks = Marks::new(bytes, Dialect::default());
            let from = marks.next().map_or(0, |at| at + 1).max(from);
            marks.skip_to(from);
            let expected: Vec<usize> =
                (from..bytes.len()).filter(|at| b",\n\"".contains(&bytes[*at])).collect();
            let found: Vec<usize> = std::iter::from_fn(|| marks.next()).collect();
            proptest::prop_assert_eq!(found, expected);
        }
    }
}
