//! Starts etcd, an API server and a controller manager on free ports of the loopback address.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};

use super::identity::Identity;
use super::run_folder::RunFolder;
use super::tools;
use crate::process::Process;

const AUDIT_POLICY: &str = include_str!("audit-policy.yaml");

/// Far more than the three seconds that it takes on an idle machine: others may be building.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// What can be chosen about a control plane.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How many requests a second each of Kubernetes' own controllers may make. Kubernetes' default is 20, which is what
    /// bounds Jobs a minute on a real cluster; tests have no reason to wait for it.
    pub controller_qps: u32,
    /// After how many seconds without a sign of life a node counts as lost, and after how many more its pods go. Kubernetes' defaults are
    /// 50 and 300.
    pub lost_nodes: Option<(u32, u32)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { controller_qps: 1000, lost_nodes: None }
    }
}

/// The running programs, in the order in which they are to end.
#[derive(Debug)]
pub(super) struct Server {
    processes: Vec<Process>,
    /// The user in the group `system:masters`.
    pub(super) admin: Identity,
    /// The user that the controller manager is.
    controllers: Identity,
    files: Files,
}

/// What the programs read and write.
#[derive(Debug)]
struct Files {
    service_account_key: PathBuf,
    authority: PathBuf,
    audit_log: PathBuf,
    plugins: PathBuf,
}

impl Server {
    /// Starts etcd and the API server, and waits until it is ready.
    ///
    /// # Errors
    /// Says which program is missing or ended, and the end of its log.
    pub(super) async fn start(folder: &RunFolder, settings: Settings) -> Result<Self, String> {
        let ports = free_ports::<3>().map_err(|error| format!("no free port on 127.0.0.1: {error}"))?;
        let [etcd_clients, etcd_peers, api] = ports;
        let data = folder.path().join("etcd");
        let etcd = Process::start(
            &tools::find("etcd")?,
            &etcd_arguments(&data, etcd_clients, etcd_peers),
            folder.path(),
            Some(&data),
        )?;
        let keys = Keys::make(folder).map_err(|error| format!("no certificates: {error}"))?;
        let url = format!("https://127.0.0.1:{api}");
        let admin = Identity::of_token("admin", &keys.admin_token, &url, &keys.authority, folder)?;
        let controllers =
            Identity::of_token(CONTROLLERS, &keys.controllers_token, &url, &keys.authority, folder)?;
        let audit_log = folder.path().join("audit.log");
        let mut arguments = api_server_arguments(folder, &keys, &audit_log, etcd_clients, api)?;
        if let Some((_, seconds)) = settings.lost_nodes {
            arguments.push(format!("--default-unreachable-toleration-seconds={seconds}"));
        }
        let api_server = Process::start(&tools::find("kube-apiserver")?, &arguments, folder.path(), None)?;
        let files = Files {
            service_account_key: keys.service_account,
            authority: keys.authority,
            audit_log,
            plugins: folder.path().join("plugins"),
        };
        // The API server before etcd, so that it does not fill its log with what it misses.
        let mut server = Self { processes: vec![api_server, etcd], admin, controllers, files };
        server.wait_until_ready().await?;
        Ok(server)
    }

    /// Starts Kubernetes' own controllers. They look at the kinds that there are only when they start and every half minute
    /// after: so the CustomResourceDefinition comes first.
    ///
    /// # Errors
    /// When the program is missing.
    pub(super) fn start_controllers(&mut self, folder: &RunFolder, settings: Settings) -> Result<(), String> {
        let program = tools::find("kube-controller-manager")?;
        let arguments = self.controller_manager_arguments(settings);
        self.add(Process::start(&program, &arguments, folder.path(), None)?);
        Ok(())
    }

    /// Lets another program end with the servers, before them.
    pub(super) fn add(&mut self, process: Process) {
        self.processes.insert(0, process);
    }

