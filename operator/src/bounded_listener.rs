//! A listener for the operator's own ports, on which many connections, slow ones and long requests cost a bounded amount of memory, and
//! keep no probe waiting: for one connection too many, the oldest gives way. Must not know of requests.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// The most connections at once: a kubelet, a few collectors of metrics, and room for what is closed late.
const MOST_CONNECTIONS: usize = 128;

/// The most bytes that one connection may send in its life: some hundred scrapes. What is behind it connects anew.
const MOST_BYTES: usize = 64 << 10;

/// How long to wait when the system has no more sockets for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A socket that listens, and the connections that there are.
#[derive(Debug)]
pub(super) struct BoundedListener {
    socket: TcpListener,
    /// From the oldest to the newest; each gives way when its sender is dropped.
    open: VecDeque<oneshot::Sender<()>>,
}

impl BoundedListener {
    /// Bounds the connections to a socket.
    pub(super) fn new(socket: TcpListener) -> Self {
        Self { socket, open: VecDeque::new() }
    }

    fn seat(&mut self, stream: TcpStream) -> BoundedStream {
        self.open.retain(|open| !open.is_closed());
        if self.open.len() >= MOST_CONNECTIONS {
            self.open.pop_front();
        }
        let (stays, gives_way) = oneshot::channel();
        self.open.push_back(stays);
        BoundedStream { stream, gives_way, left: MOST_BYTES }
    }
}

impl Listener for BoundedListener {
    type Io = BoundedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BoundedStream, SocketAddr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, address)) => return (self.seat(stream), address),
                Err(error) => {
                    // A client that hung up already, or no descriptors left: neither may end the server.
                    tracing::debug!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A connection that ends when it has to give way, or has sent more than a connection may.
#[derive(Debug)]
pub(super) struct BoundedStream {
    stream: TcpStream,
    gives_way: oneshot::Receiver<()>,
    left: usize,
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 || Pin::new(&mut self.gives_way).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.left = self.left.saturating_sub(buffer.filled().len().saturating_sub(before));
        read
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Who takes nothing of an answer gives way too.
        if Pin::new(&mut self.gives_way).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;

    use super::*;

    /// The longest that anything here may take.
    const TIMEOUT: Duration = Duration::from_secs(30);

    async fn listening() -> SocketAddr {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("an address");
        let router = Router::new().route("/healthz", get(|| async { "ok" }));
        tokio::spawn(async move { axum::serve(BoundedListener::new(socket), router).await });
        address
    }

    async fn connect(address: SocketAddr, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(sent.as_bytes()).await.expect("sent");
        stream
    }

    /// What comes until the connection is closed, or nothing where it stays open.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let _ = timeout(TIMEOUT, stream.read_to_end(&mut text)).await.expect("an end");
        String::from_utf8_lossy(&text).into_owned()
    }

    #[tokio::test]
    async fn d7_thousands_of_half_sent_requests_keep_no_probe_waiting_and_few_of_them_stay() {
        let address = listening().await;
        let mut halves = Vec::new();
        for _ in 0..8 * MOST_CONNECTIONS {
            halves.push(connect(address, "GET /healthz HTTP/1.1\r\nx-long: ").await);
        }
        let mut probe =
            connect(address, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
        let answered = answer(&mut probe).await;
        assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
        // All but the newest have given way.
        for half in &mut halves[..7 * MOST_CONNECTIONS] {
            assert_eq!(answer(half).await, "");
        }
    }

    #[tokio::test]
    async fn d7_a_connection_that_sends_without_end_is_closed() {
        let mut stream = connect(listening().await, "GET /healthz HTTP/1.1\r\n").await;
        let header = format!("x: {}\r\n", "x".repeat(1000));
        let sent = async { while stream.write_all(header.as_bytes()).await.is_ok() {} };
        timeout(TIMEOUT, sent).await.expect("the operator closes it");
    }
}
