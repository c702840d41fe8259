//! Raw rows from the columns of record batches: what training and scoring both read.
//!
//! Owns which values can be learnt from and predicted for, and the messages about those that are not. Must
//! not know what becomes of the numbers.

mod error;
mod reader;
mod values;

pub use crate::model::MAX_MAGNITUDE;
pub use error::FeatureError;
pub use reader::FeatureReader;
pub use values::{column_names, feature_kind, is_number, is_text, kind_name, numbers, shown, value_type};
