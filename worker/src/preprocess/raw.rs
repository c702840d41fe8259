//! Raw rows: the values of a table or request as they come, before anything fitted sees them.

use super::Texts;

/// The form of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Numbers; true and false are 1 and 0.
    Number,
    /// True and false, or 1 and 0.
    Boolean,
    /// Texts.
    Text,
    /// Dates and times.
    Time,
}

/// A column to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// The form of its values.
    pub form: Form,
    /// Whether a value may be missing.
    pub optional: bool,
    /// How its texts spell booleans, where it is of texts.
    pub spelling: Spelling,
}

/// How the texts of a column spell false and true: a file whose column happens to hold nothing else is read as one of booleans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    no: String,
    yes: String,
}

impl Default for Spelling {
    fn default() -> Self {
        Self { no: "false".to_owned(), yes: "true".to_owned() }
    }
}

impl Spelling {
    /// As these texts spell them, the first ones above others.
    #[must_use]
    pub fn among<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Self {
        let spelled = |word: &str| {
            let exact = texts.clone().find(|text| *text == word);
            let found = exact.or_else(|| texts.clone().find(|text| text.eq_ignore_ascii_case(word)));
            found.unwrap_or(word).to_owned()
        };
        Self { no: spelled("false"), yes: spelled("true") }
    }

    /// The text of a boolean.
    #[must_use]
    pub fn of(&self, value: bool) -> &str {
        if value { &self.yes } else { &self.no }
    }
}

/// The text of a whole number that doubles hold exactly: 3 of 3.0; none of other numbers.
#[must_use]
pub fn whole_text(number: f64) -> Option<String> {
    /// The largest number below which every whole one is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() < EXACT).then(|| (number as i64).to_string())
}

/// Rows that were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawRows {
    /// One number for each input column and row, row after row.
    pub numbers: Vec<f64>,
    /// The texts of each input column; none for columns of other forms.
    pub texts: Vec<Texts>,
    /// How many values of each input column are missing.
    pub missing: Vec<u64>,
}

impl RawRows {
    /// No rows of so many input columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self { numbers: Vec::new(), texts: vec![Texts::default(); columns], missing: vec![0; columns] }
    }
}
