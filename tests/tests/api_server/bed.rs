//! The test bed itself does what the other tests rely on.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{ListParams, PostParams};
use kube::{Api, ResourceExt};
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::ControlPlane;
use mlpipeline_tests::wait_until;
use serde_json::json;

const LONG: Duration = Duration::from_secs(60);

fn job() -> Job {
    serde_json::from_value(json!({
        "metadata": {"generateName": "job-"},
        "spec": {"template": {"spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "main", "image": "none"}],
        }}},
    }))
    .unwrap()
}

#[tokio::test]
async fn a_job_gets_its_pod_from_the_real_controller() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("bed-job").await;
    let client = control_plane.client().await;
    let jobs: Api<Job> = Api::namespaced(client.clone(), namespace.name());
    let pods: Api<Pod> = Api::namespaced(client, namespace.name());
    let made = jobs.create(&PostParams::default(), &job()).await.unwrap();
    wait_until("the Job's pod", LONG, async || {
        let found = pods.list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let owner = found.items.first().and_then(|pod| pod.owner_references().first());
        match owner {
            Some(owner) if Some(&owner.uid) == made.metadata.uid.as_ref() => Ok(()),
            _ => Err(format!("{} pods", found.items.len())),
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_pipeline_owns_is_collected_after_it() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("bed-garbage").await;
    let client = control_plane.client().await;
    let pipelines: Api<MLPipeline> = Api::namespaced(client.clone(), namespace.name());
    let maps: Api<ConfigMap> = Api::namespaced(client, namespace.name());
    let pipeline = serde_json::from_value(super::pipelines::pipeline(
        "owner",
        &json!({"steps": [{"name": "a", "run": {"image": "none"}}]}),
    ));
    let pipeline = pipelines.create(&PostParams::default(), &pipeline.unwrap()).await.unwrap();
    let owned = serde_json::from_value(json!({
        "metadata": {"name": "owned", "ownerReferences": [{
            "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "name": "owner",
            "uid": pipeline.metadata.uid, "controller": true, "blockOwnerDeletion": true,
        }]},
    }));
    maps.create(&PostParams::default(), &owned.unwrap()).await.unwrap();
    pipelines.delete("owner", &Default::default()).await.unwrap();
    wait_until("the owned ConfigMap to go", LONG, async || match maps.get_opt("owned").await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn a_service_account_may_do_nothing_at_first_and_the_audit_log_says_what_it_tried() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("bed-audit").await;
    let position = control_plane.audit().position().await;
    let account = control_plane.service_account(namespace.name(), "nobody").await;
    let jobs: Api<Job> = Api::namespaced(account.client().await, namespace.name());
    let refused = jobs.create(&PostParams::default(), &job()).await;
    assert!(matches!(&refused, Err(kube::Error::Api(status)) if status.is_forbidden()), "{refused:?}");
    let listed = jobs.list(&ListParams::default()).await;
    assert!(matches!(&listed, Err(kube::Error::Api(status)) if status.is_forbidden()), "{listed:?}");

    let events = control_plane.audit().query().since(position).user(account.username()).events().await;
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.verb.as_str(), event.resource(), event.response_status.code))
        .collect();
    assert_eq!(seen, [("create", "jobs".to_owned(), 403), ("list", "jobs".to_owned(), 403)]);
    assert_eq!(events[0].object_ref.namespace, namespace.name());
    assert_eq!(events[0].stage, "ResponseComplete");
    let writes = control_plane.audit().query().user(account.username()).writes().events().await;
    assert_eq!(writes.len(), 1);
}

#[tokio::test]
async fn the_audit_log_holds_what_was_written_but_no_secret() {
    let control_plane = ControlPlane::shared().await;
    let namespace = control_plane.namespace("bed-secret").await;
    let client = control_plane.client().await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace.name());
    let secrets: Api<k8s_openapi::api::core::v1::Secret> = Api::namespaced(client, namespace.name());
    let content = json!({"metadata": {"name": "content"}, "data": {"key": "dmFsdWU="}});
    let params = PostParams::default();
    maps.create(&params, &serde_json::from_value(content.clone()).unwrap()).await.unwrap();
    secrets.create(&params, &serde_json::from_value(content).unwrap()).await.unwrap();
    let query = control_plane.audit().query().namespace(namespace.name()).name("content").verb("create");
    let map = query.clone().resource("configmaps").events().await;
    assert_eq!(map[0].request_object["data"]["key"], "dmFsdWU=");
    let secret = query.resource("secrets").events().await;
    assert_eq!(secret.len(), 1);
    assert!(secret[0].request_object.is_null(), "{:?}", secret[0].request_object);
}

#[tokio::test]
async fn a_test_s_namespace_is_its_own_and_goes_with_it() {
    let control_plane = ControlPlane::shared().await;
    let one = control_plane.namespace("bed-namespace").await;
    let other = control_plane.namespace("bed-namespace").await;
    assert_ne!(one.name(), other.name());
    let name = one.name().to_owned();
    drop(one);
    let namespaces: Api<Namespace> = Api::all(control_plane.client().await);
    wait_until("the namespace to go", LONG, async || match namespaces.get_opt(&name).await {
        Ok(None) => Ok(()),
        Ok(Some(namespace)) => Err(format!("{:?}", namespace.status)),
        Err(error) => Err(error.to_string()),
    })
    .await;
}
