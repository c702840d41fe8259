//! Credentials of stores: which Secrets a step's pods get, and under which names. Only the kubelet ever reads them.

use k8s_openapi::api::core::v1::{EnvFromSource, SecretEnvSource};
use mlpipeline_crds::{DataReference, Output};

use super::pipeline::{ValidAction, ValidStep};

/// What the variables with the credentials of a step's output begin with.
pub const OUTPUT: &str = "MLPIPELINE_SECRET_OUTPUT_";

/// The keys of such a Secret.
pub const KEYS: [&str; 9] = [
    "username",
    "password",
    "token",
    "ca.crt",
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

/// Every Secret of a step's inputs and output, each under a prefix of its own.
#[must_use]
pub fn env_from(step: &ValidStep) -> Vec<EnvFromSource> {
    let of_reference =
        |name: &str, data: &DataReference| data.secret.clone().map(|secret| (of_input(name), secret));
    let of_output = |output: &Option<Output>| {
        output.as_ref().and_then(|output| output.secret.clone()).map(|secret| (OUTPUT.to_owned(), secret))
    };
    let secrets: Vec<(String, String)> = match &step.action {
        ValidAction::Prepare(prepare) => prepare
            .inputs
            .iter()
            .filter_map(|input| Some((of_input(&input.name), input.secret.clone()?)))
            .chain(of_output(&prepare.output))
            .collect(),
        ValidAction::Train(train) => of_reference("data", &train.data).into_iter().collect(),
        ValidAction::Score(score) => {
            of_reference("input", &score.input).into_iter().chain(of_output(&score.output)).collect()
        }
        ValidAction::Serve(_) | ValidAction::Run(_) => Vec::new(),
    };
    let sources = secrets.into_iter().map(|(prefix, name)| EnvFromSource {
        prefix: Some(prefix),
        secret_ref: Some(SecretEnvSource { name, optional: None }),
        ..EnvFromSource::default()
    });
    sources.collect()
}
