//! The least that any program could do: a client that watches pods and creates the next Job when one has succeeded.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ListParams, ObjectMeta, PostParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};
use mlpipeline_tests::control_plane::ControlPlane;

use crate::load;
use crate::machine::{Begun, Turn};

const CHAIN: &str = "bench/chain";
const LINK: &str = "bench/link";

/// The Jobs that the operator makes of one pipeline, in their order, without what says whose they are.
pub async fn templates(control_plane: &ControlPlane) -> Vec<Job> {
    load::pipelines_a_minute(control_plane, "warm-up", 1).await;
    let jobs: Api<Job> = Api::namespaced(control_plane.client().await, "warm-up");
    let mut made = jobs.list(&ListParams::default()).await.unwrap().items;
    made.sort_by_key(|job| job.labels()["mlpipeline.dev/step"].clone());
    made.into_iter().map(template).collect()
}

fn template(made: Job) -> Job {
    let mut spec = made.spec.unwrap();
    spec.selector = None;
    let labels = &mut spec.template.metadata.as_mut().unwrap().labels;
    // The operator watches what says that it is managed by it; and the controller adds names and uids of its own.
    labels.as_mut().unwrap().retain(|key, _| {
        !key.starts_with("app.kubernetes.io/") && !key.contains("job-name") && !key.contains("controller-uid")
    });
    let metadata = ObjectMeta { annotations: made.metadata.annotations, ..ObjectMeta::default() };
    Job { metadata, spec: Some(spec), status: None }
}

/// Chains Jobs; answers how many chains a minute were done, from the first Job to the last pod's success.
pub async fn chains_a_minute(
    control_plane: &ControlPlane,
    namespace: &str,
    templates: &[Job],
    count: usize,
) -> Turn {
    let client = control_plane.client().await;
    load::make_namespace(&client, namespace).await;
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace);
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let create = async |chain: usize, link: usize| {
        let job = job(&templates[link], chain, link);
        jobs.create(&PostParams::default(), &job).await.unwrap();
    };
    let begun = Begun::now();
    let mut changes = watcher(pods, watcher::Config::default()).default_backoff().applied_objects().boxed();
    // The first of each chain are made as fast as the pipelines are applied.
    let mut first =
        futures::stream::iter(0..count).map(|chain| create(chain, 0)).buffer_unordered(load::AT_ONCE);
    let mut next = FuturesUnordered::new();
    let mut reached: HashMap<usize, usize> = HashMap::new();
    let mut done = 0;
    while done < count {
        tokio::select! {
            Some(()) = first.next() => {}
            Some(()) = next.next() => {}
            pod = changes.try_next() => {
                let pod = pod.unwrap().expect("a watch continues");
                let Some((chain, link)) = succeeded(&pod) else { continue };
                let at = reached.entry(chain).or_insert(0);
                if *at != link {
                    continue;
                }
                *at += 1;
                match link + 1 < templates.len() {
                    true => next.push(create(chain, link + 1)),
                    false => done += 1,
                }
            }
        }
    }
    let turn = begun.ended(count);
    wait_for_the_controller(&jobs).await;
    turn
}

/// Waits until the Job controller has written down all that has ended: else it would work it off during the next turn.
async fn wait_for_the_controller(jobs: &Api<Job>) {
    let is_open = |job: &Job| job.status.as_ref().is_none_or(|status| status.completion_time.is_none());
    while jobs.list(&ListParams::default()).await.unwrap().iter().any(is_open) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// A Job of a chain.
fn job(template: &Job, chain: usize, link: usize) -> Job {
    let mut job = template.clone();
    let labels = [(CHAIN, chain.to_string()), (LINK, link.to_string())];
    let labels: BTreeMap<String, String> = labels.map(|(key, value)| (key.to_owned(), value)).into();
    job.metadata.name = Some(format!("c{chain:04}-{link}"));
    let pod = job.spec.as_mut().and_then(|spec| spec.template.metadata.as_mut()).unwrap();
    pod.labels.get_or_insert_default().extend(labels.clone());
    job.metadata.labels = Some(labels);
    job
}

/// The chain and the link of a pod that has succeeded.
fn succeeded(pod: &Pod) -> Option<(usize, usize)> {
    let phase = pod.status.as_ref()?.phase.as_deref()?;
    let number = |label: &str| pod.labels().get(label)?.parse().ok();
    if phase == "Succeeded" { Some((number(CHAIN)?, number(LINK)?)) } else { None }
}
