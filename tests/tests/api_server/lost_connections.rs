//! Connections that are lost without a word: nobody closes them, and nothing comes any longer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kube::Config;
use mlpipeline_tests::wait_until;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::operator_bed::{Bed, LONG};
use super::specs::chain;

/// What stands between the operator and the API server, as a load balancer does.
struct Between {
    address: SocketAddr,
    connections: Connections,
}

/// How many connections were opened, and how many of the first of them are lost.
#[derive(Clone, Default)]
struct Connections {
    opened: Arc<AtomicUsize>,
    lost: Arc<AtomicUsize>,
}

impl Between {
    async fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let connections = Connections::default();
        let shared = connections.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let number = shared.opened.fetch_add(1, Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(forward(from_client, to_server, number, shared.clone()));
                tokio::spawn(forward(from_server, to_client, number, shared.clone()));
            }
        });
        Self { address, connections }
    }

    /// Loses every connection that there is. Those that come after work.
    fn lose_all(&self) {
        let opened = self.connections.opened.load(Ordering::SeqCst);
        self.connections.lost.store(opened, Ordering::SeqCst);
    }

    fn opened(&self) -> usize {
        self.connections.opened.load(Ordering::SeqCst)
    }
}

/// Passes on what comes, and swallows it when the connection is lost.
async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    number: usize,
    connections: Connections,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let is_lost = number < connections.lost.load(Ordering::SeqCst);
        if !is_lost && to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    // Nobody hears of the end of a lost connection.
    if number < connections.lost.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn the_operator_notices_that_its_connections_are_lost_without_a_word_and_keeps_its_lease() {
    let bed = Bed::new("lost-connections").await;
    let Config { cluster_url, .. } = bed.operator.config().await;
    let server = cluster_url.authority().expect("an address").to_string();
    let between = Between::start(server.clone()).await;
    let kubeconfig = std::fs::read_to_string(bed.operator.kubeconfig()).unwrap();
    assert!(
        kubeconfig.contains(&server),
        "the address of the API server is not in the kubeconfig as {server}"
    );
    let file = bed.control_plane.folder().join(format!("{}.kubeconfig", bed.namespace.name()));
    std::fs::write(&file, kubeconfig.replace(&server, &between.address.to_string())).unwrap();
    let mut operator = bed.start_with(&[], &[("KUBECONFIG", file.to_str().unwrap())]);
    bed.apply("chain", &chain(1)).await;
    bed.condition("chain", "Ready", "True").await;

    between.lose_all();
    let before = between.opened();
    let mut edited = chain(1);
    edited["suspend"] = true.into();
    bed.apply("chain", &edited).await;
    // What is read alone counts as lost after 150 seconds.
    bed.condition_within(2 * LONG, "chain", "Suspended", "True").await;
    wait_until("new connections", LONG, async || {
        let opened = between.opened() - before;
        if opened > 0 { Ok(()) } else { Err(format!("{opened} connections were opened since")) }
    })
    .await;
    assert_eq!(operator.try_wait().unwrap(), None, "it was this operator: it did not lose its lease");
}
