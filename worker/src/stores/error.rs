//! What can go wrong with a store.

use mlpipeline_crds::{ExitCode, LocationError};

use crate::failure::Failure;

/// A failure of a store, or of what the spec says about it. `place` is the store's part of the URI.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The place or its settings cannot be.
    #[error("{place}: {problem}")]
    Spec {
        /// Which place.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// There are no credentials, or half of them.
    #[error("{place}: {problem}")]
    Credentials {
        /// Which place.
        place: String,
        /// What is missing, where it is looked for, and what to do.
        problem: String,
    },
    /// Nothing is there.
    #[error("{place}: {problem}")]
    NotFound {
        /// Which place.
        place: String,
        /// What is missing.
        problem: String,
    },
    /// The store, or a rule of the network's, says no.
    #[error("{place}: {problem}")]
    Refused {
        /// Which place.
        place: String,
        /// The answer, and what to do.
        problem: String,
    },
    /// What is there is not what was expected.
    #[error("{place}: {problem}")]
    Content {
        /// Which place.
        place: String,
        /// What was found and what is allowed.
        problem: String,
    },
    /// The store does not answer, or not now.
    #[error("{place}: {problem}")]
    Unreachable {
        /// Which place.
        place: String,
        /// The last failure.
        problem: String,
    },
}

impl StoreError {
    /// For `map_err`: a URI that names no place. The URI is not shown, since it may hold a password.
    pub(crate) fn location(scheme: &str) -> impl FnOnce(LocationError) -> Self {
        let place = format!("the {scheme} uri");
        move |error| Self::Spec { place, problem: error.to_string() }
    }
}

impl Failure for StoreError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Spec { .. } | Self::Credentials { .. } => ExitCode::WrongSpec,
            Self::NotFound { .. } | Self::Refused { .. } | Self::Content { .. } => ExitCode::WrongData,
            Self::Unreachable { .. } => ExitCode::StorageUnavailable,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Spec { .. } => "StoreInvalid",
            Self::Credentials { .. } => "CredentialsMissing",
            Self::NotFound { .. } => "DataNotFound",
            Self::Refused { .. } => "StoreRefused",
            Self::Content { .. } => "DataMalformed",
            Self::Unreachable { .. } => "StoreUnreachable",
        }
    }
}
