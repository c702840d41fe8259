//! A target of classes, one for each row.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::error::TrainError;
use crate::features::{is_text, kind_name, numbers, shown, value_type};
use crate::model::{Label, MAX_CLASSES};

/// The largest whole number that a 64-bit float holds exactly.
const EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Reads classes from batch after batch.
#[derive(Debug)]
pub(super) struct ClassReader {
    name: String,
    kind: ClassKind,
    /// The number that each class was given when it was first seen.
    text: HashMap<String, u32>,
    whole: HashMap<i64, u32>,
    classes: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClassKind {
    Text,
    Integer,
    /// Floats that must all be whole, as a CSV reader or a data frame makes them of integers with gaps.
    Float,
    Boolean,
}

impl ClassReader {
    /// A reader of a target column of this type.
    pub(super) fn new(name: &str, data_type: &DataType) -> Result<Self, TrainError> {
        let kind = match value_type(data_type) {
            DataType::Boolean => ClassKind::Boolean,
            text if is_text(text) => ClassKind::Text,
            DataType::Null => ClassKind::Text,
            whole if whole.is_integer() => ClassKind::Integer,
            number if number.is_numeric() => ClassKind::Float,
            other => {
                return Err(TrainError::Data(format!(
                    "target \"{name}\" holds {}, and classes are text, whole numbers or booleans; make them so in a \
                     prepare step",
                    kind_name(other)
                )));
            }
        };
        let name = name.to_owned();
        Ok(Self { name, kind, text: HashMap::new(), whole: HashMap::new(), classes: Vec::new() })
    }

    /// Takes in a batch's target column.
    pub(super) fn read(&mut self, array: &ArrayRef) -> Result<(), TrainError> {
        if let Some(row) = (0..array.len()).find(|row| array.is_null(*row)) {
            return Err(TrainError::null_target(&self.name, self.classes.len() + row));
        }
        match self.kind {
            ClassKind::Text => self.read_text(array),
            ClassKind::Integer | ClassKind::Boolean => self.read_whole(array),
            ClassKind::Float => self.read_float(array),
        }
    }

    fn read_text(&mut self, array: &ArrayRef) -> Result<(), TrainError> {
        let cast = cast(array, &DataType::Utf8).map_err(|error| self.unreadable(&error))?;
        for value in cast.as_string::<i32>().iter().flatten() {
            let class = match self.text.get(value) {
                Some(class) => *class,
                None => {
                    let class = self.text.len() as u32;
                    self.text.insert(value.to_owned(), class);
                    self.check_count(self.text.len())?;
                    class
                }
            };
            self.classes.push(class);
        }
        Ok(())
    }

    fn read_whole(&mut self, array: &ArrayRef) -> Result<(), TrainError> {
        // Cast as the reader sees it: what does not fit into 64 bits becomes null.
        let cast = cast(array, &DataType::Int64).map_err(|error| self.unreadable(&error))?;
        for (row, value) in cast.as_primitive::<Int64Type>().iter().enumerate() {
            let Some(value) = value else {
                return Err(TrainError::Data(format!(
                    "target \"{}\" has {} in row {}, and classes that are numbers fit into 64 bits",
                    self.name,
                    shown(array, row),
                    self.classes.len() + 1
                )));
            };
            self.add(value)?;
        }
        Ok(())
    }

