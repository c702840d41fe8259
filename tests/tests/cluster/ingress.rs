//! Calls by host name, through the ingress controller of the cluster.

use std::process::Command;

use mlpipeline_tests::wait_until;
use serde_json::json;

use crate::bed::{Answer, Namespace, TIMEOUT, try_http};

/// An Ingress and the address at which its controller answers.
pub struct Ingress<'a> {
    namespace: &'a Namespace,
    address: String,
}

impl<'a> Ingress<'a> {
    /// Waits until a controller has taken the Ingress up: it writes into its status where it answers.
    pub async fn wait(namespace: &'a Namespace, name: &str) -> Self {
        let address = wait_until("a controller has taken the Ingress up", TIMEOUT, async || {
            let ingress = namespace.get(&format!("ingress/{name}"));
            let found = ingress["status"]["loadBalancer"]["ingress"][0]["ip"].as_str();
            found.map(ToOwned::to_owned).ok_or_else(|| ingress.to_string())
        })
        .await;
        Self { namespace, address }
    }

    /// Asks for a URL at the controller's address, whoever its host is.
    pub fn try_get(&self, url: &str, arguments: &[&str]) -> Result<Answer, String> {
        let there = format!("::{}:", self.address);
        try_http(url, &[&["--connect-to", &there], arguments].concat())
    }

    /// Waits until a prediction is answered at a URL by a pod of the pipeline.
    pub async fn predicts(&self, url: &str, arguments: &[&str]) {
        let row = ["--header", "content-type: application/json", "--data", r#"{"x": 3}"#];
        let answer = wait_until(&format!("{url} answers"), TIMEOUT, async || {
            let answer = self.try_get(url, &[&row, arguments].concat())?;
            if answer.status == 200 { Ok(answer) } else { Err(format!("{answer:?}")) }
        })
        .await;
        let predicted = answer.json()["y"].as_f64().expect("a number");
        assert!((predicted - 7.0).abs() < 0.1, "{answer:?}");
        let pod = answer.header("x-mlpipeline-pod").expect("the pod says its name");
        let own = self.namespace.kubectl(&["get", "pods", "-l", "mlpipeline.dev/step=api", "-o", "name"]);
        assert!(own.lines().any(|name| name == format!("pod/{pod}")), "{pod} is none of {own}");
    }

    /// Waits until a browser that opens a URL gets to the page of the model. Pods from before an edit may answer some time longer.
    pub async fn shows_docs(&self, url: &str) {
        wait_until(&format!("{url} leads to the docs"), TIMEOUT, async || {
            let answer = self.try_get(url, &["--location"])?;
            if answer.body.contains("<title>Predict") { Ok(()) } else { Err(format!("{answer:?}")) }
        })
        .await;
    }

    /// Waits until a URL leads to nobody: the controller itself says that there is nothing.
    pub async fn leads_nowhere(&self, url: &str) {
        wait_until(&format!("{url} leads to nobody"), TIMEOUT, async || match self.try_get(url, &[])? {
            answer if answer.status == 404 && answer.header("x-mlpipeline-pod").is_none() => Ok(()),
            answer => Err(format!("{answer:?}")),
        })
        .await;
    }

    /// Edits the Ingress of the pipeline's serve step, and waits for the endpoint in its status.
    pub async fn edit(&self, ingress: serde_json::Value, endpoint: &str) {
        let patch = json!([{"op": "replace", "path": "/spec/steps/2/serve/ingress", "value": ingress}]);
        let patch = patch.to_string();
        self.namespace.kubectl(&["patch", "mlp", "predictor", "--type", "json", "--patch", &patch]);
        self.has_endpoint(endpoint).await;
    }

    pub async fn has_endpoint(&self, expected: &str) {
        let what = format!("the endpoint is {expected}");
        self.namespace.wait_status("predictor", &what, |status| status["endpoint"] == expected).await;
    }
}

/// Makes a Secret with a certificate for a host, and returns the file of the certificate.
pub fn certificate(namespace: &Namespace, secret: &str, host: &str) -> tempfile::TempPath {
    let file = || tempfile::NamedTempFile::new().expect("a file").into_temp_path();
    let (key, certificate) = (file(), file());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-days", "1", "-subj", "/CN=test", "-addext", &format!("subjectAltName=DNS:{host}")])
        .args(["-keyout".as_ref(), key.as_os_str(), "-out".as_ref(), certificate.as_os_str()])
        .output()
        .expect("openssl is on the PATH");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let (from_key, from_certificate) =
        (format!("--key={}", key.display()), format!("--cert={}", certificate.display()));
    namespace.kubectl(&["create", "secret", "tls", secret, &from_key, &from_certificate]);
    certificate
}
