//! Values of one type in a shape, row after row.
//!
//! Owns the types that are computed with, and moving values without looking at them. Must not know operators.

use std::sync::Arc;

use super::kind::Kind;
use super::layout::{element_count, shown};
use super::problem::Problem;
use super::work::Work;

/// Values of one type in a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    values: Values,
}

/// The values, the last dimension's ones side by side.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit integers, and smaller ones.
    I32(Vec<i32>),
    /// Booleans.
    Bool(Vec<bool>),
    /// Texts.
    Text(Vec<Arc<str>>),
}

/// Something that tensors hold.
pub(super) trait Element: Clone {
    /// Its type.
    const KIND: Kind;
    /// Many of it.
    fn values(many: Vec<Self>) -> Values;
    /// The values, where they are of this type.
    fn of(values: &Values) -> Option<&[Self]>;
}

macro_rules! element {
    ($($variant:ident: $type:ty),*) => {$(
        impl Element for $type {
            const KIND: Kind = Kind::$variant;
            fn values(many: Vec<Self>) -> Values {
                Values::$variant(many)
            }
            fn of(values: &Values) -> Option<&[Self]> {
                if let Values::$variant(values) = values { Some(values) } else { None }
            }
        }
    )*};
}
element!(F32: f32, F64: f64, I64: i64, I32: i32, Bool: bool, Text: Arc<str>);

/// Calls a macro's body with the values of whatever type.
macro_rules! each_kind {
    ($values:expr, $found:ident => $body:expr) => {
        match $values {
            Values::F32($found) => $body,
            Values::F64($found) => $body,
            Values::I64($found) => $body,
            Values::I32($found) => $body,
            Values::Bool($found) => $body,
            Values::Text($found) => $body,
        }
    };
}

impl Values {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        each_kind!(self, values => values.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that they take. Texts count wherever they stand, though tensors may share them, since none of the tensors may be the
    /// last; but for one that follows on itself, as one does that was repeated.
    pub(super) fn size(&self) -> usize {
        let places = self.len().saturating_mul(self.kind().size());
        let Self::Text(texts) = self else { return places };
        let mut before: Option<&Arc<str>> = None;
        texts.iter().fold(places, |size, text| {
            let is_same = before.replace(text).is_some_and(|before| Arc::ptr_eq(before, text));
            if is_same { size } else { size.saturating_add(text.len()) }
        })
    }

    /// Their type.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::F32(_) => Kind::F32,
            Self::F64(_) => Kind::F64,
            Self::I64(_) => Kind::I64,
            Self::I32(_) => Kind::I32,
            Self::Bool(_) => Kind::Bool,
            Self::Text(_) => Kind::Text,
        }
    }

    /// So many from a place on; fewer where there are not as many.
    pub(super) fn part(&self, start: usize, count: usize) -> Self {
        fn part<T: Element>(values: &[T], start: usize, count: usize) -> Values {
            let rest = values.get(start..).unwrap_or_default();
            T::values(rest.get(..count).unwrap_or(rest).to_vec())
        }
        each_kind!(self, values => part(values, start, count))
    }

    /// Adds others behind these; says whether they are of the same type.
    pub(super) fn extend(&mut self, others: &Self) -> bool {
        fn add<T: Element>(values: &mut Vec<T>, others: &Values) -> bool {
            T::of(others).map(|others| values.extend_from_slice(others)).is_some()
        }
        each_kind!(self, values => add(values, others))
    }

    /// Those at these places, in this order; places beyond the end are left out.
    pub(super) fn take(&self, places: &[usize]) -> Self {
        fn taken<T: Element>(values: &[T], places: &[usize]) -> Values {
            T::values(places.iter().filter_map(|place| values.get(*place).cloned()).collect())
        }
        each_kind!(self, values => taken(values, places))
    }
}

impl Tensor {
    /// Values in a shape.
    ///
    /// # Errors
    /// When there are not as many as the shape has places.
    pub(super) fn new<T: Element>(shape: Vec<usize>, values: Vec<T>) -> Result<Self, Problem> {
        Self::of_values(shape, T::values(values))
    }

    /// Values of any type in a shape.
    ///
    /// # Errors
    /// When there are not as many as the shape has places.
    pub fn shaped(shape: Vec<usize>, values: Values) -> Result<Self, Problem> {
        Self::of_values(shape, values)
    }

    /// [`Tensor::new`] of any type.
    pub(super) fn of_values(shape: Vec<usize>, values: Values) -> Result<Self, Problem> {
        if element_count(&shape)? != values.len() {
            let found = values.len();
            return Err(Problem::graph(format!("{found} values do not fit the shape {}", shown(&shape))));
        }
        Ok(Self { shape, values })
    }

    /// A column of values: rows × 1.
    ///
    /// # Errors
    /// None is known.
    pub fn column(values: Values, flat: bool) -> Result<Self, Problem> {
        let shape = if flat { vec![values.len()] } else { vec![values.len(), 1] };
        Self::of_values(shape, values)
    }

    /// Rows × columns.
    ///
    /// # Errors
    /// When the values are not as many.
    pub fn matrix(values: Values, columns: usize) -> Result<Self, Problem> {
        let rows = values.len() / columns.max(1);
        Self::of_values(vec![rows, columns], values)
    }

    /// The lengths of its dimensions.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its values.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The type of its values.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.values.kind()
    }

    /// How many values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The bytes that it takes.
    pub(super) fn size(&self) -> usize {
        self.values.size()
    }

    /// The values as those of one type.
    pub(super) fn as_slice<T: Element>(&self) -> Result<&[T], Problem> {
        T::of(&self.values).ok_or_else(|| {
            let (wanted, found) = (T::KIND.name(), self.kind().name());
            Problem::graph(format!("an input of type {wanted} is needed, and it is {found}"))
        })
    }

    /// The same values in another shape.
    pub(super) fn with_shape(&self, shape: Vec<usize>, work: &mut Work) -> Result<Self, Problem> {
        work.reserve(&shape, self.kind())?;
        Self::of_values(shape, self.values.clone())
    }

    /// The first dimension, and the product of the others: rows × width. A list is rows × 1.
    pub(super) fn rows(&self) -> (usize, usize) {
        match self.shape.split_first() {
            Some((rows, rest)) => (*rows, rest.iter().product()),
            None => (1, 1),
        }
    }

    /// Whole numbers of either width, for shapes, axes and places.
    pub(super) fn integers(&self) -> Result<Vec<i64>, Problem> {
        match &self.values {
            Values::I64(values) => Ok(values.clone()),
            Values::I32(values) => Ok(values.iter().map(|value| i64::from(*value)).collect()),
            Values::F32(_) | Values::F64(_) | Values::Bool(_) | Values::Text(_) => Err(Problem::graph(
                format!("an input of whole numbers is needed, and it is {}", self.kind().name()),
            )),
        }
    }

    /// Numbers of any type as 64-bit floats.
    ///
    /// # Errors
    /// When they are texts.
    pub fn numbers(&self) -> Result<Vec<f64>, Problem> {
        Ok(match &self.values {
            Values::F32(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Values::F64(values) => values.clone(),
            Values::I64(values) => values.iter().map(|value| *value as f64).collect(),
            Values::I32(values) => values.iter().map(|value| f64::from(*value)).collect(),
            Values::Bool(values) => values.iter().map(|value| f64::from(u8::from(*value))).collect(),
            Values::Text(_) => {
                return Err(Problem::graph("an input of numbers is needed, and it is texts".to_owned()));
            }
        })
    }
}
