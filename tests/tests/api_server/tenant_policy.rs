//! What tenants may ask for, as `deploy/config/policy` has it: the API server itself refuses everything beyond the limits.

use k8s_openapi::api::admissionregistration::v1::{
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt};
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::{programs, wait_until};
use serde_json::{Value, json};

use super::operator_bed::{Bed, LONG};

fn documents(file: &str) -> Vec<Value> {
    let path = programs::repository().join("deploy/config/policy").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.split("\n---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

/// The policy with these limits beside what the shipped file holds, for one namespace alone, where its limits lie too.
async fn install(client: &Client, namespace: &str, limits: &Value) {
    let name = format!("{namespace}-policy");
    let mut parameters: ConfigMap = serde_json::from_value(documents("parameters.yaml").remove(0)).unwrap();
    parameters.metadata.namespace = Some(namespace.to_owned());
    for (key, value) in limits.as_object().unwrap() {
        parameters.data.get_or_insert_default().insert(key.clone(), value.as_str().unwrap().to_owned());
    }
    let mut both = documents("policy.yaml");
    let mut binding: ValidatingAdmissionPolicyBinding = serde_json::from_value(both.remove(1)).unwrap();
    let mut policy: ValidatingAdmissionPolicy = serde_json::from_value(both.remove(0)).unwrap();
    policy.metadata.name = Some(name.clone());
    binding.metadata.name = Some(name.clone());
    let spec = binding.spec.get_or_insert_default();
    spec.policy_name = Some(name);
    spec.param_ref.get_or_insert_default().namespace = Some(namespace.to_owned());
    let only_here = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}});
    spec.match_resources = Some(serde_json::from_value(only_here).unwrap());
    let parameters_api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    parameters_api.create(&PostParams::default(), &parameters).await.unwrap();
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    policies.create(&PostParams::default(), &policy).await.unwrap();
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    bindings.create(&PostParams::default(), &binding).await.unwrap();
    wait_until("the type check of the policy", LONG, async || {
        let found = policies.get(&policy.name_any()).await.map_err(|error| error.to_string())?;
        let status = found.status.unwrap_or_default();
        let warnings =
            status.type_checking.and_then(|checked| checked.expression_warnings).unwrap_or_default();
        assert!(warnings.is_empty(), "{warnings:#?}");
        if status.observed_generation.is_some() { Ok(()) } else { Err("not checked yet".to_owned()) }
    })
    .await;
}

async fn remove(client: &Client, namespace: &str) {
    let name = format!("{namespace}-policy");
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(client.clone());
    bindings.delete(&name, &DeleteParams::default()).await.unwrap();
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    policies.delete(&name, &DeleteParams::default()).await.unwrap();
}

/// What the API server would say of a pipeline, without creating it: `None` where it takes it.
async fn refusal(pipelines: &Api<MLPipeline>, spec: &Value) -> Option<String> {
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline", "metadata": {"name": "asked"}, "spec": spec
    });
    let resource: MLPipeline = serde_json::from_value(resource).unwrap();
    let parameters = PostParams { dry_run: true, ..PostParams::default() };
    pipelines.create(&parameters, &resource).await.err().map(|error| error.to_string())
}

fn run(fields: &Value) -> Value {
    let mut run = json!({"image": "registry.example.com/ml/etl:1"});
    run.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"steps": [{"name": "a", "run": run}]})
}

fn serve(fields: &Value) -> Value {
    let mut serve = json!({"model": {"step": "train"}});
    serve.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"steps": [
        {"name": "train", "train": {"data": {"uri": "file:a.csv"}, "target": "y", "algorithm": {"linearRegression": {}}}},
        {"name": "api", "serve": serve},
    ]})
}

fn pod(fields: &Value) -> Value {
    let mut spec = run(&json!({}));
    spec["pod"] = fields.clone();
    spec
}

/// What is asked for, and what the refusal contains; nothing where it is allowed.
fn asked() -> Vec<(Value, Option<&'static str>)> {
    let ingress = |fields: Value| serve(&json!({"ingress": fields}));
    let port = |fields: Value| {
        let mut port = json!({"name": "http", "port": 80});
        port.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        run(&json!({"workload": "Deployment", "ports": [port]}))
    };
    vec![
        (run(&json!({})), None),
        (run(&json!({"image": "registry.example.com.attacker.net/etl"})), Some("these images are used")),
        (run(&json!({"image": "registry.example.com/other/etl"})), Some("registry.example.com/ml/")),
        (run(&json!({"image": "busybox:1.37"})), None),
        (
            json!({"image": "attacker.net/worker", "steps": [{"name": "a", "prepare": {"sql": "SELECT 1"}}]}),
            Some("attacker.net"),
        ),
        (serve(&json!({})), None),
        (serve(&json!({"service": {"type": "LoadBalancer"}})), Some("a type of Service that is not allowed")),
        (port(json!({"service": "NodePort"})), Some("a type of Service that is not allowed")),
        (port(json!({"service": "Headless"})), None),
        (port(json!({"hostPort": 8080})), Some("hostPort")),
        (run(&json!({"workload": "DaemonSet"})), Some("these workloads are used: DaemonSet")),
        (ingress(json!({"host": "iris.team-a.example.com"})), None),
        (ingress(json!({"host": "www.example.com"})), Some("these hosts are used: www.example.com")),
        (ingress(json!({"host": "team-a.example.com.attacker.net"})), Some("these hosts are used")),
        (
            ingress(json!({
                "host": "a.team-a.example.com",
                "annotations": {"nginx.ingress.kubernetes.io/configuration-snippet": "lua"},
            })),
            Some("an annotation that is not allowed"),
        ),
        (pod(&json!({"serviceAccountName": "etl"})), None),
        (
            pod(&json!({"serviceAccountName": "cluster-admin"})),
            Some("these service accounts are used: cluster-admin"),
        ),
        (pod(&json!({"priorityClassName": "system-node-critical"})), Some("these priority classes are used")),
        (
            json!({"storage": {"volume": {"size": "2Ti"}}, "steps": [{"name": "a", "prepare": {"sql": "SELECT 1"}}]}),
            Some("at most 100Gi"),
        ),
        (
            json!({"storage": {"volume": {"size": "1Gi", "storageClassName": "gold"}}, "steps": [{"name": "a", "prepare": {"sql": "SELECT 1"}}]}),
            Some("these storage classes are used: gold"),
        ),
        (
            json!({"storage": {"volume": {"storageClassName": ""}}, "steps": [{"name": "a", "prepare": {"sql": "SELECT 1"}}]}),
            Some("these storage classes are used: \"\""),
        ),
        (ingress(json!({"host": "a.team-a.example.com", "className": "internal"})), None),
        (
            ingress(json!({"host": "a.team-a.example.com", "className": "public"})),
            Some("these ingress classes are used: public"),
        ),
        (
            ingress(json!({
                "host": "a.team-a.example.com", "className": "internal",
                "annotations": {"kubernetes.io/ingress.class": "public"},
            })),
            Some("these ingress classes are used: internal, public"),
        ),
    ]
}

