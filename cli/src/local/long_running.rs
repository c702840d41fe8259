//! A long-running step: its replicas of one key, and the roll-out to another key during which some replica always answers.

use std::io;
use std::sync::Arc;

use mlpipeline_core::observed::{ObservedLongRunning, PodIssue, ProbePort};
use mlpipeline_core::plan::{Fingerprint, LongRunningWork};
use mlpipeline_crds::Revision;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::proxy::{self, Backends};
use super::replica::Replica;

/// A port of this machine in front of a step's replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// What the step calls the port.
    pub name: String,
    /// The port of this machine.
    pub port: u16,
}

/// The replicas of one key.
struct Generation {
    key: Revision,
    fingerprint: Fingerprint,
    model: Option<Revision>,
    desired: usize,
    backends: Arc<Backends>,
    stop: watch::Sender<bool>,
    replicas: JoinSet<()>,
    problem: Option<String>,
}

/// A long-running step.
pub struct LongRunningStep {
    /// Where its replicas are reached.
    pub endpoints: Vec<Endpoint>,
    current: Option<Generation>,
    next: Option<Generation>,
    target: watch::Sender<Arc<Backends>>,
    proxies: Vec<JoinHandle<()>>,
    retiring: JoinSet<()>,
}

/// Makes a replica of this number, given the set that it joins when it is ready and where to send its problems.
type MakeReplica = dyn Fn(usize, Arc<Backends>, mpsc::UnboundedSender<Option<String>>) -> Replica + Send;

/// What the replicas of a key are made of.
pub struct Replicas {
    /// How one is made.
    pub make: Box<MakeReplica>,
    /// How many.
    pub count: usize,
}

impl LongRunningStep {
    /// Listens on the step's ports: the wanted one or a free one from 8080 on for the first, free ones after it for others.
    ///
    /// # Errors
    /// When a port cannot be had.
    pub async fn listen(ports: &[String], wanted: Option<u16>) -> io::Result<Self> {
        let (target, backends) = watch::channel(Arc::new(Backends::default()));
        let mut step = Self {
            endpoints: Vec::new(),
            current: None,
            next: None,
            target,
            proxies: Vec::new(),
            retiring: JoinSet::new(),
        };
        for (index, name) in ports.iter().enumerate() {
            let first = step.endpoints.last().map_or(FIRST_PORT, |endpoint| endpoint.port.saturating_add(1));
            let listener = proxy::listen(wanted.filter(|_| index == 0), first).await?;
            step.endpoints.push(Endpoint { name: name.clone(), port: listener.local_addr()?.port() });
            step.proxies.push(tokio::spawn(proxy::forward(listener, index, backends.clone())));
        }
        Ok(step)
    }

    /// Whether the replicas, or those being rolled out, are of this key.
    #[must_use]
    pub fn is_of(&self, key: &Revision) -> bool {
        self.next.as_ref().or(self.current.as_ref()).is_some_and(|generation| generation.key == *key)
    }

    /// Starts replicas of a new key. Those before keep running until all of the new ones are ready. `changed` is called whenever
    /// something about them changes.
    pub fn roll_out(
        &mut self,
        work: &LongRunningWork,
        replicas: Replicas,
        changed: impl Fn(Option<String>) + Send + 'static,
    ) {
        let (problems, mut received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(problem) = received.recv().await {
                changed(problem);
            }
        });
        let (stop, stopping) = watch::channel(false);
        let mut generation = Generation {
            key: work.key.clone(),
            fingerprint: work.fingerprint.clone(),
            model: work.model.clone(),
            desired: replicas.count,
            backends: Arc::new(Backends::default()),
            stop,
            replicas: JoinSet::new(),
            problem: None,
        };
        for number in 0..replicas.count {
            let replica = (replicas.make)(number, Arc::clone(&generation.backends), problems.clone());
            generation.replicas.spawn(replica.keep(stopping.clone()));
        }
        // With no replicas at all, none reports that all of them are ready.
        problems.send(None).ok();
        if let Some(superseded) = self.next.take() {
            self.retire(superseded);
        }
        if self.current.is_none() {
            // Nobody answers yet: the first replica that is ready may.
            self.target.send_replace(Arc::clone(&generation.backends));
        }
        self.next = Some(generation);
    }

    /// Handles what a replica reported, and switches over once all new replicas are ready.
    pub fn progress(&mut self, problem: Option<String>) {
        if let Some(generation) = self.next.as_mut().or(self.current.as_mut()) {
            let all_ready = generation.backends.count() >= generation.desired;
            generation.problem = problem.or(generation.problem.take()).filter(|_| !all_ready);
        }
        if let Some(ready) = self.next.take_if(|next| next.backends.count() >= next.desired) {
            self.target.send_replace(Arc::clone(&ready.backends));
            if let Some(before) = self.current.replace(ready) {
                self.retire(before);
            }
        }
        while self.retiring.try_join_next().is_some() {}
    }

    fn retire(&mut self, generation: Generation) {
        self.retiring.spawn(end(generation));
    }

    /// The step as the core sees it.
    #[must_use]
    pub fn observed(&self) -> Option<ObservedLongRunning> {
        let newest = self.next.as_ref().or(self.current.as_ref())?;
        let count = |generation: &Generation| i32::try_from(generation.backends.count()).unwrap_or(i32::MAX);
        Some(ObservedLongRunning {
            image: None,
            template: mlpipeline_core::template_version::TemplateVersion::NEWEST,
            key: Some(newest.key.clone()),
            fingerprint: Some(newest.fingerprint.clone()),
            // What answers now must be known, so that a roll-out that does not finish can be undone.
            model: newest.model.clone(),
            // The worker is of the program's own release. What steps reported is kept as long as the results are.
            model_digest: None,
            probe_port: ProbePort::Own,
            desired: i32::try_from(newest.desired).unwrap_or(i32::MAX),
            updated_ready: count(newest),
            settled_ready: if self.next.is_none() { count(newest) } else { 0 },
            ready: [&self.current, &self.next].into_iter().flatten().map(count).sum(),
            settled: self.next.is_none(),
        })
    }

    /// What keeps the newest replicas from being ready.
    #[must_use]
    pub fn pod_issue(&self) -> Option<PodIssue> {
        let problem = self.next.as_ref().or(self.current.as_ref())?.problem.clone()?;
        Some(PodIssue { reason: "NotReady".to_owned(), message: problem })
    }

    /// Stops all replicas and waits until they have ended.
    pub async fn stop(mut self) {
        for generation in [self.next.take(), self.current.take()].into_iter().flatten() {
            self.retire(generation);
        }
        while self.retiring.join_next().await.is_some() {}
        self.proxies.iter().for_each(JoinHandle::abort);
    }
}

/// The first port to try for an endpoint.
const FIRST_PORT: u16 = 8080;

async fn end(mut generation: Generation) {
    generation.stop.send_replace(true);
    while generation.replicas.join_next().await.is_some() {}
}
