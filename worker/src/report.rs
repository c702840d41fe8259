//! Handing over a report: to a file, or to standard output.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mlpipeline_crds::StepReport;

/// Where the kubelet reads a container's last words.
const TERMINATION_LOG: &str = "/dev/termination-log";

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportTarget {
    /// Into a file.
    File(PathBuf),
    /// To standard output, for people.
    Stdout,
}

impl ReportTarget {
    /// The file that was asked for, else the kubelet's where there is one that can be written, else standard output.
    #[must_use]
    pub fn choose(asked: Option<PathBuf>) -> Self {
        let kubelet = || {
            let writable = fs::OpenOptions::new().write(true).open(TERMINATION_LOG).is_ok();
            writable.then(|| PathBuf::from(TERMINATION_LOG))
        };
        asked.or_else(kubelet).map_or(Self::Stdout, Self::File)
    }

    /// Writes the report. A reader of a file sees the old content or the whole report.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, report: &StepReport) -> io::Result<()> {
        let text = report.to_json();
        match self {
            Self::Stdout => {
                let written = writeln!(io::stdout(), "{text}");
                // Nobody listens any more, which is not a failure.
                written.or_else(
                    |error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) },
                )
            }
            Self::File(path) => replace(path, text.as_bytes()).or_else(|_| {
                // A file that is mounted by itself cannot be renamed over; it takes the report in one write.
                fs::write(path, text.as_bytes())
            }),
        }
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    let mut draft = tempfile::Builder::new().prefix(".report-").tempfile_in(folder)?;
    draft.write_all(content)?;
    draft.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_replaces_what_was_there_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        fs::write(&path, "x".repeat(10_000)).expect("an old report");
        let report = StepReport::failed("Reason", "message");
        ReportTarget::File(path.clone()).write(&report).expect("written");
        let text = fs::read_to_string(&path).expect("a report");
        assert_eq!(StepReport::from_json(&text).expect("a report"), report);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
