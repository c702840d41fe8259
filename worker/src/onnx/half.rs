//! 16-bit floats: they are read as 32-bit ones, computed with as such, and rounded where a graph says so.

use super::proto::data_type;
use super::tensor::{Tensor, Values};

/// To which floats values are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rounding {
    /// To none: they stay as they are.
    None,
    /// Those of IEEE 754: 11 bits of precision, up to 65504.
    Half,
    /// The first 16 bits of a 32-bit one: 8 bits of precision.
    Brain,
}

impl Rounding {
    /// What a type of the file's means.
    pub(super) fn of(code: i32) -> Self {
        match code {
            data_type::FLOAT16 => Self::Half,
            data_type::BFLOAT16 => Self::Brain,
            _ => Self::None,
        }
    }

    /// Rounds the values of a tensor of 32-bit floats.
    pub(super) fn apply(self, tensor: Tensor) -> Tensor {
        let round: fn(f32) -> f32 = match self {
            Self::None => return tensor,
            Self::Half => to_half,
            Self::Brain => to_brain,
        };
        let Values::F32(values) = tensor.values() else { return tensor };
        let values = Values::F32(values.iter().map(|value| round(*value)).collect());
        // As many values as before.
        Tensor::of_values(tensor.shape().to_vec(), values).unwrap_or(tensor)
    }
}

/// The float of 16 bits of IEEE 754: a sign, 5 bits of exponent, 10 of the fraction.
pub(super) fn of_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        exponent => (fraction + 1024.0) * 2_f32.powi(exponent - 25),
    }
}

/// The float of the first 16 of 32 bits.
pub(super) fn of_brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The nearest float of 16 bits of IEEE 754; of two as near, the even one.
fn to_half(value: f32) -> f32 {
    /// Half a step beyond the largest.
    const BEYOND: f32 = 65520.0;
    if !value.is_finite() || value == 0.0 {
        return value;
    }
    if value.abs() >= BEYOND {
        return f32::INFINITY.copysign(value);
    }
    let exponent = (value.to_bits() >> 23 & 0xff) as i32 - 127;
    let step = 2_f32.powi(exponent.max(-14) - 10);
    ((value / step).round_ties_even() * step).copysign(value)
}

/// The nearest float of the first 16 of 32 bits; of two as near, the even one.
fn to_brain(value: f32) -> f32 {
    if !value.is_finite() {
        return value;
    }
    let bits = value.to_bits();
    f32::from_bits(bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_16_bit_float_is_what_it_is_rounded_to() {
        for bits in 0..=u16::MAX {
            for (value, round) in [(of_half(bits), to_half as fn(f32) -> f32), (of_brain(bits), to_brain)] {
                let rounded = round(value);
                assert!(rounded == value || value.is_nan() && rounded.is_nan(), "{bits:#x}: {value}");
            }
        }
    }

    #[test]
    fn floats_between_are_rounded_to_the_nearest_and_to_the_even_of_two() {
        for (value, half, brain) in [
            (1.0 + 2_f32.powi(-11), 1.0, 1.0),
            (1.0 + 3.0 * 2_f32.powi(-11), 1.0 + 2_f32.powi(-9), 1.0),
            (1.0 + 2_f32.powi(-11) + 2_f32.powi(-20), 1.0 + 2_f32.powi(-10), 1.0),
            (65519.0, 65504.0, 65536.0),
            (-65520.0, f32::NEG_INFINITY, -65536.0),
            (2_f32.powi(-25), 0.0, 2_f32.powi(-25)),
            (3.0 * 2_f32.powi(-26), 2_f32.powi(-24), 3.0 * 2_f32.powi(-26)),
            (1.0 + 2_f32.powi(-8), 1.0 + 2_f32.powi(-8), 1.0),
            (1.0 + 3.0 * 2_f32.powi(-8), 1.0 + 3.0 * 2_f32.powi(-8), 1.0 + 2_f32.powi(-6)),
            (f32::MAX, f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!((to_half(value), to_brain(value)), (half, brain), "{value}");
        }
    }
}
