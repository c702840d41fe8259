//! Flags that all work shares: memory, scratch space and the network.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{parse_bytes, parse_duration};
use crate::WorkContext;
use crate::artifact::{ArtifactError, Storage};
use crate::context::ContextSettings;
use crate::credentials::Secrets;
use crate::memory::available;
use crate::network::{AddressRange, Network};
use crate::progress::Progress;

/// The share of the memory there is that queries may use: the rest is for what is being read and written.
const MEMORY_SHARE: u64 = 2;

/// The least memory for queries: below it not even small ones run.
const LEAST_MEMORY: u64 = 64 << 20;

/// Memory, scratch space and network.
#[derive(Clone, Debug, Args)]
pub struct WorkFlags {
    /// How much memory queries may use before they spill to disk; half of what the container or machine has when absent. Rows to train
    /// with go to a file at seven tenths of it.
    #[arg(long, value_name = "SIZE", env = "MLPIPELINE_MEMORY_LIMIT", value_parser = parse_bytes, help_heading = "Resources")]
    pub memory_limit: Option<u64>,
    /// The folder for downloads and for what does not fit into memory; TMPDIR or /tmp when absent.
    #[arg(long, value_name = "DIR", env = "MLPIPELINE_SCRATCH", help_heading = "Resources")]
    pub scratch: Option<PathBuf>,
    /// Ranges of addresses that may be fetched from although they are loopback, link-local or the like: 127.0.0.0/8.
    #[arg(
        long = "allow-address",
        value_name = "CIDR",
        env = "MLPIPELINE_ALLOW_ADDRESSES",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    pub allow_addresses: Vec<AddressRange>,
    /// The most bytes of one download.
    #[arg(long, value_name = "SIZE", env = "MLPIPELINE_MAX_DOWNLOAD", default_value = "64GiB", value_parser = parse_bytes, help_heading = "Network")]
    pub max_download: u64,
    /// How long connecting may take.
    #[arg(long, value_name = "DURATION", env = "MLPIPELINE_CONNECT_TIMEOUT", default_value = "10s", value_parser = parse_duration, help_heading = "Network")]
    pub connect_timeout: Duration,
    /// How long a server may send nothing.
    #[arg(long, value_name = "DURATION", env = "MLPIPELINE_IDLE_TIMEOUT", default_value = "30s", value_parser = parse_duration, help_heading = "Network")]
    pub idle_timeout: Duration,
    /// How often a fetch is tried.
    #[arg(long, value_name = "NUMBER", env = "MLPIPELINE_FETCH_ATTEMPTS", default_value = "5", value_parser = clap::value_parser!(u32).range(1..=100), help_heading = "Network")]
    pub fetch_attempts: u32,
    /// How long one download may take, with all its attempts, or one delivery to S3 or PostgreSQL.
    #[arg(long, value_name = "DURATION", env = "MLPIPELINE_FETCH_TIMEOUT", default_value = "6h", value_parser = parse_duration, help_heading = "Network")]
    pub fetch_timeout: Duration,
    /// The pause before the second attempt; it doubles with each further one.
    #[arg(long, value_name = "DURATION", env = "MLPIPELINE_FETCH_BACKOFF", default_value = "500ms", value_parser = parse_duration, help_heading = "Network")]
    pub fetch_backoff: Duration,
}

impl WorkFlags {
    /// The context for work on this storage. On the user's `own_machine`, its own servers may be fetched from too.
    ///
    /// # Errors
    /// When the scratch folder cannot be written.
    pub fn context(&self, storage: Storage, own_machine: bool) -> Result<WorkContext, ArtifactError> {
        let memory = self.memory_limit.unwrap_or_else(|| (available() / MEMORY_SHARE).max(LEAST_MEMORY));
        let terminal = std::io::stderr().is_terminal();
        let mut allowed = self.allow_addresses.clone();
        if own_machine {
            allowed.extend(AddressRange::loopback());
        }
        WorkContext::new(ContextSettings {
            storage,
            scratch: self.scratch.clone().unwrap_or_else(std::env::temp_dir),
            memory_limit: usize::try_from(memory).unwrap_or(usize::MAX),
            network: Network {
                allowed,
                connect_timeout: self.connect_timeout,
                idle_timeout: self.idle_timeout,
                attempts: self.fetch_attempts,
                fetch_timeout: self.fetch_timeout,
                backoff: self.fetch_backoff,
                max_download: self.max_download,
            },
            progress: if terminal { Progress::Terminal } else { Progress::Silent },
            secrets: Secrets::of(std::env::vars_os()),
        })
    }
}
