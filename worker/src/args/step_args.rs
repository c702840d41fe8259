//! The step command's flags.

use std::path::PathBuf;

use clap::Args;

use crate::artifact::Storage;
use crate::flags::WorkFlags;
use crate::serve::ServeOptions;

/// Do one step of a pipeline.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  mlpipeline-worker step --storage /data @step.json
  kubectl get job iris-data-0123456789ab -o jsonpath='{.metadata.annotations.mlpipeline\\.dev/step}' | mlpipeline-worker step --storage ./data -

Exit codes: 0 done, 1 internal error, 2 wrong spec, 3 wrong data, 4 storage or network unavailable. Retry 1 and 4 only.")]
pub struct StepArgs {
    /// The step as JSON, @FILE, or - for standard input. Several arguments are joined: Linux takes at most 128 KiB in one.
    #[arg(value_name = "SPEC", env = "MLPIPELINE_STEP", required = true, num_args = 1..)]
    pub spec: Vec<String>,
    /// The folder that artifacts live in: the volume.
    #[arg(long, value_name = "DIR", env = "MLPIPELINE_STORAGE")]
    pub storage: PathBuf,
    /// A second folder, only read, for file: inputs that are not on the volume.
    #[arg(long, value_name = "DIR", env = "MLPIPELINE_FILES")]
    pub files: Option<PathBuf>,
    /// Where the report goes; /dev/termination-log where there is one, else standard output, when absent.
    #[arg(long, value_name = "FILE", env = "MLPIPELINE_REPORT")]
    pub report: Option<PathBuf>,
    /// Which of the pods of an Indexed Job this is; Kubernetes sets the variable.
    #[arg(long, value_name = "N", env = "JOB_COMPLETION_INDEX", hide = true)]
    pub completion_index: Option<u32>,
    /// End when standard input does: whoever started this process, and holds the other end, is gone.
    #[arg(long, alias = "lifeline", hide = true)]
    pub watchdog: bool,
    /// Resources and network.
    #[command(flatten)]
    pub work: WorkFlags,
    /// Where and within which limits a serve step answers.
    #[command(flatten)]
    pub serving: ServeOptions,
}

impl StepArgs {
    /// The storage to work on.
    #[must_use]
    pub fn storage(&self) -> Storage {
        Storage { root: self.storage.clone(), files: self.files.clone() }
    }
}
