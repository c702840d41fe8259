//! One connection to a database, to an address that the network's rules allow.

use std::net::SocketAddr;
use std::time::Duration;

use mlpipeline_crds::TableLocation;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::answer::Answer;
use super::{quote, verify};
use crate::credentials::Credentials;
use crate::network::Network;
use crate::network::refusal;
use crate::stores::StoreError;

/// The kernel counts in seconds.
const LEAST_KEEPALIVE: Duration = Duration::from_secs(1);

/// The longest pause between attempts.
const PAUSE_LIMIT: Duration = Duration::from_secs(60);

/// A connection beside its client. Dropped, it is closed, and what was not committed is undone by the server.
pub(super) struct Link {
    /// How errors are described.
    pub(super) answer: Answer,
    /// How long the server may send nothing.
    pub(super) idle_timeout: Duration,
    /// Moves the bytes; ended when this is dropped.
    _driver: JoinSet<()>,
}

impl Link {
    /// Connects, trying as often as the network's rules say while the server does not answer or says that it is starting.
    ///
    /// # Errors
    /// When there is no user name, the address is refused, or the server does not let the user in or does not answer.
    pub(super) async fn open(
        location: &TableLocation,
        credentials: &Credentials,
        network: &Network,
    ) -> Result<(Client, Self), StoreError> {
        let answer = Answer::new(location, credentials);
        let (ssl_mode, tls) = verify::settings(credentials.database_tls(), credentials.get("ca.crt"))
            .map_err(|problem| answer.spec(problem))?;
        let mut config = config(location, credentials, network, &answer)?;
        config.ssl_mode(ssl_mode);
        let mut pause = network.backoff;
        let mut attempt = 1;
        loop {
            match try_open(location, &config, &tls, network, &answer).await {
                Err(StoreError::Unreachable { place, problem }) if attempt < network.attempts => {
                    tracing::warn!("{place}: {problem}; attempt {attempt} of {}", network.attempts);
                    tokio::time::sleep(pause.min(PAUSE_LIMIT)).await;
                    pause = pause.saturating_mul(2);
                    attempt += 1;
                }
                Err(StoreError::Unreachable { place, problem }) => {
                    let problem = format!("{problem}; tried {attempt} times");
                    return Err(StoreError::Unreachable { place, problem });
                }
                other => return other,
            }
        }
    }

    /// Waits for an answer of the server's, and not forever.
    ///
    /// # Errors
    /// What the server answers, or that it does not.
    pub(super) async fn wait<T>(
        &self,
        action: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        self.wait_for(self.idle_timeout, action, answer).await
    }

    /// As [`Link::wait`], with another limit.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn wait_for<T>(
        &self,
        limit: Duration,
        action: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(limit, answer).await {
            Ok(answer) => answer.map_err(|error| self.answer.of(action, &error)),
            Err(_) => Err(self.answer.unreachable(format!("cannot {action}: no answer in {limit:?}"))),
        }
    }
}

/// A table as SQL takes it.
pub(super) fn qualified(location: &TableLocation) -> String {
    format!("{}.{}", quote(&location.schema), quote(&location.table))
}

fn config(
    location: &TableLocation,
    credentials: &Credentials,
    network: &Network,
    answer: &Answer,
) -> Result<Config, StoreError> {
    let (user, password) = credentials.database_user();
    let Some(user) = user else {
        return Err(answer.credentials(credentials));
    };
    let mut config = Config::new();
    config
        .user(user)
        .dbname(&location.database)
        .application_name("mlpipeline-worker")
        .connect_timeout(network.connect_timeout)
        .keepalives_idle(network.idle_timeout.max(LEAST_KEEPALIVE))
        // Rows come in the order in which they lie there, not from where another reader happens to be.
        .options("-c synchronize_seqscans=off -c datestyle=ISO -c extra_float_digits=3");
    if let Some(password) = password {
        config.password(password);
    }
    Ok(config)
}

async fn try_open(
    location: &TableLocation,
    config: &Config,
    tls: &rustls::ClientConfig,
    network: &Network,
    answer: &Answer,
) -> Result<(Client, Link), StoreError> {
    let addresses =
        network.resolve(&location.host, location.port).await.map_err(|error| match refusal(&error) {
            Some(refused) => answer.refused(refused.0.clone()),
            None => answer.unreachable(format!("the host's name is not known: {error}")),
        })?;
    let mut last = answer.unreachable("the host's name leads to no address".to_owned());
    for address in addresses {
        match connect_to(address, location, config, tls, network, answer).await {
            Err(error @ StoreError::Unreachable { .. }) => last = error,
            other => return other,
        }
    }
    Err(last)
}

async fn connect_to(
    address: SocketAddr,
    location: &TableLocation,
    config: &Config,
    tls: &rustls::ClientConfig,
    network: &Network,
    answer: &Answer,
) -> Result<(Client, Link), StoreError> {
    let mut config = config.clone();
    // The name is what the certificate is checked for; the address is the one that was checked.
    config.host(&location.host).hostaddr(address.ip()).port(address.port());
    let connecting = config.connect(MakeRustlsConnect::new(tls.clone()));
    // The library's own limit ends with the TCP connection: a server that says nothing then is not waited for.
    let limit = network.connect_timeout.saturating_add(network.idle_timeout);
    let connected = tokio::time::timeout(limit, connecting).await;
    let connected =
        connected.map_err(|_| answer.unreachable(format!("cannot connect: no answer in {limit:?}")))?;
    let (client, connection) = connected.map_err(|error| answer.of("connect", &error))?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        // The client's calls say what went wrong.
        let _ = connection.await;
    });
    Ok((client, Link { answer: answer.clone(), idle_timeout: network.idle_timeout, _driver: driver }))
}
