//! A run step, drawn: each workload with what goes with it, and now and then with what does not.

use serde_json::{Value, json};

use super::draw::Draw;

/// Ports of nodes that no other pipeline of the bed has.
fn own_port(draw: &mut Draw, base: i32, number: usize) -> i32 {
    base + i32::try_from(number * 4 + draw.below(4)).unwrap()
}

fn ports(draw: &mut Draw, number: usize) -> Value {
    let services = ["ClusterIP", "Headless", "NodePort", "LoadBalancer"];
    let service = draw.happens(60).then(|| draw.one_of(&services));
    let ports = (0..=draw.below(3)).map(|at| {
        let mut port = json!({"name": format!("p{at}"), "port": 80 + at});
        if let Some(service) = service {
            port["service"] = json!(service);
        }
        if draw.happens(40) {
            port["targetPort"] = json!(draw.one_of(&[8000, 8080]));
        }
        if at == 0 && draw.happens(15) {
            port["nodePort"] = json!(own_port(draw, 31_000, number));
        }
        if at == 0 && draw.happens(15) {
            port["hostPort"] = json!(own_port(draw, 20_000, number));
        }
        port
    });
    ports.collect()
}

/// Such a step that may read these others.
pub fn run(draw: &mut Draw, number: usize, results: &[String]) -> Value {
    let workload = draw.one_of(&["Job", "Job", "Deployment", "StatefulSet", "DaemonSet"]);
    let mut run = json!({"image": draw.one_of(&["registry.example/a:1", "registry.example/b:2"])});
    if workload != "Job" || draw.happens(50) {
        run["workload"] = json!(workload);
    }
    if draw.happens(30) {
        run["command"] = json!(["sh", "-c"]);
        run["args"] = json!([draw.one_of(&["sleep 1", "exit 0"])]);
    }
    if !results.is_empty() && draw.happens(40) {
        run["inputs"] = json!([{"name": "rows", "step": draw.one_of(results)}]);
    }
    match workload {
        "Job" => {
            if draw.happens(40) {
                run["completions"] = json!(1 + draw.below(4));
            }
            if draw.happens(40) {
                run["completionMode"] = json!(draw.one_of(&["Indexed", "NonIndexed"]));
            }
            if draw.happens(40) {
                run["restartPolicy"] = json!(draw.one_of(&["Never", "OnFailure"]));
            }
        }
        "DaemonSet" => {}
        _ if draw.happens(60) => run["replicas"] = json!(draw.below(4)),
        _ => {}
    }
    if draw.happens(if workload == "Job" { 10 } else { 60 }) {
        run["ports"] = ports(draw, number);
    }
    if workload == "StatefulSet" && draw.happens(40) {
        run["replicaVolume"] = json!({"size": draw.one_of(&["1Mi", "2Mi"]), "mountPath": "/data"});
        if draw.happens(50) {
            run["replicaVolume"]["storageClassName"] = json!(draw.one_of(&["fast", ""]));
        }
    }
    run
}
