//! How many rows memory holds, and where the others go: decided while rows are read, before the operating system ends the process
//! without a word.
//!
//! Owns the limits and what is counted. Rows of algorithms that read them one after the other go to a file on scratch once they
//! take more than their share of memory; of other algorithms too many are refused.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::error::TrainError;
use super::matrix::Matrix;
use crate::evaluation::ClassOutcomes;
use crate::memory::available;

/// Bytes that a row takes beside its features: its target, its place in the split and in a fold, and what is predicted for it.
const ROW_OVERHEAD: u64 = 96;

/// What of [`ROW_OVERHEAD`] is for the numbers that are predicted of each row, in bytes.
const OF_NUMBERS: usize = 56;

/// The share of memory that rows may take, in percent; the rest is for the process and for what algorithms need.
const SHARE: u64 = 85;

/// The share of the memory of queries that rows take before they go to a file, in percent. Queries have half of what there is by
/// default: the two together stay within [`SHARE`].
const HELD_SHARE: u64 = 70;

/// What learns from a file of rows, for messages.
pub(super) const STREAMING: &str = "linearRegression, ridge, lasso, elasticNet, poissonRegression, logisticRegression, linearSvm, \
     gaussianNaiveBayes, multinomialNaiveBayes, bernoulliNaiveBayes, kMeans, gaussianMixture, pca, truncatedSvd and gradientBoosting";

/// Where the rows of a training may be.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// The folder of files of rows.
    scratch: PathBuf,
    /// The bytes that rows take in memory before they go to a file.
    held: u64,
    /// The bytes that there are.
    limit: u64,
}

impl Room {
    /// Files of rows go to this folder, once rows take more than their share of the memory of queries, in bytes.
    pub(super) fn new(scratch: &Path, memory_limit: usize) -> Self {
        let held = memory_limit as u64 / 100 * HELD_SHARE;
        Self { scratch: scratch.to_owned(), held, limit: limit() }
    }

    /// Sees to it that the rows which were added to a matrix have a place. `streamed` is what the algorithm holds of each row that
    /// it reads from a file, in bytes; none where all rows must be in memory.
    ///
    /// # Errors
    /// When there is no place for them, or the file cannot be written.
    pub(super) fn place(&self, matrix: &mut Matrix, streamed: Option<usize>) -> Result<(), TrainError> {
        let (rows, width) = (matrix.rows(), matrix.width());
        let Some(of_row) = streamed else { return check(rows, width, self.limit) };
        check_streamed(rows, width, of_row, self.limit)?;
        if !matrix.is_on_scratch() && bytes(rows, width) > self.held {
            self.report(rows);
            matrix.spill(&self.scratch)?;
        }
        matrix.check()
    }

    fn report(&self, rows: usize) {
        let share = self.held >> 20;
        tracing::info!(
            rows,
            "Rows take more than {share} MiB of memory; they are read from a file on scratch instead."
        );
    }

    /// Checks that what is held of so many rows beside their file fits into memory. Rows of an algorithm that needs them all in memory
    /// are there already.
    ///
    /// # Errors
    /// When it does not.
    pub(super) fn check(&self, rows: usize, width: usize, streamed: Option<usize>) -> Result<(), TrainError> {
        streamed.map_or(Ok(()), |of_row| check_streamed(rows, width, of_row, self.limit))
    }

    /// A matrix for so many rows beside those that were read.
    ///
    /// # Errors
    /// As [`Room::place`].
    pub(super) fn matrix_beside(
        &self,
        read: &Matrix,
        width: usize,
        streamed: Option<usize>,
    ) -> Result<Matrix, TrainError> {
        let rows = read.rows();
        let Some(of_row) = streamed else {
            check(rows, read.width() + width, self.limit)?;
            return Ok(Matrix::new(width));
        };
        check_streamed(rows, width, of_row, self.limit)?;
        let held = if read.is_on_scratch() { 0 } else { read.width() };
        if bytes(rows, held + width) > self.held {
            self.report(rows);
            return Matrix::on_scratch(width, &self.scratch);
        }
        Ok(Matrix::new(width))
    }
}

