//! What Services lead to: the port that clients find, and the pods' port behind it.

#![allow(clippy::expect_used, reason = "tests fail by panicking")]

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mlpipeline_core::child_kind::Child;
use mlpipeline_core::children::{BuildSettings, build};
use mlpipeline_core::observed::Observed;
use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::plan::{Schedules, plan};
use mlpipeline_core::step_kind::ValidAction;
use mlpipeline_core::validate::validate;
use mlpipeline_crds::MLPipeline;
use serde_json::{Value, json};

fn pipeline(steps: &Value) -> ValidatedPipeline {
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
        "metadata": {"name": "p", "namespace": "ml", "uid": "u"}, "spec": {"steps": steps},
    });
    let resource: MLPipeline = serde_json::from_value(resource).expect("a pipeline");
    validate(&resource).expect("the pipeline makes sense")
}

/// The Service's ports, as "port > name in the pods", and the pods' ports as "name number hostPort".
fn ports(run: &Value) -> (Vec<String>, Vec<String>) {
    let pipeline = pipeline(&json!([{"name": "web", "run": run}]));
    let settings = BuildSettings { worker_image: "worker:1".into(), cluster_user_ids: false };
    let decided = plan(&pipeline, &Observed::default(), Timestamp::UNIX_EPOCH, Schedules::Keep);
    let (mut service, mut pods) = (Vec::new(), Vec::new());
    for child in build(&pipeline, &decided, &settings) {
        let template = match child {
            Child::Service(found) => {
                for port in found.spec.and_then(|spec| spec.ports).unwrap_or_default() {
                    let Some(IntOrString::String(target)) = port.target_port else { continue };
                    service.push(format!("{} > {target}", port.port));
                }
                continue;
            }
            Child::Deployment(found) => found.spec.map(|spec| spec.template),
            Child::StatefulSet(found) => found.spec.map(|spec| spec.template),
            _ => continue,
        };
        let containers = template.and_then(|template| template.spec).map(|spec| spec.containers);
        for port in
            containers.unwrap_or_default().into_iter().flat_map(|found| found.ports.unwrap_or_default())
        {
            pods.push(format!(
                "{} {} {:?}",
                port.name.unwrap_or_default(),
                port.container_port,
                port.host_port
            ));
        }
    }
    (service, pods)
}

#[test]
fn several_ports_of_a_service_lead_to_one_port_of_the_container() {
    let run = json!({"image": "x", "workload": "Deployment", "ports": [
        {"name": "http", "port": 80, "targetPort": 8080},
        {"name": "https", "port": 443, "targetPort": 8080, "hostPort": 8443},
        {"name": "admin", "port": 9000},
    ]});
    let (service, pods) = ports(&run);
    assert_eq!(service, ["80 > http", "443 > http", "9000 > admin"]);
    assert_eq!(pods, ["http 8080 Some(8443)", "admin 9000 None"]);
}

#[test]
fn a_headless_service_names_the_ports_that_the_pods_have() {
    let run = json!({"image": "x", "workload": "StatefulSet", "ports": [{"name": "db", "port": 5432}]});
    assert_eq!(ports(&run).0, ["5432 > db"]);
    let steps = |service: Value| {
        json!([
            {"name": "t", "train": {"data": {"uri": "file:a.csv"}, "target": "y", "algorithm": {"ridge": {}}}},
            {"name": "api", "serve": {"model": {"step": "t"}, "service": service}},
        ])
    };
    for (service, expected) in [
        (json!({"type": "Headless"}), 8000),
        (json!({"type": "Headless", "port": 8000}), 8000),
        (json!({"type": "ClusterIP"}), 80),
        (json!({"port": 8080}), 8080),
    ] {
        let pipeline = pipeline(&steps(service.clone()));
        let ports = pipeline.steps.iter().find_map(|step| match &step.action {
            ValidAction::Serve(_) => step.action.descriptor().exposure(),
            _ => None,
        });
        let port = ports.and_then(|exposure| exposure.ports.first().map(|port| port.port));
        assert_eq!(port, Some(expected), "{service}");
    }
}
