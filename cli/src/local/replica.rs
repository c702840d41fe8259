//! One replica of a long-running step: started, watched until it is ready, started again when it ends, and stopped.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mlpipeline_core::step_kind::Readiness;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::process::{CommandLine, GRACE, Process, note};
use super::proxy::Backends;

/// How often a replica that is not ready is asked again.
const ASK_OFTEN: Duration = Duration::from_millis(25);
/// How often a replica that is ready is asked whether it still is.
const ASK_SELDOM: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(2);
/// The pause before a replica that ended is started again; twice as long each time, while it does not become ready.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// The command line of a replica that is to listen on these addresses, or why there is none.
pub type MakeCommand = dyn Fn(&[SocketAddr]) -> Result<CommandLine, String> + Send + Sync;

/// A replica to keep running.
pub struct Replica {
    /// Its number among its step's.
    pub number: usize,
    /// How many ports it listens on.
    pub ports: usize,
    /// The command line, given the addresses to listen on.
    pub command: Box<MakeCommand>,
    /// When it counts as ready.
    pub readiness: Readiness,
    /// Where it prints to.
    pub log: PathBuf,
    /// Who may send it connections.
    pub backends: Arc<Backends>,
    /// Receives a message when it became ready or ended: with what went wrong, for people.
    pub changed: mpsc::UnboundedSender<Option<String>>,
}

impl Replica {
    /// Keeps the replica running until it is asked to stop.
    pub async fn keep(self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        while !*stop.borrow() {
            let problem = self.live(&mut stop, &mut pause).await;
            if *stop.borrow() {
                break;
            }
            note(&self.log, &problem);
            // Nobody listens when all is being stopped.
            self.changed.send(Some(problem)).ok();
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// One life of the replica; why it ended, for people.
    async fn live(&self, stop: &mut watch::Receiver<bool>, pause: &mut Duration) -> String {
        let addresses = match free_addresses(self.ports).await {
            Ok(addresses) => addresses,
            Err(error) => return format!("no free port on this machine: {error}"),
        };
        let started = (self.command)(&addresses)
            .and_then(|command| Process::start(&command, &self.log).map_err(|error| error.to_string()));
        let mut process = match started {
            Ok(process) => process,
            Err(problem) => return problem,
        };
        let end = tokio::select! {
            status = process.wait() => Some(status),
            () = self.watch(&addresses, pause) => None,
            _ = stop.wait_for(|stop| *stop) => None,
        };
        self.backends.remove(self.number);
        match end {
            Some(Ok(status)) => format!("replica {} ended ({status}) and is started again", self.number),
            Some(Err(error)) => format!("cannot wait for replica {}: {error}", self.number),
            None => {
                process.stop(GRACE).await;
                String::new()
            }
        }
    }

    /// Asks again and again whether the replica is ready; never ends.
    async fn watch(&self, addresses: &[SocketAddr], pause: &mut Duration) {
        let mut was_ready = false;
        loop {
            let is_ready = self.is_ready(addresses.first().copied()).await;
            if is_ready && !was_ready {
                *pause = FIRST_PAUSE;
                self.backends.add(self.number, addresses.to_vec());
            } else if !is_ready && was_ready {
                self.backends.remove(self.number);
            }
            if is_ready != was_ready {
                self.changed.send(None).ok();
            }
            was_ready = is_ready;
            sleep(if is_ready { ASK_SELDOM } else { ASK_OFTEN }).await;
        }
    }

    async fn is_ready(&self, address: Option<SocketAddr>) -> bool {
        match (self.readiness, address) {
            (Readiness::Starts, _) | (_, None) => true,
            (Readiness::Connects, Some(address)) => {
                timeout(ANSWER, TcpStream::connect(address)).await.is_ok_and(|connected| connected.is_ok())
            }
            (Readiness::Http, Some(address)) => {
                timeout(ANSWER, answers(address)).await.is_ok_and(|answer| answer.is_some())
            }
        }
    }
}

/// Whether `GET /ready` answers 200.
async fn answers(address: SocketAddr) -> Option<()> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET /ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.ok()?;
    status.ends_with(b" 200").then_some(())
}

/// Addresses of this machine that are free at this moment. One that is taken before the replica listens makes the replica
/// end, and it is started again on another.
async fn free_addresses(count: usize) -> std::io::Result<Vec<SocketAddr>> {
    let mut listeners = Vec::with_capacity(count);
    for _ in 0..count {
        listeners.push(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?);
    }
    listeners.iter().map(tokio::net::TcpListener::local_addr).collect()
}
