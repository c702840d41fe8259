//! The kinds of text that were met in the columns of some rows.
//!
//! Owns which columns are still looked at: once a column is text it stays text, and in most files most columns soon are.

use mlpipeline_crds::ColumnType;

use super::kinds::TextKinds;
use super::rules::ColumnRules;

/// The kinds of each column, in the order of the columns.
pub(crate) struct ColumnKinds<'a> {
    /// The columns that another field can change.
    open: Vec<Open<'a>>,
    /// What was met in those that none can.
    kinds: Vec<TextKinds>,
}

/// A column that another field can change.
struct Open<'a> {
    /// Its number.
    column: usize,
    rules: &'a ColumnRules,
    /// Whether nobody says anything of it.
    is_usual: bool,
    kinds: TextKinds,
}

impl<'a> ColumnKinds<'a> {
    /// Nothing was met yet in columns that have these rules.
    pub(crate) fn new(rules: &'a [ColumnRules]) -> Self {
        let open = rules.iter().enumerate().map(|(column, rules)| Open {
            column,
            rules,
            is_usual: rules.is_usual(),
            kinds: TextKinds::default(),
        });
        let mut found = Self { open: open.collect(), kinds: vec![TextKinds::default(); rules.len()] };
        found.close();
        found
    }

    /// Adds a row; `field` gives the text of the column of a number.
    ///
    /// # Errors
    /// When a field is not of the type that the spec names for its column; says which column, and which type that is.
    pub(crate) fn add<'t>(&mut self, field: impl Fn(usize) -> &'t [u8]) -> Result<(), (usize, ColumnType)> {
        let mut is_one_settled = false;
        for Open { column, rules, is_usual, kinds } in &mut self.open {
            let field = field(*column);
            if *is_usual && kinds.add_common(field) {
                continue;
            }
            kinds.add(field, rules).map_err(|declared| (*column, declared))?;
            is_one_settled |= kinds.is_settled(rules);
        }
        if is_one_settled {
            self.close();
        }
        Ok(())
    }

    /// What was met in each column.
    pub(crate) fn finish(mut self) -> Vec<TextKinds> {
        for open in &self.open {
            if let Some(kinds) = self.kinds.get_mut(open.column) {
                *kinds = open.kinds;
            }
        }
        self.kinds
    }

    /// Leaves out the columns that no other field can change.
    fn close(&mut self) {
        let kinds = &mut self.kinds;
        self.open.retain(|open| {
            let is_settled = open.kinds.is_settled(open.rules);
            if is_settled && let Some(kinds) = kinds.get_mut(open.column) {
                *kinds = open.kinds;
            }
            !is_settled
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::table::text::rules::FileRules;

    /// Fields of which some make a column text, and some are refused where a type is named.
    fn row() -> impl Strategy<Value = [&'static str; 4]> {
        let field = || {
            let texts =
                ["", "-", "1", "-1.5", "x", "2026-01-31", "2026-02-30", "007", "true", "9007199254740993"];
            prop::sample::select(texts.to_vec())
        };
        [field(), field(), field(), field()]
    }

    proptest! {
        #[test]
        fn columns_have_the_kinds_that_all_their_fields_have_whichever_are_looked_at(
            rows in prop::collection::vec(row(), 0..12),
        ) {
            let reading = serde_json::json!({"nullValues": ["-"], "types": {"b": "text", "c": "integer"}});
            let names = ["a", "b", "c", "d"].map(str::to_owned);
            let reading = serde_json::from_value(reading).expect("a reading");
            let rules = FileRules::new(&reading).and_then(|rules| rules.columns(&names)).expect("rules");
            let mut found = ColumnKinds::new(&rules);
            let mut expected = [TextKinds::default(); 4];
            for row in &rows {
                let added = found.add(|column| row[column].as_bytes());
                let mut all = (0..).zip(&mut expected).zip(&rules).zip(row);
                let by_field = all.try_for_each(|(((column, kinds), rules), field)| {
                    kinds.add(field.as_bytes(), rules).map_err(|declared| (column, declared))
                });
                prop_assert_eq!(added, by_field);
                if by_field.is_err() {
                    return Ok(());
                }
            }
            let types = |kinds: &[TextKinds]| -> Vec<_> {
                kinds.iter().zip(&rules).map(|(kinds, rules)| kinds.data_type(rules)).collect()
            };
            prop_assert_eq!(types(&found.finish()), types(&expected));
        }
    }
}
