//! A watch that gets over being refused.
//!
//! Kube's watcher asks again for a watch that was refused, and says nothing when it is allowed. So a watch that was refused is
//! given up here, a short one asks whether it is allowed again, and a new watcher begins with a list: that brings what was
//! missed, and its end is the news.

use std::fmt::Debug;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryFutureExt};
use kube::Resource;
use kube::api::{Api, WatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event};
use serde::de::DeserializeOwned;

use crate::backoff;

/// The longest wait between two attempts: that of kube's own watcher.
const LONGEST: Duration = Duration::from_secs(30);

/// What a watch says.
pub(crate) type Said<K> = watcher::Result<Event<K>>;

struct Steady<K> {
    api: Api<K>,
    config: Config,
    watcher: BoxStream<'static, Said<K>>,
    is_refused: bool,
    /// Refusals since a change came in.
    refusals: u32,
}

/// Everything that is and happens to objects, as kube's watcher tells it. It never ends, and waits after errors by itself.
pub(crate) fn steady<K>(api: Api<K>, config: Config) -> BoxStream<'static, Said<K>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let watcher = begin(&api, &config);
    let steady = Steady { api, config, watcher, is_refused: false, refusals: 0 };
    stream::unfold(steady, Steady::next).boxed()
}

fn begin<K>(api: &Api<K>, config: &Config) -> BoxStream<'static, Said<K>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watcher::watcher(api.clone(), config.clone()).default_backoff().boxed()
}

impl<K> Steady<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    async fn next(mut self) -> Option<(Said<K>, Self)> {
        if self.is_refused {
            tokio::time::sleep(backoff::wait(self.refusals, rand::random()).min(LONGEST)).await;
            if let Err(error) = ask(&self.api, &self.config).await {
                self.refusals = self.refusals.saturating_add(1);
                return Some((Err(watcher::Error::WatchStartFailed(error)), self));
            }
            self.is_refused = false;
            self.watcher = begin(&self.api, &self.config);
        }
        let said = self.watcher.next().await?;
        match &said {
            Ok(Event::Apply(_) | Event::Delete(_)) => self.refusals = 0,
            Err(error @ (watcher::Error::WatchStartFailed(_) | watcher::Error::WatchError(_)))
                if refusal(error).is_some() =>
            {
                self.is_refused = true;
                self.refusals = self.refusals.saturating_add(1);
            }
            _ => {}
        }
        Some((said, self))
    }
}

/// Whether a watch is allowed. It is let go of as soon as it is answered.
async fn ask<K>(api: &Api<K>, config: &Config) -> Result<(), kube::Error>
where
    K: Clone + DeserializeOwned + Debug,
{
    let parameters = WatchParams {
        label_selector: config.label_selector.clone(),
        field_selector: config.field_selector.clone(),
        timeout: Some(1),
        ..WatchParams::default()
    };
    api.watch(&parameters, "0").map_ok(drop).await
}

/// What the API server says when it does not let us see something.
pub(crate) fn refusal(error: &watcher::Error) -> Option<String> {
    let status = match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status,
        _ => return None,
    };
    matches!(status.code, 401 | 403).then(|| status.message.clone())
}
