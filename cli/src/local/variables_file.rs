//! The variables of a container, in a file that nobody else can read and that goes with the run.
//!
//! Owns which of them can stand in such a file, and the file. A container tool is given its path: in the tool's own environment they would
//! reach every program that it starts on this machine, whose names for variables no list can hold. Must not know what the values mean.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::environment::Environment;
use super::foreign_variables::refusal;
use crate::state::VARIABLES_ENDING;

/// The longest value in a line of the file: both tools read lines of 64 KiB.
const LONGEST_VALUE: usize = 60 << 10;

/// Tells apart the files of this process.
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A file with a container's variables; removed when dropped.
#[derive(Debug)]
pub(super) struct VariablesFile {
    path: PathBuf,
}

impl VariablesFile {
    /// Writes a file beside `beside`, which only the user can read.
    ///
    /// # Errors
    /// When it cannot be written, with its path.
    pub(super) fn create(beside: &Path, lines: &str) -> io::Result<Self> {
        let problem = |path: &Path, error: &io::Error| {
            io::Error::other(format!("cannot write the variables to {}: {error}", path.display()))
        };
        loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let path = beside.with_extension(format!("{}-{number}.{VARIABLES_ENDING}", std::process::id()));
            // A new file: whatever else has the name, a link too, is neither followed nor taken over with the rights that it has.
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    let own = Self { path };
                    file.write_all(lines.as_bytes()).map_err(|error| problem(&own.path, &error))?;
                    return Ok(own);
                }
                // A process of the same number left it behind.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(problem(&path, &error)),
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for VariablesFile {
    fn drop(&mut self) {
        // What stays is removed when the pipeline is next run here.
        std::fs::remove_file(&self.path).ok();
    }
}

/// How a container gets its variables.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HandedOver {
    /// What stands in the file.
    pub(super) lines: String,
    /// What can only be handed over by the tool's own environment.
    pub(super) environment: Environment,
}

/// Divides variables into those for the file and those that cannot stand in it.
///
/// # Errors
/// The name of a variable that cannot stand in the file and may not be in the environment of a program of this machine, with what to do.
pub(super) fn hand_over(variables: &Environment) -> Result<HandedOver, String> {
    let mut handed = HandedOver { lines: String::new(), environment: Environment::new() };
    for (name, value) in variables {
        if is_plain(name) && is_read_as_it_is(value.reveal()) {
            handed.lines.extend([name, "=", value.reveal(), "\n"]);
        } else if refusal(name).is_none() {
            handed.environment.insert(name.clone(), value.clone());
        } else {
            return Err(format!(
                "the variable {name:?} cannot be handed to a container here: its value is long, or has line ends, quotes or #, which a file \
                 of variables cannot hold, and in the container tool's own environment it would reach programs of this machine; rename it, \
                 or apply the pipeline to a cluster"
            ));
        }
    }
    Ok(handed)
}

/// Whether a line that begins so is neither a comment nor a pattern of names.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// Whether every version of both tools reads the rest of a line as it is: some take a value out of its quotes, end it at a #, or leave out
/// spaces.
fn is_read_as_it_is(value: &str) -> bool {
    value.len() <= LONGEST_VALUE
        && value.trim() == value
        && !value.contains(|sign: char| sign.is_control() || "#'\"`".contains(sign))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn variables(all: &[(&str, &str)]) -> Environment {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into())).collect()
    }

    #[test]
    fn what_a_line_cannot_hold_goes_by_the_environment_unless_it_leads_programs_there() {
        for value in ["", "x", "a b=c", "ä$(NAME)\\n", "postgres://a?b=c&d"] {
            let handed = hand_over(&variables(&[("FOO_LIBDIR", value)])).expect(value);
            assert_eq!(handed.lines, format!("FOO_LIBDIR={value}\n"));
            assert!(handed.environment.is_empty());
        }
        let long = "x".repeat(LONGEST_VALUE + 1);
        for value in ["a\nb", "a\rb", "a\u{85}b", " a", "a ", "'a'", "\"a\"", "`a`", "a#b", &long] {
            let one = variables(&[("TOKEN", value)]);
            let handed = hand_over(&one).expect("allowed");
            assert_eq!(handed, HandedOver { lines: String::new(), environment: one }, "{value:?}");
            for name in ["XTABLES_LIBDIR", "IPTABLES_LIB_DIR", "GNUPGHOME", "LD_PRELOAD", "A*", "A\nB"] {
                let refused = hand_over(&variables(&[(name, value)])).expect_err(name);
                assert!(refused.contains(&format!("{name:?}")) && !refused.contains(&long), "{refused}");
            }
        }
    }

    #[test]
    fn the_file_is_the_users_alone_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let beside = folder.path().join("p-a-12345.step");
        let one = VariablesFile::create(&beside, "A=1\n").expect("written");
        let other = VariablesFile::create(&beside, "A=2\n").expect("written");
        assert_ne!(one.path(), other.path());
        let mode = one.path().metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(one.path()).expect("a text"), "A=1\n");
        drop((one, other));
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
