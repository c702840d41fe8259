//! How many pods serve, by their CPU use.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec,
    MetricTarget, ResourceMetricSource,
};
use mlpipeline_crds::Serve;

use super::metadata;
use crate::names;
use crate::pipeline::{ValidStep, ValidatedPipeline};

/// The CPU use to aim at, in percent of the request, when the spec does not say.
const DEFAULT_UTILIZATION: i32 = 80;

/// The autoscaler of a serve step; `None` where the spec asks for none.
pub(super) fn horizontal_pod_autoscaler(
    pipeline: &ValidatedPipeline,
    step: &ValidStep,
    serve: &Serve,
) -> Option<HorizontalPodAutoscaler> {
    let autoscaling = serve.autoscaling.as_ref()?;
    let name = names::step_object(&pipeline.name, &step.name);
    let utilization = autoscaling.target_cpu_utilization_percentage.unwrap_or(DEFAULT_UTILIZATION);
    Some(HorizontalPodAutoscaler {
        metadata: metadata::of_step(pipeline, step, name.clone()),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name,
            },
            min_replicas: step.fewest_autoscaled(),
            max_replicas: autoscaling.max_replicas,
            metrics: Some(vec![MetricSpec {
                type_: "Resource".to_owned(),
                resource: Some(ResourceMetricSource {
                    name: "cpu".to_owned(),
                    target: MetricTarget {
                        type_: "Utilization".to_owned(),
                        average_utilization: Some(utilization),
                        ..MetricTarget::default()
                    },
                }),
                ..MetricSpec::default()
            }]),
            behavior: None,
        }),
        status: None,
    })
}
