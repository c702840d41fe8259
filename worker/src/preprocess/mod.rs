//! From a table's columns to a model's: what is fitted to the training rows once, and done alike in training, scoring and
//! serving.
//!
//! Owns the transforms, one file each, and the raw form that they read: a row is one number for each input column, a missing
//! value is NaN, a text is its place in the column's [`Texts`], a time is its milliseconds since 1970 in UTC. Must not know of
//! tables, requests or targets.

mod category;
mod code;
mod encoder;
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

use serde::{Deserialize, Serialize};

pub use category::CategoryTransform;
pub use code::CodeTransform;
pub use encoder::Encoder;
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
        Encoder::new(self, texts)
    }
}

#[cfg(test)]
mod tests;
