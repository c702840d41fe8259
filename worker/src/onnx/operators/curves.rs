//! Functions of one number that the standard library does not have.

/// 1 / (1 + e^-x), without overflow.
pub(super) fn sigmoid(value: f64) -> f64 {
    if value >= 0.0 {
        1.0 / (1.0 + (-value).exp())
    } else {
        let power = value.exp();
        power / (1.0 + power)
    }
}

/// ln(1 + e^x), without overflow.
pub(super) fn softplus(value: f64) -> f64 {
    value.max(0.0) + (-value.abs()).exp().ln_1p()
}

/// To the nearest whole number, and to the even one of two that are as near.
pub(super) fn round_half_even(value: f64) -> f64 {
    value.round_ties_even()
}

/// The error function: its Taylor series near 0, and a continued fraction of its complement elsewhere, to some 1e-15 (Abramowitz and
/// Stegun, Handbook of Mathematical Functions, 7.1.6 and 7.1.14).
pub(super) fn erf(value: f64) -> f64 {
    let size = value.abs();
    if size.is_nan() {
        return value;
    }
    let of_size = if size < 2.5 {
        let mut term = size;
        let mut sum = size;
        for place in 1..100 {
            term *= 2.0 * size * size / f64::from(2 * place + 1);
            sum += term;
            if term < sum * 1e-17 {
                break;
            }
        }
        sum * (-size * size).exp() * std::f64::consts::FRAC_2_SQRT_PI
    } else if size < 6.0 {
        let mut fraction = size;
        for place in (1..=60).rev() {
            fraction = size + f64::from(place) / 2.0 / fraction;
        }
        1.0 - (-size * size).exp() / fraction / std::f64::consts::PI.sqrt()
    } else {
        1.0
    };
    of_size.copysign(value)
}

/// The Gaussian error linear unit, or the form of it with a hyperbolic tangent.
pub(super) fn gelu(value: f64, by_tanh: bool) -> f64 {
    let share = if by_tanh {
        (std::f64::consts::FRAC_2_PI.sqrt() * (value + 0.044_715 * value.powi(3))).tanh()
    } else {
        erf(value * std::f64::consts::FRAC_1_SQRT_2)
    };
    0.5 * value * (1.0 + share)
}

/// The inverse of the normal distribution's, as the operators' post-transform PROBIT has it (Winitzki, A handy approximation for the
/// error function and its inverse, 2008).
pub(super) fn probit(value: f64) -> f64 {
    let inner = 2.0 * value - 1.0;
    let sign = if inner < 0.0 { -1.0 } else { 1.0 };
    let log = ((1.0 - inner) * (1.0 + inner)).ln();
    let first = 2.0 / (std::f64::consts::PI * 0.147) + 0.5 * log;
    let second = log / 0.147;
    std::f64::consts::SQRT_2 * sign * ((first * first - second).sqrt() - first).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_tables() {
        // Values of math.erf in Python.
        for (value, expected) in [
            (0.0, 0.0),
            (0.1, 0.112_462_916_018_284_9),
            (1.0, 0.842_700_792_949_714_9),
            (2.4, 0.999_311_486_103_354_9),
            (2.6, 0.999_763_965_583_470_7),
            (5.0, 0.999_999_999_998_462_5),
            (-1.5, -0.966_105_146_475_310_8),
            (f64::INFINITY, 1.0),
        ] {
            assert!((erf(value) - expected).abs() < 1e-14, "{value}: {}", erf(value));
        }
    }

    #[test]
    fn what_would_overflow_does_not() {
        assert_eq!((sigmoid(1000.0), sigmoid(-1000.0)), (1.0, 0.0));
        assert_eq!((softplus(1000.0), softplus(-1000.0)), (1000.0, 0.0));
        assert_eq!((round_half_even(2.5), round_half_even(-3.5)), (2.0, -4.0));
        assert!(gelu(1.0, false) - 0.841_344_746 < 1e-9 && (probit(0.975) - 1.96).abs() < 0.01);
    }
}
