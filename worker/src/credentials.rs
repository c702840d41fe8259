//! Credentials: environment variables that came from a Secret, each input's and the output's under a prefix of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use crate::redaction::Redaction;

/// What the names of all variables begin with that come from a Secret which a pipeline names.
const PREFIX: &str = "MLPIPELINE_SECRET_";

/// Variables that programs for S3 and PostgreSQL read by custom.
const CUSTOMARY: [&str; 4] = ["AWS_", "PGUSER", "PGPASSWORD", "PGSSLMODE"];

/// Ends of the names of variables that are not secrets, though they stand in one: messages may repeat them.
const OPEN: [&str; 10] = [
    "username",
    "ca.crt",
    "sslmode",
    "PGSSLMODE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "PGUSER",
];

/// The part of the environment that holds credentials. It is never shown.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Variables>);

#[derive(Default)]
struct Variables {
    values: BTreeMap<String, String>,
    redaction: Redaction,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secrets")
    }
}

impl Secrets {
    /// Takes the credentials among variables.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let texts = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let ours = texts.filter(|(name, value)| {
            let known = name.starts_with(PREFIX) || CUSTOMARY.iter().any(|start| name.starts_with(start));
            known && !value.is_empty()
        });
        let values: BTreeMap<String, String> = ours.collect();
        let secret = values.iter().filter(|(name, _)| !OPEN.iter().any(|open| name.ends_with(open)));
        let redaction = Redaction::of(secret.map(|(_, value)| value.as_str()));
        Self(Arc::new(Variables { values, redaction }))
    }

    /// The credentials whose variables begin with this prefix; without one, those under their customary names.
    #[must_use]
    pub fn credentials(&self, prefix: Option<&str>) -> Credentials {
        Credentials { secrets: self.clone(), prefix: prefix.map(str::to_owned) }
    }

    /// The prefix, where some variable begins with it: for commands in which nobody names a Secret.
    #[must_use]
    pub fn prefix_if_any(&self, prefix: &str) -> Option<String> {
        self.0.values.keys().any(|name| name.starts_with(prefix)).then(|| prefix.to_owned())
    }

    /// A message without any secret value that a server may have repeated, in whichever form, and without signs that control a
    /// terminal.
    #[must_use]
    pub fn redact(&self, message: &str) -> String {
        self.0.redaction.clean(message)
    }

    /// As [`Self::redact`], for the beginning of a longer message: what could be the beginning of a value at its end is not kept.
    pub(crate) fn redact_beginning(&self, message: &str) -> String {
        self.0.redaction.clean_beginning(message)
    }

    /// Takes the values out of what is logged.
    pub(crate) fn redaction(&self) -> Redaction {
        self.0.redaction.clone()
    }
}

/// The credentials of one input or of the output. They are never shown.
#[derive(Clone, Debug)]
pub struct Credentials {
    secrets: Secrets,
    prefix: Option<String>,
}

impl Credentials {
    /// The entry of this key. Line ends after a value are not part of it: `echo` puts them into many a Secret.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let name = format!("{}{key}", self.prefix.as_deref().unwrap_or_default());
        self.secrets.0.values.get(&name).map(|value| value.trim_end_matches(['\r', '\n']))
    }

    /// The entry of this key, or the variable of the pod: for what is not a secret, such as a region.
    pub(super) fn get_or_customary(&self, key: &str) -> Option<&str> {
        self.get(key).or_else(|| self.secrets.0.values.get(key).map(String::as_str))
    }

    /// The user name and password for PostgreSQL.
    pub(super) fn database_user(&self) -> (Option<&str>, Option<&str>) {
        match self.prefix {
            Some(_) => (self.get("username"), self.get("password")),
            None => (self.get("PGUSER"), self.get("PGPASSWORD")),
        }
    }

    /// What is said of TLS to PostgreSQL, as `sslmode`.
    pub(super) fn database_tls(&self) -> Option<&str> {
        self.get(if self.prefix.is_some() { "sslmode" } else { "PGSSLMODE" })
    }

    /// A server's words without any secret value; to be asked before words are cut, or half a value would be left.
    pub(super) fn redact(&self, text: &str) -> String {
        self.secrets.redact(text)
    }

    /// Whether a Secret was named.
    #[must_use]
    pub fn are_named(&self) -> bool {
        self.prefix.is_some()
    }

    /// What messages call the place where credentials are looked for.
    pub(super) fn place(&self) -> String {
        match &self.prefix {
            Some(prefix) => format!("the Secret that secret names (variables {prefix}…)"),
            None => "the environment, since no secret is named".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        let variables = [
            ("MLPIPELINE_SECRET_INPUT_a_username", "reader"),
            ("MLPIPELINE_SECRET_INPUT_a_password", "hunter2\n"),
            ("MLPIPELINE_SECRET_INPUT_a_other", "hunter2-and-more"),
            ("AWS_REGION", "eu-1"),
            ("PGPASSWORD", "pg!"),
            ("HOME", "/root"),
        ];
        Secrets::of(variables.map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn each_prefix_has_its_own_and_no_other() {
        let secrets = secrets();
        let of_a = secrets.credentials(Some("MLPIPELINE_SECRET_INPUT_a_"));
        assert_eq!(of_a.database_user(), (Some("reader"), Some("hunter2")));
        assert_eq!((of_a.get("AWS_REGION"), of_a.get_or_customary("AWS_REGION")), (None, Some("eu-1")));
        let of_b = secrets.credentials(Some("MLPIPELINE_SECRET_INPUT_b_"));
        assert_eq!(of_b.database_user(), (None, None));
        let customary = secrets.credentials(None);
        assert_eq!((customary.database_user(), customary.get("HOME")), ((None, Some("pg!")), None));
    }

    #[test]
    fn messages_and_debug_output_hold_no_secret_value() {
        let secrets = secrets();
        assert_eq!(
            secrets.redact("reader said hunter2-and-more, hunter2 in eu-1"),
            "reader said …, … in eu-1"
        );
        let shown = format!("{secrets:?} {:?}", secrets.credentials(Some("MLPIPELINE_SECRET_INPUT_a_")));
        assert!(!shown.contains("hunter2") && !shown.contains("reader"), "{shown}");
    }
}
