//! Pipelines of three runs, applied all at once, until the last is ready.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ObjectMeta, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::ControlPlane;
use serde_json::json;

use crate::machine::{Begun, Turn};

/// How many requests are under way at once while everything is applied: kubectl applies a file's objects one by one.
pub const AT_ONCE: usize = 1;

/// A pipeline of three runs, one after the other, of one pod each.
pub fn pipeline(name: &str) -> MLPipeline {
    let steps = json!([
        {"name": "a", "run": {"image": "none"}},
        {"name": "b", "run": {"image": "none"}, "after": ["a"]},
        {"name": "c", "run": {"image": "none"}, "after": ["b"]},
    ]);
    let value = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
        "metadata": {"name": name}, "spec": {"steps": steps},
    });
    serde_json::from_value(value).unwrap()
}

/// Makes a namespace.
pub async fn make_namespace(client: &Client, name: &str) {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let namespace = Namespace { metadata, ..Namespace::default() };
    Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
}

/// Applies pipelines and waits for them; answers how many a minute became ready, from the first apply to the last ready one.
pub async fn pipelines_a_minute(control_plane: &ControlPlane, namespace: &str, count: usize) -> Turn {
    let client = control_plane.client().await;
    make_namespace(&client, namespace).await;
    let pipelines: Api<MLPipeline> = Api::namespaced(client, namespace);
    let parameters = PostParams::default();
    let begun = Begun::now();
    let applied = stream::iter(0..count).for_each_concurrent(AT_ONCE, async |at| {
        pipelines.create(&parameters, &pipeline(&format!("p{at:04}"))).await.unwrap();
    });
    let done = async {
        let mut ready = BTreeSet::new();
        let mut changes = watcher(pipelines.clone(), watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .boxed();
        while ready.len() < count {
            let pipeline = changes.try_next().await.unwrap().expect("a watch continues");
            let conditions = pipeline.status.iter().flat_map(|status| &status.conditions);
            if conditions.clone().any(|now| now.type_ == "Ready" && now.status == "True") {
                ready.insert(pipeline.name_any());
            }
        }
    };
    futures::join!(applied, done);
    begun.ended(count)
}
