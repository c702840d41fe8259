//! Many pipelines that only exist: what each of them costs the operator.

use futures::{StreamExt, stream};
use kube::Api;
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt, watcher};
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::{ControlPlane, Settings};

use crate::installed::Installed;
use crate::load;

/// How many requests create pipelines at the same time.
const AT_ONCE: usize = 8;

/// Creates so many suspended pipelines of three steps, waits until each has a status, and prints what the operator has used.
pub async fn measure(count: usize) {
    let control_plane = ControlPlane::start(Settings::default()).await.unwrap();
    let installed = Installed::start(&control_plane).await;
    let client = control_plane.client().await;
    load::make_namespace(&client, "suspended").await;
    let pipelines: Api<MLPipeline> = Api::namespaced(client, "suspended");
    let none = installed.memory_now();
    let created = stream::iter(0..count).for_each_concurrent(AT_ONCE, async |at| {
        let mut pipeline = load::pipeline(&format!("p{at:05}"));
        pipeline.spec.suspend = Some(true);
        pipelines.create(&PostParams::default(), &pipeline).await.unwrap();
    });
    let reported = async {
        let mut reported = std::collections::BTreeSet::new();
        let mut changes = watcher(pipelines.clone(), watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .boxed();
        while reported.len() < count {
            let pipeline = changes.next().await.expect("a watch continues").unwrap();
            if pipeline.status.is_some_and(|status| status.observed_generation.is_some()) {
                reported.insert(pipeline.metadata.uid.clone().unwrap_or_default());
            }
        }
    };
    futures::join!(created, reported);
    crate::witness::wait_for_silence(&control_plane, &installed.user).await;
    let (now, peak) = (installed.memory_now(), installed.peak_memory());
    println!(
        "{count} suspended pipelines of three steps: {now:.0} MB (peak {peak:.0} MB), {none:.0} MB without any, {:.1} KB a pipeline, {:.0} s of CPU",
        (now - none) * 1000.0 / count as f64,
        installed.cpu().as_secs_f64(),
    );
}
