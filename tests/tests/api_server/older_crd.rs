//! An operator beside the CustomResourceDefinition of another version: an older one, and one that lets everything through.

use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use kube::{Api, Client, ResourceExt};
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::{ControlPlane, Settings};
use mlpipeline_tests::{programs, wait_until};
use serde_json::{Value, json};
use tokio::process::Command;

use super::kubelet::Kubelet;
use super::operator_bed::LONG;
use super::shipped_roles::{bind, install_roles, shipped_role};
use super::specs::chain;

#[tokio::test]
async fn s11_fields_that_an_older_definition_drops_are_named_and_what_cannot_be_read_harms_nobody_else() {
    // A server of its own: everybody else's tests need the newest definition.
    let control_plane = ControlPlane::start(Settings::default()).await.unwrap();
    let client = control_plane.client().await;
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let mut older = serde_json::to_value(mlpipeline_crds::custom_resource_definition()).unwrap();
    let schema = &mut older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    schema["properties"].as_object_mut().unwrap().remove("history").unwrap();
    let apply = PatchParams::apply("tests").force();
    crds.patch("mlpipelines.mlpipeline.dev", &apply, &Patch::Apply(&older)).await.unwrap();
    wait_until("the older definition to be served", LONG, async || {
        let path = "/openapi/v3/apis/mlpipeline.dev/v1alpha1";
        let document = client.request_text(http::Request::get(path).body(Vec::new()).unwrap()).await;
        let document = document.map_err(|error| error.to_string())?;
        if document.contains("\"history\"") { Err("the newer one".to_owned()) } else { Ok(()) }
    })
    .await;
    let operator = control_plane.service_account("default", "operator").await;
    install_roles(&client, "default").await;
    bind(&client, "default", "ClusterRole", &shipped_role().name_any(), "operator").await;
    let log = control_plane.folder().join("operator.log");
    let mut program = Command::new(programs::path("mlpipeline-operator"))
        .args(["--health-address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0", "--log-format", "text"])
        .args(["--namespace", "default"])
        .env("KUBECONFIG", operator.kubeconfig())
        .stderr(Stdio::from(std::fs::File::create(&log).unwrap()))
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    wait_until("a warning", Duration::from_secs(30), async || {
        let text = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
        if text.contains("does not have spec.history") { Ok(()) } else { Err(text) }
    })
    .await;
    let pipelines: Api<MLPipeline> = Api::namespaced(client.clone(), "default");
    let mut spec = chain(1);
    spec["history"] = json!(7);
    let pipeline = serde_json::from_value(super::pipelines::pipeline("chain", &spec)).unwrap();
    let made = pipelines.create(&PostParams::default(), &pipeline).await.unwrap();
    assert_eq!(made.spec.history, None, "the API server dropped it");
    let outdated = async |expected: bool| {
        wait_until(&format!("DefinitionOutdated: {expected}"), LONG, async || {
            let pipeline = pipelines.get("chain").await.map_err(|error| error.to_string())?;
            let status = pipeline.status.unwrap_or_default();
            let found = status.conditions.iter().find(|condition| condition.type_ == "DefinitionOutdated");
            let is_named = found.is_some_and(|condition| condition.message.contains("spec.history"));
            let is_so = is_named == expected && found.is_some() == expected;
            if is_so && status.observed_generation == Some(1) { Ok(()) } else { Err(format!("{status:?}")) }
        })
        .await;
    };
    outdated(true).await;
    wait_until("an event", LONG, async || {
        let events: Api<Event> = Api::namespaced(client.clone(), "default");
        let events = events.list(&ListParams::default()).await.map_err(|error| error.to_string())?;
        let is_reported = events.iter().any(|event| event.reason.as_deref() == Some("FieldsDropped"));
        if is_reported { Ok(()) } else { Err(format!("{events:?}")) }
    })
    .await;
    let newest = mlpipeline_crds::custom_resource_definition();
    crds.patch("mlpipelines.mlpipeline.dev", &apply, &Patch::Apply(&newest)).await.unwrap();
    outdated(false).await;
    what_cannot_be_read_harms_only_itself(&client, &mut older).await;
    assert!(program.try_wait().unwrap().is_none(), "it continues");
}

/// Puts a definition in place that lets everything through, and a resource that no version of ours can read. Seen to fail with an
/// operator that forgets pipelines that it cannot read.
async fn what_cannot_be_read_harms_only_itself(client: &Client, definition: &mut Value) {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let apply = PatchParams::apply("tests").force();
    crds.patch("mlpipelines.mlpipeline.dev", &apply, &Patch::Apply(&definition)).await.unwrap();
    let pods = Kubelet::start(Api::namespaced(client.clone(), "default"));
    let anything: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), "default", &ApiResource::erase::<MLPipeline>(&()));
    let broken = super::pipelines::pipeline("broken", &json!({"steps": 5, "image": [1, null]}));
    let beside = super::pipelines::pipeline("beside", &chain(1));
    let says = async |name: &str, kind: &str| {
        wait_until(&format!("{kind} of {name}"), LONG, async || {
            let found = anything.get(name).await.map_err(|error| error.to_string())?;
            let conditions = found.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let holds = |now: &&Value| now["type"] == kind && now["status"] == "True";
            conditions.iter().find(holds).cloned().ok_or_else(|| found.data["status"].to_string())
        })
        .await
    };
    wait_until("the API server to take anything", LONG, async || {
        let taken = anything.patch("broken", &apply, &Patch::Apply(&broken)).await;
        taken.map(drop).map_err(|error| error.to_string())
    })
    .await;
    let stalled = says("broken", "Stalled").await;
    assert_eq!(stalled["reason"], "InvalidSpec");
    assert!(stalled["message"].as_str().unwrap().contains("cannot be read"), "{stalled}");
    anything.patch("beside", &apply, &Patch::Apply(&beside)).await.unwrap();
    says("beside", "Ready").await;
    drop(pods);
}
