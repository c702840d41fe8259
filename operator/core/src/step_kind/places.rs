//! What a step's task is made of beside its own spec.

use mlpipeline_crds::{BaselineModel, DataReference, DataSource, Digest};

/// Where a step finds what it reads. Everything that it reads is known by the time that it has a task.
pub trait Places {
    /// The source of rows that the step calls by this name.
    fn source(&self, name: &str, reference: &DataReference) -> DataSource;

    /// The artifact that the step reads under this name, relative to the storage folder.
    fn artifact(&self, name: &str) -> String;

    /// What that artifact's step reported of its content, where it is known and the worker can check it.
    fn digest(&self, name: &str) -> Option<Digest>;

    /// The model that the readers of a train step use now, which a new one is compared with.
    fn baseline(&self) -> Option<BaselineModel>;

    /// Among how many pods the trials of a search are shared, for one of these pods; `None` for all other work.
    fn trial_pods(&self) -> Option<u32>;

    /// How many results of a step are kept.
    fn history(&self) -> u32;
}
