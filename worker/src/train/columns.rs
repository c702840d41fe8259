//! What each column is taken as: by its type, or as the step says.
//!
//! Owns the choice. It is made once for a table, before any split, and looks at types and never at the target; what is fitted
//! to rows is fitted later.

use datafusion::arrow::datatypes::{DataType, Schema};
use mlpipeline_crds::{ColumnRole, Interaction, Scale, TrainColumn};

use super::error::TrainError;
use crate::features::{column_names, feature_kind, is_text, kind_name, value_type};
use crate::model::{FeatureKind, MAX_FEATURES};
use crate::preprocess::{Form, Input, Spelling, TimeKind};

/// A column to learn from.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) treatment: Treatment,
    /// Whether the step names the column, so that it is never left out.
    pub(super) asked_for: bool,
    /// The texts of an ordinal in their order, where it is said.
    pub(super) order: Vec<String>,
    /// How its numbers are brought to a common size.
    pub(super) scale: Scale,
}

/// What becomes of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    Number(FeatureKind),
    /// At most so many texts are distinguished; as many as the algorithm's default where none is given.
    Category(Option<usize>),
    /// Its place in an order.
    Ordinal,
    Time(TimeKind),
    /// At most so many words have a column.
    Text(usize),
    /// The mean of the target for each text.
    Target,
    /// So many columns, of which a hash tells one.
    Hash(u32),
}

impl Treatment {
    /// Whether what becomes of it are numbers of a size of their own.
    fn has_size(self) -> bool {
        match self {
            Self::Number(_) | Self::Ordinal | Self::Time(_) | Self::Target => true,
            Self::Category(_) | Self::Text(_) | Self::Hash(_) => false,
        }
    }
}

impl Column {
    /// The column as it is read for training. Whether a value may be missing later is known when all rows are read.
    pub(super) fn input(&self) -> Input {
        let form = match self.treatment {
            Treatment::Number(_) => Form::Number,
            Treatment::Category(_)
            | Treatment::Ordinal
            | Treatment::Text(_)
            | Treatment::Target
            | Treatment::Hash(_) => Form::Text,
            Treatment::Time(_) => Form::Time,
        };
        Input { name: self.name.clone(), form, optional: true, spelling: Spelling::default() }
    }
}

/// What a step says of the columns to learn from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The column to predict, where there is one.
    pub(super) target: Option<&'a str>,
    pub(super) features: &'a [String],
    pub(super) columns: &'a [TrainColumn],
    /// The scale of columns that say nothing else.
    pub(super) scale: Scale,
    pub(super) interactions: &'a [Interaction],
    /// A column that says which rows stay together, and is not learnt from unless the features name it, or the columns say what it is
    /// taken as.
    pub(super) group_by: Option<&'a str>,
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
        if let Some(target) = self.target {
            find(target, "target")?;
        }
        for (place, column) in self.columns.iter().enumerate() {
            let name = &column.name;
            find(name, "named")?;
            if self.target == Some(name.as_str()) {
                return Err(TrainError::Spec(format!(
                    "columns: \"{name}\" is the target, which is not learnt from"
                )));
            }
            if self.columns.iter().take(place).any(|earlier| earlier.name == *name) {
                return Err(TrainError::Spec(format!("columns: \"{name}\" is named twice; name it once")));
            }
            let mut ordered = std::collections::BTreeSet::new();
            if let Some(twice) = column.order.iter().find(|text| !ordered.insert(*text)) {
                return Err(TrainError::Spec(format!(
                    "columns: the order of \"{name}\" names \"{twice}\" twice; name each text once"
                )));
            }
        }
        let all = schema.fields().iter().map(|field| field.name());
        let is_left_out = |name: &str| {
            let is_set = |column: &TrainColumn| column.name == name && is_taken(column);
            self.target == Some(name) || self.group_by == Some(name) && !self.columns.iter().any(is_set)
        };
        let all = all.filter(|name| !is_left_out(name));
        let names: Vec<&String> =
            if self.features.is_empty() { all.collect() } else { self.features.iter().collect() };
        let mut seen = std::collections::BTreeSet::new();
        let mut columns = Vec::new();
        for name in names {
            let field = find(name, "feature")?;
            if self.target == Some(name.as_str()) {
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
            if asked.is_some_and(|asked| asked.taken_as == Some(ColumnRole::Target)) && self.target.is_none()
            {
                return Err(TrainError::Spec(format!(
                    "columns: \"{name}\" is taken as target, and the algorithm learns without one; take it as category or hash"
                )));
            }
            let treatment = treatment(name, value_type(field.data_type()), asked)?;
            let Some(treatment) = treatment else { continue };
            let order = asked.map(|asked| asked.order.clone()).unwrap_or_default();
            let scale = self.scale_of(name, treatment, asked.and_then(|asked| asked.scale))?;
            columns.push(Column { name: name.clone(), treatment, asked_for, order, scale });
        }
        match columns.len() {
            0 => Err(TrainError::Data(match self.target {
                Some(target) => format!(
                    "the training data have no column but the target \"{target}\"; there is nothing to learn from"
                ),
                None => "the training data have no column to learn from".to_owned(),
            })),
            count if count > MAX_FEATURES => Err(TrainError::Spec(format!(
                "features: there are {count}, and a model has at most {MAX_FEATURES}; name those to learn from"
            ))),
            _ => Ok(columns),
        }
    }
}

