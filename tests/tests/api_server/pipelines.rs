//! MLPipelines as plain JSON, so that a test can send what the Rust types would refuse.

use kube::Client;
use serde_json::{Value, json};

/// The MLPipelines of one namespace. Unknown and doubled fields are errors, as with `kubectl apply`.
pub struct Pipelines {
    client: Client,
    path: String,
}

/// Why the API server refused.
#[derive(Debug, Default)]
pub struct Refusal {
    pub code: u16,
    pub message: String,
    /// The fields at fault, and what is wrong with each.
    pub causes: Vec<(String, String)>,
}

impl Pipelines {
    pub fn new(client: Client, namespace: &str) -> Self {
        let path = format!("/apis/mlpipeline.dev/v1alpha1/namespaces/{namespace}/mlpipelines");
        Self { client, path }
    }

    pub async fn create(&self, name: &str, spec: &Value) -> Result<Value, Refusal> {
        self.send("POST", "", "", &pipeline(name, spec)).await
    }

    pub async fn would_create(&self, spec: &Value) -> Result<Value, Refusal> {
        self.send("POST", "", "&dryRun=All", &pipeline("trial", spec)).await
    }

    /// Server-side apply, as GitOps tools and our own programs do it.
    pub async fn apply(&self, name: &str, spec: &Value) -> Result<Value, Refusal> {
        let query = "&fieldManager=someone&force=true";
        self.send("PATCH", &format!("/{name}"), query, &pipeline(name, spec)).await
    }

    /// Server-side apply of the status, as the operator does it.
    pub async fn apply_status(&self, name: &str, status: &Value) -> Result<Value, Refusal> {
        let mut body = pipeline(name, &Value::Null);
        body.as_object_mut().unwrap().remove("spec");
        body["status"] = status.clone();
        self.send("PATCH", &format!("/{name}/status"), "&fieldManager=operator&force=true", &body).await
    }

    pub async fn would_replace(&self, current: &Value, spec: &Value) -> Result<Value, Refusal> {
        let mut changed = current.clone();
        changed["spec"] = spec.clone();
        let name = current["metadata"]["name"].as_str().unwrap();
        self.send("PUT", &format!("/{name}"), "&dryRun=All", &changed).await
    }

    async fn send(&self, method: &str, name: &str, query: &str, body: &Value) -> Result<Value, Refusal> {
        let content = if method == "PATCH" { "application/apply-patch+yaml" } else { "application/json" };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{name}?fieldValidation=Strict{query}", self.path))
            .header("content-type", content)
            .body(serde_json::to_vec(body).unwrap())
            .unwrap();
        self.client.request::<Value>(request).await.map_err(|error| match error {
            kube::Error::Api(status) => {
                let causes = status.details.into_iter().flat_map(|details| details.causes);
                let causes = causes.map(|cause| (cause.field, cause.message)).collect();
                Refusal { code: status.code, message: status.message, causes }
            }
            other => panic!("no answer of the API server: {other}"),
        })
    }
}

pub fn pipeline(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "mlpipeline.dev/v1alpha1",
        "kind": "MLPipeline",
        "metadata": {"name": name},
        "spec": spec,
    })
}
