//! What a pipeline's volumes and children live through: its deletion, its restoration, and edits that Kubernetes does not allow. It follows
//! docs/how-to/back-up-and-restore.md.

use std::collections::BTreeMap;
use std::path::Path;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Service};
use kube::ResourceExt;
use kube::api::ListParams;
use mlpipeline_tests::control_plane::ControlPlane;
use mlpipeline_tests::documentation::blocks;
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};
use tokio::process::Command;

use super::operator_bed::{Bed, LONG};
use super::shipped_roles::shipped_role;

const PAGE: &str = include_str!("../../../docs/how-to/back-up-and-restore.md");
const CLAIMS: [&str; 2] = ["replica-shop-db-0", "shop-storage"];

/// Runs a block of the page in a namespace, as a reader does.
async fn follow(bed: &Bed, folder: &Path, block: &str) {
    let control_plane = ControlPlane::shared().await;
    let kubectl = control_plane.program("kubectl");
    let script = format!(
        "set -e\nkubectl() {{ {} --namespace {} \"$@\"; }}\n{block}",
        kubectl.display(),
        bed.namespace.name()
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env("KUBECONFIG", control_plane.admin().kubeconfig())
        .env("HOME", control_plane.folder())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{block}{}", String::from_utf8_lossy(&output.stderr));
}

async fn uids<K>(bed: &Bed) -> BTreeMap<String, String>
where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let all =
        bed.api::<K>().list(&ListParams::default().labels("mlpipeline.dev/pipeline=shop")).await.unwrap();
    all.iter().map(|object| (object.name_any(), object.uid().unwrap())).collect()
}

/// Waits until all claims have this owner, or none.
async fn claims_belong_to(bed: &Bed, owner: Option<&str>) {
    wait_until("the claims' owner", LONG, async || {
        for name in CLAIMS {
            let claim =
                bed.api::<PersistentVolumeClaim>().get(name).await.map_err(|error| error.to_string())?;
            let owners: Vec<&str> = claim.owner_references().iter().map(|owner| owner.uid.as_str()).collect();
            let is_marked = claim.labels().contains_key("app.kubernetes.io/instance");
            if owners != Vec::from_iter(owner) || is_marked != owner.is_some() {
                return Err(format!("{name}: {owners:?}, marked: {is_marked}"));
            }
        }
        Ok(())
    })
    .await;
}

/// Seen to fail with a StatefulSet whose template names the owner of its claims, with claims that a StatefulSet creates, and with children
/// that are known by the hash of what was applied alone.
#[tokio::test]
async fn s5_d6_volumes_are_kept_and_children_taken_back_as_the_page_on_backups_says() {
    let bed = Bed::new("backup").await;
    let _operator = bed.start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let blocks = blocks(PAGE);
    let saved = blocks.iter().find(|block| block.title() == Some("pipeline.yaml")).expect("a pipeline");
    let pipeline = saved.text.as_str();
    std::fs::write(folder.path().join("pipeline.yaml"), pipeline).unwrap();
    let followed: Vec<&str> =
        blocks.iter().filter(|block| block.language == "bash").map(|block| block.text.as_str()).collect();
    let [create, again, restore] = followed[..] else { panic!("three blocks, not {followed:?}") };

    follow(&bed, folder.path(), create).await;
    claims_belong_to(&bed, None).await;
    let claims = uids::<PersistentVolumeClaim>(&bed).await;
    assert_eq!(Vec::from_iter(claims.keys()), CLAIMS);

    follow(&bed, folder.path(), again).await;
    assert_eq!(uids::<PersistentVolumeClaim>(&bed).await, claims);

    let children =
        async || (uids::<StatefulSet>(&bed).await, uids::<Service>(&bed).await, uids::<Job>(&bed).await);
    let before = children().await;
    follow(&bed, folder.path(), restore).await;
    assert_eq!(children().await, before, "none is made anew, and nothing runs again");
    let uid = bed.pipelines().get("shop").await.unwrap().uid().unwrap();
    let job = bed.api::<Job>().list(&ListParams::default()).await.unwrap().items.remove(0);
    assert_eq!(job.owner_references()[0].uid, uid);

    let spec: Value = serde_saphyr::from_str(pipeline).unwrap();
    let apply = async |retain: bool| {
        let mut spec = spec["spec"].clone();
        spec["storage"]["volume"]["retain"] = json!(retain);
        bed.apply("shop", &spec).await;
    };
    // This API server asks for the right to delete a claim whose owner is changed, which the operator does not have.
    apply(false).await;
    let message = bed.until_not_ready("shop", "Forbidden").await;
    assert!(message.contains("write storage.volume.retain as it was before"), "{message}");
    let mut rules = shipped_role().rules.unwrap();
    let claims_rule = rules.iter_mut().find(|rule| {
        rule.resources
            .as_ref()
            .is_some_and(|all| all.iter().any(|resource| resource == "persistentvolumeclaims"))
    });
    claims_rule.expect("the operator applies claims").verbs.push("delete".to_owned());
    bed.limit_rights(rules).await;
    claims_belong_to(&bed, Some(&uid)).await;
    bed.condition("shop", "Ready", "True").await;
    apply(true).await;
    claims_belong_to(&bed, None).await;
    bed.condition("shop", "Ready", "True").await;
    assert_eq!(uids::<PersistentVolumeClaim>(&bed).await, claims);
}

