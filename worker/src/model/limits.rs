//! The name, version and size of a model's file, and the bounds of what it holds.

/// The largest absolute value of a number that is learnt from or predicted for: squares and sums of such values are still finite.
pub const MAX_MAGNITUDE: f64 = 1e100;

/// The most columns that a model's features may become.
pub const MAX_COLUMNS: usize = 4096;

/// The most classes a classifier may know, and the most clusters.
pub const MAX_CLASSES: usize = 1000;

/// The model's file in its folder.
pub const MODEL_FILE: &str = "model.json";

/// The file of a model's trees in its folder.
pub const TREES_FILE: &str = "trees.bin";

/// The file of a model's rows in its folder.
pub const NEIGHBORS_FILE: &str = "neighbors.bin";

/// The file of a graph that was made elsewhere, in its model's folder.
pub const ONNX_FILE: &str = "model.onnx";

/// The newest version of the file's format. All earlier ones are read.
pub const MODEL_VERSION: u64 = 3;

/// The most bytes of a model file: 4096 features and 1000 classes, at 25 bytes a number, fit.
pub(super) const SIZE_LIMIT: u64 = 128 << 20;

/// The most numbers that `model.json` holds, at 25 bytes each: what is learned without a target is bounded by it.
pub const MAX_NUMBERS: usize = 5_000_000;

/// The most bytes of a file of trees or of rows: 60 million leaves, or 6 million rows of 20 features.
pub const BINARY_LIMIT: u64 = 1 << 30;
