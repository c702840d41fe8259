//! The L2 penalty of linear models.

use super::error::TrainError;

/// Checks the strength of a penalty.
pub(super) fn check_alpha(field: &str, alpha: f64) -> Result<(), TrainError> {
    if alpha.is_finite() && alpha >= 0.0 {
        Ok(())
    } else {
        Err(TrainError::Spec(format!("{field}.alpha is {alpha}, and must be a number of 0 or more")))
    }
}
