//! Whether an installed operator works, asked as a user would: a suspended pipeline is created, the operator has to say what is true of
//! it, and it is deleted. No pod is started. The chart's `helm test` runs this.
//!
//! Must not need more rights than those to create, read and delete pipelines in one namespace.

use std::time::Duration;

use anyhow::{Context, bail};
use kube::api::{Api, DeleteParams, PostParams};
use kube::{Client, ResourceExt};
use mlpipeline_crds::MLPipeline;
use serde_json::json;
use tokio::time::{Instant, sleep};

/// How often the pipeline is read while its status is waited for.
const PERIOD: Duration = Duration::from_millis(500);

/// Where to check, and how long to wait.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArguments {
    /// The namespace to create the pipeline in; the operator must look after it. The own one when absent.
    #[arg(long, short = 'n')]
    pub namespace: Option<String>,
    /// How many seconds the operator has to answer.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

/// Runs the check; answers what to print.
///
/// # Errors
/// Says what does not work, and what to look at.
pub async fn check(arguments: &CheckArguments) -> anyhow::Result<String> {
    let client = Client::try_default().await.context("no way to an API server is configured")?;
    let own = client.default_namespace().to_owned();
    let namespace = arguments.namespace.as_deref().unwrap_or(&own);
    let pipelines: Api<MLPipeline> = Api::namespaced(client, namespace);
    let started = Instant::now();
    let created = pipelines.create(&PostParams::default(), &trial()?).await;
    let name = match created {
        Ok(created) => created.name_any(),
        Err(error) => bail!("cannot create an MLPipeline in namespace {namespace}: {}", advice(&error)),
    };
    let limit = Duration::from_secs(arguments.timeout);
    let outcome = tokio::time::timeout(limit, wait(&pipelines, &name)).await;
    let deleted = pipelines.delete(&name, &DeleteParams::default()).await;
    match outcome {
        Ok(outcome) => outcome?,
        Err(_) => bail!(
            "no operator has looked at MLPipeline {name} in namespace {namespace} within {} s: is its Deployment ready, does one \
             replica hold the lease, and is {namespace} among the namespaces that it looks after?",
            limit.as_secs()
        ),
    }
    deleted.with_context(|| {
        format!("cannot delete MLPipeline {name} in namespace {namespace}; delete it by hand")
    })?;
    let milliseconds = started.elapsed().as_millis();
    Ok(format!("the operator looks after namespace {namespace}: it answered within {milliseconds} ms\n"))
}

/// Waits until the operator has said that the pipeline is suspended.
async fn wait(pipelines: &Api<MLPipeline>, name: &str) -> anyhow::Result<()> {
    loop {
        let pipeline = pipelines.get(name).await.with_context(|| format!("cannot read MLPipeline {name}"))?;
        let status = pipeline.status.unwrap_or_default();
        let is_current = status.observed_generation == pipeline.metadata.generation;
        let suspended = |kind: &str, value: &str| kind == "Suspended" && value == "True";
        if is_current && status.conditions.iter().any(|now| suspended(&now.type_, &now.status)) {
            return Ok(());
        }
        sleep(PERIOD).await;
    }
}

/// A pipeline that starts nothing. Its step has no image or workload of its own, which a policy for tenants may refuse.
fn trial() -> anyhow::Result<MLPipeline> {
    Ok(serde_json::from_value(json!({
        "apiVersion": mlpipeline_crds::API_VERSION,
        "kind": mlpipeline_crds::KIND,
        "metadata": {"generateName": "mlpipeline-check-"},
        "spec": {"suspend": true, "steps": [{"name": "nothing", "prepare": {"sql": "SELECT 1"}}]},
    }))?)
}

fn advice(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 404 => {
            "the cluster does not know the kind: install the CustomResourceDefinition, with crds.enabled=true in the chart or by \
             `mlpipeline-operator crd | kubectl apply --server-side -f -`"
                .to_owned()
        }
        kube::Error::Api(status) if status.code == 403 => {
            format!("{}; give this account the verbs create, get and delete on mlpipelines", status.message)
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::core::Status;
    use mlpipeline_core::validate::validate;

    fn refusal(code: u16) -> kube::Error {
        let mut status = Status::failure("no", "Because");
        status.code = code;
        kube::Error::Api(Box::new(status))
    }

    #[test]
    fn the_pipeline_of_the_check_is_a_valid_one_that_starts_nothing() {
        let mut trial = trial().expect("a pipeline");
        trial.metadata.name = Some("mlpipeline-check-x".to_owned());
        assert_eq!(trial.spec.suspend, Some(true));
        assert!(validate(&trial).is_ok());
        let step = serde_json::to_string(&trial.spec.steps).expect("JSON");
        assert!(!step.contains("image") && !step.contains("\"run\""), "{step}");
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        assert!(advice(&refusal(404)).contains("crds.enabled=true"));
        assert!(advice(&refusal(403)).contains("create, get and delete"));
    }
}
