//! Where a file ceases to be of the types of a step's first file: the first line with a value that is not of them.

use std::collections::BTreeMap;

use mlpipeline_crds::{ColumnType, DataSource, PrepareInput};

use crate::WorkContext;
use crate::failure::StepError;
use crate::table::{ExpectedTypes, not_of_type, provider};

/// An error for a file whose columns have other types than these, with the first value that is why, where it is known. Reads the file once
/// more, with the types as a spec names them.
pub(super) async fn with_first_value(
    error: StepError,
    input: &PrepareInput,
    types: BTreeMap<String, ColumnType>,
    context: &WorkContext,
) -> StepError {
    let mut input = input.clone();
    let DataSource::Uri { reading, .. } = &mut input.source else { return error };
    if types.is_empty() {
        return error;
    }
    reading.get_or_insert_default().types.extend(types);
    let Err(found) = provider(&input.source, &input.name, ExpectedTypes::new(), context).await else {
        return error;
    };
    match not_of_type(&found.message) {
        Some(place) => StepError { message: format!("{}; {place}", error.message), ..error },
        None => error,
    }
}
