//! What keeps a pipeline from going on is named by its cause: what the API server, its controllers, a scheduler or a kubelet say.

use std::collections::BTreeMap;

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use mlpipeline_tests::wait_until;
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};
use super::specs::{chain, crash_course, crash_course_without_autoscaler};

/// The pod of a pipeline, once there is one.
async fn pod_of(bed: &Bed, pipeline: &str) -> Pod {
    wait_until(&format!("a pod of {pipeline}"), LONG, async || {
        let ours = ListParams::default().labels(&format!("mlpipeline.dev/pipeline={pipeline}"));
        let pods = bed.api::<Pod>().list(&ours).await.map_err(|error| error.to_string())?;
        pods.items.into_iter().next().ok_or_else(|| "none".to_owned())
    })
    .await
}

async fn set_status(bed: &Bed, pod: &Pod, status: Value) {
    let status = Patch::Merge(json!({ "status": status }));
    bed.api::<Pod>().patch_status(&pod.name_any(), &PatchParams::default(), &status).await.unwrap();
}

fn container(state: Value) -> Value {
    json!([{"name": "main", "image": "none", "imageID": "", "ready": false, "restartCount": 0, "state": state}])
}

/// A volume of a storage class.
fn with_volume(mut spec: Value, class: Option<&str>) -> Value {
    spec["storage"] = json!({"volume": {"size": "1Gi", "storageClassName": class}});
    if class.is_none() {
        spec["storage"]["volume"].as_object_mut().unwrap().remove("storageClassName");
    }
    spec
}

/// A volume that somebody made by hand, of a class that makes none and grows none.
async fn make_volume(bed: &Bed, name: &str) {
    let class = json!({"metadata": {"name": name}, "provisioner": "kubernetes.io/no-provisioner"});
    let class: StorageClass = serde_json::from_value(class).unwrap();
    Api::all(bed.client.clone()).create(&PostParams::default(), &class).await.unwrap();
    let volume = json!({"metadata": {"name": name}, "spec": {
        "storageClassName": name, "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/nowhere"}, "persistentVolumeReclaimPolicy": "Retain",
    }});
    let volume: PersistentVolume = serde_json::from_value(volume).unwrap();
    Api::all(bed.client.clone()).create(&PostParams::default(), &volume).await.unwrap();
}

async fn until_bound(bed: &Bed, claim: &str) {
    wait_until(&format!("{claim} to be bound"), LONG, async || {
        let found = bed.api::<PersistentVolumeClaim>().get(claim).await.map_err(|error| error.to_string())?;
        let phase = found.status.and_then(|status| status.phase).unwrap_or_default();
        if phase == "Bound" { Ok(()) } else { Err(phase) }
    })
    .await;
}

/// Does what the message says: the command is the last thing that it names.
async fn delete_claim(bed: &Bed, claim: &str, message: &str) {
    assert!(message.contains(&format!("kubectl delete pvc {claim}")), "{message}");
    bed.api::<PersistentVolumeClaim>().delete(claim, &DeleteParams::default()).await.unwrap();
}

#[tokio::test]
async fn d1_a_volume_that_is_not_there_is_named_and_what_the_message_says_helps() {
    let bed = Bed::without_kubelet("reason-volume").await;
    let _operator = bed.start(&[]);
    make_volume(&bed, "first").await;
    bed.apply("typo", &with_volume(crash_course(), Some("nowhere"))).await;
    let message = bed.until_not_ready("typo", "VolumeNotBound").await;
    assert!(message.contains("typo-storage") && message.contains("\"nowhere\" not found"), "{message}");
    bed.apply("typo", &with_volume(crash_course(), Some("first"))).await;
    let message = bed.until_not_ready("typo", "VolumeNotChanged").await;
    assert!(message.contains("keeps storageClassName nowhere"), "{message}");
    delete_claim(&bed, "typo-storage", &message).await;
    until_bound(&bed, "typo-storage").await;
    make_volume(&bed, "second").await;
    bed.apply("none", &with_volume(crash_course(), None)).await;
    let message = bed.until_not_ready("none", "VolumeNotBound").await;
    assert!(
        message.contains("names no storage class")
            && message.contains("set storageClassName of spec.storage.volume"),
        "{message}"
    );
    bed.apply("none", &with_volume(crash_course(), Some("second"))).await;
    until_bound(&bed, "none-storage").await;
}

