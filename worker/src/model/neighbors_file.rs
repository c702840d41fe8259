//! The binary file of the rows that neighbours are found among.
//!
//! All numbers are little-endian. The file is: the magic bytes, a version (u32), how many neighbours answer (u32), whether by
//! their distance (u8: 0 or 1), the number of classes (u32; 0 where the answers are numbers), of features (u32) and of rows
//! (u32), the rows (f64), and their answers: classes (u32) or numbers (f64). Must not know where the file is.

use super::binary::{Reader, ended};
use super::{Answers, ModelError, NeighborsPredictor};

const MAGIC: &[u8; 8] = b"MLPNEIGH";
const VERSION: u32 = 1;

impl NeighborsPredictor {
    /// The bytes of the file. The same rows always give the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(usize::try_from(self.file_size()).unwrap_or_default());
        let number = |bytes: &mut Vec<u8>, number: usize| bytes.extend((number as u32).to_le_bytes());
        let classes = match &self.answers {
            Answers::Classes { count, .. } => *count,
            Answers::Numbers(_) => 0,
        };
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        number(&mut bytes, self.neighbors);
        bytes.push(u8::from(self.by_distance));
        number(&mut bytes, classes);
        number(&mut bytes, self.width);
        number(&mut bytes, self.row_count());
        bytes.extend(self.rows.iter().flat_map(|value| value.to_le_bytes()));
        match &self.answers {
            Answers::Classes { classes, .. } => {
                bytes.extend(classes.iter().flat_map(|class| class.to_le_bytes()))
            }
            Answers::Numbers(numbers) => bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes())),
        }
        bytes
    }

    /// How many bytes the file has, without making it.
    #[must_use]
    pub fn file_size(&self) -> u64 {
        let answer = if matches!(self.answers, Answers::Numbers(_)) { 8 } else { 4 };
        (MAGIC.len() + 21 + self.rows.len() * 8 + self.row_count() * answer) as u64
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// When they are not such a file, whole and with nothing after it, of a version that is read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let invalid = |problem: String| Err(ModelError::Invalid(problem));
        let mut reader = Reader(bytes);
        if reader.take::<8>()? != *MAGIC {
            return invalid("the file of its rows is of another format".to_owned());
        }
        let version = reader.number()?;
        if version != VERSION {
            return invalid(format!(
                "the file of its rows is of version {version}, and this worker reads version {VERSION}"
            ));
        }
        let neighbors = reader.number()? as usize;
        let by_distance = match reader.take::<1>()? {
            [0] => false,
            [1] => true,
            [other] => return invalid(format!("its neighbours count in the unknown way {other}")),
        };
        let (count, width, rows) =
            (reader.number()? as usize, reader.number()? as usize, reader.number()? as usize);
        let values = reader.floats(rows.checked_mul(width).ok_or_else(ended)?)?;
        let answers = match count {
            0 => Answers::Numbers(reader.floats(rows)?),
            count => Answers::Classes { count, classes: reader.numbers(rows)? },
        };
        if !reader.0.is_empty() {
            return invalid("the file of its rows continues after the last answer".to_owned());
        }
        Self::new(width, values, answers, neighbors, by_distance)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::model::Predictions;

    fn examples() -> Vec<NeighborsPredictor> {
        let rows = vec![0.0, 0.0, 1.0, 0.0, 0.0, 2.0];
        let classes = Answers::Classes { count: 2, classes: vec![0, 1, 1] };
        let make = |answers, by_distance| {
            NeighborsPredictor::new(2, rows.clone(), answers, 2, by_distance).expect("parts that fit")
        };
        vec![make(classes, false), make(Answers::Numbers(vec![1.0, -2.0, 4.0]), true)]
    }

    #[test]
    fn what_is_written_is_read_again() {
        for rows in examples() {
            assert_eq!(rows.file_size(), rows.to_bytes().len() as u64);
            assert_eq!(NeighborsPredictor::from_bytes(&rows.to_bytes()).expect("what was written"), rows);
        }
    }

    #[test]
    fn the_nearest_answer_and_the_first_of_equally_distant_ones() {
        let examples = examples();
        let Predictions::Classes { probabilities, .. } =
            examples[0].classes(array![[0.5, 0.0], [0.0, 1.0]].view()).expect("predictions")
        else {
            panic!("a classifier gives classes");
        };
        // (0, 1) is at 1 from the first and the third row, and farther from the second.
        assert_eq!(probabilities, array![[0.5, 0.5], [0.5, 0.5]]);
        let numbers = examples[1].numbers(array![[0.25, 0.0], [1.0, 0.0]].view()).expect("predictions");
        assert!((numbers[0] - (1.0 / 0.25 - 2.0 / 0.75) / (1.0 / 0.25 + 1.0 / 0.75)).abs() < 1e-12);
        assert_eq!(numbers[1], -2.0, "a row at the same place answers alone");
        let twice =
            NeighborsPredictor::new(1, vec![1.0, 1.0, 1.0], Answers::Numbers(vec![1.0, 2.0, 3.0]), 2, false);
        assert_eq!(twice.expect("rows").numbers(array![[5.0]].view()).expect("a number"), array![1.5]);
    }

    #[test]
    fn damaged_bytes_are_an_error_or_other_rows_and_never_a_panic_by_hostile_bytes() {
        for rows in examples() {
            let bytes = rows.to_bytes();
            for length in 0..bytes.len() {
                assert!(NeighborsPredictor::from_bytes(&bytes[..length]).is_err(), "cut at {length}");
            }
            assert!(NeighborsPredictor::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
            for place in 0..bytes.len() {
                for value in [0, 1, 2, 3, 127, 128, 255] {
                    let mut damaged = bytes.clone();
                    damaged[place] = value;
                    if let Ok(read) = NeighborsPredictor::from_bytes(&damaged) {
                        let rows = Array2::from_elem((1, read.width), 0.1);
                        let _ = (read.numbers(rows.view()), read.classes(rows.view()));
                    }
                }
            }
        }
    }
}