/// The same under limits that allow no storage class, and no volume as large as one that names no size.
fn asked_of_little() -> Vec<(Value, Option<&'static str>)> {
    let prepare = |storage: Value| {
        let mut spec = json!({"steps": [{"name": "a", "prepare": {"sql": "SELECT 1"}}]});
        spec.as_object_mut().unwrap().extend(storage.as_object().unwrap().clone());
        spec
    };
    let volume = |fields: Value| prepare(json!({"storage": {"volume": fields}}));
    let replicas = json!({"workload": "StatefulSet", "replicaVolume": {"size": "1Gi", "mountPath": "/data"}});
    vec![
        (volume(json!({"size": "500Mi"})), None),
        (volume(json!({"size": "501Mi"})), Some("at most 500Mi")),
        (volume(json!({})), Some("one that names no size has 1Gi")),
        (prepare(json!({})), Some("one that names no size has 1Gi")),
        (volume(json!({"claimName": "there"})), None),
        (run(&json!({})), None),
        (run(&replicas), Some("at most 500Mi")),
        (volume(json!({"size": "1Mi", "storageClassName": ""})), Some("allowed are none")),
        (volume(json!({"size": "1Mi", "storageClassName": "standard"})), Some("allowed are none")),
    ]
}

/// What is answered otherwise than expected.
async fn wrongly_answered(
    pipelines: &Api<MLPipeline>,
    asked: Vec<(Value, Option<&'static str>)>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (spec, expected) in asked {
        let found = refusal(pipelines, &spec).await;
        let is_right = match (&found, expected) {
            (None, None) => true,
            (Some(message), Some(part)) => message.contains(part),
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{spec}: {found:?}, expected {expected:?}"));
        }
    }
    wrong
}

#[tokio::test]
async fn the_shipped_policy_holds_tenants_to_the_limits_of_its_parameters() {
    let bed = Bed::without_kubelet("tenant-policy").await;
    let client = bed.client.clone();
    let namespace = bed.namespace.name().to_owned();
    let limits = json!({
        "images": "registry.example.com/ml/, busybox:1.37", "ingressHosts": ".team-a.example.com",
        "serviceAccounts": "default, etl", "priorityClasses": "", "storageClasses": "standard", "maxVolumeSize": "100Gi",
        "ingressClasses": "internal", "ingressAnnotations": "kubernetes.io/ingress.class",
    });
    let pipelines = bed.pipelines();
    let earlier = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
        "metadata": {"name": "earlier", "finalizers": ["example.com/hold"]}, "spec": run(&json!({"workload": "DaemonSet"})),
    });
    pipelines.create(&PostParams::default(), &serde_json::from_value(earlier).unwrap()).await.unwrap();
    install(&client, &namespace, &limits).await;
    wait_until("the policy to take effect", LONG, async || {
        let found = refusal(&pipelines, &run(&json!({"workload": "DaemonSet"}))).await;
        found.map(drop).ok_or_else(|| "a DaemonSet is allowed".to_owned())
    })
    .await;
    let mut wrong = wrongly_answered(&pipelines, asked()).await;
    // What was there before may be labelled, and deleted although it asks for too much.
    let patch = async |change: Value| {
        pipelines.patch("earlier", &PatchParams::default(), &Patch::Merge(change)).await.map(drop)
    };
    let labelled = patch(json!({"metadata": {"labels": {"team": "a"}}})).await;
    pipelines.delete("earlier", &DeleteParams::default()).await.unwrap();
    let freed = patch(json!({"metadata": {"finalizers": null}})).await;
    let little = json!({"data": {"storageClasses": "", "maxVolumeSize": "500Mi"}});
    let parameters: Api<ConfigMap> = Api::namespaced(client.clone(), &namespace);
    parameters
        .patch("mlpipeline-tenant-policy", &PatchParams::default(), &Patch::Merge(little))
        .await
        .unwrap();
    wait_until("the smaller limits to take effect", LONG, async || {
        let found = wrongly_answered(&pipelines, asked_of_little().drain(1..2).collect()).await;
        if found.is_empty() { Ok(()) } else { Err("501Mi are allowed".to_owned()) }
    })
    .await;
    wrong.extend(wrongly_answered(&pipelines, asked_of_little()).await);
    remove(&client, &namespace).await;
    labelled.unwrap();
    freed.unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
