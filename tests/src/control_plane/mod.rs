//! A real control plane for tests: etcd, kube-apiserver and kube-controller-manager, with our CustomResourceDefinition.
//!
//! Owns the servers from start to stop, credentials, namespaces and the audit log. Must not know anything of the operator.
//!
//! With `KUBECONFIG` set, the cluster that it names is used in place of servers of our own. It must be one that is there for
//! tests: the CustomResourceDefinition on it is replaced. Its audit log can be read where `MLPIPELINE_AUDIT_LOG` names the
//! file; tests that need it fail where it is unset.

// A test bed says that something is wrong by a panic, as a test does.
#![allow(clippy::panic, clippy::unwrap_used, clippy::expect_used)]

mod audit;
mod identity;
mod namespace;
mod run_folder;
mod scheduler;
mod server;
mod simulated_node;
pub(crate) mod tools;

use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::config::Kubeconfig;
use kube::{Api, Client, ResourceExt};
use mlpipeline_crds::MLPipeline;
use tokio::sync::OnceCell;

use crate::wait_until;
pub use audit::{AuditEvent, AuditLog, AuditObject, AuditPosition, AuditQuery, AuditStatus, AuditUser};
pub use identity::Identity;
pub use namespace::TestNamespace;
use run_folder::RunFolder;
use server::Server;
pub use server::Settings;
pub use tools::find as find_program;

/// A real API server with real controllers, and our CustomResourceDefinition established on it. The servers of a control
/// plane end when it is dropped, and when the test process ends, however it ends.
#[derive(Debug)]
pub struct ControlPlane {
    admin: Identity,
    audit: Option<AuditLog>,
    /// None on a cluster that was given.
    server: Option<Server>,
    folder: RunFolder,
}

impl ControlPlane {
    /// The control plane that all tests of this process share; the first test that asks starts it.
    ///
    /// # Panics
    /// When it cannot be started: with what to do, or where the logs are.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Result<ControlPlane, String>> = OnceCell::const_new();
        let shared = SHARED.get_or_init(|| async {
            match std::env::var_os("KUBECONFIG") {
                Some(_) => Self::given().await,
                None => Self::start(Settings::default()).await,
            }
        });
        let shared = shared.await.as_ref();
        let shared = shared.unwrap_or_else(|error| panic!("no control plane for the tests: {error}"));
        // Shown with every test that fails.
        eprintln!("control plane: logs, audit log and kubeconfigs are in {}", shared.folder().display());
        shared
    }

    /// Starts a control plane that nobody shares, for tests that need other settings.
    ///
    /// # Errors
    /// Says what is missing or has failed, and where the logs are.
    pub async fn start(settings: Settings) -> Result<Self, String> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::start_once(settings).await {
                // Another program took one of the ports after it was found free.
                Err(error) if error.contains("address already in use") && tries < 3 => {}
                result => return result,
            }
        }
    }

    async fn start_once(settings: Settings) -> Result<Self, String> {
        let folder = RunFolder::make()?;
        let server = Server::start(&folder, settings).await;
        let mut server = server.map_err(|error| format!("{error}\n(logs: {})", folder.path().display()))?;
        let admin = server.admin.clone();
        install_crd(&admin.client().await).await?;
        server.start_controllers(&folder, settings)?;
        let audit = Some(AuditLog::new(server.audit_log(), &admin));
        Ok(Self { admin, audit, server: Some(server), folder })
    }

    /// The cluster that `KUBECONFIG` names.
    async fn given() -> Result<Self, String> {
        let folder = RunFolder::make()?;
        let kubeconfig = Kubeconfig::read().map_err(|error| format!("KUBECONFIG cannot be read: {error}"))?;
        let admin = Identity::of_kubeconfig("admin", kubeconfig, &folder)?;
        let client = admin.client().await;
        refuse_a_cluster_in_use(&client).await?;
        install_crd(&client).await?;
        let audit = std::env::var_os("MLPIPELINE_AUDIT_LOG").map(PathBuf::from);
        let audit = audit.map(|file| AuditLog::new(&file, &admin));
        Ok(Self { admin, audit, server: None, folder })
    }

    /// The user who may do everything.
    #[must_use]
    pub fn admin(&self) -> &Identity {
        &self.admin
    }

    /// A client of the user who may do everything, for the runtime of this test.
    pub async fn client(&self) -> Client {
        self.admin.client().await
    }

    /// A namespace for the test of this name (lower case, digits and hyphens).
    pub async fn namespace(&self, test: &str) -> TestNamespace {
        TestNamespace::make(test, &self.admin).await
    }

    /// A service account, made when it is not there, with a token of a day. It may do nothing until the test binds a role to
    /// it; its name as a user is `system:serviceaccount:NAMESPACE:NAME`.
    ///
    /// # Panics
    /// When the API server gives no token.
    pub async fn service_account(&self, namespace: &str, name: &str) -> Identity {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await, namespace);
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        let account = ServiceAccount { metadata, ..ServiceAccount::default() };
        match accounts.create(&PostParams::default(), &account).await {
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            result => drop(result.unwrap_or_else(|error| panic!("no service account {name}: {error}"))),
        }
        let spec = TokenRequestSpec { expiration_seconds: Some(86_400), ..TokenRequestSpec::default() };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let answer = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let status = answer.unwrap_or_else(|error| panic!("no token for {name}: {error}")).status;
        let status = status.unwrap_or_else(|| panic!("no token for {name}: the answer is empty"));
        let username = format!("system:serviceaccount:{namespace}:{name}");
        self.admin
            .with_token(&username, &status.token, &self.folder)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The audit log.
    ///
    /// # Panics
    /// On a cluster that was given without its audit log.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        self.audit.as_ref().expect(
            "this test reads the API server's audit log: unset KUBECONFIG, so that the tests start a server of their own, or \
             let MLPIPELINE_AUDIT_LOG name the log's file",
        )
    }

    /// A program of the control plane, such as kubectl.
    ///
    /// # Panics
    /// When it is not there: with the command that builds it.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        tools::find(name).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The folder with the servers' logs, and for kubeconfigs and other files of this run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Applies the CustomResourceDefinition and waits until its API is there.
