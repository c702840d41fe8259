//! Which rows a model was trained on, in a small file of its artifact: a later model is compared with it on rows that give neither of
//! them an advantage.
//!
//! Owns the file and the question. It is a Bloom filter (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970) of
//! 16 bits a row: a row that the model was trained on is always found, and of others about one in 2,000 too. It holds no values.

use twox_hash::XxHash64;

use super::matrix::Rows;
use super::parallel::over_shards;
use super::samples::Samples;
use super::task::Task;
use crate::artifact::ArtifactError;
use crate::failure::real_name;

/// The file's name in the artifact.
pub(super) const TRAINING_ROWS_FILE: &str = "training-rows.bin";

/// The file's first bytes, of which the last is the version.
const MAGIC: [u8; 8] = *b"mlptrow\x01";

/// Bits for each row: about 1 in 2,000 other rows then finds all of its own set.
const ROW_BITS: u64 = 16;

/// The most bits: 32 MiB, enough for 16 million rows. With more rows, more of the others are found too.
const MOST_BITS: u64 = 1 << 28;

/// The most bits that stand for a row.
const MOST_MARKS: f64 = 11.0;

/// The most bytes of the file.
pub(super) const FILE_LIMIT: u64 = 8 + 4 + 8 + MOST_BITS / 8;

/// The rows that a model was trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TrainingRows {
    /// How many bits stand for a row.
    marks: u32,
    bits: u64,
    words: Vec<u64>,
}

impl TrainingRows {
    /// These rows, of all whose hashes these are.
    pub(super) fn of(hashes: &[u64], rows: &[u32]) -> Self {
        let count = rows.len().max(1) as u64;
        let bits = (count * ROW_BITS).next_multiple_of(64).min(MOST_BITS);
        // The number of marks that finds fewest other rows is the bits of a row times ln 2.
        let marks =
            (bits as f64 / count as f64 * std::f64::consts::LN_2).round().clamp(1.0, MOST_MARKS) as u32;
        let mut known = Self { marks, bits, words: vec![0; (bits / 64) as usize] };
        for hash in rows.iter().filter_map(|row| hashes.get(*row as usize)) {
            for bit in positions(marks, bits, *hash) {
                if let Some(word) = known.words.get_mut((bit / 64) as usize) {
                    *word |= 1 << (bit % 64);
                }
            }
        }
        known
    }

    /// Those of the rows that give this model no advantage over one that was trained on `other`: rows of which both or neither were
    /// trained on an equal one. `places` are where the model's features are among the samples'.
    pub(super) fn fair(&self, other: &[u32], samples: &Samples, places: &[usize], rows: &[u32]) -> Vec<u32> {
        let mut other = hashes(samples, places, other);
        other.sort_unstable();
        let hashes = hashes(samples, places, rows);
        let fair = |hash: u64| self.has(hash) == other.binary_search(&hash).is_ok();
        rows.iter().zip(hashes).filter(|(_, hash)| fair(*hash)).map(|(row, _)| *row).collect()
    }

    fn has(&self, hash: u64) -> bool {
        let is_set =
            |bit: u64| self.words.get((bit / 64) as usize).is_some_and(|word| word >> (bit % 64) & 1 == 1);
        positions(self.marks, self.bits, hash).all(is_set)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.marks.to_le_bytes());
        bytes.extend(self.bits.to_le_bytes());
        bytes.extend(self.words.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }

    /// Reads the file; `None` when it is not such a file.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (marks, rest) = rest.split_first_chunk::<4>()?;
        let (bits, rest) = rest.split_first_chunk::<8>()?;
        let (marks, bits) = (u32::from_le_bytes(*marks), u64::from_le_bytes(*bits));
        let fits = (1..=MOST_MARKS as u32).contains(&marks)
            && (64..=MOST_BITS).contains(&bits)
            && bits.is_multiple_of(64);
        if !fits || rest.len() as u64 != bits / 8 {
            return None;
        }
        let words = rest.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(word.try_into().ok()?)));
        Some(Self { marks, bits, words: words.collect() })
    }
}

