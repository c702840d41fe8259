//! The name, version and size of a model's file.

/// The model's file in its folder.
pub const MODEL_FILE: &str = "model.json";

/// The file of a model's trees in its folder.
pub const TREES_FILE: &str = "trees.bin";

/// The newest version of the file's format: the one that is written. All earlier ones are read.
pub const MODEL_VERSION: u64 = 2;

/// The most bytes of a model file: 4096 features and 1000 classes, at 25 bytes a number, fit.
pub(super) const SIZE_LIMIT: u64 = 128 << 20;

/// The most bytes of a file of trees: 60 million leaves.
pub const TREES_LIMIT: u64 = 1 << 30;