#[tokio::test]
async fn d1_a_volume_that_does_not_grow_holds_nothing_else_up_and_the_edit_can_be_taken_back() {
    let bed = Bed::new("reason-size").await;
    let _operator = bed.start(&[]);
    make_volume(&bed, "fixed").await;
    let mut spec = with_volume(crash_course_without_autoscaler(), Some("fixed"));
    bed.apply("iris", &spec).await;
    bed.condition("iris", "Ready", "True").await;
    until_bound(&bed, "iris-storage").await;
    spec["storage"]["volume"]["size"] = json!("2Gi");
    spec["steps"][2]["serve"]["replicas"] = json!(3);
    bed.apply("iris", &spec).await;
    let message = bed.until_not_ready("iris", "VolumeNotChanged").await;
    assert!(message.contains("keeps size 1Gi, and does not grow to 2Gi"), "{message}");
    wait_until("the rest of the edit", LONG, async || {
        let replicas = bed.api::<Deployment>().get("iris-api").await.map_err(|error| error.to_string())?.spec;
        let replicas = replicas.and_then(|spec| spec.replicas);
        if replicas == Some(3) { Ok(()) } else { Err(format!("{replicas:?}")) }
    })
    .await;
    spec["storage"]["volume"]["size"] = json!("1Gi");
    bed.apply("iris", &spec).await;
    bed.condition("iris", "Ready", "True").await;
    spec["storage"]["volume"]["size"] = json!("500Mi");
    bed.apply("iris", &spec).await;
    let message = bed.until_not_ready("iris", "VolumeNotChanged").await;
    assert!(message.contains("keeps size 1Gi") && message.contains("never shrinks"), "{message}");
}

#[tokio::test]
async fn what_a_scheduler_and_a_kubelet_say_of_a_pod_is_passed_on() {
    let bed = Bed::without_kubelet("reason-pod").await;
    let _operator = bed.start(&["--concurrency", "4"]);
    let now = json!("2026-11-20T10:00:00Z");
    let ended = |code: i32, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now}});
    let unschedulable = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}]);
    let table = BTreeMap::from([
        (
            "image",
            (
                json!({"phase": "Pending", "containerStatuses": container(json!({"waiting": {
                    "reason": "ImagePullBackOff", "message": "Back-off pulling image \"none\"",
                }}))}),
                "ImagePullBackOff",
                "image none cannot be pulled",
            ),
        ),
        (
            "nodes",
            (
                json!({"phase": "Pending", "conditions": unschedulable}),
                "Unschedulable",
                "Insufficient nvidia.com/gpu",
            ),
        ),
        (
            "memory",
            (
                json!({"phase": "Failed", "containerStatuses": container(ended(137, "OOMKilled"))}),
                "OutOfMemory",
                "raise pod.resources.limits.memory",
            ),
        ),
        (
            "evicted",
            (
                json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}),
                "Evicted",
                "low on resource",
            ),
        ),
    ]);
    let mut once = chain(1);
    once["steps"][0]["retries"] = json!(0);
    for (name, (status, reason, part)) in table {
        bed.apply(name, &once).await;
        set_status(&bed, &pod_of(&bed, name).await, status).await;
        let message = bed.until_not_ready(name, reason).await;
        assert!(message.contains(part), "{name}: {message}");
    }
}

#[tokio::test]
async fn a_volume_that_cannot_be_mounted_is_named() {
    let bed = Bed::without_kubelet("reason-mount").await;
    let _operator = bed.start(&[]);
    bed.apply("mount", &chain(1)).await;
    let pod = pod_of(&bed, "mount").await;
    let creating = container(json!({"waiting": {"reason": "ContainerCreating"}}));
    set_status(&bed, &pod, json!({"phase": "Pending", "containerStatuses": creating})).await;
    let event = json!({
        "metadata": {"generateName": "mount-"}, "type": "Warning", "reason": "FailedMount",
        "message": "MountVolume.SetUp failed for volume \"config\" : configmap \"settings\" not found",
        "involvedObject": {
            "apiVersion": "v1", "kind": "Pod", "namespace": bed.namespace.name(), "name": pod.name_any(), "uid": pod.uid(),
        },
    });
    let event: Event = serde_json::from_value(event).unwrap();
    bed.api::<Event>().create(&PostParams::default(), &event).await.unwrap();
    let message = bed.until_not_ready("mount", "FailedMount").await;
    assert!(message.contains("configmap \"settings\" not found"), "{message}");
}

#[tokio::test]
async fn a_step_that_takes_too_long_is_named_by_its_deadline() {
    let bed = Bed::without_kubelet("reason-deadline").await;
    let _operator = bed.start(&[]);
    let mut slow = chain(1);
    slow["steps"][0]["timeout"] = json!("1s");
    bed.apply("slow", &slow).await;
    let message = bed.until_not_ready("slow", "DeadlineExceeded").await;
    assert!(message.contains("timeout"), "{message}");
}

