//! The API server takes the CustomResourceDefinition, and has nothing to say against it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use mlpipeline_tests::control_plane::ControlPlane;

const NAME: &str = "mlpipelines.mlpipeline.dev";

#[tokio::test]
async fn the_crd_is_established_with_a_structural_schema() {
    let client = ControlPlane::shared().await.client().await;
    let crds: Api<CustomResourceDefinition> = Api::all(client);
    let status = crds.get(NAME).await.unwrap().status.unwrap();
    let conditions = status.conditions.unwrap_or_default();
    let holds = |kind: &str| conditions.iter().find(|now| now.type_ == kind).map(|now| now.status.as_str());
    assert_eq!(holds("NamesAccepted"), Some("True"));
    assert_eq!(holds("Established"), Some("True"));
    // Said only of schemas that are not: then server-side apply and CEL would not work as they should.
    assert_eq!(holds("NonStructuralSchema"), None, "{conditions:?}");
    let names = status.accepted_names.unwrap();
    assert_eq!(names.short_names.unwrap_or_default(), ["mlp"]);
    assert_eq!(names.categories.unwrap_or_default(), ["all", "ml"]);
}

#[tokio::test]
async fn applying_the_crd_again_changes_nothing() {
    let client = ControlPlane::shared().await.client().await;
    let crds: Api<CustomResourceDefinition> = Api::all(client);
    let before = crds.get(NAME).await.unwrap();
    let crd = mlpipeline_crds::custom_resource_definition();
    let again = crds.patch(NAME, &PatchParams::apply("tests").force(), &Patch::Apply(&crd)).await.unwrap();
    assert_eq!(again.metadata.resource_version, before.metadata.resource_version);
    assert_eq!(again.metadata.generation, before.metadata.generation);
}

#[test]
fn the_crd_fits_into_the_annotation_of_kubectl_apply() {
    let text = serde_json::to_string(&mlpipeline_crds::custom_resource_definition()).unwrap();
    assert!(text.len() < 256 * 1024, "{} bytes", text.len());
}
