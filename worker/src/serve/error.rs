//! What can keep a model from being served.

use mlpipeline_crds::ExitCode;

use crate::failure::Failure;

/// What can keep a model from being served; what is wrong with the model itself is said by the model.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: is another server running there? choose another address with --listen"
    )]
    Listen {
        /// The address asked for.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The key's variable is set to nothing.
    #[error("{variable} is set but holds no key: set it to the API key, or unset it to serve without one")]
    KeyEmpty {
        /// The environment variable.
        variable: String,
    },
    /// Two variables hold a key.
    #[error(
        "{variable} is named to hold the API key (--api-key-env, MLPIPELINE_SERVE_API_KEY_ENV), and MLPIPELINE_API_KEY is set too, as it is by serve.auth: keep one of the two"
    )]
    KeyTwice {
        /// The environment variable.
        variable: String,
    },
    /// The key's variable was named and is not set.
    #[error("{variable} is not set: it was named with --api-key-env, so it must hold the API key")]
    KeyMissing {
        /// The environment variable.
        variable: String,
    },
    /// The pages are to be closed, and there is no key that opens them.
    #[error(
        "--docs-need-key (MLPIPELINE_SERVE_DOCS_NEED_KEY) asks for the API key, and there is none: name one with auth.apiKeySecret in a pipeline, or set {variable}"
    )]
    DocsWithoutKey {
        /// The environment variable that would hold it.
        variable: &'static str,
    },
    /// Something about the process itself.
    #[error("cannot {what}")]
    Process {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The task that loaded the model ended without an answer.
    #[error("loading the model was broken off")]
    Loading {
        /// Why.
        source: tokio::task::JoinError,
    },
    /// A metric could not be made.
    #[error("cannot set up the metrics")]
    Metrics {
        /// Why.
        source: prometheus::Error,
    },
}

impl Failure for ServeError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Listen { .. }
            | Self::KeyEmpty { .. }
            | Self::KeyTwice { .. }
            | Self::KeyMissing { .. }
            | Self::DocsWithoutKey { .. } => ExitCode::WrongSpec,
            Self::Process { .. } | Self::Loading { .. } | Self::Metrics { .. } => ExitCode::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "CannotListen",
            Self::KeyEmpty { .. } => "ApiKeyEmpty",
            Self::KeyTwice { .. } => "ApiKeyTwice",
            Self::KeyMissing { .. } | Self::DocsWithoutKey { .. } => "ApiKeyMissing",
            Self::Process { .. } | Self::Loading { .. } | Self::Metrics { .. } => "Internal",
        }
    }
}

impl From<prometheus::Error> for ServeError {
    fn from(source: prometheus::Error) -> Self {
        Self::Metrics { source }
    }
}
