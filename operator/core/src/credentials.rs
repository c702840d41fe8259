//! Credentials of stores: the names under which the pods of a step get them. Only the kubelet ever reads them.

use k8s_openapi::api::core::v1::{EnvFromSource, SecretEnvSource};
use mlpipeline_crds::Output;

/// What the variables with the credentials of a step's output begin with.
pub const OUTPUT: &str = "MLPIPELINE_SECRET_OUTPUT_";

/// The keys of such a Secret.
pub const KEYS: [&str; 10] = [
    "username",
    "password",
    "token",
    "ca.crt",
    "sslmode",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_ENDPOINT_URL",
];

/// What the variables with the credentials of an input begin with. The name is the table's, `data` or `input`.
#[must_use]
pub fn of_input(name: &str) -> String {
    format!("MLPIPELINE_SECRET_INPUT_{name}_")
}

/// The Secret of an output, with the prefix of its variables.
#[must_use]
pub fn of_output(output: Option<&Output>) -> Option<(String, String)> {
    output.and_then(|output| output.secret.clone()).map(|secret| (OUTPUT.to_owned(), secret))
}

/// Secrets, each under its prefix, as sources of a container's variables.
#[must_use]
pub fn env_from(secrets: Vec<(String, String)>) -> Vec<EnvFromSource> {
    let sources = secrets.into_iter().map(|(prefix, name)| EnvFromSource {
        prefix: Some(prefix),
        secret_ref: Some(SecretEnvSource { name, optional: None }),
        ..EnvFromSource::default()
    });
    sources.collect()
}
