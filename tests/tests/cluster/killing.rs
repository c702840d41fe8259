//! What kills pods and processes, and makes sure that something died: a kill that meets nobody shows nothing.

use std::path::Path;
use std::process::Command;

use mlpipeline_tests::{programs, wait_until};

use crate::bed::{Namespace, Pod, TIMEOUT};

/// The processes of the node's pods are in groups below this one: tests/cluster/up.sh.
const CLUSTER_GROUP: &str = "mlpipeline-cluster";

/// The worker, as pods start it.
pub const WORKER: &str = "/bin/mlpipeline-worker";

/// The operator, as its pods start it.
const OPERATOR: &str = "/bin/mlpipeline-operator";

/// Deletes the pods of a step that run, at once and with no time to end anything. Those that were deleted.
pub fn force_delete(namespace: &Namespace, step: &str) -> Vec<Pod> {
    let mut pods = namespace.pods(step).unwrap_or_else(|problem| panic!("{problem}"));
    pods.retain(|pod| pod.phase == "Running" && !pod.is_deleted);
    assert!(!pods.is_empty(), "no pod of {step} runs that could be deleted");
    let names = pods.iter().map(|pod| pod.name.as_str());
    let arguments: Vec<&str> =
        ["delete", "pods", "--force", "--grace-period=0"].into_iter().chain(names).collect();
    namespace.kubectl(&arguments);
    pods
}

/// Waits until other pods of a step run in the place of those that were deleted.
pub async fn others_run(namespace: &Namespace, step: &str, deleted: &[Pod]) {
    wait_until("other pods run in the place of those that were deleted", TIMEOUT, async || {
        let pods = namespace.pods(step)?;
        let is_other = |pod: &Pod| deleted.iter().all(|before| before.uid != pod.uid);
        let running = pods.iter().filter(|pod| is_other(pod) && pod.phase == "Running").count();
        if running >= deleted.len() { Ok(()) } else { Err(format!("{pods:?}")) }
    })
    .await;
}

/// Kills a program in the pods of a step, as if the kernel had taken it. The pods that it was killed in.
pub fn kill_program(namespace: &Namespace, step: &str, program: &str) -> Vec<Pod> {
    let pods = namespace.pods(step).unwrap_or_else(|problem| panic!("{problem}"));
    let killed: Vec<Pod> = pods.into_iter().filter(|pod| kill_in(pod, program)).collect();
    assert!(!killed.is_empty(), "no process of {program} runs in a pod of {step}");
    killed
}

/// Waits until the pod of a step works, and kills the worker in it.
pub async fn kill_worker(namespace: &Namespace, step: &str) {
    let pod = wait_until("the step has a pod", TIMEOUT, async || {
        let pods = namespace.pods(step)?;
        let begun = pods.iter().find(|pod| ["Pending", "Running"].contains(&pod.phase.as_str()));
        begun.cloned().ok_or_else(|| format!("{pods:?}"))
    })
    .await;
    wait_until("the worker is killed at its work", TIMEOUT, async || {
        if kill_in(&pod, WORKER) { Ok(()) } else { Err(format!("it does not run in {}", pod.name)) }
    })
    .await;
    were_killed(namespace, step, &[pod]).await;
}

/// Waits until Kubernetes says of pods that a container of theirs was killed.
pub async fn were_killed(namespace: &Namespace, step: &str, killed: &[Pod]) {
    for pod in killed {
        wait_until("the kubelet says that a container was killed", TIMEOUT, async || {
            let pods = namespace.pods(step)?;
            let now = pods.iter().find(|now| now.uid == pod.uid);
            let containers = now.map(|now| now.containers.to_string()).unwrap_or_default();
            if containers.contains("\"exitCode\":137") {
                Ok(())
            } else {
                Err(format!("{}: {pods:?}", pod.name))
            }
        })
        .await;
    }
}