impl Asked<'_> {
    /// The scale of a column: its own, or the step's where it becomes numbers that can have one.
    fn scale_of(&self, name: &str, treatment: Treatment, own: Option<Scale>) -> Result<Scale, TrainError> {
        match own {
            Some(scale) if scale != Scale::None && !treatment.has_size() => Err(TrainError::Spec(format!(
                "columns: \"{name}\" has scale {}, and becomes columns of 0 and 1 or of the weights of words, which are not scaled; leave \
                 scale out, or take the column as number, ordinal, date or target",
                scale.name()
            ))),
            Some(scale) => Ok(scale),
            None if treatment.has_size() => Ok(self.scale),
            None => Ok(Scale::None),
        }
    }
}

/// What becomes of a column; none where it is to be ignored.
fn treatment(
    name: &str,
    data_type: &DataType,
    asked: Option<&TrainColumn>,
) -> Result<Option<Treatment>, TrainError> {
    let limit = |number: fn(&TrainColumn) -> Option<i32>, default: i32| {
        asked.and_then(number).unwrap_or(default).max(1).unsigned_abs()
    };
    let most = asked.and_then(|column| column.max_categories);
    let category = Treatment::Category(most.map(|most| most.max(1).unsigned_abs() as usize));
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
        Some(role @ (ColumnRole::Category | ColumnRole::Ordinal | ColumnRole::Target | ColumnRole::Hash))
            if !(is_text(data_type) || is_number) =>
        {
            let what = match role {
                ColumnRole::Category => "a category",
                ColumnRole::Ordinal => "an ordinal",
                _ => "what texts stand for",
            };
            let advice = format!(
                "texts, whole numbers and booleans can; cast it in a prepare step: CAST(\"{name}\" AS VARCHAR)"
            );
            return wrong(what, &advice);
        }
        Some(ColumnRole::Text) if !is_text(data_type) => {
            return wrong("text", "words are learnt from texts alone");
        }
        Some(ColumnRole::Date) if !(is_time || is_text(data_type)) => {
            return wrong("a date", "dates are dates, times, or texts such as 2024-02-29");
        }
        Some(ColumnRole::Category) => category,
        Some(ColumnRole::Ordinal) => Treatment::Ordinal,
        Some(ColumnRole::Date) => time,
        Some(ColumnRole::Text) => {
            Treatment::Text(limit(|column| column.max_terms, TrainColumn::DEFAULT_MAX_TERMS) as usize)
        }
        Some(ColumnRole::Target) => Treatment::Target,
        Some(ColumnRole::Hash) => {
            Treatment::Hash(limit(|column| column.buckets, TrainColumn::DEFAULT_BUCKETS))
        }
        None if is_text(data_type) => category,
        None if is_time => time,
        Some(ColumnRole::Number) | None => Treatment::Number(feature_kind(data_type)),
    }))
}
/// Whether a setting says what a column is taken as. A scale alone does not.
fn is_taken(column: &TrainColumn) -> bool {
    let TrainColumn { name: _, taken_as, max_categories, max_terms, buckets, order, scale: _ } = column;
    match taken_as {
        Some(role) => *role != ColumnRole::Ignore,
        None => max_categories.is_some() || max_terms.is_some() || buckets.is_some() || !order.is_empty(),
    }
}