/// Seen to fail with an operator that leaves the roll-out to the StatefulSet: it waits for its first pod.
#[tokio::test]
async fn d1_a_stateful_set_that_began_with_a_bad_image_takes_up_the_good_one() {
    let bed = Bed::without_kubelet("bad-image").await;
    let _operator = bed.start(&[]);
    let spec = |image: &str| json!({"steps": [{"name": "db", "run": {"image": image, "workload": "StatefulSet", "replicas": 2}}]});
    let first_pod_has = async |image: &str| {
        wait_until(&format!("the first pod with {image}"), LONG, async || {
            let pod = bed.api::<Pod>().get("shop-db-0").await.map_err(|error| error.to_string())?;
            let set = bed.api::<StatefulSet>().get("shop-db").await.map_err(|error| error.to_string())?;
            let known = set.status.map(|status| status.replicas);
            let found = pod.spec.unwrap().containers[0].image.clone();
            if found.as_deref() == Some(image) && known == Some(1) {
                Ok(())
            } else {
                Err(format!("{found:?}, {known:?}"))
            }
        })
        .await;
    };
    bed.apply("shop", &spec("typo")).await;
    first_pod_has("typo").await;
    bed.apply("shop", &spec("good")).await;
    first_pod_has("good").await;
}

/// The uid, the image and the phase of each pod.
async fn pods(bed: &Bed) -> BTreeMap<String, (String, String, String)> {
    let all = bed.api::<Pod>().list(&ListParams::default()).await.unwrap();
    let seen = all.iter().map(|pod| {
        let image = pod.spec.as_ref().unwrap().containers[0].image.clone().unwrap_or_default();
        let phase = pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
        (pod.name_any(), (pod.uid().unwrap_or_default(), image, phase))
    });
    seen.collect()
}

/// A StatefulSet left to itself waits for the pod with the bad image.
#[tokio::test]
async fn d1_a_stateful_set_that_was_rolled_to_a_bad_image_recovers_and_keeps_its_ready_pods() {
    let bed = Bed::new("bad-roll").await;
    let _operator = bed.start(&[]);
    let volume = json!({"size": "1Mi", "mountPath": "/data"});
    let spec = |image: &str| {
        json!({"steps": [{"name": "db", "run": {
            "image": image, "workload": "StatefulSet", "replicas": 3, "replicaVolume": volume,
        }}]})
    };
    let last_has = async |image: &str| {
        wait_until(&format!("the last pod with {image}"), LONG, async || {
            match pods(&bed).await.get("shop-db-2") {
                Some((_, found, _)) if found == image => Ok(()),
                found => Err(format!("{found:?}")),
            }
        })
        .await;
    };
    bed.apply("shop", &spec("old")).await;
    bed.condition("shop", "Ready", "True").await;
    let (before, claims, set) =
        (pods(&bed).await, uids::<PersistentVolumeClaim>(&bed).await, uids::<StatefulSet>(&bed).await);
    bed.script().held_images.extend(["typo".to_owned(), "good".to_owned()]);
    bed.apply("shop", &spec("typo")).await;
    last_has("typo").await;

    bed.apply("shop", &spec("good")).await;
    last_has("good").await;
    assert_ne!(uids::<StatefulSet>(&bed).await, set, "it was replaced");
    let now = pods(&bed).await;
    for name in ["shop-db-0", "shop-db-1"] {
        assert_eq!(now[name], before[name], "a pod that was ready is there as it was");
        assert_eq!(now[name].2, "Running");
    }
    bed.script().held_images.clear();
    bed.condition("shop", "Ready", "True").await;
    let images: Vec<String> = pods(&bed).await.into_values().map(|(_, image, _)| image).collect();
    assert_eq!(images, ["good"; 3]);
    assert_eq!(uids::<PersistentVolumeClaim>(&bed).await, claims, "the replicas' volumes stay");
}