    fn read_float(&mut self, array: &ArrayRef) -> Result<(), TrainError> {
        for (row, value) in numbers(array).as_primitive::<Float64Type>().iter().enumerate() {
            match value {
                Some(value) if value.fract() == 0.0 && value.abs() <= EXACT_INTEGER => {
                    self.add(value as i64)?
                }
                _ => {
                    return Err(TrainError::Data(format!(
                        "target \"{}\" has {} in row {}, and a classification predicts classes: text, whole numbers or \
                         booleans; use linearRegression or task: regression to predict numbers",
                        self.name,
                        shown(array, row),
                        self.classes.len() + 1
                    )));
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, value: i64) -> Result<(), TrainError> {
        let next = self.whole.len() as u32;
        let class = *self.whole.entry(value).or_insert(next);
        self.check_count(self.whole.len())?;
        self.classes.push(class);
        Ok(())
    }

    fn check_count(&self, count: usize) -> Result<(), TrainError> {
        if count <= MAX_CLASSES {
            return Ok(());
        }
        Err(TrainError::Data(format!(
            "target \"{}\" has more than {MAX_CLASSES} different values in its first {} rows, too many to be classes; use \
             linearRegression or task: regression to predict numbers, or name another target",
            self.name,
            self.classes.len() + 1
        )))
    }

    fn unreadable(&self, error: &datafusion::arrow::error::ArrowError) -> TrainError {
        TrainError::Data(format!("target \"{}\" cannot be read: {error}", self.name))
    }

    /// The classes, sorted, and each row's, as an index into them.
    pub(super) fn finish(self) -> Result<(Vec<Label>, Vec<u32>), TrainError> {
        let Self { name, kind, text, whole, mut classes } = self;
        let boolean = kind == ClassKind::Boolean;
        let label = |value| if boolean { Label::Boolean(value != 0) } else { Label::Integer(value) };
        let mut labels: Vec<(Label, u32)> =
            text.into_iter().map(|(text, class)| (Label::Text(text), class)).collect();
        labels.extend(whole.into_iter().map(|(value, class)| (label(value), class)));
        labels.sort();
        if let [(only, _)] = labels.as_slice() {
            return Err(TrainError::Data(format!(
                "target \"{name}\" is \"{only}\" in every row, and there is nothing to learn from one class; use rows of at \
                 least two"
            )));
        }
        let mut places = vec![0_u32; labels.len()];
        for (place, (_, class)) in labels.iter().enumerate() {
            if let Some(slot) = places.get_mut(*class as usize) {
                *slot = place as u32;
            }
        }
        for class in &mut classes {
            *class = places.get(*class as usize).copied().unwrap_or_default();
        }
        Ok((labels.into_iter().map(|(label, _)| label).collect(), classes))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};

    use super::*;

    fn classes(batches: Vec<ArrayRef>) -> Result<(Vec<Label>, Vec<u32>), TrainError> {
        let mut reader = ClassReader::new("y", batches[0].data_type())?;
        batches.iter().try_for_each(|batch| reader.read(batch))?;
        reader.finish()
    }

    #[test]
    fn classes_are_sorted_whatever_their_kind_and_order() {
        let text: Vec<ArrayRef> =
            vec![Arc::new(StringArray::from(vec!["b", "a"])), Arc::new(StringArray::from(vec!["c", "b"]))];
        let label = |text: &str| Label::Text(text.to_owned());
        assert_eq!(
            classes(text).expect("classes"),
            (vec![label("a"), label("b"), label("c")], vec![1, 0, 2, 1])
        );
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![10, -2, 9]));
        let labels = vec![Label::Integer(-2), Label::Integer(9), Label::Integer(10)];
        assert_eq!(classes(vec![whole]).expect("classes"), (labels, vec![2, 0, 1]));
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 0.0]));
        assert_eq!(classes(vec![floats]).expect("classes").0, [Label::Integer(0), Label::Integer(1)]);
        let booleans: ArrayRef = Arc::new(BooleanArray::from(vec![true, false]));
        assert_eq!(
            classes(vec![booleans]).expect("classes").0,
            [Label::Boolean(false), Label::Boolean(true)]
        );
    }

    #[test]
    fn what_is_no_class_is_refused_with_advice() {
        let many: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1001));
        let rows: Vec<(ArrayRef, &str)> = vec![
            (many, "use linearRegression"),
            (Arc::new(Float64Array::from(vec![1.0, 2.5])), "has 2.5 in row 2"),
            (Arc::new(Float64Array::from(vec![1.0, f64::NAN])), "has NaN in row 2"),
            (Arc::new(StringArray::from(vec![Some("a"), None])), "is null in row 2"),
            (Arc::new(StringArray::from(vec!["a", "a"])), "is \"a\" in every row"),
            (Arc::new(UInt64Array::from(vec![u64::MAX, 1])), "fit into 64 bits"),
        ];
        for (array, expected) in rows {
            let message = classes(vec![array]).expect_err(expected).to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
