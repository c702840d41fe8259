//! Revisions: the names of results, made of a step's fingerprint and those of everything before it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How many hexadecimal digits of the SHA-256 name a revision: 48 bits, so that among a million revisions of one step two
/// are alike with a chance of 1 in 500, and the name still fits beside the pipeline's and the step's in 63 characters.
const REVISION_LENGTH: usize = 12;

/// The name of one fingerprint of a step: a hash of the part of the spec that changes its result and of the revisions that it
/// reads. It names the step's Job and its artifact's folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Revision(String);

/// Text that is not a valid revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a revision: {REVISION_LENGTH} lower-case hexadecimal digits are")]
pub struct RevisionError(String);

impl Revision {
    /// The revision of a fingerprint, from any number of parts. Parts are framed by their length, so that no two different
    /// lists of parts are ever hashed alike.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut text = hex(&hasher.finalize());
        text.truncate(REVISION_LENGTH);
        Self(text)
    }

    /// Reads a revision from a label or a folder's name.
    ///
    /// # Errors
    /// When the text is not of a revision's form.
    pub fn parse(text: &str) -> Result<Self, RevisionError> {
        let well_formed = text.len() == REVISION_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if well_formed { Ok(Self(text.to_owned())) } else { Err(RevisionError(text.to_owned())) }
    }

    /// The revision as text: lower-case hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Revision {
    type Error = RevisionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Revision> for String {
    fn from(revision: Revision) -> Self {
        revision.0
    }
}

/// The SHA-256 of what a step produced, as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    /// A digest that was computed elsewhere, for example while streaming.
    #[must_use]
    pub fn from_sha256(digest: &[u8; 32]) -> Self {
        Self(hex(digest))
    }

    /// Reads a digest from an annotation; `None` for other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(text.to_owned())).filter(Self::is_well_formed)
    }

    /// Whether it has the form of one. Reports come from pods, and may hold any text in its place.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.0.len() == 64
            && self.0.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    }

    /// The digest as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_framed_so_that_moving_a_boundary_changes_the_revision() {
        assert_ne!(Revision::of(&["ab", "c"]), Revision::of(&["a", "bc"]));
        assert_ne!(Revision::of(&["a"]), Revision::of(&["a", ""]));
    }

    #[test]
    fn revisions_survive_a_round_trip_and_refuse_other_text() {
        let revision = Revision::of(&["x"]);
        assert_eq!(Revision::parse(revision.as_str()), Ok(revision));
        for wrong in ["", "ABCDEFABCDEF", "../../../etc", "0123456789abc", "0123456789é"] {
            assert!(Revision::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn digests_are_sha256() {
        assert_eq!(
            Digest::of(b"abc").as_str(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
