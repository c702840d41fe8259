//! From raw rows to the model's columns, by transforms that are fitted.
//!
//! Owns the order: what the transforms make, then its scale, then products of it.

use ndarray::{Array2, ArrayView2, CowArray, Ix2};

use super::category::place;
use super::{Preprocessing, Texts, Transform};

/// Makes rows of a model's columns from raw rows.
#[derive(Debug)]
pub struct Encoder<'a> {
    preprocessing: &'a Preprocessing,
    columns: Vec<ColumnTexts<'a>>,
    /// The model's columns that each product is of.
    products: Vec<(usize, usize)>,
    own_width: usize,
}

impl<'a> Encoder<'a> {
    /// Of rows whose texts are these, one list for each input column.
    pub(super) fn new(preprocessing: &'a Preprocessing, texts: &'a [Texts]) -> Self {
        let none = Texts::default();
        let columns = preprocessing.transforms.iter().enumerate().map(|(column, transform)| {
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
        let starts = preprocessing.transforms.iter().scan(0, |start, transform| {
            let own = *start;
            *start += transform.width();
            Some(own)
        });
        let starts: Vec<usize> = starts.collect();
        // A number is the first of the columns that are made of it.
        let start = |place: u32| starts.get(place as usize).copied().unwrap_or(usize::MAX);
        let products =
            preprocessing.products.iter().map(|product| (start(product.first), start(product.second)));
        Self {
            preprocessing,
            columns: columns.collect(),
            products: products.collect(),
            own_width: preprocessing.own_width(),
        }
    }
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
