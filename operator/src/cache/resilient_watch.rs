//! A watch that recovers when access is granted again.
//!
//! Kube's watcher repeats a watch that was denied, and reports nothing when it is allowed. So a watch that was denied is dropped
//! here, a short one asks whether access is allowed again, and a new watcher starts with a list: the list delivers what was
//! missed, and its end reports that access is back.

use std::fmt::Debug;
use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryFutureExt};
use kube::Resource;
use kube::api::{Api, WatchParams};
use kube::core::Status;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event};
use serde::de::DeserializeOwned;

use crate::backoff;

/// The longest wait between two attempts: that of kube's own watcher.
const LONGEST: Duration = Duration::from_secs(30);

/// One item of a watch.
pub(crate) type WatchResult<K> = watcher::Result<Event<K>>;

struct ResilientWatch<K> {
    api: Api<K>,
    config: Config,
    watcher: BoxStream<'static, WatchResult<K>>,
    is_denied: bool,
    /// Denials since the last change arrived.
    denials: u32,
}

/// All events of a kind of object, as kube's watcher delivers them. It never ends, and waits after errors by itself.
pub(crate) fn resilient_watch<K>(api: Api<K>, config: Config) -> BoxStream<'static, WatchResult<K>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let watcher = start(&api, &config);
    let watch = ResilientWatch { api, config, watcher, is_denied: false, denials: 0 };
    stream::unfold(watch, ResilientWatch::next).boxed()
}

fn start<K>(api: &Api<K>, config: &Config) -> BoxStream<'static, WatchResult<K>>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watcher::watcher(api.clone(), config.clone()).default_backoff().boxed()
}

impl<K> ResilientWatch<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    async fn next(mut self) -> Option<(WatchResult<K>, Self)> {
        if self.is_denied {
            tokio::time::sleep(backoff::wait(self.denials, rand::random()).min(LONGEST)).await;
            if let Err(error) = probe(&self.api, &self.config).await {
                self.denials = self.denials.saturating_add(1);
                return Some((Err(watcher::Error::WatchStartFailed(error)), self));
            }
            self.is_denied = false;
            self.watcher = start(&self.api, &self.config);
        }
        let item = self.watcher.next().await?;
        match &item {
            Ok(Event::Apply(_) | Event::Delete(_)) => self.denials = 0,
            Err(error @ (watcher::Error::WatchStartFailed(_) | watcher::Error::WatchError(_)))
                if denial(error).is_some() =>
            {
                self.is_denied = true;
                self.denials = self.denials.saturating_add(1);
            }
            _ => {}
        }
        Some((item, self))
    }
}

/// Asks whether a watch is allowed. The watch is dropped as soon as it is answered.
async fn probe<K>(api: &Api<K>, config: &Config) -> Result<(), kube::Error>
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

/// The API server's message, where it denied a list or watch.
pub(crate) fn denial(error: &watcher::Error) -> Option<String> {
    answer(error).filter(|status| matches!(status.code, 401 | 403)).map(|status| status.message.clone())
}

/// Logs that the watch of a kind ended and starts anew. That its resource version is too old is part of a watch's life: a kind
/// that seldom changes and gets no bookmarks, as events, ends so every few minutes.
pub(crate) fn log_watch_error(kind: &str, scope: Option<&str>, error: &watcher::Error) {
    if answer(error).is_some_and(|status| status.code == 410) {
        tracing::debug!(kind, scope, "the watch's resource version has expired, its list is read again");
    } else {
        tracing::warn!(kind, scope, %error, "watch failed, it is retried");
    }
}

/// What the API server answered to a list or watch.
fn answer(error: &watcher::Error) -> Option<&Status> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => Some(status),
        _ => None,
    }
}
