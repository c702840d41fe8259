//! What every action works with: storage, memory, scratch space, the network's rules, progress, and being told to stop.
//!
//! Owns the one DataFusion configuration of the worker. Must not: read the environment or the command line; `args` does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::artifact::{ArtifactError, Storage};
use crate::progress::Progress;
use crate::stores::Secrets;
use crate::table::Network;

/// Rows in a batch.
const BATCH_ROWS: usize = 8192;

/// How many consumers of memory an out-of-memory message names.
const CONSUMERS_NAMED: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(2);

/// What a context is made of.
#[derive(Clone, Debug)]
pub struct ContextSettings {
    /// Where artifacts lie.
    pub storage: Storage,
    /// A folder for downloads and for what does not fit into memory.
    pub scratch: PathBuf,
    /// How much memory queries may use before they spill to scratch, in bytes.
    pub memory_limit: usize,
    /// What may be fetched, and how.
    pub network: Network,
    /// Where progress is shown.
    pub progress: Progress,
    /// Credentials of inputs and outputs.
    pub secrets: Secrets,
}

/// What every action works with.
#[derive(Debug)]
pub struct WorkContext {
    /// Where artifacts lie.
    pub storage: Storage,
    /// What may be fetched, and how.
    pub network: Network,
    /// Where progress is shown.
    pub progress: Progress,
    /// Credentials of inputs and outputs.
    pub secrets: Secrets,
    /// Tells the action to stop.
    pub cancellation: Cancellation,
    scratch: TempDir,
    runtime: Arc<RuntimeEnv>,
}

impl WorkContext {
    /// Makes the context, with a folder of its own in the scratch folder that goes with it.
    ///
    /// # Errors
    /// When the scratch folder cannot be written.
    pub fn new(settings: ContextSettings) -> Result<Self, ArtifactError> {
        let scratch = tempfile::Builder::new()
            .prefix("mlpipeline-")
            .tempdir_in(&settings.scratch)
            .map_err(ArtifactError::io("make a scratch folder in", &settings.scratch))?;
        let pool = TrackConsumersPool::new(FairSpillPool::new(settings.memory_limit), CONSUMERS_NAMED);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(pool))
            .with_temp_file_path(scratch.path())
            // The disk is what bounds it; the error then says which one is full.
            .with_max_temp_directory_size(u64::MAX)
            .build_arc()
            .map_err(|error| scratch_error(scratch.path(), &error))?;
        Ok(Self {
            storage: settings.storage,
            network: settings.network,
            progress: settings.progress,
            secrets: settings.secrets,
            cancellation: Cancellation::default(),
            scratch,
            runtime,
        })
    }

    /// A new session: no tables, the worker's configuration, the shared memory limit.
    ///
    /// Every plan has one partition. So rows come out in the order in which they went in unless the query orders them, groups
    /// come out in the order in which they were first seen, and floating-point sums are added in that order: the same input
    /// gives the same bytes on a laptop and on a server with other cores. Cores are used by reading and parsing ahead of the
    /// query, and by writing behind it.
    #[must_use]
    pub fn session(&self) -> SessionContext {
        let config = SessionConfig::new()
            .with_target_partitions(1)
            .with_batch_size(BATCH_ROWS)
            .with_information_schema(false);
        SessionContext::new_with_config_rt(config, Arc::clone(&self.runtime))
    }

    /// Removes what downloads and decompression left on scratch, for work that goes on for ever. Nothing may be reading it.
    pub fn clear_scratch(&self) {
        let entries = std::fs::read_dir(self.scratch()).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
            // What stays goes with the context.
            std::fs::remove_file(entry.path()).ok();
        }
    }

    /// A folder for temporary files that is removed with the context.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }
}

fn scratch_error(path: &Path, error: &DataFusionError) -> ArtifactError {
    ArtifactError::io("use the scratch folder", path)(std::io::Error::other(error.to_string()))
}

/// A flag that, once raised, tells every part of an action to stop.
#[derive(Clone, Debug)]
pub struct Cancellation(Arc<watch::Sender<bool>>);

impl Default for Cancellation {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Cancellation {
    /// Raises the flag.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }

    /// Whether the flag is raised: for loops that compute.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the flag is raised.
    pub async fn cancelled(&self) {
        let mut flag = self.0.subscribe();
        // The sender lives as long as this value does, so waiting cannot fail.
        let _ = flag.wait_for(|raised| *raised).await;
    }
}
