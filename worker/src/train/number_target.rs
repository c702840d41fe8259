//! A target of numbers, one for each row.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::error::TrainError;
use crate::features::{MAX_MAGNITUDE, is_text, kind_name, numbers, shown, value_type};

/// Reads numbers from batch after batch.
#[derive(Debug)]
pub(super) struct NumberReader {
    name: String,
    numbers: Vec<f64>,
}

impl NumberReader {
    /// A reader of a target column of this type.
    pub(super) fn new(name: &str, data_type: &DataType) -> Result<Self, TrainError> {
        let data_type = value_type(data_type);
        let text = is_text(data_type) || matches!(data_type, DataType::Boolean);
        if !(data_type.is_numeric() || text || matches!(data_type, DataType::Null)) {
            return Err(TrainError::Data(format!(
                "target \"{name}\" holds {}, and linearRegression predicts numbers; make numbers of them in a prepare step",
                kind_name(data_type)
            )));
        }
        Ok(Self { name: name.to_owned(), numbers: Vec::new() })
    }

    /// Takes in a batch's target column.
    pub(super) fn read(&mut self, array: &ArrayRef) -> Result<(), TrainError> {
        let text = is_text(value_type(array.data_type()));
        let values = numbers(array);
        for (row, value) in values.as_primitive::<Float64Type>().iter().enumerate() {
            let number = self.numbers.len();
            if array.is_null(row) {
                return Err(TrainError::null_target(&self.name, number));
            }
            match value {
                Some(value)
                    if value.abs() <= MAX_MAGNITUDE && !text && *array.data_type() != DataType::Boolean =>
                {
                    self.numbers.push(value);
                }
                _ => {
                    let quote = if text { "\"" } else { "" };
                    let advice = if text || *array.data_type() == DataType::Boolean {
                        "use logisticRegression to predict classes, or make a number of it in a prepare step"
                    } else {
                        "leave such rows out in a prepare step"
                    };
                    return Err(TrainError::Data(format!(
                        "target \"{}\" has {quote}{}{quote} in row {}, and linearRegression predicts finite numbers; {advice}",
                        self.name,
                        shown(array, row),
                        number + 1
                    )));
                }
            }
        }
        Ok(())
    }

    /// Each row's number.
    pub(super) fn finish(self) -> Vec<f64> {
        self.numbers
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{BooleanArray, Float64Array, StringArray};

    use super::*;

    #[test]
    fn what_is_no_number_is_refused_with_advice() {
        let rows: Vec<(ArrayRef, &str)> = vec![
            (Arc::new(StringArray::from(vec!["1", "a"])), "has \"1\" in row 1"),
            (Arc::new(BooleanArray::from(vec![true])), "use logisticRegression"),
            (Arc::new(Float64Array::from(vec![Some(1.0), None])), "is null in row 2"),
            (Arc::new(Float64Array::from(vec![f64::INFINITY])), "has inf in row 1"),
        ];
        for (array, expected) in rows {
            let mut reader = NumberReader::new("y", array.data_type()).expect("a reader");
            let message = reader.read(&array).expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
