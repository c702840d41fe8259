//! Handing over a report: to a file, or to standard output.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mlpipeline_crds::StepReport;

use crate::artifact::{own, sweep_files};
use crate::credentials::Secrets;

/// What the names of reports begin with that are being written.
const DRAFT_PREFIX: &str = ".report-";

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

/// A report whose words hold no secret value.
pub(crate) fn without_secrets(mut report: StepReport, secrets: &Secrets) -> StepReport {
    let verdict = report.gate.as_mut().map(|gate| &mut gate.message);
    let failures = report.trials.iter_mut().filter_map(|trial| trial.failure.as_mut());
    for text in report.message.iter_mut().chain(verdict).chain(failures) {
        *text = secrets.redact(text);
    }
    report
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other("not a regular file"));
    }
    sweep_files(folder, is_draft);
    let mut draft = tempfile::Builder::new().prefix(DRAFT_PREFIX).tempfile_in(folder)?;
    own(draft.as_file());
    draft.write_all(content)?;
    draft.persist(path)?;
    Ok(())
}

/// Whether a file is one that a killed process left: the prefix and six characters.
fn is_draft(name: &str) -> bool {
    let random = name.strip_prefix(DRAFT_PREFIX);
    random.is_some_and(|random| random.len() == 6 && random.bytes().all(|sign| sign.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_success_hold_no_secret_either() {
        let variables = [("MLPIPELINE_SECRET_INPUT_a_token", "hunter2-hunter3")];
        let secrets = Secrets::of(variables.map(|(name, value)| (name.into(), value.into())));
        let mut report = StepReport::succeeded(None);
        report.message = Some("the column hunter2-hunter3 is constant, as \"hunter2-h…\" is".to_owned());
        let message = without_secrets(report, &secrets).message;
        assert_eq!(message.as_deref(), Some("the column … is constant, as \"……\" is"));
    }

    #[test]
    fn a_report_replaces_what_was_there_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        fs::write(&path, "x".repeat(10_000)).expect("an old report");
        fs::write(folder.path().join(".report-aB3dE6"), "half of it").expect("what a killed process left");
        let report = StepReport::failed("Reason", "message");
        ReportTarget::File(path.clone()).write(&report).expect("written");
        let text = fs::read_to_string(&path).expect("a report");
        assert_eq!(StepReport::from_json(&text).expect("a report"), report);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }
}
