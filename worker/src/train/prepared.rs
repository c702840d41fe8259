//! Preprocessing fitted to some rows, and the matrix that an algorithm learns from.
//!
//! Owns that nothing fitted has seen other rows than those to learn from: each fold fits its own. Where all columns are
//! numbers without holes, the rows that were read are that matrix, and nothing is copied.

use std::borrow::Cow;

use super::columns::Treatment;
use super::error::TrainError;
use super::matrix::{Matrix, Rows};
use super::memory::check_memory;
use super::samples::Samples;
use crate::model::MAX_COLUMNS;
use crate::preprocess::{CategoryTransform, NumberTransform, Preprocessing, Texts, TimeTransform, Transform};

/// All rows as an algorithm sees them, prepared by what some of them are like.
pub(super) struct Prepared<'a> {
    pub(super) preprocessing: Preprocessing,
    /// As many rows as were read, in their order.
    pub(super) matrix: Cow<'a, Matrix>,
}

impl<'a> Prepared<'a> {
    /// Fits to these rows, and prepares all of them.
    ///
    /// # Errors
    /// When the columns become too many, or the rows too large for memory.
    pub(super) fn fit(samples: &'a Samples, rows: &[u32]) -> Result<Self, TrainError> {
        let preprocessing = fit(samples, &Rows::new(&samples.raw, rows));
        if preprocessing.is_identity() {
            return Ok(Self { preprocessing, matrix: Cow::Borrowed(&samples.raw) });
        }
        let width = preprocessing.width();
        if width > MAX_COLUMNS {
            return Err(TrainError::Data(format!(
                "the features become {width} columns, and a model has at most {MAX_COLUMNS}; set maxCategories of columns with \
                 many texts, or leave some out"
            )));
        }
        if width == 0 {
            let message = "all features are empty in the rows to learn from; there is nothing to learn from";
            return Err(TrainError::Data(message.to_owned()));
        }
        check_memory(samples.raw.rows(), samples.raw.width() + width)?;
        let encoder = preprocessing.encoder(&samples.texts);
        let (mut matrix, mut row) = (Matrix::new(width), vec![0.0; width]);
        for number in 0..samples.raw.rows() {
            encoder.encode_row(samples.raw.row(number), &mut row);
            matrix.extend(&row);
        }
        Ok(Self { preprocessing, matrix: Cow::Owned(matrix) })
    }
}

fn fit(samples: &Samples, rows: &Rows<'_>) -> Preprocessing {
    let none = Texts::default();
    let transforms = samples.columns.iter().enumerate().map(|(place, column)| {
        let values = || rows.iter().map(|(_, row)| row.get(place).copied().unwrap_or(f64::NAN));
        let is_optional = samples.is_optional(place);
        let known = || values().filter(|value| !value.is_nan()).collect::<Vec<f64>>();
        let indicator = || values().any(f64::is_nan);
        match column.treatment {
            Treatment::Number(_) if !is_optional => Transform::Number(NumberTransform::default()),
            Treatment::Number(_) => Transform::Number(NumberTransform::fit(&mut known(), indicator())),
            Treatment::Category(limit) => {
                let texts = samples.texts.get(place).unwrap_or(&none);
                Transform::Category(CategoryTransform::fit(values(), texts, limit))
            }
            Treatment::Time(kind) if !is_optional => {
                Transform::Time(TimeTransform { kind, impute: None, indicator: false })
            }
            Treatment::Time(kind) => Transform::Time(TimeTransform::fit(kind, &mut known(), indicator())),
        }
    });
    Preprocessing::new(transforms.collect())
}
