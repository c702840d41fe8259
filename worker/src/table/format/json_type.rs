//! The kinds of values that JSON objects hold, and the types of columns that hold them all.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, SchemaRef};
use mlpipeline_crds::ColumnType;

use crate::table::text::{ExpectedTypes, type_of};

pub(super) const BOOLEAN: u8 = 1;
pub(super) const INTEGER: u8 = 1 << 1;
pub(super) const FLOAT: u8 = 1 << 2;
pub(super) const TEXT: u8 = 1 << 3;
/// A whole number of 64 bits that a number with a fraction does not hold exactly.
pub(super) const BIG_INTEGER: u8 = 1 << 4;

/// The kinds of values that were met at one place. Nulls say nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    /// The type that the spec names; of columns alone.
    pub declared: Option<ColumnType>,
    /// The type that a column is to have where all its values are of it.
    expected: Option<ColumnType>,
    /// Which scalars, as a set of bits.
    pub scalars: u8,
    /// What arrays hold.
    pub items: Option<Box<Kinds>>,
    /// What objects hold.
    pub object: Option<Box<JsonKinds>>,
}

/// The kinds of values that were met under each key of an object, in the order in which the keys were first met.
#[derive(Clone, Debug, Default)]
pub(super) struct JsonKinds {
    types: Arc<ColumnTypes>,
    pub keys: Vec<(String, Kinds)>,
    places: HashMap<String, usize>,
    /// How many objects were met.
    pub objects: u64,
    /// The last object that had each key, by the key's place.
    last: Vec<u64>,
}

/// What is known of columns' types before a value is met.
#[derive(Debug, Default)]
pub(super) struct ColumnTypes {
    /// Those that the spec names.
    pub declared: BTreeMap<String, ColumnType>,
    /// Those that columns are to have if they can.
    pub expected: ExpectedTypes,
    /// Those that they had in an earlier file, which say what a value that is missing, null or empty would be.
    pub before: Option<SchemaRef>,
}

impl JsonKinds {
    /// Nothing met yet of columns of which this is known.
    pub(super) fn new(types: Arc<ColumnTypes>) -> Self {
        Self { types, ..Self::default() }
    }

    /// Adds what was met elsewhere, later.
    pub(super) fn merge(&mut self, other: Self) {
        self.objects += other.objects;
        for (key, kinds) in other.keys {
            let place = self.place(key);
            if let Some((_, own)) = self.keys.get_mut(place) {
                own.merge(kinds);
            }
        }
    }

    /// The columns, each with the narrowest type that holds every value: integers and other numbers together are numbers
    /// with a fraction, other scalars together are text.
    pub(super) fn fields(&self) -> Result<Vec<Field>, String> {
        self.fields_below("", self.types.before.as_ref().map(|before| before.fields()))
    }

    /// The fields of an earlier file in their order, whether they are met here or not, and then the others.
    fn fields_below(&self, path: &str, before: Option<&Fields>) -> Result<Vec<Field>, String> {
        let typed = |key: &str, kinds: &Kinds, before: Option<&DataType>| {
            Ok(Field::new(key, kinds.data_type(&format!("{path}{key}"), before)?, true))
        };
        let known = before.into_iter().flatten().map(|field| {
            let place = self.places.get(field.name()).and_then(|place| self.keys.get(*place));
            match place {
                Some((key, kinds)) => typed(key, kinds, Some(field.data_type())),
                None => Ok(Field::clone(field)),
            }
        });
        let is_known = |key: &str| before.is_some_and(|before| before.find(key).is_some());
        let others = self.keys.iter().filter(|(key, _)| !is_known(key));
        known.chain(others.map(|(key, kinds)| typed(key, kinds, None))).collect()
    }

    /// Whether some value of a key is a text.
    pub(super) fn has_text(&self, key: &str) -> bool {
        let kinds = self.places.get(key).and_then(|place| self.keys.get(*place));
        kinds.is_some_and(|(_, kinds)| kinds.scalars & TEXT != 0)
    }

    /// Whether the current object had the key at a place before.
    pub(super) fn is_repeated(&mut self, place: usize) -> bool {
        self.last.resize(self.keys.len().max(self.last.len()), 0);
        let current = self.objects;
        self.last.get_mut(place).is_some_and(|last| std::mem::replace(last, current) == current)
    }

    /// Where a key stands, which is met here or was before.
    pub(super) fn place(&mut self, key: String) -> usize {
        *self.places.entry(key).or_insert_with_key(|key| {
            let (declared, expected) =
                (self.types.declared.get(key).copied(), self.types.expected.get(key).copied());
            self.keys.push((key.clone(), Kinds { declared, expected, ..Kinds::default() }));
            self.keys.len() - 1
        })
    }
}

impl Kinds {
    fn merge(&mut self, other: Self) {
        self.scalars |= other.scalars;
        if let Some(items) = other.items {
            self.items.get_or_insert_default().merge(*items);
        }
        if let Some(object) = other.object {
            self.object.get_or_insert_default().merge(*object);
        }
    }

    /// The type that holds all that was met; `before` is that of the same place in an earlier file.
    fn data_type(&self, path: &str, before: Option<&DataType>) -> Result<DataType, String> {
        if let Some(declared) = self.declared {
            return Ok(type_of(declared));
        }
        match (self.scalars, &self.items, &self.object) {
            (scalars, None, None)
                if let Some(expected) = self.expected.filter(|expected| holds(*expected, scalars)) =>
            {
                Ok(type_of(expected))
            }
            (0, None, None) => Ok(before.cloned().unwrap_or(DataType::Utf8)),
            (0, Some(items), None) => {
                let before = match before {
                    Some(DataType::List(item)) => Some(item.data_type()),
                    _ => None,
                };
                let item = items.data_type(&format!("{path}[]"), before)?;
                Ok(DataType::List(Field::new_list_field(item, true).into()))
            }
            (0, None, Some(object)) => {
                let before = match before {
                    Some(DataType::Struct(fields)) => Some(fields),
                    _ => None,
                };
                Ok(DataType::Struct(object.fields_below(&format!("{path}."), before)?.into()))
            }
            (scalars, None, None) => Ok(match scalars {
                BOOLEAN => DataType::Boolean,
                found if found & !(INTEGER | BIG_INTEGER) == 0 => DataType::Int64,
                found if found & FLOAT != 0 && found & !(INTEGER | FLOAT) == 0 => DataType::Float64,
                _ => DataType::Utf8,
            }),
            (scalars, items, object) => {
                let found: Vec<&str> = [
                    (scalars != 0, "plain values"),
                    (items.is_some(), "arrays"),
                    (object.is_some(), "objects"),
                ]
                .into_iter()
                .filter_map(|(met, what)| met.then_some(what))
                .collect();
                Err(format!(
                    "\"{path}\" holds {} in different lines; a column holds one kind",
                    found.join(" and ")
                ))
            }
        }
    }
}

/// Whether a column of this type holds all scalars of these kinds as they are written. Any scalar can be a text, and JSON has no dates.
fn holds(expected: ColumnType, scalars: u8) -> bool {
    let allowed = match expected {
        ColumnType::Text => u8::MAX,
        ColumnType::Integer => INTEGER | BIG_INTEGER,
        ColumnType::Number => INTEGER | FLOAT,
        ColumnType::Boolean => BOOLEAN,
        ColumnType::Date | ColumnType::Timestamp => 0,
    };
    scalars & !allowed == 0
}