/// Checks that so many rows of so many features, all of them held, fit into memory.
///
/// # Errors
/// When they do not.
pub(super) fn check_memory(rows: usize, features: usize) -> Result<(), TrainError> {
    check(rows, features, limit())
}

/// Checks that so many numbers, which an algorithm computes of the features' covariances, fit beside what is held of the rows.
///
/// # Errors
/// When they do not.
pub(super) fn check_covariances(matrix: &Matrix, rows: usize, numbers: usize) -> Result<(), TrainError> {
    let held = if matrix.is_on_scratch() { 0 } else { matrix.width() };
    check_beside(rows, held, numbers, limit())
}

fn limit() -> u64 {
    static LIMIT: OnceLock<u64> = OnceLock::new();
    *LIMIT.get_or_init(available)
}

/// What measuring a model of so many classes by so many rows holds of each, in bytes, beyond what is counted for all models: what the
/// model and one that knows only the classes' shares predict, and the ranks of their scores.
pub(super) fn of_measured_classes(classes: usize, rows: usize) -> usize {
    ClassOutcomes::new(classes, rows).row_bytes().saturating_mul(2).saturating_sub(OF_NUMBERS)
}

/// The bytes of rows that hold so many features.
fn bytes(rows: usize, features: usize) -> u64 {
    (rows as u64).saturating_mul((features as u64).saturating_mul(8).saturating_add(ROW_OVERHEAD))
}
/// How many algorithms may learn at once from so many rows of so many features, beside the rows as they were read: each is taken to
/// need as much as the rows themselves. At least one may, as without a search.
pub(super) fn at_once(rows: usize, read: usize, features: usize) -> usize {
    let left = (available() / 100 * SHARE).saturating_sub(bytes(rows, read + features));
    usize::try_from(left / bytes(rows, features).max(1)).unwrap_or(usize::MAX).max(1)
}

fn check_beside(rows: usize, features: usize, numbers: usize, limit: u64) -> Result<(), TrainError> {
    let needed = bytes(rows, features).saturating_add((numbers as u64).saturating_mul(8));
    if needed <= limit / 100 * SHARE {
        return Ok(());
    }
    Err(TrainError::Memory(format!(
        "training holds all rows and the covariances of their features in memory, and {rows} rows of {features} features take \
         {} MiB of {} MiB; raise the step's memory limit (pod.resources), or take fewer features or a sample of the rows \
         in a prepare step",
        needed >> 20,
        limit >> 20
    )))
}

fn check(rows: usize, features: usize, limit: u64) -> Result<(), TrainError> {
    check_number(rows)?;
    let needed = bytes(rows, features);
    if needed <= limit / 100 * SHARE {
        return Ok(());
    }
    Err(TrainError::Memory(format!(
        "this algorithm holds all rows in memory (rows × features × 8 bytes), and {rows} rows of {features} features already take \
         {} MiB of {} MiB; raise the step's memory limit (pod.resources), take fewer features or a sample of the rows in a prepare \
         step, or choose an algorithm that learns from rows on disk: {STREAMING}",
        needed >> 20,
        limit >> 20
    )))
}

/// Checks what is held of each row of a file: what training needs of it, and `of_row` bytes that the algorithm needs.
fn check_streamed(rows: usize, features: usize, of_row: usize, limit: u64) -> Result<(), TrainError> {
    check_number(rows)?;
    let needed = (rows as u64).saturating_mul((of_row as u64).saturating_add(ROW_OVERHEAD));
    if needed <= limit / 100 * SHARE {
        return Ok(());
    }
    Err(TrainError::Memory(format!(
        "the rows may lie on disk, but {} bytes of each are held in memory, and {rows} rows of {features} features already take {} MiB \
         of {} MiB; raise the step's memory limit (pod.resources), or take a sample of the rows in a prepare step",
        of_row as u64 + ROW_OVERHEAD,
        needed >> 20,
        limit >> 20
    )))
}