    /// The file that the API server writes its audit log to.
    pub(super) fn audit_log(&self) -> &Path {
        &self.files.audit_log
    }

    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let client = self.admin.client().await;
        let end = Instant::now() + START_TIMEOUT;
        loop {
            for process in &mut self.processes {
                process.check()?;
            }
            let request = http_get("/readyz")?;
            let answer = tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await;
            let seen = match answer {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "no answer within 5 s".to_owned(),
            };
            if Instant::now() > end {
                return Err(format!("the API server is not ready after {START_TIMEOUT:?}: {seen}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn controller_manager_arguments(&self, settings: Settings) -> Vec<String> {
        let lost = settings.lost_nodes.map(|(after, _)| {
            [format!("--node-monitor-grace-period={after}s"), "--node-monitor-period=1s".to_owned()]
        });
        let own = vec![
            format!("--kubeconfig={}", self.controllers.kubeconfig().display()),
            format!("--service-account-private-key-file={}", self.files.service_account_key.display()),
            format!("--root-ca-file={}", self.files.authority.display()),
            // Each controller as a user of its own, with the rights that it has on a real cluster.
            "--use-service-account-credentials=true".to_owned(),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            // It makes this folder, which else is one of the machine's: /usr/libexec/kubernetes.
            format!("--flex-volume-plugin-dir={}", self.files.plugins.display()),
            format!("--kube-api-qps={}", settings.controller_qps),
            format!("--kube-api-burst={}", settings.controller_qps.saturating_mul(3) / 2),
        ];
        own.into_iter().chain(lost.into_iter().flatten()).collect()
    }
}

const CONTROLLERS: &str = "system:kube-controller-manager";

/// Keys, certificates and tokens, as the files that the programs want.
struct Keys {
    authority: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    service_account: PathBuf,
    service_account_public: PathBuf,
    tokens: PathBuf,
    admin_token: String,
    controllers_token: String,
}

impl Keys {
    fn make(folder: &RunFolder) -> Result<Self, String> {
        let text = |error: rcgen::Error| error.to_string();
        let mut params = CertificateParams::new(Vec::new()).map_err(text)?;
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let authority =
            CertifiedIssuer::self_signed(params, KeyPair::generate().map_err(text)?).map_err(text)?;
        let key = KeyPair::generate().map_err(text)?;
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let certificate = CertificateParams::new(names).map_err(text)?;
        let certificate = certificate.signed_by(&key, &authority).map_err(text)?;
        let service_account = KeyPair::generate().map_err(text)?;
        let admin_token = random_token().map_err(text)?;
        let controllers_token = random_token().map_err(text)?;
        let tokens = format!(
            "{admin_token},admin,admin,system:masters\n{controllers_token},{CONTROLLERS},{CONTROLLERS},\n"
        );
        Ok(Self {
            authority: folder.write("ca.crt", &authority.pem())?,
            certificate: folder.write("server.crt", &certificate.pem())?,
            key: folder.write("server.key", &key.serialize_pem())?,
            service_account: folder.write("service-account.key", &service_account.serialize_pem())?,
            service_account_public: folder.write("service-account.pub", &service_account.public_key_pem())?,
            tokens: folder.write("tokens.csv", &tokens)?,
            admin_token,
            controllers_token,
        })
    }
}

/// A text that nobody can guess: part of a fresh public key.
fn random_token() -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    Ok(key.public_key_raw().iter().rev().take(16).map(|byte| format!("{byte:02x}")).collect())
}

fn etcd_arguments(data: &Path, clients: u16, peers: u16) -> Vec<String> {
    let (clients, peers) = (format!("http://127.0.0.1:{clients}"), format!("http://127.0.0.1:{peers}"));
    vec![
        format!("--data-dir={}", data.display()),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
        // Nothing here outlives the test.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn api_server_arguments(
    folder: &RunFolder,
    keys: &Keys,
    audit_log: &Path,
    etcd: u16,
    port: u16,
) -> Result<Vec<String>, String> {
    let policy = folder.write("audit-policy.yaml", AUDIT_POLICY)?;
    Ok(vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        // No Service has to lead to this server.
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--secure-port={port}"),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        format!("--tls-cert-file={}", keys.certificate.display()),
        format!("--tls-private-key-file={}", keys.key.display()),
        format!("--token-auth-file={}", keys.tokens.display()),
        format!("--service-account-key-file={}", keys.service_account_public.display()),
        format!("--service-account-signing-key-file={}", keys.service_account.display()),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        // As on OpenShift: who sets blockOwnerDeletion must have the right to.
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement".to_owned(),
        format!("--audit-policy-file={}", policy.display()),
        format!("--audit-log-path={}", audit_log.display()),
        // One file for the whole run: the reader knows nothing of rotation.
        "--audit-log-maxsize=100000".to_owned(),
        "--audit-log-mode=blocking".to_owned(),
    ])
}

/// Ports that are free now. All are held until the last is known, so that they differ.
fn free_ports<const N: usize>() -> std::io::Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// A GET request for a path of the API server.
pub(super) fn http_get(path: &str) -> Result<http::Request<Vec<u8>>, String> {
    http::Request::get(path).body(Vec::new()).map_err(|error| format!("no request for {path}: {error}"))
}
