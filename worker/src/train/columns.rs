//! What each column is taken as: by its type, or as the step says.
//!
//! Owns the choice. It is made once for a table, before any split, and looks at types and never at the target; what is fitted
//! to rows is fitted later.

use datafusion::arrow::datatypes::{DataType, Schema};
use mlpipeline_crds::{ColumnRole, TrainColumn};

use super::error::TrainError;
use crate::features::{column_names, feature_kind, is_text, kind_name, value_type};
use crate::model::{FeatureKind, MAX_FEATURES};
use crate::preprocess::{Form, Input, TimeKind};

/// A column to learn from.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) treatment: Treatment,
    /// Whether the step names the column, so that it is never left out.
    pub(super) asked_for: bool,
}

/// What becomes of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Number(FeatureKind),
    /// At most so many texts have a column.
    Category(usize),
    Time(TimeKind),
}

impl Column {
    /// The column as it is read for training. Whether a value may be missing later is known when all rows are read.
    pub(super) fn input(&self) -> Input {
        let form = match self.treatment {
            Treatment::Number(_) => Form::Number,
            Treatment::Category(_) => Form::Text,
            Treatment::Time(_) => Form::Time,
        };
        Input { name: self.name.clone(), form, optional: true }
    }
}

/// What a step says of the columns to learn from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) target: &'a str,
    pub(super) features: &'a [String],
    pub(super) columns: &'a [TrainColumn],
}

impl Asked<'_> {
    /// The columns to learn from: those that are asked for, or all but the target; without those to be ignored.
    ///
    /// # Errors
    /// When a column is missing, named twice, the target, or cannot be taken as the step says; or when none is left.
    pub(super) fn choose(&self, schema: &Schema) -> Result<Vec<Column>, TrainError> {
        let find = |name: &str, role| {
            schema.field_with_name(name).map_err(|_| TrainError::ColumnNotFound {
                role,
                name: name.to_owned(),
                columns: column_names(schema),
            })
        };
        find(self.target, "target")?;
        for column in self.columns {
            find(&column.name, "named")?;
        }
        let all = schema.fields().iter().map(|field| field.name()).filter(|name| *name != self.target);
        let names: Vec<&String> =
            if self.features.is_empty() { all.collect() } else { self.features.iter().collect() };
        let mut seen = std::collections::BTreeSet::new();
        let mut columns = Vec::new();
        for name in names {
            let field = find(name, "feature")?;
            if name == self.target {
                return Err(TrainError::Spec(format!(
                    "features: \"{name}\" is the target, which cannot be learnt from; leave it out of the features"
                )));
            }
            if !seen.insert(name) {
                return Err(TrainError::Spec(format!("features: \"{name}\" is named twice; name it once")));
            }
            let asked = self.columns.iter().find(|column| column.name == *name);
            let asked_for =
                !self.features.is_empty() || asked.is_some_and(|column| column.taken_as.is_some());
            let treatment = treatment(name, value_type(field.data_type()), asked)?;
            columns.extend(treatment.map(|treatment| Column { name: name.clone(), treatment, asked_for }));
        }
        match columns.len() {
            0 => Err(TrainError::Data(format!(
                "the training data have no column but the target \"{}\"; there is nothing to learn from",
                self.target
            ))),
            count if count > MAX_FEATURES => Err(TrainError::Spec(format!(
                "features: there are {count}, and a model has at most {MAX_FEATURES}; name those to learn from"
            ))),
            _ => Ok(columns),
        }
    }
}

/// What becomes of a column; none where it is to be ignored.
fn treatment(
    name: &str,
    data_type: &DataType,
    asked: Option<&TrainColumn>,
) -> Result<Option<Treatment>, TrainError> {
    let limit = asked.and_then(|column| column.max_categories).unwrap_or(TrainColumn::DEFAULT_MAX_CATEGORIES);
    let category = Treatment::Category(usize::try_from(limit).unwrap_or(1).max(1));
    let (time, is_time) = match data_type {
        DataType::Date32 | DataType::Date64 => (Treatment::Time(TimeKind::Date), true),
        DataType::Timestamp(..) => (Treatment::Time(TimeKind::Timestamp), true),
        _ => (Treatment::Time(TimeKind::Timestamp), false),
    };
    let is_number = data_type.is_numeric() || matches!(data_type, DataType::Boolean);
    let wrong = |role: &str, advice: &str| {
        Err(TrainError::Spec(format!(
            "columns: \"{name}\" holds {}, and cannot be taken as {role}; {advice}",
            kind_name(data_type)
        )))
    };
    Ok(Some(match asked.and_then(|column| column.taken_as) {
        Some(ColumnRole::Ignore) => return Ok(None),
        Some(ColumnRole::Number) if !is_number => {
            let advice = format!("cast it in a prepare step: CAST(\"{name}\" AS DOUBLE)");
            return wrong("a number", &advice);
        }
        Some(ColumnRole::Category)
            if !(is_text(data_type) || data_type.is_integer() || *data_type == DataType::Boolean) =>
        {
            return wrong("a category", "categories are texts, whole numbers or booleans");
        }
        Some(ColumnRole::Date) if !(is_time || is_text(data_type)) => {
            return wrong("a date", "dates are dates, times, or texts such as 2024-02-29");
        }
        Some(ColumnRole::Category) => category,
        Some(ColumnRole::Date) => time,
        None if is_text(data_type) => category,
        None if is_time => time,
        Some(ColumnRole::Number) | None => Treatment::Number(feature_kind(data_type)),
    }))
}
