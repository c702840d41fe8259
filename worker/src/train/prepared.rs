//! Preprocessing fitted to some rows, and the matrix that an algorithm learns from.
//!
//! Owns that nothing fitted has seen other rows than those to learn from: each fold fits its own. Where all columns are unscaled
//! numbers without holes, or the algorithm takes holes, the rows that were read are that matrix, and nothing is copied.

use std::ops::Deref;

use mlpipeline_crds::TrainColumn;

use super::columns::{Column, Treatment};
use super::crossed::Crossed;
use super::error::TrainError;
use super::interactions::names;
use super::learner::{Fitted, Learner, MatrixColumn, MatrixKind};
use super::matrix::{Matrix, Rows};
use super::samples::Samples;
use super::scales;
use super::target_means::TargetMeans;
use super::untested::check_learnt;
use super::vocabulary;
use crate::model::MAX_COLUMNS;
use crate::preprocess::{
    CategoryTransform, CodeTransform, HashTransform, NumberTransform, OrdinalTransform, Preprocessing, Texts,
    TimeTransform, Transform,
};
use crate::table::shown;

/// All rows as an algorithm sees them, prepared by what some of them are like.
pub(super) struct Prepared<'a> {
    pub(super) preprocessing: Preprocessing,
    /// As many rows as were read, in their order.
    pub(super) matrix: Encoded<'a>,
}

/// The rows as an algorithm sees them.
pub(super) enum Encoded<'a> {
    /// As they were read.
    Raw(&'a Matrix),
    /// Beside those that were read.
    Own(Matrix),
}

impl Deref for Encoded<'_> {
    type Target = Matrix;

    fn deref(&self) -> &Matrix {
        match self {
            Self::Raw(matrix) => matrix,
            Self::Own(matrix) => matrix,
        }
    }
}

impl<'a> Prepared<'a> {
    /// Fits to these rows, and prepares all of them.
    ///
    /// # Errors
    /// When the columns become too many, or the rows too large for memory.
    pub(super) fn fit(samples: &'a Samples, rows: &[u32]) -> Result<Self, TrainError> {
        let (preprocessing, crossed) = fit(samples, &Rows::new(&samples.raw, rows))?;
        samples.raw.check()?;
        let width = preprocessing.width();
        let streamed = samples.task.row_bytes(width);
        if preprocessing.is_identity() {
            samples.room.check(samples.raw.rows(), width, streamed)?;
            return Ok(Self { preprocessing, matrix: Encoded::Raw(&samples.raw) });
        }
        if width > MAX_COLUMNS {
            return Err(TrainError::Data(format!(
                "the features become {width} columns, and a model has at most {MAX_COLUMNS}; set maxCategories or maxTerms of \
                 columns with many texts, or leave some out, or products of interactions"
            )));
        }
        if width == 0 {
            let message = "all features are empty in the rows to learn from; there is nothing to learn from";
            return Err(TrainError::Data(message.to_owned()));
        }
        let mut matrix = samples.room.matrix_beside(&samples.raw, width, streamed)?;
        let encoder = preprocessing.encoder(&samples.texts);
        let mut row = vec![0.0; width];
        let mut places = vec![None; if crossed.is_empty() { 0 } else { samples.raw.rows() }];
        for (place, row) in rows.iter().enumerate() {
            if let Some(of_row) = places.get_mut(*row as usize) {
                *of_row = Some(place);
            }
        }
        for (number, raw) in samples.raw.iter().enumerate() {
            encoder.encode_row(&raw, &mut row);
            if let Some(place) = places.get(number).copied().flatten() {
                crossed.iter().for_each(|crossed| crossed.write(place, &mut row));
            }
            matrix.extend(&row);
        }
        samples.raw.check()?;
        matrix.check()?;
        Ok(Self { preprocessing, matrix: Encoded::Own(matrix) })
    }

    /// Learns from some of the rows what the samples' task is.
    ///
    /// # Errors
    /// As the algorithm.
    pub(super) fn learn(&self, samples: &Samples, rows: &[u32]) -> Result<Fitted, TrainError> {
        self.learn_by(None, samples, rows)
    }

    /// [`Prepared::learn`] by another learner than the task's.
    ///
    /// # Errors
    /// As the algorithm.
    pub(super) fn learn_by(
        &self,
        learner: Option<&Learner>,
        samples: &Samples,
        rows: &[u32],
    ) -> Result<Fitted, TrainError> {
        let transforms = samples.columns.iter().zip(self.preprocessing.transforms());
        let products = names(self.preprocessing.products(), &samples.columns);
        let products = products.iter().map(|name| MatrixColumn { name, kind: MatrixKind::Other });
        let columns: Vec<MatrixColumn<'_>> = transforms
            .flat_map(|(column, transform)| (0..transform.width()).map(move |part| (column, transform, part)))
            .map(|(column, transform, part)| MatrixColumn { name: &column.name, kind: kind(transform, part) })
            .chain(products)
            .collect();
        let rows = Rows::new(&self.matrix, rows).parted_by(samples.keys.parted_by());
        check_learnt(samples, &rows)?;
        let fitted = match learner {
            Some(learner) => samples.task.fit_by(learner, &rows, &columns),
            None => samples.task.fit(&rows, &columns),
        };
        // Rows that could not be read are why anything else went wrong.
        rows.check()?;
        fitted.map_err(|error| match error {
            TrainError::Feature { place, problem } => {
                let name = columns.get(place).map(|column| column.name).unwrap_or_default();
                TrainError::Data(format!("column \"{name}\" {problem}"))
            }
            other => other,
        })
    }
}