/// Rows are numbered by 32 bits.
fn check_number(rows: usize) -> Result<(), TrainError> {
    if u32::try_from(rows).is_err() {
        let message = "training takes at most 4294967295 rows; take a sample of them in a prepare step";
        return Err(TrainError::Memory(message.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_fit_are_refused_with_the_numbers() {
        check(1_000_000, 20, 1 << 30).expect("256 MB fit into 1 GiB");
        let message = check(6_000_000, 20, 1 << 30).expect_err("1.5 GB do not").to_string();
        assert!(message.contains("1464 MiB of 1024 MiB"), "{message}");
        assert!(message.contains("gradientBoosting"), "the way out: {message}");
        assert!(check(usize::MAX, 1, u64::MAX).is_err());
    }

    #[test]
    fn rows_go_to_a_file_when_their_share_is_used_up_and_are_refused_when_no_memory_is_left_for_the_rest() {
        let folder = tempfile::tempdir().expect("a folder");
        // 10 rows of 4 features take 10 * (4 * 8 + 96) bytes.
        let room = Room { scratch: folder.path().to_owned(), held: 1280, limit: 2000 };
        let mut matrix = Matrix::new(4);
        let mut add = |rows: usize, streamed| {
            matrix.extend(&vec![1.0; rows * 4]);
            room.place(&mut matrix, streamed).map(|()| matrix.is_on_scratch())
        };
        assert!(!add(10, Some(0)).expect("within the share"));
        assert!(add(1, Some(0)).expect("a file"));
        assert!(add(1, Some(4)).expect("a file"));
        let message = add(6, Some(4)).expect_err("18 rows hold 1800 bytes").to_string();
        assert!(message.contains("100 bytes of each are held"), "{message}");
        assert!(room.place(&mut Matrix::new(4), None).is_ok());
    }

    #[test]
    fn encoded_rows_go_to_a_file_where_both_would_not_be_within_the_share() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = Room { scratch: folder.path().to_owned(), held: 1280, limit: 1 << 20 };
        let mut read = Matrix::new(1);
        read.extend(&[1.0; 10]);
        let is_on_scratch = |read: &Matrix, width, streamed| {
            room.matrix_beside(read, width, streamed).expect("a matrix").is_on_scratch()
        };
        assert!(!is_on_scratch(&read, 3, Some(0)));
        assert!(is_on_scratch(&read, 4, Some(0)));
        assert!(!is_on_scratch(&read, 4, None), "the algorithm needs them in memory");
        read.spill(folder.path()).expect("a file");
        assert!(!is_on_scratch(&read, 4, Some(0)), "only what is held counts");
    }

    #[test]
    fn the_algorithms_that_the_message_names_are_those_that_learn_from_a_file() {
        use mlpipeline_crds::Algorithm;

        use super::super::learner::Learner;

        for name in Algorithm::NAMES {
            let spec = match *name {
                "dbscan" => serde_json::json!({*name: {"eps": 1.0}}),
                "seasonalNaive" => serde_json::json!({*name: {"horizon": 1, "season": 1, "time": "t"}}),
                _ => serde_json::json!({*name: {}}),
            };
            let algorithm: Algorithm = serde_json::from_value(spec).expect("an algorithm");
            let Ok((learner, _)) = Learner::new(&algorithm) else { panic!("{name}: parameters are lacking") };
            let is_named = STREAMING.split([',', ' ']).any(|word| word == *name);
            assert_eq!(learner.row_bytes(3, 2).is_some(), is_named, "{name}");
        }
    }

    #[test]
    fn what_is_predicted_of_each_row_is_counted_by_the_number_of_classes() {
        assert_eq!(of_measured_classes(2, 1000), 88, "a score of each of two models, and its rank");
        assert_eq!(of_measured_classes(10, 1000), 88 + 2 * 9 * 8);
        assert_eq!(of_measured_classes(2, 10_000_000), 8, "no scores are kept of so many rows");
    }

    #[test]
    fn covariances_that_do_not_fit_beside_the_rows_are_refused_with_the_numbers() {
        let one = 4096 * 4096;
        check_beside(1000, 4096, 4 * one, 1 << 30).expect("512 MiB fit into 1 GiB");
        let message = check_beside(1000, 4096, 8 * one, 1 << 30).expect_err("1 GiB does not").to_string();
        assert!(message.contains("the covariances of their features"), "{message}");
        assert!(message.contains("1055 MiB of 1024 MiB"), "{message}");
        assert!(check_beside(1000, 4096, usize::MAX, 1 << 30).is_err());
    }
}
