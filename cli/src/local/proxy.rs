//! One local port in front of a step's replicas, as a Service would be: connections go round-robin to those that are ready,
//! and to another one where one refuses.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

/// How long a connection waits for a replica that is ready.
const WAIT_LIMIT: Duration = Duration::from_secs(5);
/// How long a replica on this machine may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// The addresses of replicas that are ready: for each replica one address for each of its ports.
#[derive(Debug, Default)]
pub struct Backends {
    ready: Mutex<Vec<(usize, Vec<SocketAddr>)>>,
    changed: Notify,
    turn: AtomicUsize,
}

impl Backends {
    /// Lets connections go to a replica.
    pub fn add(&self, replica: usize, addresses: Vec<SocketAddr>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready.retain(|(other, _)| *other != replica);
        ready.push((replica, addresses));
        drop(ready);
        self.changed.notify_waiters();
    }

    /// Lets no further connection go to a replica. Returns whether it was ready.
    pub fn remove(&self, replica: usize) -> bool {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let before = ready.len();
        ready.retain(|(other, _)| *other != replica);
        ready.len() != before
    }

    /// How many replicas are ready.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Addresses of all ready replicas for a port, the one whose turn it is first.
    fn candidates(&self, port: usize) -> Vec<SocketAddr> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let mut addresses: Vec<SocketAddr> =
            ready.iter().filter_map(|(_, addresses)| addresses.get(port).copied()).collect();
        if !addresses.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % addresses.len();
            addresses.rotate_left(turn);
        }
        addresses
    }
}

/// Listens on a port of this machine: the one that is wanted, or the first free one of the hundred from `first` on.
///
/// # Errors
/// When the port, or each of the hundred, is taken.
pub async fn listen(wanted: Option<u16>, first: u16) -> io::Result<TcpListener> {
    let candidates = match wanted {
        Some(port) => port..=port,
        None => first..=first.saturating_add(99),
    };
    let mut last = io::Error::other("no port to listen on");
    for port in candidates {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => {
                last = io::Error::new(error.kind(), format!("cannot listen on port {port}: {error}"))
            }
        }
    }
    Err(last)
}

/// Forwards connections until dropped. `port` says which of a replica's ports is meant.
pub async fn forward(listener: TcpListener, port: usize, backends: watch::Receiver<Arc<Backends>>) {
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                let backends = backends.clone();
                tokio::spawn(async move {
                    // Either side may break off; the other side sees its connection close.
                    forward_connection(client, port, backends).await.ok();
                });
            }
            // Out of file descriptors, most likely: some connection has to end first.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn forward_connection(
    mut client: TcpStream,
    port: usize,
    backends: watch::Receiver<Arc<Backends>>,
) -> io::Result<()> {
    let mut server = timeout(WAIT_LIMIT, connect(port, backends)).await.map_err(io::Error::other)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

async fn connect(port: usize, mut backends: watch::Receiver<Arc<Backends>>) -> TcpStream {
    loop {
        let current = Arc::clone(&backends.borrow_and_update());
        let changed = current.changed.notified();
        for address in current.candidates(port) {
            if let Ok(Ok(stream)) = timeout(CONNECT, TcpStream::connect(address)).await {
                return stream;
            }
        }
        tokio::select! {
            () = changed => {}
            // When nothing can change the set any more, the time limit above ends the wait.
            Ok(()) = backends.changed() => {}
            () = sleep(CONNECT / 10) => {}
        }
    }
}
