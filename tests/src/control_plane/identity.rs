//! Who talks to the API server: credentials, as clients in the test and as kubeconfig files for programs.

use std::path::{Path, PathBuf};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;

use super::run_folder::RunFolder;

/// A user of the API server.
#[derive(Clone, Debug)]
pub struct Identity {
    username: String,
    kubeconfig: Kubeconfig,
    file: PathBuf,
}

impl Identity {
    /// A user known by a token to the server at `url`, whose certificate `authority` has signed.
    pub(super) fn of_token(
        username: &str,
        token: &str,
        url: &str,
        authority: &Path,
        folder: &RunFolder,
    ) -> Result<Self, String> {
        let kubeconfig = serde_json::from_value(json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": {"server": url, "certificate-authority": authority}}],
            "users": [{"name": "tests", "user": {"token": token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "current-context": "tests",
        }));
        Self::of_kubeconfig(username, kubeconfig.map_err(|error| error.to_string())?, folder)
    }

    /// The user whom a kubeconfig describes.
    pub(super) fn of_kubeconfig(
        username: &str,
        kubeconfig: Kubeconfig,
        folder: &RunFolder,
    ) -> Result<Self, String> {
        let name = format!("{}.kubeconfig", username.replace(':', "-"));
        let text = serde_json::to_string_pretty(&kubeconfig).map_err(|error| error.to_string())?;
        let file = folder.write(&name, &text)?;
        Ok(Self { username: username.to_owned(), kubeconfig, file })
    }

    /// Another user of the same server, known by a token.
    pub(super) fn with_token(&self, username: &str, token: &str, folder: &RunFolder) -> Result<Self, String> {
        let mut kubeconfig = self.kubeconfig.clone();
        let user = json!({"name": "token", "user": {"token": token}});
        kubeconfig.auth_infos = vec![serde_json::from_value(user).map_err(|error| error.to_string())?];
        let current = kubeconfig.current_context.clone();
        for context in &mut kubeconfig.contexts {
            if let (Some(inner), true) = (&mut context.context, Some(&context.name) == current.as_ref()) {
                inner.user = Some("token".to_owned());
            }
        }
        Self::of_kubeconfig(username, kubeconfig, folder)
    }

    /// The name that the API server knows the user by, and writes to its audit log.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// A kubeconfig file for programs that are to act as this user.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.file
    }

    /// What a client of this user is made from.
    ///
    /// # Panics
    /// When the kubeconfig cannot be used.
    pub async fn config(&self) -> Config {
        Config::from_custom_kubeconfig(self.kubeconfig.clone(), &KubeConfigOptions::default())
            .await
            .unwrap_or_else(|error| panic!("the kubeconfig of {} cannot be used: {error}", self.username))
    }

    /// A client of this user. It works as long as the runtime that it was made in, so every test makes its own.
    ///
    /// # Panics
    /// When the kubeconfig cannot be used.
    pub async fn client(&self) -> Client {
        let client = Client::try_from(self.config().await);
        client.unwrap_or_else(|error| panic!("no client for {}: {error}", self.username))
    }
}
