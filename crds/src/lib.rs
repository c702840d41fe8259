//! The contract of mlpipeline.
//!
//! Owns the Rust types of the `MLPipeline` resource and its status, the generated CustomResourceDefinition, and what the
//! operator and the worker say to each other: [`StepSpec`] on the way in, [`StepReport`] and [`ExitCode`] on the way out.
//!
//! Must not: talk to an API server, read a clock, a file or the environment, or spawn anything. Every other crate depends
//! on this one, so it stays small.

mod algorithm;
mod baseline;
mod beginning;
mod check_number;
mod clock_parts;
mod compression;
mod crd;
mod data_source;
mod date_notation;
mod exit_code;
mod foreign_notation;
mod format;
mod gate;
mod interaction;
mod location;
mod metric;
mod on_mismatch;
mod pipeline;
mod pod;
mod reading;
mod report;
mod revision;
mod scale;
mod shown_number;
mod shown_sign;
mod status;
mod step;
mod step_spec;
mod step_version;
mod step_work;
mod storage;
mod train_column;
mod trial;
mod tune;
mod verdict;
mod worker_settings;

pub use algorithm::{
    Algorithm, BernoulliNaiveBayes, BoostingLoss, CategorySplits, ChosenAlgorithm, ClassWeight, Dbscan,
    DecisionTree, EarlyStopping, ElasticNet, ExtraTrees, Forest, GaussianMixture, GaussianNaiveBayes,
    GradientBoosting, IsolationForest, KMeans, KNeighbors, Lasso, LearningTask, LinearRegression, LinearSvm,
    LogisticRegression, Monotonic, MultinomialNaiveBayes, NeighborWeights, ParameterProblem, Parameters, Pca,
    Penalty, PoissonRegression, Predicts, RandomForest, Ridge, SeasonalNaive, TimeInterval, TruncatedSvd,
};
pub use baseline::Baseline;
pub use beginning::beginning;
pub use check_number::CheckNumber;
pub use clock_parts::ClockParts;
pub use compression::{Compression, CompressionError};
pub use crd::{custom_resource_definition, pipeline_schema};
pub use data_source::{DataSource, Delivery};
pub use date_notation::{NotationProblem, date_notation};
pub use exit_code::ExitCode;
pub use format::Format;
pub use gate::Gate;
pub use interaction::Interaction;
pub use location::{LocationError, ObjectLocation, TableLocation, UriScheme};
pub use metric::{METRIC_LIMIT, Metric, UNTESTED_CLASSES, bounded_metrics, telling_first};
pub use on_mismatch::OnMismatch;
pub use pipeline::{MLPipeline, MLPipelineSpec};
pub use pod::{EmptyDir, ImagePullPolicy, KeyedFiles, Mount, PodSettings, Volume, VolumeClaim};
pub use reading::{ColumnReading, ColumnType, Reading, TextEncoding};
pub use report::{Outcome, REPORT_LIMIT, ReportError, StepReport};
pub use revision::{Digest, Revision, RevisionError};
pub use scale::Scale;
pub use shown_number::Shown;
pub use shown_sign::is_shown;
pub use status::{GateState, MLPipelineStatus, ModelStatus, StepState, StepStatus};
pub use step::*;
pub use step_spec::{Action, RevisionRule, STEP_SPEC_VERSION, StepSpec};
pub use step_version::{DIGESTS_VERSION, OLDEST_STEP_SPEC_VERSION, TUNING_VERSION};
pub use storage::{AccessMode, DEFAULT_VOLUME_SIZE, Storage, VolumeStorage};
pub use train_column::{ColumnRole, TrainColumn};
pub use trial::Trial;
pub use tune::{Range, Search, Space, Tune, TuneProblem};
pub use verdict::{GateVerdict, Verdict};
pub use worker_settings::{RESERVED_SETTINGS, VARIABLE_PREFIX, WORKER_SETTINGS};

/// The API group of every label, annotation and resource of ours.
pub const GROUP: &str = "mlpipeline.dev";

/// The API version of the resource, as owner references and manifests name it.
pub const API_VERSION: &str = "mlpipeline.dev/v1alpha1";

/// The kind of the resource.
pub const KIND: &str = "MLPipeline";