#[tokio::test]
async fn a_quota_that_admits_half_of_the_children_is_named_and_over_when_it_is_raised() {
    let bed = Bed::new("reason-quota").await;
    let quotas = bed.api::<ResourceQuota>();
    // The claim and the Jobs are taken; pods of Jobs are not, and then those of the Deployment.
    let quota = |pods: &str| json!({"metadata": {"name": "small"}, "spec": {"hard": {"pods": pods}}});
    quotas.create(&PostParams::default(), &serde_json::from_value(quota("0")).unwrap()).await.unwrap();
    wait_until("the quota to be in force", LONG, async || {
        let quota = quotas.get("small").await.map_err(|error| error.to_string())?;
        quota.status.and_then(|status| status.hard).map(drop).ok_or("no status".to_owned())
    })
    .await;
    let _operator = bed.start(&[]);
    bed.apply("iris", &crash_course()).await;
    let message = bed.until_not_ready("iris", "QuotaExceeded").await;
    assert!(message.contains("small") && message.contains("data"), "{message}");
    quotas.patch("small", &PatchParams::default(), &Patch::Merge(quota("20"))).await.unwrap();
    bed.condition("iris", "Ready", "True").await;
}

#[tokio::test]
async fn a_port_that_another_service_has_is_named_and_taken_when_it_is_free() {
    let bed = Bed::new("reason-port").await;
    let _operator = bed.start(&[]);
    let mut spec = crash_course();
    spec["steps"][2]["serve"]["service"] = json!({"type": "NodePort", "port": 80, "nodePort": 30987});
    bed.apply("first", &spec).await;
    bed.condition("first", "Ready", "True").await;
    bed.apply("second", &spec).await;
    let message = bed.until_not_ready("second", "PortTaken").await;
    assert!(message.contains("30987") && message.contains("Service second-api"), "{message}");
    bed.pipelines().delete("first", &Default::default()).await.unwrap();
    bed.condition("second", "Ready", "True").await;
}

/// Has the API server refuse every Job in the namespace; the name of the binding that ends it.
async fn refuse_jobs(bed: &Bed) -> String {
    let name = format!("{}-jobs", bed.namespace.name());
    let policy = json!({"metadata": {"name": name}, "spec": {
        "matchConstraints": {"resourceRules": [
            {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]},
        ]},
        "validations": [{"expression": "false", "message": "no Jobs in this namespace"}],
    }});
    let binding = json!({"metadata": {"name": name}, "spec": {
        "policyName": name, "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": bed.namespace.name()}}},
    }});
    let policy: ValidatingAdmissionPolicy = serde_json::from_value(policy).unwrap();
    let binding: ValidatingAdmissionPolicyBinding = serde_json::from_value(binding).unwrap();
    Api::all(bed.client.clone()).create(&PostParams::default(), &policy).await.unwrap();
    Api::all(bed.client.clone()).create(&PostParams::default(), &binding).await.unwrap();
    until_jobs_are(bed, false).await;
    name
}

/// Waits until the API server takes Jobs, or refuses them.
async fn until_jobs_are(bed: &Bed, taken: bool) {
    let container = json!({"name": "c", "image": "i"});
    let job = json!({"metadata": {"name": "asked"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}});
    let job: Job = serde_json::from_value(job).unwrap();
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    wait_until("the policy for Jobs", LONG, async || {
        let answer = bed.api::<Job>().create(&dry_run, &job).await;
        if answer.is_ok() == taken { Ok(()) } else { Err(format!("{:?}", answer.err())) }
    })
    .await;
}

#[tokio::test]
async fn a_child_that_the_api_server_can_never_take_is_named_in_its_words() {
    let bed = Bed::new("reason-invalid").await;
    let binding = refuse_jobs(&bed).await;
    let _operator = bed.start(&[]);
    bed.apply("unwanted", &chain(1)).await;
    let message = bed.until_not_ready("unwanted", "InvalidChild").await;
    assert!(message.contains("no Jobs in this namespace"), "{message}");
    bed.condition("unwanted", "Stalled", "True").await;
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(bed.client.clone());
    bindings.delete(&binding, &DeleteParams::default()).await.unwrap();
    until_jobs_are(&bed, true).await;
    let mut spec = chain(1);
    spec["steps"][0]["retries"] = json!(1);
    bed.apply("unwanted", &spec).await;
    bed.condition("unwanted", "Ready", "True").await;
}
