//! What `local` keeps on disk beside the volume: a record of each run, its log, and a lock.
//!
//! Records stand in for Jobs. They are a cache: with them gone, runs are started again, and the worker answers from the
//! finished artifacts at once. The truth is the volume, so a record of a result that is no longer there does not count.

mod foreign_entry;
mod lock;
pub mod own_file;
mod record;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mlpipeline_core::observed::{Observed, ObservedStep};
use mlpipeline_core::pipeline::ValidatedPipeline;

pub use foreign_entry::ForeignEntry;
pub use lock::{Lock, LockError};
pub use record::{Phase, RunRecord};

/// Records by the step's name.
pub type Records = BTreeMap<String, Vec<RunRecord>>;

/// The most bytes of a record: a fingerprint is as long as its step, and a pipeline has 512 KiB.
const RECORD_LIMIT: u64 = 8 << 20;

/// How the names of files with a container's variables end, beside the records of its run.
pub const VARIABLES_ENDING: &str = "variables";

/// Records as the core sees them.
#[must_use]
pub fn observed(records: &Records) -> Observed {
    let mut observed = Observed::default();
    for (step, records) in records {
        let runs = records.iter().map(RunRecord::observed).collect();
        observed.steps.insert(step.clone(), ObservedStep { runs, ..ObservedStep::default() });
    }
    observed
}

/// The folders of one pipeline under the data folder.
#[derive(Clone, Debug)]
pub struct Store {
    data: PathBuf,
    volume: PathBuf,
    artifacts: PathBuf,
    state: PathBuf,
}

impl Store {
    /// The folders of a pipeline; nothing is read or made yet.
    #[must_use]
    pub fn of(data: &Path, pipeline: &ValidatedPipeline) -> Self {
        let volume = data.join("volume");
        Self {
            artifacts: volume.join(&pipeline.namespace).join(&pipeline.name),
            state: data.join("state").join(&pipeline.namespace).join(&pipeline.name),
            volume,
            data: data.to_owned(),
        }
    }

    /// The folder that stands for the volume.
    #[must_use]
    pub fn volume(&self) -> &Path {
        &self.volume
    }

    /// Looks for links, pipes and the like, before anything of the folders is read or written.
    ///
    /// # Errors
    /// The first that is found: see [`ForeignEntry`].
    pub fn check(&self) -> Result<(), ForeignEntry> {
        foreign_entry::check(self)
    }

    /// Makes the folders.
    ///
    /// # Errors
    /// When a folder cannot be made, with its path.
    pub fn create(&self) -> Result<(), (PathBuf, io::Error)> {
        for folder in [&self.volume, &self.state] {
            fs::create_dir_all(folder).map_err(|error| (folder.clone(), error))?;
        }
        Ok(())
    }

    /// Takes the right to run this pipeline here; see [`Lock::take`].
    ///
    /// # Errors
    /// When another process has it, or the lock's file cannot be written.
    pub fn lock(&self) -> Result<Lock, LockError> {
        let lock = Lock::take(&self.state.join("lock"))?;
        self.remove_variables();
        Ok(lock)
    }

    /// Removes the files of variables that a killed process left; they may hold secrets.
    fn remove_variables(&self) {
        let folders = entries(&self.state.join("runs"));
        let files = folders.iter().flat_map(|folder| entries(folder));
        for file in files.filter(|file| file.extension().is_some_and(|ending| ending == VARIABLES_ENDING)) {
            fs::remove_file(file).ok();
        }
    }

    /// Whether some process runs this pipeline here at this moment.
    #[must_use]
    pub fn is_running(&self) -> bool {
        lock::is_held(&self.state.join("lock"))
    }

    /// The file for what a run prints.
    #[must_use]
    pub fn log(&self, step: &str, run: &str) -> PathBuf {
        self.state.join("logs").join(step).join(format!("{run}.log"))
    }

    /// The file that a run's report is written to.
    #[must_use]
    pub fn report(&self, step: &str, run: &str) -> PathBuf {
        self.state.join("runs").join(step).join(format!("{run}.report"))
    }

    /// The file with the spec of a run's step.
    #[must_use]
    pub fn spec(&self, step: &str, run: &str) -> PathBuf {
        self.state.join("runs").join(step).join(format!("{run}.step"))
    }

    fn record(&self, step: &str, run: &str) -> PathBuf {
        self.state.join("runs").join(step).join(format!("{run}.json"))
    }

    /// Makes the folders that a run writes to.
    ///
    /// # Errors
    /// When a folder cannot be made.
    pub fn prepare_run(&self, step: &str) -> io::Result<()> {
        fs::create_dir_all(self.state.join("runs").join(step))?;
        fs::create_dir_all(self.state.join("logs").join(step))
    }

    /// Writes a record so that it is there as a whole or not at all, whatever happens meanwhile.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, step: &str, record: &RunRecord) -> io::Result<()> {
        let path = self.record(step, &record.name);
        let temporary = path.with_extension("tmp");
        let mut file = own_file::create(&temporary)?;
        file.write_all(&serde_json::to_vec(record)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)
    }

    /// Removes a run, with its log.
    pub fn remove(&self, step: &str, run: &str) {
        // A record that stays because it cannot be removed is found again, and removed, at the next start.
        let files =
            [self.record(step, run), self.spec(step, run), self.report(step, run), self.log(step, run)];
        for path in files {
            fs::remove_file(path).ok();
        }
    }

    /// The records that count, by step. What cannot be read does not; a result does only while it is on the volume; and
    /// unless somebody runs the pipeline at this moment, neither do runs that were active (they have ended) nor those that
    /// failed (to start again is to try again).
    #[must_use]
    pub fn records(&self, is_running: bool) -> Records {
        let mut found = Records::new();
        for folder in entries(&self.state.join("runs")) {
            let Some(step) = folder.file_name().and_then(|name| name.to_str()) else { continue };
            let files = entries(&folder)
                .into_iter()
                .filter(|file| file.extension().is_some_and(|ending| ending == "json"));
            let records = files.filter_map(|file| read_record(&file));
            let counts = |record: &RunRecord| match record.phase {
                Phase::Active | Phase::Failed { .. } => is_running,
                Phase::Succeeded => self.has_result(step, record),
            };
            found.insert(step.to_owned(), records.filter(counts).collect());
        }
        found
    }

    /// Whether the result of a successful run is still on the volume.
    #[must_use]
    pub fn has_result(&self, step: &str, record: &RunRecord) -> bool {
        let folder = self.artifacts.join(step).join(record.result().as_str());
        // A worker's artifact is complete once it has its manifest; a container's is what the container wrote.
        if record.is_workers { folder.join("manifest.json").is_file() } else { folder.is_dir() }
    }
}

/// A run's record. What else has such a name is none: a pipe would keep whoever opens it waiting.
fn read_record(file: &Path) -> Option<RunRecord> {
    own_file::read(file, RECORD_LIMIT).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_among_the_records_is_none_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("run.json");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        assert!(read_record(&pipe).is_none());
    }
}