/// The bits that stand for a row.
fn positions(marks: u32, bits: u64, hash: u64) -> impl Iterator<Item = u64> {
    let step = hash.rotate_left(32) | 1;
    (0..marks).map(move |number| hash.wrapping_add(step.wrapping_mul(u64::from(number))) % bits.max(1))
}

/// The error for a file that is not one of these.
pub(super) fn damaged(folder: &std::path::Path) -> ArtifactError {
    let problem = format!("{TRAINING_ROWS_FILE} is not a list of rows of this version");
    ArtifactError::Damaged { folder: real_name(folder), problem }
}

/// A hash of each of the rows: of its values in all columns, and of its target.
pub(super) fn row_hashes(samples: &Samples, rows: &[u32]) -> Vec<u64> {
    let all: Vec<usize> = (0..samples.columns.len()).collect();
    hashes(samples, &all, rows)
}

/// A hash of each row: of its values in these columns, in this order, and of its target.
fn hashes(samples: &Samples, places: &[usize], rows: &[u32]) -> Vec<u64> {
    // A text's number depends on which texts came before it, so its own hash stands for it.
    let texts: Vec<Vec<u64>> =
        samples.texts.iter().map(|texts| texts.iter().map(|text| hash(text.as_bytes())).collect()).collect();
    let labels: Vec<u64> = match &samples.task {
        Task::Classify { labels, .. } => {
            labels.iter().map(|label| hash(label.to_string().as_bytes())).collect()
        }
        Task::Regress { .. } | Task::Find { .. } => Vec::new(),
    };
    let target = |row: usize| match &samples.task {
        Task::Classify { classes, .. } => {
            classes.get(row).and_then(|class| labels.get(*class as usize)).copied().unwrap_or_default()
        }
        Task::Regress { numbers, .. } => numbers.get(row).map_or(0, |number| bits(*number)),
        Task::Find { .. } => 0,
    };
    let columns: Vec<(usize, &[u64])> =
        places.iter().map(|place| (*place, texts.get(*place).map_or(&[][..], Vec::as_slice))).collect();
    let shards = over_shards(rows.len(), |range| {
        let mut hashes = Vec::with_capacity(range.len());
        let mut bytes = Vec::with_capacity((columns.len() + 1) * size_of::<u64>());
        for (row, values) in Rows::new(&samples.raw, rows).range(range) {
            // Put together first: a hash that is fed with one number after the other takes several times as long.
            bytes.clear();
            for (place, texts) in &columns {
                let value = values.get(*place).copied().unwrap_or(f64::NAN);
                let text = if value.is_nan() { None } else { texts.get(value as usize) };
                bytes.extend_from_slice(&text.copied().unwrap_or_else(|| bits(value)).to_le_bytes());
            }
            bytes.extend_from_slice(&target(row).to_le_bytes());
            hashes.push(hash(&bytes));
        }
        hashes
    });
    shards.into_iter().flatten().collect()
}

fn hash(bytes: &[u8]) -> u64 {
    XxHash64::oneshot(0, bytes)
}

/// A number's bits: 0 and -0 are one value, and so is whatever is missing.
fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(hashes: &[u64]) -> TrainingRows {
        let mut rows = TrainingRows { marks: 7, bits: 640, words: vec![0; 10] };
        for hash in hashes {
            for bit in positions(rows.marks, rows.bits, *hash) {
                rows.words[(bit / 64) as usize] |= 1 << (bit % 64);
            }
        }
        rows
    }

    #[test]
    fn a_file_reads_back_and_any_other_is_refused() {
        let rows = known(&[1, 2, u64::MAX]);
        let bytes = rows.to_bytes();
        assert_eq!(TrainingRows::from_bytes(&bytes), Some(rows));
        for length in 0..bytes.len() {
            assert_eq!(TrainingRows::from_bytes(&bytes[..length]), None, "{length} bytes");
        }
        let with = |at: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            bytes
        };
        for (what, bytes) in [
            ("another version", with(7, 2)),
            ("no marks", with(8, 0)),
            ("many marks", with(8, 12)),
            ("bits that are not there", with(12, 64)),
            ("a number of bits beyond all", with(19, 255)),
            ("more bytes", [bytes.clone(), vec![0; 8]].concat()),
        ] {
            assert_eq!(TrainingRows::from_bytes(&bytes), None, "{what}");
        }
    }
}
