//! From a table's columns to a model's: what is fitted to the training rows once, and done alike in training, scoring and
//! serving.
//!
//! Owns the transforms, one file each, and the raw form that they read: a row is one number for each input column, a missing
//! value is NaN, a text is its place in the column's [`Texts`], a time is its milliseconds since 1970 in UTC. Must not know of
//! tables, requests or targets.

mod category;
mod code;
mod hash;
mod number;
mod ordinal;
mod product;
mod raw;
mod scale;
mod target;
mod text;
mod texts;
mod time;

use ndarray::{Array2, ArrayView2, CowArray, Ix2};
use serde::{Deserialize, Serialize};

pub use category::CategoryTransform;
use category::place;
pub use code::CodeTransform;
pub use hash::HashTransform;
pub use number::NumberTransform;
pub use ordinal::OrdinalTransform;
pub use product::Product;
pub use raw::{Form, Input, RawRows, Spelling, whole_text};
pub use scale::ColumnScale;
pub use target::TargetTransform;
pub use text::{TextTransform, for_each_word};
pub use texts::Texts;
pub use time::{TIME_RANGE, TimeKind, TimeTransform, parse_time, shown_time};

/// What is done with one input column, by its name in `model.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Transform {
    /// A number, or true and false as 1 and 0.
    Number(NumberTransform),
    /// A text that is one of few: one column for each.
    Category(CategoryTransform),
    /// A text that is one of several, as a code.
    Code(CodeTransform),
    /// A text that is one of several in an order: its place.
    Ordinal(OrdinalTransform),
    /// A date or time: its parts.
    Time(TimeTransform),
    /// Prose: its words.
    Text(TextTransform),
    /// A text that is one of many: the mean of the target for it.
    Target(TargetTransform),
    /// A text that is one of many: the column that its hash tells.
    Hash(HashTransform),
}

impl Transform {
    /// How many of the model's columns it makes.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Number(number) => number.width(),
            Self::Category(category) => category.width(),
            Self::Code(_) | Self::Ordinal(_) => 1,
            Self::Time(time) => time.width(),
            Self::Text(text) => text.width(),
            Self::Target(target) => target.width(),
            Self::Hash(hash) => hash.width(),
        }
    }

    /// How many of its columns, from the first on, are numbers of a size of their own, which may be scaled: not those of 0 and 1, nor the
    /// weights of words.
    #[must_use]
    pub fn sized(&self) -> usize {
        match self {
            Self::Number(_) | Self::Ordinal(_) => 1,
            Self::Time(time) => time.parts(),
            Self::Target(target) => target.width(),
            Self::Category(_) | Self::Code(_) | Self::Text(_) | Self::Hash(_) => 0,
        }
    }

    /// The form of the values that it reads.
    #[must_use]
    pub fn form(&self) -> Form {
        match self {
            Self::Number(_) => Form::Number,
            Self::Category(_)
            | Self::Code(_)
            | Self::Ordinal(_)
            | Self::Text(_)
            | Self::Target(_)
            | Self::Hash(_) => Form::Text,
            Self::Time(_) => Form::Time,
        }
    }

    /// What is wrong with it.
    fn problem(&self) -> Option<String> {
        match self {
            Self::Number(number) => number.problem(),
            Self::Category(category) => category.problem(),
            Self::Code(code) => code.problem(),
            Self::Ordinal(ordinal) => ordinal.problem(),
            Self::Time(time) => time.problem(),
            Self::Text(text) => text.problem(),
            Self::Target(target) => target.problem(),
            Self::Hash(hash) => hash.problem(),
        }
    }
}

/// What is done with all input columns, in their order, which of their numbers are scaled, and which are multiplied: the model's columns
/// are what the transforms make, at their scale, and then the products of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Preprocessing {
    transforms: Vec<Transform>,
    scales: Vec<ColumnScale>,
    products: Vec<Product>,
}

impl Preprocessing {
    /// These transforms, one for each input column.
    #[must_use]
    pub fn new(transforms: Vec<Transform>) -> Self {
        Self { transforms, scales: Vec::new(), products: Vec::new() }
    }

    /// The same with these products.
    #[must_use]
    pub fn with_products(self, products: Vec<Product>) -> Self {
        Self { products, ..self }
    }

    /// The same with these scales, in the order of their columns.
    #[must_use]
    pub fn with_scales(self, scales: Vec<ColumnScale>) -> Self {
        Self { scales, ..self }
    }

    /// So many columns of numbers, none of them ever missing: the model's columns are the input columns.
    #[must_use]
    pub fn identity(columns: usize) -> Self {
        Self::new(vec![Transform::Number(NumberTransform::default()); columns])
    }

