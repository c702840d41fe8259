//! The production operator, running in the world, and started again when it crashes.

use std::sync::Arc;

use kube::Client;
use mlpipeline_core::children::BuildSettings;
use mlpipeline_operator::metrics::MetricsError;
use mlpipeline_operator::operator::{ElectionOptions, Operator, OperatorError, Options};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::Layer;

use super::World;

/// An operator under way.
pub struct Running {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), OperatorError>>,
}

impl Running {
    /// Dies at once, in the middle of whatever it does.
    pub fn kill(&self) {
        self.task.abort();
    }

    /// Is asked to end, and does.
    pub async fn stop(mut self) -> Result<(), OperatorError> {
        self.stop.take().expect("it is stopped once").send(()).expect("it listens");
        self.task.await.expect("it does not panic")
    }

    /// How it ends by itself.
    pub async fn end(self) -> Result<(), OperatorError> {
        self.task.await.expect("it does not panic")
    }

    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }
}

impl World {
    pub fn options(&self, identity: &str) -> Options {
        let world = self.clone();
        Options {
            settings: BuildSettings { worker_image: "worker:1".into(), cluster_user_ids: false },
            namespaces: Vec::new(),
            concurrency: 16,
            election: None,
            identity: identity.into(),
            clock: Arc::new(move || world.now()),
        }
    }

    pub fn start(&self) -> Running {
        self.start_with(self.options("one"))
    }

    /// An operator that takes part in an election.
    pub fn start_candidate(&self, identity: &str) -> Running {
        let election = ElectionOptions {
            lease: "mlpipeline-operator".into(),
            namespace: "system".into(),
            timing: mlpipeline_operator::election::Timing::default(),
        };
        self.start_with(Options { election: Some(election), ..self.options(identity) })
    }

    pub fn start_with(&self, options: Options) -> Running {
        let (stop, stopped) = oneshot::channel::<()>();
        let world = World { who: options.identity.clone(), ..self.clone() };
        let task = tokio::spawn(async move {
            let operator = Operator::new(options, |middleware| {
                Ok::<_, MetricsError>(Client::new(middleware.layer(world), "default"))
            })
            .expect("metrics");
            let stopped = async {
                if stopped.await.is_err() {
                    // A test that lets go of the sender does not mean to stop it.
                    std::future::pending::<()>().await;
                }
            };
            operator.run(stopped).await
        });
        Running { stop: Some(stop), task }
    }

    /// An operator that is started again whenever it crashes.
    pub fn start_for_ever(&self) -> JoinHandle<()> {
        let world = self.clone();
        tokio::spawn(async move {
            let mut crashed = world.faults.lock().expect("a lock").crashed.subscribe();
            loop {
                let running = world.start();
                crashed.changed().await.expect("the world outlives it");
                running.kill();
            }
        })
    }
}
