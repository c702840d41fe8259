//! Flux's own controller brings pipelines from a source to the cluster: it waits until they are ready, updates them, says when one is
//! wrong, applies nothing a second time, and prunes them. `make gitops` runs this.
//!
//! Flux's source-controller is not among Go's modules; the test serves the archives of a GitRepository itself.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use k8s_openapi::api::batch::v1::Job;
use kube::api::{DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, ResourceExt};
use mlpipeline_core::child_kind::ChildKind;
use mlpipeline_tests::control_plane::find_program;
use mlpipeline_tests::{programs, wait_until};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::neighbour::{install, recorded_crds};
use super::operator_bed::{Bed, LONG};

const SOURCES: &str = "source.toolkit.fluxcd.io";
const NAME: &str = "pipelines";

/// A GitRepository whose archives come from here, and a Kustomization that Flux applies from it.
struct Flux<'a> {
    bed: &'a Bed,
    archive: Arc<Mutex<Bytes>>,
    address: String,
    folder: tempfile::TempDir,
    _controller: Child,
}

impl<'a> Flux<'a> {
    async fn start(bed: &'a Bed) -> Self {
        let sources = ["GitRepository", "OCIRepository", "Bucket"].map(source_kind);
        install(&bed.client, &sources.into_iter().chain(recorded_crds("flux")).collect::<Vec<_>>()).await;
        let archive = Arc::<Mutex<Bytes>>::default();
        let serve = |State(archive): State<Arc<Mutex<Bytes>>>| async move { archive.lock().unwrap().clone() };
        let router = Router::new().fallback(serve).with_state(Arc::clone(&archive));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(axum::serve(listener, router).into_future());
        let log = std::fs::File::create(bed.control_plane.folder().join("kustomize-controller.log")).unwrap();
        let controller =
            Command::new(find_program("kustomize-controller").unwrap_or_else(|problem| panic!("{problem}")))
                .args([
                    "--watch-all-namespaces=false",
                    "--metrics-addr=0",
                    "--health-addr=0",
                    "--no-remote-bases",
                ])
                .env("KUBECONFIG", bed.control_plane.admin().kubeconfig())
                .env("RUNTIME_NAMESPACE", bed.namespace.name())
                .stdout(Stdio::from(log.try_clone().unwrap()))
                .stderr(Stdio::from(log))
                .kill_on_drop(true)
                .spawn()
                .unwrap();
        let flux =
            Self { bed, archive, address, folder: tempfile::tempdir().unwrap(), _controller: controller };
        flux.apply("GitRepository", SOURCES, json!({})).await;
        let spec = json!({
            "sourceRef": {"kind": "GitRepository", "name": NAME}, "path": "./", "targetNamespace": bed.namespace.name(),
            "interval": "1h", "retryInterval": "2s", "timeout": "1m", "wait": true, "prune": true,
        });
        flux.apply("Kustomization", "kustomize.toolkit.fluxcd.io", spec).await;
        flux
    }

    fn api(&self, kind: &str, group: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
        Api::namespaced_with(self.bed.client.clone(), self.bed.namespace.name(), &resource)
    }

    async fn apply(&self, kind: &str, group: &str, spec: Value) {
        let object = json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": NAME}, "spec": spec});
        let apply = PatchParams::apply("tests").force();
        self.api(kind, group).patch(NAME, &apply, &Patch::Apply(&object)).await.unwrap();
    }

    /// Commits these files: the source has a new revision, with an archive of them.
    async fn commit(&self, revision: &str, files: &[(&str, String)]) {
        let content = self.folder.path().join(revision);
        std::fs::create_dir(&content).unwrap();
        for (name, text) in files {
            std::fs::write(content.join(name), text).unwrap();
        }
        let file = self.folder.path().join(format!("{revision}.tar.gz"));
        run("tar", &["-czf", path(&file), "-C", path(&content), "."]).await;
        let digest = run("sha256sum", &[path(&file)]).await;
        *self.archive.lock().unwrap() = std::fs::read(&file).unwrap().into();
        let status = json!({"status": {"artifact": {
            "path": format!("{revision}.tar.gz"), "url": format!("http://{}/{revision}.tar.gz", self.address),
            "revision": revision, "digest": format!("sha256:{}", digest.split(' ').next().unwrap()),
            "lastUpdateTime": k8s_openapi::jiff::Timestamp::now().to_string(),
        }}});
        let sources = self.api("GitRepository", SOURCES);
        sources.patch_status(NAME, &PatchParams::default(), &Patch::Merge(status)).await.unwrap();
    }

