//! Flags of eight bytes as eight bits.

/// The lowest bits of eight bytes, side by side; the other bits of the bytes must be zero.
pub(crate) fn gather(flags: u64) -> u64 {
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
}