/// Kills all processes of the operator at once, and then the pods: the kubelet would start a container that dies again and again
/// after longer and longer pauses.
pub async fn kill_operator() {
    let system = Namespace("mlpipeline-system");
    let selector = ["-l", "app.kubernetes.io/name=mlpipeline-operator"];
    wait_until("all processes of the operator are killed", TIMEOUT, async || {
        let pods = system.try_kubectl(&[&["get", "pods", "-o", "json"], &selector[..]].concat())?;
        let pods: serde_json::Value = serde_json::from_str(&pods).map_err(|error| error.to_string())?;
        let pods: Vec<Pod> = pods["items"].as_array().into_iter().flatten().map(Pod::from).collect();
        let killed = pods.iter().filter(|pod| kill_in(pod, OPERATOR)).count();
        if killed > 0 { Ok(()) } else { Err(format!("it does not run in {pods:?}")) }
    })
    .await;
    system.kubectl(&[&["delete", "pods", "--force", "--grace-period=0"], &selector[..]].concat());
}

/// Kills processes of the node at once, and starts them again: others, which is looked at.
pub async fn kill_and_restart(names: &[&str]) {
    let before: Vec<Process> = names.iter().map(|name| process_of_the_node(name)).collect();
    for process in &before {
        process.kill();
    }
    wait_until("they are dead", TIMEOUT, async || {
        if before.iter().any(Process::is_alive) { Err("one lives".to_owned()) } else { Ok(()) }
    })
    .await;
    let up = programs::repository().join("tests/cluster/up.sh");
    let output = Command::new(&up).output().expect("the script is there");
    assert!(output.status.success(), "{}: {output:?}", up.display());
    let after: Vec<Process> = names.iter().map(|name| process_of_the_node(name)).collect();
    assert!(
        after.iter().all(|process| process.is_alive() && !before.contains(process)),
        "{before:?} {after:?}"
    );
}

/// Starts kube-proxy anew, without the rules of the one before. It takes chains that are there for right ones, and kube-proxy 1.35 was seen to
/// empty those of endpoints that went and came back: from then on connections to pods that listen were refused.
pub async fn renew_service_rules() {
    let target = process_of_the_node("kube-proxy").id.to_string();
    let output = Command::new("nsenter")
        .args(["--target", &target, "--net", "--mount", "nft", "delete", "table", "ip", "kube-proxy"])
        .output()
        .expect("nsenter is there");
    assert!(output.status.success(), "{output:?}");
    kill_and_restart(&["kube-proxy"]).await;
}

/// A process, which a later one of the same number is not.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    /// When it was started, in ticks since the machine was.
    started: String,
}

impl Process {
    /// The process of this number that lives.
    fn living(id: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name before the bracket may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?.to_owned();
        (!["Z", "X"].contains(&state)).then_some(Self { id, started })
    }

    fn is_alive(&self) -> bool {
        Self::living(self.id).as_ref() == Some(self)
    }

    /// Kills it, if it still lives.
    fn kill(&self) -> bool {
        self.is_alive()
            && Command::new("kill")
                .args(["-KILL", &self.id.to_string()])
                .status()
                .expect("kill runs")
                .success()
    }
}

/// A process of the node that tests/cluster/up.sh started.
fn process_of_the_node(name: &str) -> Process {
    let file = Path::new("/var/lib/mlpipeline-cluster/pids").join(name);
    let found =
        std::fs::read_to_string(&file).ok().and_then(|text| Process::living(text.trim().parse().ok()?));
    found.unwrap_or_else(|| {
        panic!("{}: no such process lives: this needs the node of `make cluster`", file.display())
    })
}

/// Kills the processes of a program in a pod of the node; false when there is none.
fn kill_in(pod: &Pod, program: &str) -> bool {
    let all = std::fs::read_dir("/proc").expect("Linux").filter_map(Result::ok);
    let of_pod = all.filter(|folder| is_of(&folder.path(), pod, program));
    let ids = of_pod.filter_map(|folder| folder.file_name().to_str()?.parse().ok());
    // All of them: `any` would stop at the first.
    ids.filter_map(Process::living).filter(Process::kill).count() > 0
}

/// Whether a folder of /proc is that of a program in a pod of the cluster: a pod of another has another group.
fn is_of(folder: &Path, pod: &Pod, program: &str) -> bool {
    let group = std::fs::read_to_string(folder.join("cgroup")).unwrap_or_default();
    let command = std::fs::read(folder.join("cmdline")).unwrap_or_default();
    let of_pod = format!("/pod{}/", pod.uid);
    group.lines().any(|line| line.contains(CLUSTER_GROUP) && line.contains(&of_pod))
        && command.split(|&byte| byte == 0).next() == Some(program.as_bytes())
}
