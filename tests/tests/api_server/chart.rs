//! The life of a release of the chart on a real API server, with the operator running under the rights and with the flags that the
//! chart gives it: installed, upgraded, changed, rolled back, uninstalled and installed again, with pipelines there all the time.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use mlpipeline_tests::control_plane::{Identity, find_program};
use mlpipeline_tests::{programs, wait_until};
use serde_json::json;
use tokio::process::{Child, Command};

use super::operator_bed::{Bed, LONG};
use super::specs::chain;

/// Pipelines that are there while the release changes.
const PIPELINES: usize = 50;
const RELEASE: &str = "life";
const CRD: &str = "mlpipelines.mlpipeline.dev";

/// A release in a bed's namespace.
struct Release<'a> {
    bed: &'a Bed,
    account: Identity,
    home: tempfile::TempDir,
}

impl<'a> Release<'a> {
    async fn new(bed: &'a mut Bed) -> Self {
        let account = bed.account("of-the-chart").await;
        Self { bed, account, home: tempfile::tempdir().unwrap() }
    }

    /// Runs helm as an administrator; answers what it prints, or what is wrong.
    async fn try_helm(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(find_program("helm").unwrap_or_else(|problem| panic!("{problem}")))
            .args(["--namespace", self.bed.namespace.name()])
            .args(arguments)
            .env("KUBECONFIG", self.bed.control_plane.admin().kubeconfig())
            .env("HOME", self.home.path())
            .output()
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    async fn helm(&self, arguments: &[&str]) -> String {
        self.try_helm(arguments).await.unwrap_or_else(|problem| panic!("helm {arguments:?}: {problem}"))
    }

    /// Installs or upgrades to a chart. No pod of a Deployment runs here; the test starts the program itself.
    async fn upgrade(&self, chart: &Path, more: &[&str]) {
        let namespace = format!("--set=namespaces={{{}}}", self.bed.namespace.name());
        let chart = chart.to_str().unwrap();
        let fixed = [
            "upgrade",
            "--install",
            "--force-conflicts",
            RELEASE,
            chart,
            &namespace,
            "--set=serviceAccount.create=false",
        ];
        let account = "--set=serviceAccount.name=of-the-chart";
        self.helm(&[fixed.as_slice(), &[account, "--set=crds.enabled=false"], more].concat()).await;
    }

    /// Starts the operator as the Deployment would: with its flags, and as its service account.
    async fn start(&self) -> Child {
        let deployments = self.bed.api::<Deployment>();
        let deployment = deployments.get(&format!("{RELEASE}-mlpipeline-operator")).await.unwrap();
        let container = deployment.spec.unwrap().template.spec.unwrap().containers.remove(0);
        let log = std::fs::File::options().create(true).append(true).open(self.bed.log_file()).unwrap();
        Command::new(programs::path("mlpipeline-operator"))
            .args(container.args.unwrap())
            .args(["--lease-namespace", self.bed.namespace.name()])
            .args(["--health-address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0"])
            .env("KUBECONFIG", self.account.kubeconfig())
            .stderr(Stdio::from(log))
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// What `helm test` runs, as its own pod would.
    async fn check(&self) -> std::process::Output {
        Command::new(programs::path("mlpipeline-operator"))
            .args(["check", "--timeout", "60", "--namespace", self.bed.namespace.name()])
            .env("KUBECONFIG", self.bed.control_plane.admin().kubeconfig())
            .output()
            .await
            .unwrap()
    }
}

fn current() -> PathBuf {
    programs::repository().join("charts/mlpipeline")
}

/// The chart under an older version: this is the first that there is.
async fn older(release: &Release<'_>) -> PathBuf {
    let folder = release.home.path();
    let (chart, to) = (current(), folder.to_str().unwrap());
    release.helm(&["package", chart.to_str().unwrap(), "--version", "0.0.1", "--destination", to]).await;
    folder.join("mlpipeline-0.0.1.tgz")
}

/// Names and versions of all children: a write of anybody's shows.
async fn children(bed: &Bed) -> Vec<(String, Option<String>)> {
    let ours = ListParams::default().labels("app.kubernetes.io/managed-by=mlpipeline-operator");
    let jobs = bed.api::<Job>().list(&ours).await.unwrap();
    let mut all: Vec<_> = jobs.iter().map(|job| (job.name_any(), job.resource_version())).collect();
    all.sort();
    all
}

#[tokio::test]
async fn no_change_of_the_release_touches_what_pipelines_have() {
    let mut bed = Bed::new("chart-life").await;
    let release = Release::new(&mut bed).await;
    let bed = release.bed;
    let older = older(&release).await;
    release.upgrade(&older, &[]).await;
    let mut operator = release.start().await;
    for at in 0..PIPELINES {
        bed.apply(&format!("p{at}"), &chain(1)).await;
    }
    for at in 0..PIPELINES {
        bed.condition(&format!("p{at}"), "Ready", "True").await;
    }
    // A pipeline is Ready before the Job controller has written that its Job is complete.
    wait_until("complete Jobs", LONG, async || {
        let jobs = bed.api::<Job>().list(&ListParams::default()).await.unwrap().items;
        let complete = jobs.iter().filter(|job| {
            let conditions = job.status.as_ref().and_then(|status| status.conditions.as_ref());
            conditions
                .is_some_and(|all| all.iter().any(|now| now.type_ == "Complete" && now.status == "True"))
        });
        let count = complete.count();
        if count == PIPELINES { Ok(()) } else { Err(format!("{count} of {PIPELINES}")) }
    })
    .await;
    let before = children(bed).await;
    assert_eq!(before.len(), PIPELINES);
    let since = bed.control_plane.audit().position().await;
    for change in ["upgrade", "values", "rollback", "uninstall and install"] {
        match change {
            "upgrade" => release.upgrade(&current(), &[]).await,
            "values" => {
                release.upgrade(&current(), &["--set=operator.concurrency=4", "--set=replicas=3"]).await
            }
            "rollback" => drop(release.helm(&["rollback", RELEASE, "1"]).await),
            _ => {
                release.helm(&["uninstall", RELEASE]).await;
                assert_eq!(bed.pipelines().list(&Default::default()).await.unwrap().items.len(), PIPELINES);
                release.upgrade(&current(), &[]).await;
            }
        }
        operator.kill().await.unwrap();
        operator = release.start().await;
        let checked = release.check().await;
        assert!(checked.status.success(), "{change}: {}", String::from_utf8_lossy(&checked.stderr));
        assert_eq!(children(bed).await, before, "{change}");
    }
    let writes = bed.writes(&release.account, since).await;
    let of_children: Vec<_> = writes.iter().filter(|write| write.object_ref.resource == "jobs").collect();
    assert!(of_children.is_empty(), "{of_children:#?}");
}

#[tokio::test]
async fn a_check_that_nobody_answers_says_what_to_look_at() {
    let bed = Bed::new("chart-check").await;
    let output = Command::new(programs::path("mlpipeline-operator"))
        .args(["check", "--timeout", "1", "--namespace", bed.namespace.name()])
        .env("KUBECONFIG", bed.control_plane.admin().kubeconfig())
        .output()
        .await
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && stderr.contains("within 1 s") && stderr.contains("lease"),
        "{stderr}"
    );
    assert_eq!(
        bed.pipelines().list(&Default::default()).await.unwrap().items.len(),
        0,
        "it cleans up after itself"
    );
}

/// The definition of this cluster was not installed by Helm: the message says how to let a release have it, word for word.
#[tokio::test]
async fn a_definition_of_somebody_elses_is_refused_with_the_command_that_hands_it_over() {
    let mut bed = Bed::new("chart-crd").await;
    let release = Release::new(&mut bed).await;
    let crds: Api<CustomResourceDefinition> = Api::all(release.bed.client.clone());
    let chart = current();
    // The roles of the whole cluster are there too, for all tests, and are not Helm's either.
    let namespaces = format!("--set=namespaces={{{}}}", release.bed.namespace.name());
    let install = |name, fullname| {
        ["install", name, chart.to_str().unwrap(), "--dry-run=server", fullname, namespaces.as_str()]
    };
    let (this, other) = (
        install(RELEASE, "--set=fullnameOverride=crd-test"),
        install("other", "--set=fullnameOverride=crd-other"),
    );
    let refused = release.try_helm(&this).await.expect_err("it is not Helm's");
    assert!(
        refused.contains("was not installed by Helm") && refused.contains("crds.enabled=false"),
        "{refused}"
    );
    let command =
        refused.split("let this release have it: ").nth(1).and_then(|rest| rest.split(". To leave").next());
    let handed = Command::new("sh")
        .args([
            "-c",
            &command
                .unwrap()
                .replace("kubectl", &release.bed.control_plane.program("kubectl").display().to_string()),
        ])
        .env("KUBECONFIG", release.bed.control_plane.admin().kubeconfig())
        .env("HOME", release.home.path())
        .output()
        .await
        .unwrap();
    assert!(handed.status.success(), "{}", String::from_utf8_lossy(&handed.stderr));
    release.helm(&this).await;
    let refused = release.try_helm(&other).await.expect_err("it is the first release's");
    for part in
        [format!("belongs to release {RELEASE}"), "would fight".into(), "distinct lists of namespaces".into()]
    {
        assert!(refused.contains(&part), "{part}: {refused}");
    }
    // As it was, for the other tests.
    let unmark = json!({"metadata": {
        "labels": {"app.kubernetes.io/managed-by": null},
        "annotations": {"meta.helm.sh/release-name": null, "meta.helm.sh/release-namespace": null},
    }});
    crds.patch(CRD, &PatchParams::default(), &Patch::Merge(unmark)).await.unwrap();
}
