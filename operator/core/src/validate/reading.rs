//! How text is read: that dates could be found by the notations that are named.

use mlpipeline_crds::{Reading, date_notation};

use super::errors::Errors;
use crate::quoted::quoted;

/// Checks the notations of dates, of the file and of its columns.
pub(super) fn check(reading: Option<&Reading>, path: &str, errors: &mut Errors) {
    let Some(reading) = reading else { return };
    check_date_format(reading.date_format.as_deref(), path, errors);
    for (column, own) in &reading.by_column {
        check_date_format(own.date_format.as_deref(), &format!("{path}.byColumn.{column}"), errors);
    }
}

fn check_date_format(notation: Option<&str>, path: &str, errors: &mut Errors) {
    let Some(notation) = notation else { return };
    if let Err(found) = date_notation(notation) {
        let problem = format!("{} {}", quoted(notation), found.problem);
        errors.add_with_hint(format!("{path}.dateFormat"), problem, found.hint);
    }
}
