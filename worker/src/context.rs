//! What every action works with: storage, memory, scratch space, the network's rules, progress, and being stopped.
//!
//! Must not read the environment or the command line: `args` does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionContext;

use crate::artifact::{ArtifactError, Storage};
use crate::cancellation::Cancellation;
use crate::credentials::Secrets;
use crate::engine::{self, ReadAhead};
use crate::network::Network;
use crate::progress::Progress;
use crate::scratch::Scratch;

/// What a context is made of.
#[derive(Clone, Debug)]
pub struct ContextSettings {
    /// Where artifacts lie.
    pub storage: Storage,
    /// A folder for downloads and for what does not fit into memory.
    pub scratch: PathBuf,
    /// How much memory queries may use before they spill to scratch, in bytes. Rows to train with do at a share of it.
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
    /// Asks the action to stop.
    pub cancellation: Cancellation,
    /// Which of the pods of an Indexed Job this is.
    pub completion_index: Option<u32>,
    scratch: Scratch,
    memory_limit: usize,
    runtime: Arc<RuntimeEnv>,
    ahead: Arc<ReadAhead>,
}

impl WorkContext {
    /// Makes the context, with a folder of its own in the scratch folder that goes with it.
    ///
    /// # Errors
    /// When the scratch folder cannot be written.
    pub fn new(settings: ContextSettings) -> Result<Self, ArtifactError> {
        let scratch = Scratch::begin(&settings.scratch)
            .map_err(ArtifactError::io("make a scratch folder in", &settings.scratch))?;
        let runtime = engine::runtime(scratch.path(), settings.memory_limit).map_err(|error| {
            ArtifactError::io("use the scratch folder", scratch.path())(std::io::Error::other(
                error.to_string(),
            ))
        })?;
        Ok(Self {
            storage: settings.storage,
            network: settings.network,
            progress: settings.progress,
            secrets: settings.secrets,
            cancellation: Cancellation::default(),
            completion_index: None,
            scratch,
            memory_limit: settings.memory_limit,
            runtime,
            ahead: Arc::new(ReadAhead::new(settings.memory_limit)),
        })
    }

    /// A new session of the query engine: no tables, the worker's configuration, the shared memory limit.
    #[must_use]
    pub fn session(&self) -> SessionContext {
        engine::session(Arc::clone(&self.runtime), Arc::clone(&self.ahead))
    }

    /// How many parts of tables are read at once.
    pub(crate) fn read_ahead(&self) -> Arc<ReadAhead> {
        Arc::clone(&self.ahead)
    }

    /// Removes what downloads and decompression left on scratch, for long-running work. Nothing may be reading it.
    pub fn clear_scratch(&self) {
        let entries = std::fs::read_dir(self.scratch()).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
            // What stays goes with the context.
            std::fs::remove_file(entry.path()).ok();
        }
    }

    /// How much memory queries may use, in bytes; rows to train with go to scratch at a share of it.
    #[must_use]
    pub fn memory_limit(&self) -> usize {
        self.memory_limit
    }

    /// A folder for temporary files that is removed with the context.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }
}
