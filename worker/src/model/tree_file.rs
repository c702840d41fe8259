//! The binary file of trees.
//!
//! All numbers are little-endian. The file is: the magic bytes, a version (u32), the kind of output (u8), the number of
//! features (u32), the number of values in a leaf (u32), the number of sums (u32) and what each starts from (f64), the number
//! of trees (u32), and the trees. A tree is: the number of distinct leaves (u32), their values (f64), and its nodes in
//! preorder until it is whole. A node is a byte and, for a leaf (0), the number of its values (u32); for a split (1, or 2 when
//! rows without a value go left), the feature (u32) and the threshold (f64); for a split by categories (3, or 4 when rows without
//! a category go left), the feature (u32) and the set of those that go left (32 bytes, bit `code % 8` of byte `code / 8`).
//! Version 1 has no splits by categories, and trees without any are written as it.
//!
//! There are no references between nodes, so a file cannot have a cycle, and nothing is allocated for more than the bytes
//! that are there. Must not know where the file is.

use super::binary::{Reader, ended};
use super::tree::TreePart;
use super::{CategorySet, ModelError, Split, Subset, Tree, TreeBuilder, TreeOutput, TreePredictor};

const MAGIC: &[u8; 8] = b"MLPTREES";
/// The newest version.
const VERSION: u32 = 2;

/// The version of trees without sets of categories.
const WITHOUT_SETS: u32 = 1;

const LEAF: u8 = 0;
const MISSING_RIGHT: u8 = 1;
const MISSING_LEFT: u8 = 2;
const SET_MISSING_RIGHT: u8 = 3;
const SET_MISSING_LEFT: u8 = 4;

/// Every output with its byte.
const OUTPUTS: [(u8, TreeOutput); 6] = [
    (0, TreeOutput::MeanOfNumbers),
    (1, TreeOutput::MeanOfProbabilities),
    (2, TreeOutput::SumOfNumbers),
    (3, TreeOutput::SumOfLogOdds),
    (4, TreeOutput::SumOfScores),
    (5, TreeOutput::SumOfLogarithms),
];

impl TreePredictor {
    /// The bytes of the file. The same trees always give the same bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let number = |bytes: &mut Vec<u8>, number: usize| bytes.extend((number as u32).to_le_bytes());
        bytes.extend(MAGIC);
        let has_sets = self.trees.iter().any(|tree| !tree.sets().is_empty());
        number(&mut bytes, if has_sets { VERSION } else { WITHOUT_SETS } as usize);
        bytes.extend(OUTPUTS.iter().find(|(_, output)| *output == self.output).map(|(byte, _)| byte));
        number(&mut bytes, self.features);
        number(&mut bytes, self.trees.first().map_or(1, Tree::outputs));
        number(&mut bytes, self.start.len());
        bytes.extend(self.start.iter().flat_map(|start| start.to_le_bytes()));
        number(&mut bytes, self.trees.len());
        for tree in &self.trees {
            number(&mut bytes, tree.all_values().len() / tree.outputs());
            bytes.extend(tree.all_values().iter().flat_map(|value| value.to_le_bytes()));
            for part in tree.parts() {
                match part {
                    TreePart::Leaf(values) => {
                        bytes.push(LEAF);
                        bytes.extend(values.to_le_bytes());
                    }
                    TreePart::Split(split) => {
                        bytes.push(if split.missing_left { MISSING_LEFT } else { MISSING_RIGHT });
                        bytes.extend(split.feature.to_le_bytes());
                        bytes.extend(split.threshold.to_le_bytes());
                    }
                    TreePart::Subset(subset) => {
                        bytes.push(if subset.missing_left { SET_MISSING_LEFT } else { SET_MISSING_RIGHT });
                        bytes.extend(subset.feature.to_le_bytes());
                        bytes.extend(subset.left.to_bytes());
                    }
                }
            }
        }
        bytes
    }

    /// How many bytes the file has, without making it.
    #[must_use]
    pub fn file_size(&self) -> u64 {
        let head = MAGIC.len() + 21 + self.start.len() * 8;
        let tree = |tree: &Tree| {
            let (sets, inner) = (tree.sets().len(), tree.leaves() - 1);
            let questions = (inner - sets) * 13 + sets * (5 + CategorySet::SIZE);
            4 + tree.all_values().len() * 8 + tree.leaves() * 5 + questions
        };
        (head + self.trees.iter().map(tree).sum::<usize>()) as u64
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// When they are not such a file, whole and with nothing after it, of a version that is read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let mut reader = Reader(bytes);
        if reader.take::<8>()? != *MAGIC {
            return Err(ModelError::Invalid("the file of its trees is of another format".to_owned()));
        }
        let version = reader.number()?;
        if ![WITHOUT_SETS, VERSION].contains(&version) {
            return Err(ModelError::Invalid(format!(
                "the file of its trees is of version {version}, and this worker reads up to version {VERSION}"
            )));
        }
        let [byte] = reader.take::<1>()?;
        let output = OUTPUTS.iter().find(|(known, _)| *known == byte).map(|(_, output)| *output);
        let output =
            output.ok_or_else(|| ModelError::Invalid(format!("its trees are of the unknown kind {byte}")))?;
        let features = reader.number()? as usize;
        let outputs = reader.number()? as usize;
        let sums = reader.number()? as usize;
        let start = reader.floats(sums)?;
        let count = reader.number()?;
        let mut trees = Vec::new();
        for _ in 0..count {
            trees.push(read_tree(&mut reader, outputs, version)?);
        }
        if !reader.0.is_empty() {
            return Err(ModelError::Invalid(
                "the file of its trees continues after the last tree".to_owned(),
            ));
        }
        Self::new(features, output, start, trees)
    }
}

