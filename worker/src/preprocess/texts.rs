//! The different texts of a column, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// Texts in the order in which they were first seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Texts {
    places: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Texts {
    /// The place of a text, which is added where it is new. 32 bits hold the places of all rows that training takes.
    pub fn place(&mut self, text: &str) -> u32 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let (place, text) = (self.texts.len() as u32, Arc::<str>::from(text));
        self.texts.push(Arc::clone(&text));
        self.places.insert(text, place);
        place
    }

    /// The text at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&str> {
        self.texts.get(place).map(AsRef::as_ref)
    }

    /// The texts, by place.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(AsRef::as_ref)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
