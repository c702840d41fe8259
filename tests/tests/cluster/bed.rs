//! kubectl and curl, as people use them, and a sample's life from apply to nothing left.

use std::process::Command;
use std::time::Duration;

use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_tests::{programs, wait_until};
use serde_json::Value;

/// As long as anything may take that starts a pod on a busy node of two processors.
pub const TIMEOUT: Duration = Duration::from_secs(240);

/// Runs kubectl, and returns what it printed. Only on a cluster that was named: tests delete things.
pub fn try_kubectl(arguments: &[&str]) -> Result<String, String> {
    let named = std::env::var_os("KUBECONFIG").is_some_and(|path| !path.is_empty());
    assert!(named, "KUBECONFIG names no cluster for tests: run them by `make e2e`, which brings one up");
    let output = Command::new("kubectl").args(arguments).output().expect("kubectl is on the PATH");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("kubectl {}: {}", arguments.join(" "), text(&output.stderr).trim()))
    }
}

/// Runs kubectl, which must succeed.
pub fn kubectl(arguments: &[&str]) -> String {
    try_kubectl(arguments).unwrap_or_else(|problem| panic!("{problem}"))
}

/// The path of a file of deploy/samples/.
pub fn sample(path: &str) -> String {
    programs::repository().join("deploy/samples").join(path).display().to_string()
}

/// Is the node this machine's own, so that a test may use its folders? tests/cluster/e2e.sh says so.
pub fn own_node() -> bool {
    std::env::var("MLPIPELINE_NODE").is_ok_and(|node| node == "own")
}

/// The address at which NodePorts answer.
pub fn node_address() -> String {
    let query = "jsonpath={.items[0].status.addresses[?(@.type==\"InternalIP\")].address}";
    kubectl(&["get", "nodes", "-o", query])
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header. Proxies spell names in a way of their own.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Calls a URL with curl and further arguments of its.
pub fn try_http(url: &str, arguments: &[&str]) -> Result<Answer, String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--include", "--max-time", "10"])
        .args(arguments)
        .arg(url)
        .output()
        .expect("curl is on the PATH");
    let text = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    let (headers, body) =
        text.split_once("\n\n").ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let status = headers.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok(Answer { status: status.ok_or("no status")?, headers: headers.to_owned(), body: body.to_owned() })
}

/// Calls a URL, which must answer.
pub fn http(url: &str, arguments: &[&str]) -> Answer {
    try_http(url, arguments).unwrap_or_else(|problem| panic!("{url}: {problem}"))
}

/// Sends JSON to a URL by POST.
pub fn post(url: &str, body: &str, headers: &[&str]) -> Answer {
    let mut arguments = vec!["--header", "content-type: application/json", "--data", body];
    headers.iter().for_each(|header| arguments.extend(["--header", *header]));
    http(url, &arguments)
}

/// A pod, as it was when it was looked at.
#[derive(Clone, Debug)]
pub struct Pod {
    pub name: String,
    pub uid: String,
    pub phase: String,
    pub is_ready: bool,
    pub is_deleted: bool,
    /// What Kubernetes says of its containers.
    pub containers: Value,
}

impl From<&Value> for Pod {
    fn from(pod: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        Self {
            name: text(&pod["metadata"]["name"]),
            uid: text(&pod["metadata"]["uid"]),
            phase: text(&pod["status"]["phase"]),
            is_ready: conditions.clone().any(|one| one["type"] == "Ready" && one["status"] == "True"),
            is_deleted: pod["metadata"]["deletionTimestamp"].is_string(),
            containers: pod["status"]["containerStatuses"].clone(),
        }
    }
}