/// What a part of a column's columns is.
fn kind(transform: &Transform, part: usize) -> MatrixKind {
    match transform {
        Transform::Number(_) if part == 0 => MatrixKind::Number,
        Transform::Code(code) => MatrixKind::Codes(code.codes()),
        Transform::Time(_) if part == 0 => MatrixKind::Days,
        Transform::Time(_) => MatrixKind::PartOfTime,
        Transform::Number(_)
        | Transform::Category(_)
        | Transform::Ordinal(_)
        | Transform::Text(_)
        | Transform::Target(_)
        | Transform::Hash(_) => MatrixKind::Other,
    }
}

fn fit(samples: &Samples, rows: &Rows<'_>) -> Result<(Preprocessing, Vec<Crossed>), TrainError> {
    let (mut transforms, mut crossed, mut start) = (Vec::new(), Vec::new(), 0);
    for (place, column) in samples.columns.iter().enumerate() {
        let transform = if column.treatment == Treatment::Target {
            let TargetMeans { transform, crossed: means } = TargetMeans::fit(samples, place, rows.numbers())?;
            let transform = Transform::Target(transform);
            crossed.push(Crossed { start, width: transform.width(), means });
            transform
        } else {
            fit_column(samples, place, column, rows)?
        };
        start += transform.width();
        transforms.push(transform);
    }
    let preprocessing = Preprocessing::new(transforms).with_products(samples.products.clone());
    let scales = scales::fit(samples, &preprocessing, rows, &crossed);
    crossed.iter_mut().for_each(|crossed| crossed.scale(&scales));
    Ok((preprocessing.with_scales(scales), crossed))
}

/// Fits what is done with a column whatever the target.
fn fit_column(
    samples: &Samples,
    place: usize,
    column: &Column,
    rows: &Rows<'_>,
) -> Result<Transform, TrainError> {
    let (none, keeps_missing) = (Texts::default(), samples.task.takes_missing());
    let texts = samples.texts.get(place).unwrap_or(&none);
    let values = || rows.iter().map(|(_, row)| row.get(place).copied().unwrap_or(f64::NAN));
    let is_optional = samples.is_optional(place);
    let known = || values().filter(|value| !value.is_nan()).collect::<Vec<f64>>();
    let indicator = || values().any(f64::is_nan);
    Ok(match column.treatment {
        Treatment::Number(_) if !is_optional || keeps_missing => {
            Transform::Number(NumberTransform::default())
        }
        Treatment::Number(_) => Transform::Number(NumberTransform::fit(&mut known(), indicator())),
        Treatment::Category(limit) => match samples.task.most_codes() {
            Some(most) => Transform::Code(CodeTransform::fit(values(), texts, codes(column, limit, most)?)),
            None => {
                let limit = limit.unwrap_or(TrainColumn::DEFAULT_MAX_CATEGORIES.unsigned_abs() as usize);
                Transform::Category(CategoryTransform::fit(values(), texts, limit))
            }
        },
        Treatment::Ordinal => {
            let fitted = OrdinalTransform::fit(values(), texts, &column.order);
            Transform::Ordinal(fitted.map_err(|text| {
                TrainError::Data(format!(
                    "column \"{}\" holds {}, which its order does not name; add it to order, or make it empty in a prepare step",
                    column.name,
                    shown(&text)
                ))
            })?)
        }
        Treatment::Time(kind) if !is_optional || keeps_missing => {
            Transform::Time(TimeTransform { kind, impute: None, indicator: false, missing: is_optional })
        }
        Treatment::Time(kind) => Transform::Time(TimeTransform::fit(kind, &mut known(), indicator())),
        Treatment::Text(limit) => Transform::Text(vocabulary::fit(&column.name, values(), texts, limit)?),
        Treatment::Target => {
            return Err(TrainError::Internal("means of a target are fitted apart".to_owned()));
        }
        Treatment::Hash(buckets) => Transform::Hash(HashTransform { buckets }),
    })
}

/// How many texts of a column have codes of their own.
fn codes(column: &Column, limit: Option<usize>, most: usize) -> Result<usize, TrainError> {
    let limit = limit.unwrap_or(most);
    if limit > most {
        return Err(TrainError::Spec(format!(
            "columns: \"{}\" has maxCategories {limit}, and this algorithm takes at most {most} categories of a column; lower it",
            column.name
        )));
    }
    Ok(limit)
}
