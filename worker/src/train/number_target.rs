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
    /// The first text that is a number, with its row.
    first_text: Option<(usize, String)>,
}

impl NumberReader {
    /// A reader of a target column of this type.
    pub(super) fn new(name: &str, data_type: &DataType) -> Result<Self, TrainError> {
        let data_type = value_type(data_type);
        let text = is_text(data_type) || matches!(data_type, DataType::Boolean);
        if !(data_type.is_numeric() || text || matches!(data_type, DataType::Null)) {
            return Err(TrainError::Data(format!(
                "target \"{name}\" holds {}, and a regression predicts numbers; make numbers of them in a prepare step",
                kind_name(data_type)
            )));
        }
        Ok(Self { name: name.to_owned(), numbers: Vec::new(), first_text: None })
    }

    /// Takes in a batch's target column.
    pub(super) fn read(&mut self, array: &ArrayRef) -> Result<(), TrainError> {
        let values = numbers(array);
        let values = values.as_primitive::<Float64Type>();
        let is_text = is_text(value_type(array.data_type()));
        for (row, value) in values.iter().enumerate() {
            if array.is_null(row) {
                return Err(TrainError::null_target(&self.name, self.numbers.len()));
            }
            match value {
                Some(value) if is_text => {
                    // Most texts of such a column are numbers, and one that is none is what made it texts: that one is to be named.
                    let place = (self.numbers.len(), shown(array, row));
                    self.first_text.get_or_insert(place);
                    self.numbers.push(value);
                }
                Some(value) if value.abs() <= MAX_MAGNITUDE && *array.data_type() != DataType::Boolean => {
                    self.numbers.push(value);
                }
                _ => {
                    return Err(self.refused(
                        self.numbers.len(),
                        &shown(array, row),
                        is_text,
                        array.data_type(),
                    ));
                }
            }
        }
        Ok(())
    }

    /// The error for a value that is not a number.
    fn refused(&self, row: usize, value: &str, is_text: bool, data_type: &DataType) -> TrainError {
        let quote = if is_text { "\"" } else { "" };
        let advice = if is_text || *data_type == DataType::Boolean {
            "use logisticRegression or task: classification to predict classes, or make a number of it in a prepare step"
        } else {
            "leave such rows out in a prepare step"
        };
        TrainError::Data(format!(
            "target \"{}\" has {quote}{value}{quote} in row {}, and a regression predicts finite numbers; {advice}",
            self.name,
            row + 1
        ))
    }

    /// Each row's number.
    ///
    /// # Errors
    /// When they are texts, though each is a number.
    pub(super) fn finish(self) -> Result<Vec<f64>, TrainError> {
        match &self.first_text {
            Some((row, value)) => Err(self.refused(*row, value, true, &DataType::Utf8)),
            None => Ok(self.numbers),
        }
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
            (Arc::new(StringArray::from(vec!["1", "a"])), "has \"a\" in row 2"),
            (Arc::new(StringArray::from(vec!["1", "2"])), "has \"1\" in row 1"),
            (Arc::new(BooleanArray::from(vec![true])), "use logisticRegression"),
            (Arc::new(Float64Array::from(vec![Some(1.0), None])), "is null in row 2"),
            (Arc::new(Float64Array::from(vec![f64::INFINITY])), "has inf in row 1"),
        ];
        for (array, expected) in rows {
            let mut reader = NumberReader::new("y", array.data_type()).expect("a reader");
            let read = reader.read(&array).and_then(|()| reader.finish());
            let message = read.expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