/// The namespace of a sample, with what is in it.
pub struct Namespace(pub &'static str);

impl Namespace {
    /// Runs kubectl in the namespace, which must succeed.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.try_kubectl(arguments).unwrap_or_else(|problem| panic!("{problem}"))
    }

    pub fn try_kubectl(&self, arguments: &[&str]) -> Result<String, String> {
        try_kubectl(&[&["--namespace", self.0], arguments].concat())
    }

    pub fn get(&self, object: &str) -> Value {
        serde_json::from_str(&self.kubectl(&["get", object, "-o", "json"])).expect("kubectl prints JSON")
    }

    /// Waits until pipelines are Ready, in the words of the documentation.
    pub fn wait_ready(&self, pipelines: &[&str]) {
        self.wait_ready_within(TIMEOUT, pipelines);
    }

    /// Waits so long at most, for each.
    pub fn wait_ready_within(&self, limit: Duration, pipelines: &[&str]) {
        for pipeline in pipelines {
            let timeout = format!("--timeout={}s", limit.as_secs());
            let waited =
                self.try_kubectl(&["wait", "--for=condition=Ready", &format!("mlp/{pipeline}"), &timeout]);
            if let Err(problem) = waited {
                let status = self.kubectl(&["get", "mlp", pipeline, "-o", "jsonpath={.status}"]);
                let pods = self.kubectl(&["get", "pods", "-o", "wide"]);
                panic!("{problem}\n{status}\n{pods}");
            }
        }
    }

    /// Waits until a pipeline's status is as wanted, and returns it.
    pub async fn wait_status(&self, pipeline: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        wait_until(what, TIMEOUT, async || {
            let status = self.get(&format!("mlp/{pipeline}"))["status"].take();
            if holds(&status) { Ok(status) } else { Err(status.to_string()) }
        })
        .await
    }

    /// The names of a step's Jobs.
    pub fn jobs(&self, step: &str) -> Vec<String> {
        let selector = format!("mlpipeline.dev/step={step}");
        let names = self.kubectl(&["get", "jobs", "-l", &selector, "-o", "name"]);
        names.lines().map(|name| name.trim_start_matches("job.batch/").to_owned()).collect()
    }

    /// The pods of a step, whatever has become of them.
    pub fn pods(&self, step: &str) -> Result<Vec<Pod>, String> {
        let selector = format!("mlpipeline.dev/step={step}");
        let list: Value =
            serde_json::from_str(&self.try_kubectl(&["get", "pods", "-l", &selector, "-o", "json"])?)
                .map_err(|error| error.to_string())?;
        Ok(list["items"].as_array().into_iter().flatten().map(Pod::from).collect())
    }

    /// What all pods of a step have printed, each of which must have started.
    pub fn logs(&self, step: &str) -> String {
        self.try_logs(step).unwrap_or_else(|problem| panic!("{problem}"))
    }

    pub fn try_logs(&self, step: &str) -> Result<String, String> {
        self.try_kubectl(&["logs", "-l", &format!("mlpipeline.dev/step={step}"), "--tail=-1"])
    }

    /// Deletes the pipelines and checks that nothing of theirs is left; then the namespace.
    pub async fn delete(self) {
        self.kubectl(&["delete", "mlp", "--all", "--wait"]);
        let is_claim = |kind: &ChildKind| *kind == ChildKind::PersistentVolumeClaim;
        let others = ChildKind::ALL.into_iter().filter(|kind| !is_claim(kind));
        let kinds = others.map(ChildKind::plural).chain(["pods"]).collect::<Vec<_>>().join(",");
        let ours = "app.kubernetes.io/managed-by=mlpipeline-operator";
        wait_until("nothing of the pipelines is left", TIMEOUT, async || {
            let children = self.kubectl(&["get", &kinds, "-l", ours, "-o", "name"]);
            // All of them: those of a StatefulSet's replicas bear no label of ours.
            let claims = self.kubectl(&["get", "persistentvolumeclaims", "-o", "name"]);
            let left = children + &claims;
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        kubectl(&["delete", "namespace", self.0, "--wait"]);
        wait_until("its volumes are gone", TIMEOUT, async || {
            let query = "jsonpath={range .items[*]}{.spec.claimRef.namespace}{\"\\n\"}{end}";
            let owners = kubectl(&["get", "persistentvolumes", "-o", query]);
            if owners.lines().any(|owner| owner == self.0) { Err(owners) } else { Ok(()) }
        })
        .await;
    }
}