async fn install_crd(client: &Client) -> Result<(), String> {
    let crd = mlpipeline_crds::custom_resource_definition();
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let applied =
        crds.patch(&crd.name_any(), &PatchParams::apply("tests").force(), &Patch::Apply(&crd)).await;
    applied.map_err(|error| format!("the API server refuses the CustomResourceDefinition: {error}"))?;
    let name = crd.name_any();
    wait_until("the CustomResourceDefinition to be established", Duration::from_secs(30), async || {
        let crd = crds.get(&name).await.map_err(|error| error.to_string())?;
        let conditions = crd.status.unwrap_or_default().conditions.unwrap_or_default();
        let established = conditions.iter().any(|now| now.type_ == "Established" && now.status == "True");
        if established { Ok(()) } else { Err(format!("{conditions:?}")) }
    })
    .await;
    Ok(())
}

/// Tests replace the CustomResourceDefinition: not where somebody's pipelines depend on it.
async fn refuse_a_cluster_in_use(client: &Client) -> Result<(), String> {
    let pipelines: Api<MLPipeline> = Api::all(client.clone());
    let found = match pipelines.list_metadata(&ListParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
        result => result.map_err(|error| format!("the cluster of KUBECONFIG does not answer: {error}"))?,
    };
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
    let ours = namespaces.list_metadata(&ListParams::default().labels(namespace::LABEL)).await;
    let ours = ours.map_err(|error| format!("the cluster of KUBECONFIG lists no namespaces: {error}"))?;
    let ours: Vec<String> = ours.iter().map(ResourceExt::name_any).collect();
    let in_use = found.iter().filter_map(ResourceExt::namespace).find(|namespace| !ours.contains(namespace));
    match in_use {
        None => Ok(()),
        Some(namespace) => Err(format!(
            "the cluster that KUBECONFIG names is in use: there are MLPipelines in namespace {namespace:?}, and the tests would \
             replace their CustomResourceDefinition; unset KUBECONFIG, or name a cluster that is there for tests"
        )),
    }
}