    /// Whether the model's columns are the input columns.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let is_kept = |transform: &Transform| matches!(transform, Transform::Number(number) if *number == NumberTransform::default());
        self.products.is_empty() && self.scales.is_empty() && self.transforms.iter().all(is_kept)
    }

    /// The transforms, one for each input column.
    #[must_use]
    pub fn transforms(&self) -> &[Transform] {
        &self.transforms
    }

    /// The scales of columns that the transforms make, in their order.
    #[must_use]
    pub fn scales(&self) -> &[ColumnScale] {
        &self.scales
    }

    /// The products, which are the model's last columns.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// How many columns the model has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.own_width() + self.products.len()
    }

    /// How many columns the transforms make.
    fn own_width(&self) -> usize {
        self.transforms.iter().map(Transform::width).sum()
    }

    /// What is wrong with a transform, if anything is.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let of_product = |product: &Product| product.problem(&self.transforms);
        self.transforms
            .iter()
            .find_map(Transform::problem)
            .or_else(|| self.problem_of_scales())
            .or_else(|| self.products.iter().find_map(of_product))
    }

    fn problem_of_scales(&self) -> Option<String> {
        if self.scales.is_empty() {
            return None;
        }
        let may_have_one = |transform: &Transform| {
            let sized = transform.sized();
            (0..transform.width()).map(move |part| part < sized)
        };
        let may_have_one: Vec<bool> = self.transforms.iter().flat_map(may_have_one).collect();
        scale::problem(&self.scales, &may_have_one)
    }

    /// Prepares to encode rows whose texts are these, one list for each input column.
    #[must_use]
    pub fn encoder<'a>(&'a self, texts: &'a [Texts]) -> Encoder<'a> {
        let none = Texts::default();
        let columns = self.transforms.iter().enumerate().map(|(column, transform)| {
            let texts = texts.get(column);
            let places = match transform {
                Transform::Category(category) => category.places(texts.unwrap_or(&none)),
                Transform::Code(code) => code.places(texts.unwrap_or(&none)),
                Transform::Ordinal(ordinal) => ordinal.places(texts.unwrap_or(&none)),
                Transform::Target(target) => target.places(texts.unwrap_or(&none)),
                Transform::Number(_) | Transform::Time(_) | Transform::Text(_) | Transform::Hash(_) => {
                    Vec::new()
                }
            };
            ColumnTexts { texts, places }
        });
        let starts = self.transforms.iter().scan(0, |start, transform| {
            let own = *start;
            *start += transform.width();
            Some(own)
        });
        let starts: Vec<usize> = starts.collect();
        // A number is the first of the columns that are made of it.
        let start = |place: u32| starts.get(place as usize).copied().unwrap_or(usize::MAX);
        let products = self.products.iter().map(|product| (start(product.first), start(product.second)));
        Encoder {
            preprocessing: self,
            columns: columns.collect(),
            products: products.collect(),
            own_width: self.own_width(),
        }
    }
}

/// Makes rows of a model's columns from raw rows.
#[derive(Debug)]
pub struct Encoder<'a> {
    preprocessing: &'a Preprocessing,
    columns: Vec<ColumnTexts<'a>>,
    /// The model's columns that each product is of.
    products: Vec<(usize, usize)>,
    own_width: usize,
}

/// The texts of an input column.
#[derive(Debug)]
struct ColumnTexts<'a> {
    texts: Option<&'a Texts>,
    /// Where each is among the column's categories, where it has some.
    places: Vec<Option<u32>>,
}

impl ColumnTexts<'_> {
    fn text(&self, value: f64) -> Option<&str> {
        self.texts?.get(place(value)?)
    }

    fn encode(&self, transform: &Transform, value: f64, out: &mut [f64]) {
        match transform {
            Transform::Number(number) => number.encode(value, out),
            Transform::Category(category) => category.encode(value, &self.places, out),
            Transform::Code(code) => code.encode(value, &self.places, out),
            Transform::Ordinal(ordinal) => ordinal.encode(value, &self.places, out),
            Transform::Time(time) => time.encode(value, out),
            Transform::Text(text) => text.encode(self.text(value), out),
            Transform::Target(target) => target.encode(value, &self.places, out),
            Transform::Hash(hash) => hash.encode(self.text(value), out),
        }
    }
}

impl Encoder<'_> {
    /// How many numbers a row becomes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.own_width + self.products.len()
    }

    /// Writes the model's columns for one raw row.
    pub fn encode_row(&self, raw: &[f64], out: &mut [f64]) {
        let Some((own, products)) = out.split_at_mut_checked(self.own_width) else { return };
        self.encode_columns(raw, own);
        for scale in &self.preprocessing.scales {
            if let Some(number) = own.get_mut(scale.column as usize) {
                *number = scale.apply(*number);
            }
        }
        let number = |column: usize| own.get(column).copied().unwrap_or(f64::NAN);
        for (out, (first, second)) in products.iter_mut().zip(&self.products) {
            *out = number(*first) * number(*second);
        }
    }

    fn encode_columns(&self, raw: &[f64], mut out: &mut [f64]) {
        for ((transform, value), column) in self.preprocessing.transforms.iter().zip(raw).zip(&self.columns) {
            let Some((own, rest)) = out.split_at_mut_checked(transform.width()) else { return };
            column.encode(transform, *value, own);
            out = rest;
        }
    }

    /// Writes what one input column becomes, before it is scaled.
    pub(crate) fn encode_column(&self, place: usize, value: f64, out: &mut [f64]) {
        if let (Some(transform), Some(column)) =
            (self.preprocessing.transforms.get(place), self.columns.get(place))
        {
            column.encode(transform, value, out);
        }
    }

    /// The model's columns for raw rows. They are the raw rows themselves where there is nothing to do.
    #[must_use]
    pub fn encode<'r>(&self, raw: ArrayView2<'r, f64>) -> CowArray<'r, f64, Ix2> {
        if self.preprocessing.is_identity() {
            return CowArray::from(raw);
        }
        let mut encoded = Array2::zeros((raw.nrows(), self.preprocessing.width()));
        for (raw, mut row) in raw.rows().into_iter().zip(encoded.rows_mut()) {
            if let Some(row) = row.as_slice_mut() {
                match raw.as_slice() {
                    Some(raw) => self.encode_row(raw, row),
                    None => self.encode_row(&raw.to_vec(), row),
                }
            }
        }
        CowArray::from(encoded)
    }
}

#[cfg(test)]
mod tests;
