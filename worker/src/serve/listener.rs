//! Connections: how many, how long they may dawdle, and how they end.
//!
//! Owns the socket and everything below a request. axum's own server sets no limit on how long a head may take, so hyper is
//! driven here.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::connections::{Connections, Seat};
use super::{ServeError, ServeOptions, process};

/// The most headers of a request.
const MAX_HEADERS: usize = 64;

/// The most connections to the port for probes.
pub(super) const PROBE_CONNECTIONS: usize = 128;

/// How many files are kept for everything else than callers' connections.
const OTHER_FILES: usize = PROBE_CONNECTIONS + 64;

/// How long a probe may take to send its request.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// How long a client may take nothing of an answer before its connection is cut.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// How many times longer the body of a request may take where nobody waits for its place.
const PATIENT_SHARE: u32 = 16;

/// How long to wait when the system has no more sockets for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// The limits on connections.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// The most at once.
    pub max_connections: usize,
    /// The longest time without a whole request head.
    pub head_timeout: Duration,
    /// How long a request may take to come whole while others wait for its place.
    pub granted: Duration,
    /// The longest time for requests in flight to end once the server stops.
    pub shutdown_timeout: Duration,
}

impl ConnectionLimits {
    /// Those of the port for probes. The kubelet opens a connection for each probe, so few are enough, and each is short.
    #[must_use]
    pub fn of_probes(options: &ServeOptions) -> Self {
        Self {
            max_connections: PROBE_CONNECTIONS,
            head_timeout: PROBE_TIMEOUT,
            granted: PROBE_TIMEOUT,
            shutdown_timeout: options.shutdown_timeout,
        }
    }
}

impl From<&ServeOptions> for ConnectionLimits {
    fn from(options: &ServeOptions) -> Self {
        Self {
            max_connections: allowed(options.max_connections, process::open_files_limit()),
            head_timeout: options.head_timeout,
            granted: options.body_timeout / PATIENT_SHARE,
            shutdown_timeout: options.shutdown_timeout,
        }
    }
}

/// As many connections as were asked for, as long as there are files left for everything else, probes above all.
fn allowed(asked: usize, open_files: Option<usize>) -> usize {
    let most = open_files.map_or(Semaphore::MAX_PERMITS, |limit| limit.saturating_sub(OTHER_FILES));
    if asked > most {
        tracing::warn!(
            most,
            "fewer connections than --max-connections: the system allows no more open files"
        );
    }
    asked.min(most).max(1)
}

impl Listener {
    /// Listens on `host:port`; port 0 is any free one. All addresses of one family stand for those of both, as far as the machine has them: a
    /// pod may have addresses of either.
    ///
    /// # Errors
    /// When the address is none, or is taken.
    pub async fn bind(address: &str) -> Result<Self, ServeError> {
        let failed = |source| ServeError::Listen { address: address.to_owned(), source };
        let parsed = address.parse::<SocketAddr>().ok();
        let socket = match parsed.filter(|parsed| parsed.ip().is_unspecified()) {
            Some(parsed) => {
                let everywhere = [Ipv6Addr::UNSPECIFIED.into(), Ipv4Addr::UNSPECIFIED.into()];
                let everywhere: [SocketAddr; 2] = everywhere.map(|all| SocketAddr::new(all, parsed.port()));
                TcpListener::bind(&everywhere[..]).await
            }
            None => TcpListener::bind(address).await,
        };
        let socket = socket.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address })
    }

    /// The address listened on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers connections until `stop` turns true; then takes no new ones, lets requests in flight end, and returns how
    /// many had to be cut off.
    pub async fn serve(
        self,
        router: Router,
        limits: ConnectionLimits,
        mut stop: watch::Receiver<bool>,
    ) -> usize {
        let places = Connections::new(limits.max_connections, limits.granted);
        let mut connections = JoinSet::new();
        loop {
            // Ended ones are forgotten as they end, so that the set does not grow.
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                accepted = accept(&self.socket, &places) => accepted,
                () = stopped(&mut stop) => break,
            };
            if let Some((stream, seat)) = accepted {
                connections.spawn(answer(stream, seat, router.clone(), limits.head_timeout, stop.clone()));
            }
        }
        drop(self.socket);
        let all_end = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(limits.shutdown_timeout, all_end).await;
        connections.len()
    }
}

/// Waits until the server is to stop; it also does when nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The next connection, once there is room for it.
async fn accept(socket: &TcpListener, places: &Arc<Connections>) -> Option<(TcpStream, Seat)> {
    match socket.accept().await {
        Ok((stream, _)) => Some((stream, places.seat().await?)),
        Err(error) => {
            // A client that hung up already, or no descriptors left: neither may end the server.
            tracing::warn!(%error, "cannot accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

/// Answers the requests of one connection, until it ends or gives way to another.
async fn answer(
    stream: TcpStream,
    seat: Seat,
    router: Router,
    head_timeout: Duration,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small, and someone waits for each. Where a system lacks an option, serving continues without.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(WRITE_TIMEOUT));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    let (service, begin) = (TowerToHyperService::new(router), seat.begin());
    let service = service_fn(move |request: Request<Incoming>| {
        let (head, body) = request.into_parts();
        let (body, busy) = begin(body);
        let answer = service.call(Request::from_parts(head, body));
        async move {
            let answer = answer.await;
            drop(busy);
            answer
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = seat.gives_way() => {
            tracing::debug!("a connection that waits for its client gives way to another");
            return;
        }
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_never_take_the_files_that_probes_need() {
        for (asked, open_files, allowed_connections) in [
            (1024, None, 1024),
            (1024, Some(1 << 20), 1024),
            (1024, Some(1024), 832),
            (0, None, 1),
            (9, Some(5), 1),
        ] {
            assert_eq!(allowed(asked, open_files), allowed_connections, "{asked} of {open_files:?}");
        }
    }

    #[tokio::test]
    async fn all_addresses_of_one_family_stand_for_those_of_both() {
        for everywhere in ["0.0.0.0:0", "[::]:0"] {
            let listener = Listener::bind(everywhere).await.expect("a free port");
            let has_ipv6 = std::net::UdpSocket::bind("[::1]:0").is_ok();
            for (reached, here) in [("127.0.0.1", true), ("::1", has_ipv6)] {
                let connected = TcpStream::connect((reached, listener.address().port())).await;
                assert_eq!(connected.is_ok(), here, "{reached} of {everywhere}");
            }
        }
        let one = Listener::bind("127.0.0.1:0").await.expect("a free port");
        assert_eq!(one.address().ip(), Ipv4Addr::LOCALHOST);
    }
}