    /// Waits until Flux says this of its condition Ready, about this revision.
    async fn ready(&self, revision: &str, status: &str, reason: &str) -> String {
        wait_until(&format!("Flux's {status} {reason} of {revision}"), LONG, async || {
            let kustomization = self.kustomization().await;
            let now = &kustomization["status"];
            let conditions = now["conditions"].as_array().into_iter().flatten();
            let found = conditions
                .clone()
                .find(|one| one["type"] == "Ready" && one["status"] == status && one["reason"] == reason);
            match found.filter(|_| now["lastAttemptedRevision"] == revision) {
                Some(found) => Ok(found["message"].as_str().unwrap_or_default().to_owned()),
                None => Err(now.to_string()),
            }
        })
        .await
    }

    async fn kustomization(&self) -> Value {
        json!(self.api("Kustomization", "kustomize.toolkit.fluxcd.io").get(NAME).await.unwrap())
    }

    /// Asks for another sync of what is synced already, and waits until it is over.
    async fn sync_again(&self) {
        let asked = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "once more"}}});
        let kustomizations = self.api("Kustomization", "kustomize.toolkit.fluxcd.io");
        kustomizations.patch(NAME, &PatchParams::default(), &Patch::Merge(asked)).await.unwrap();
        wait_until("another sync", LONG, async || {
            let status = self.kustomization().await["status"].take();
            if status["lastHandledReconcileAt"] == "once more" { Ok(()) } else { Err(status.to_string()) }
        })
        .await;
    }
}

/// A kind of source, of which Flux's controller reads the status alone.
fn source_kind(kind: &str) -> Value {
    let plural = format!("{}s", kind.to_lowercase()).replace("ys", "ies");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{SOURCES}")},
        "spec": {
            "group": SOURCES, "scope": "Namespaced",
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase()},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    })
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

async fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await.unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn sample(name: &str) -> String {
    let file = programs::repository().join("deploy/samples/crash-course").join(name);
    std::fs::read_to_string(file).unwrap()
}

async fn runs_of(bed: &Bed, step: &str) -> usize {
    let of_step = ListParams::default().labels(&format!("mlpipeline.dev/step={step}"));
    bed.api::<Job>().list(&of_step).await.unwrap().items.len()
}

#[tokio::test]
async fn flux_syncs_updates_judges_and_prunes_a_sample() {
    let bed = Bed::new("flux").await;
    let _operator = bed.start(&[]);
    let flux = Flux::start(&bed).await;
    let pipeline = sample("pipeline.yaml");
    let settings = ("configmap.yaml", sample("configmap.yaml"));

    flux.commit("first", &[("pipeline.yaml", pipeline.clone()), settings.clone()]).await;
    flux.ready("first", "True", "ReconciliationSucceeded").await;
    // Flux was not satisfied before we were.
    bed.condition("iris", "Ready", "True").await;
    assert_eq!(runs_of(&bed, "train").await, 1);

    let settled = bed.pipelines().get("iris").await.unwrap();
    flux.sync_again().await;
    let synced = bed.pipelines().get("iris").await.unwrap();
    assert_eq!(synced.metadata.generation, settled.metadata.generation);
    assert_eq!(
        synced.metadata.managed_fields, settled.metadata.managed_fields,
        "nothing is applied a second time"
    );

    let edited = pipeline.replace("maxIterations: 200", "maxIterations: 300");
    assert_ne!(edited, pipeline);
    flux.commit("second", &[("pipeline.yaml", edited.clone()), settings.clone()]).await;
    flux.ready("second", "True", "ReconciliationSucceeded").await;
    assert_eq!(runs_of(&bed, "data").await, 1, "what an edit does not concern does not run again");
    assert_eq!(runs_of(&bed, "train").await, 2);

    let wrong = edited.replace("data: {step: data}", "data: {step: nobody}");
    flux.commit("wrong", &[("pipeline.yaml", wrong), settings.clone()]).await;
    let said = flux.ready("wrong", "False", "HealthCheckFailed").await;
    assert!(said.contains("iris") && said.contains("Failed"), "{said}");

    flux.commit("pruned", &[settings]).await;
    flux.ready("pruned", "True", "ReconciliationSucceeded").await;
    assert!(bed.pipelines().get_opt("iris").await.unwrap().is_none(), "the pipeline is pruned");
    wait_until("what it had is gone", LONG, async || {
        let mut left = Vec::new();
        for kind in ChildKind::ALL {
            let children =
                bed.children(kind).list(&ListParams::default()).await.map_err(|error| error.to_string())?;
            left.extend(children.iter().map(ResourceExt::name_any));
        }
        if left.is_empty() { Ok(()) } else { Err(left.join(", ")) }
    })
    .await;
}
