//! Training: a model from rows.
//!
//! Owns the checks of a train step and its data, splits and folds, the algorithms and the metrics. All rows are held in
//! memory, once: rows × features × 8 bytes. The same rows and the same step give the same model, whatever the number of
//! threads. Must not know formats or storage layout: `table` and `artifact` do.

mod algorithm;
mod algorithm_flags;
mod args;
mod baseline;
mod boosting;
mod class_target;
mod columns;
mod error;
mod forest;
mod gaussian;
mod lbfgs;
mod learner;
mod least_squares;
mod logistic;
mod logistic_loss;
mod matrix;
mod memory;
mod metrics;
mod middle;
mod notes;
mod number_target;
mod parallel;
mod preconditioner;
mod prepared;
mod run;
mod samples;
mod scaling;
mod schema;
mod settings;
mod shuffle;
mod split;
mod summary;
mod task;
mod triangle;
mod vector;

pub use algorithm_flags::AlgorithmFlags;
pub use args::{OutputFormat, TrainArgs};
pub use boosting::GradientBoosting;
pub use error::TrainError;
pub use forest::Forest;
pub use gaussian::GaussianNaiveBayes;
pub use learner::{Classifier, Fitted, Learner, Regressor};
pub use least_squares::LeastSquares;
pub use logistic::Logistic;
pub use matrix::{Matrix, Rows};
pub use metrics::Metrics;
pub use run::{Trained, run, train};