fn read_tree(reader: &mut Reader<'_>, outputs: usize, version: u32) -> Result<Tree, ModelError> {
    let leaves = reader.number()? as usize;
    if outputs == 0 {
        return Err(ModelError::Invalid("the leaves of its trees have no values".to_owned()));
    }
    let values = reader.floats(leaves.checked_mul(outputs).ok_or_else(ended)?)?;
    if !values.iter().all(|value| value.is_finite()) {
        return Err(ModelError::Invalid("a value of a leaf is not finite".to_owned()));
    }
    let mut tree = TreeBuilder::with_values(outputs, values);
    while !tree.is_whole() {
        let [kind] = reader.take::<1>()?;
        match kind {
            LEAF => tree.leaf_of(reader.number()?)?,
            MISSING_RIGHT | MISSING_LEFT => {
                let (feature, threshold) = (reader.number()?, f64::from_le_bytes(reader.take()?));
                tree.split(Split { feature, threshold, missing_left: kind == MISSING_LEFT })?;
            }
            SET_MISSING_RIGHT | SET_MISSING_LEFT if version != WITHOUT_SETS => {
                let (feature, left) = (reader.number()?, CategorySet::from_bytes(reader.take()?));
                tree.subset(Subset { feature, left, missing_left: kind == SET_MISSING_LEFT })?;
            }
            other => {
                return Err(ModelError::Invalid(format!("a tree has a node of the unknown kind {other}")));
            }
        }
    }
    tree.finish()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::model::Predictions;

    fn tree(values: &[&[f64]]) -> Tree {
        let mut tree = TreeBuilder::new(values[0].len());
        for (feature, value) in values[1..].iter().enumerate() {
            let split = Split { feature: feature as u32, threshold: 0.25, missing_left: feature % 2 == 0 };
            tree.split(split).expect("a split");
            tree.leaf(value).expect("a leaf");
        }
        tree.leaf(values[0]).expect("a leaf");
        tree.finish().expect("a tree")
    }

    /// A tree that asks for a number, then for a category.
    fn tree_of_sets(missing_left: bool) -> Tree {
        let mut left = CategorySet::default();
        [0, 2, 255].into_iter().for_each(|code| left.insert(code));
        let mut tree = TreeBuilder::new(1);
        tree.split(Split { feature: 0, threshold: 0.25, missing_left }).expect("a split");
        tree.leaf(&[1.0]).expect("a leaf");
        tree.subset(Subset { feature: 1, left, missing_left }).expect("a set");
        tree.leaf(&[4.0]).expect("a leaf");
        tree.leaf(&[-2.0]).expect("a leaf");
        tree.finish().expect("a tree")
    }

    fn examples() -> Vec<TreePredictor> {
        let number = || tree(&[&[1.0], &[-2.0], &[0.5]]);
        let shares = || tree(&[&[0.25, 0.75, 0.0], &[0.0, 1.0, 0.0], &[0.25, 0.75, 0.0]]);
        let make = |output, start: &[f64], trees| {
            TreePredictor::new(2, output, start.to_vec(), trees).expect("parts that fit")
        };
        vec![
            make(TreeOutput::MeanOfNumbers, &[], vec![number(), tree(&[&[4.0]])]),
            make(TreeOutput::MeanOfProbabilities, &[], vec![shares(), tree(&[&[1.0, 0.0, 0.0]])]),
            make(TreeOutput::SumOfNumbers, &[0.5], vec![number(), number()]),
            make(TreeOutput::SumOfLogOdds, &[0.5], vec![number()]),
            make(TreeOutput::SumOfScores, &[0.5, 1.5, 0.0], vec![number(), tree(&[&[4.0]]), number()]),
            make(TreeOutput::SumOfLogarithms, &[0.5], vec![number(), number()]),
            make(TreeOutput::SumOfNumbers, &[0.5], vec![tree_of_sets(false), number(), tree_of_sets(true)]),
        ]
    }

    #[test]
    fn what_is_written_is_read_again() {
        for trees in examples() {
            assert_eq!(trees.file_size(), trees.to_bytes().len() as u64);
            assert_eq!(TreePredictor::from_bytes(&trees.to_bytes()).expect("what was written"), trees);
        }
    }

    #[test]
    fn the_version_is_the_earliest_that_can_say_the_trees_and_says_no_more() {
        let version = |bytes: &[u8]| u32::from_le_bytes(bytes[8..12].try_into().expect("four bytes"));
        for trees in examples() {
            let mut bytes = trees.to_bytes();
            let has_sets = trees.trees().iter().any(|tree| !tree.sets().is_empty());
            assert_eq!(version(&bytes), if has_sets { 2 } else { 1 });
            bytes[8] = if has_sets { 1 } else { 2 };
            assert_eq!(TreePredictor::from_bytes(&bytes).is_ok(), !has_sets);
            bytes[8] = 3;
            assert!(TreePredictor::from_bytes(&bytes).is_err());
        }
    }

    #[test]
    fn a_row_is_predicted_alike_alone_and_among_others() {
        let rows = Array2::from_shape_fn((1000, 2), |(row, column)| {
            ((row * 7 + column * 3) % 11) as f64 / 10.0 - 0.3
        });
        for trees in examples() {
            let all = predict(&trees, &rows);
            for (row, expected) in rows.rows().into_iter().zip(all.rows()) {
                let alone = predict(&trees, &row.to_owned().insert_axis(ndarray::Axis(0)));
                let bits =
                    |row: ndarray::ArrayView1<'_, f64>| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(alone.row(0)), bits(expected));
            }
        }
    }

    fn predict(trees: &TreePredictor, rows: &Array2<f64>) -> Array2<f64> {
        if trees.class_count() == 0 {
            return trees.numbers(rows.view()).expect("numbers").insert_axis(ndarray::Axis(1));
        }
        match trees.classes(rows.view()).expect("classes") {
            Predictions::Classes { probabilities, .. } => probabilities,
            Predictions::Numbers(_) | Predictions::Findings { .. } => panic!("classes were asked for"),
        }
    }

    #[test]
    fn trees_predict_together_as_their_output_says() {
        let rows = array![[0.0, 0.0], [1.0, 1.0]];
        let near = |found: Array2<f64>, expected: Array2<f64>| {
            assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found} {expected}");
        };
        let examples = examples();
        near(predict(&examples[0], &rows), array![[1.0], [2.5]]);
        near(predict(&examples[1], &rows), array![[0.5, 0.5, 0.0], [0.625, 0.375, 0.0]]);
        near(predict(&examples[2], &rows), array![[-3.5], [2.5]]);
        near(predict(&examples[5], &rows), array![[(-3.5_f64).exp()], [2.5_f64.exp()]]);
        let second = |x: f64| 1.0 / (1.0 + (-x).exp());
        near(
            predict(&examples[3], &rows),
            array![[1.0 - second(-1.5), second(-1.5)], [1.0 - second(1.5), second(1.5)]],
        );
        let sum = 1.5_f64.exp() + 5.5_f64.exp() + 1.0_f64.exp();
        let shares = array![1.5_f64.exp() / sum, 5.5_f64.exp() / sum, 1.0_f64.exp() / sum];
        near(predict(&examples[4], &array![[1.0, 1.0]]), shares.insert_axis(ndarray::Axis(0)));
    }

    #[test]
    fn damaged_bytes_are_an_error_or_other_trees_and_never_a_panic() {
        for trees in examples() {
            let bytes = trees.to_bytes();
            for length in 0..bytes.len() {
                assert!(TreePredictor::from_bytes(&bytes[..length]).is_err(), "cut at {length}");
            }
            let mut longer = bytes.clone();
            longer.push(0);
            assert!(TreePredictor::from_bytes(&longer).is_err());
            for place in 0..bytes.len() {
                for value in [0, 1, 2, 3, 127, 128, 255] {
                    let mut damaged = bytes.clone();
                    damaged[place] = value;
                    if let Ok(read) = TreePredictor::from_bytes(&damaged) {
                        // Whatever was read can predict.
                        let rows = Array2::from_elem((1, read.features().min(9)), 0.1);
                        let _ = if read.class_count() == 0 {
                            read.numbers(rows.view()).map(|_| ())
                        } else {
                            read.classes(rows.view()).map(|_| ())
                        };
                    }
                }
            }
        }
    }
}
