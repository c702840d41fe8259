//! Names of files on their way through a continuous step.
//!
//! Must not touch a file: `folders` does.

use std::time::{SystemTime, UNIX_EPOCH};

/// What stands between a file's name and the attempt that processed it.
pub(super) const ATTEMPT_MARK: char = '~';

/// The extension of rows that are delivered rather than published.
pub(super) const PENDING_EXTENSION: &str = "post";

/// The longest name that a claimed file keeps, in bytes: with tag, attempt and extension it stays below 255.
const NAME_LIMIT: usize = 160;

/// A result that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ready {
    /// The claimed file's name.
    pub name: String,
    /// Who made it.
    pub attempt: String,
    /// The result's extension, or [`PENDING_EXTENSION`].
    pub extension: String,
}

impl Ready {
    pub(super) fn file_name(&self) -> String {
        format!("{}{ATTEMPT_MARK}{}.{}", self.name, self.attempt, self.extension)
    }

    pub(super) fn parse(file_name: &str) -> Option<Self> {
        let (name, rest) = file_name.rsplit_once(ATTEMPT_MARK)?;
        let (attempt, extension) = rest.split_once('.')?;
        Some(Self { name: name.into(), attempt: attempt.into(), extension: extension.into() })
    }

    /// The name under which it is published: the file's, with the result's extension in place of its own.
    pub(super) fn published_name(&self) -> String {
        let plain = [".gz", ".zst"].iter().find_map(|suffix| self.name.strip_suffix(suffix));
        let plain = plain.unwrap_or(&self.name);
        let stem = plain.rsplit_once('.').map_or(plain, |(stem, _)| stem);
        format!("{stem}.{}", self.extension)
    }
}

/// A name that no other file had: the time, so that names sort by it, and a random part. It stands before the extensions, by
/// which the format is recognised. A `*` would be a wildcard where the file is read.
pub(super) fn tagged(name: &str) -> String {
    let (stem, extensions) = name.split_once('.').unwrap_or((name, ""));
    let plain: String =
        stem.chars().map(|sign| if matches!(sign, '*' | ATTEMPT_MARK) { '_' } else { sign }).collect();
    let extensions: String = extensions.replace(['*', ATTEMPT_MARK], "_");
    let extensions = if extensions.len() > 40 {
        // Such a long tail is not an extension; its last part may be one.
        extensions.rsplit('.').next().unwrap_or_default().chars().take(16).collect()
    } else {
        extensions
    };
    let room =
        (0..=NAME_LIMIT.saturating_sub(extensions.len())).rev().find(|end| plain.is_char_boundary(*end));
    let short = plain.get(..room.unwrap_or_default()).unwrap_or(&plain);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let dot = if extensions.is_empty() { "" } else { "." };
    format!("{short}-{time:013}-{:08x}{dot}{extensions}", rand::random::<u32>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_extensions_and_are_never_too_long() {
        for (name, start, end) in [
            ("listing.txt", "listing-", ".txt"),
            ("day.csv.gz", "day-", ".csv.gz"),
            ("a*b~c.csv", "a_b_c-", ".csv"),
            ("plain", "plain-", ""),
            (&format!("{}.csv", "é".repeat(200)), "é", ".csv"),
            (&format!("a.{}.csv", "b".repeat(200)), "a-", ".csv"),
        ] {
            let tagged = tagged(name);
            assert!(tagged.starts_with(start) && tagged.ends_with(end), "{tagged}");
            assert!(tagged.len() < 200, "{tagged}");
            let ready = Ready { name: tagged, attempt: "0123abcd".into(), extension: "ndjson".into() };
            assert_eq!(Ready::parse(&ready.file_name()), Some(ready));
        }
        let ready = |name: &str| Ready { name: name.into(), attempt: "1".into(), extension: "csv".into() };
        assert_eq!(ready("a-1.b.csv.gz").published_name(), "a-1.b.csv");
        assert_eq!(ready("a-1").published_name(), "a-1.csv");
    }
}
