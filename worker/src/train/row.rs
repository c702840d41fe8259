//! One row of a matrix, wherever the matrix lies.
//!
//! Owns that an algorithm sees a slice of numbers whether the rows are held in memory or were read from the scratch file. Must not
//! know how they are read.

use std::ops::{Deref, Range};
use std::rc::Rc;

/// The numbers of one row.
#[derive(Clone, Debug)]
pub struct Row<'a>(Place<'a>);

#[derive(Clone, Debug)]
enum Place<'a> {
    /// In the matrix.
    Held(&'a [f64]),
    /// In a block of rows that were read together, which lives as long as one of its rows is in use.
    Read(Rc<Vec<f64>>, Range<usize>),
}

impl<'a> Row<'a> {
    /// A row that is in memory.
    pub(super) fn held(numbers: &'a [f64]) -> Self {
        Self(Place::Held(numbers))
    }

    /// A row of a block that was read.
    pub(super) fn read(block: &Rc<Vec<f64>>, place: Range<usize>) -> Self {
        Self(Place::Read(Rc::clone(block), place))
    }
}

impl Deref for Row<'_> {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        match &self.0 {
            Place::Held(numbers) => numbers,
            Place::Read(block, place) => block.get(place.clone()).unwrap_or_default(),
        }
    }
}
