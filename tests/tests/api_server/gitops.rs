//! What GitOps tools make of our samples at every moment of their lives: kstatus, as Flux and kpt use it, and Argo CD's health script.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use futures::TryStreamExt;
use kube::api::{DynamicObject, Patch, PatchParams, WatchEvent, WatchParams};
use kube::core::ApiResource;
use kube::{Api, ResourceExt};
use mlpipeline_crds::MLPipeline;
use mlpipeline_tests::control_plane::find_program;
use mlpipeline_tests::{programs, wait_until};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::kubectl::kubectl;
use super::operator_bed::{Bed, LONG};
use super::specs::chain;

/// Every state of every pipeline of a namespace, as a watch delivers them.
struct Recording {
    states: Arc<Mutex<Vec<Value>>>,
    task: JoinHandle<()>,
}

impl Recording {
    async fn start(pipelines: &Api<DynamicObject>) -> Self {
        let states = Arc::<Mutex<Vec<Value>>>::default();
        let from = pipelines.list(&Default::default()).await.unwrap().metadata.resource_version.unwrap();
        let (kept, pipelines) = (Arc::clone(&states), pipelines.clone());
        let task = tokio::spawn(async move {
            let events = pipelines.watch(&WatchParams::default(), &from).await.unwrap();
            let mut events = Box::pin(events);
            while let Ok(Some(event)) = events.try_next().await {
                if let WatchEvent::Added(state) | WatchEvent::Modified(state) = event {
                    kept.lock().unwrap().push(serde_json::to_value(state).unwrap());
                }
            }
        });
        Self { states, task }
    }

    /// All states of a pipeline up to its present one, which the watch may deliver a little later.
    async fn of(&self, bed: &Bed, name: &str) -> Vec<Value> {
        wait_until(&format!("the last state of {name}"), LONG, async || {
            let present = dynamic(bed).get(name).await.map_err(|error| error.to_string())?.resource_version();
            let states = self.states.lock().unwrap().clone();
            let states: Vec<Value> =
                states.into_iter().filter(|state| state["metadata"]["name"] == name).collect();
            let last = states.last().and_then(|state| state["metadata"]["resourceVersion"].as_str());
            if last == present.as_deref() { Ok(states) } else { Err(format!("{last:?}, not {present:?}")) }
        })
        .await
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What kstatus says of each state.
fn kstatus(states: &[Value]) -> Vec<String> {
    let program = find_program("kstatus").unwrap_or_else(|problem| panic!("{problem}"));
    let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = states.iter().map(|state| format!("{state}\n")).collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let words = lines.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned());
    let words: Vec<String> = words.collect();
    assert_eq!(words.len(), states.len());
    words
}

/// What Argo CD's health script says of a state: the status and the message.
fn health(state: &Value) -> (String, String) {
    let file = programs::repository().join("deploy/argocd/argocd-cm.yaml");
    let config: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let script = config["data"]["resource.customizations.health.mlpipeline.dev_MLPipeline"].as_str().unwrap();
    let lua = mlua::Lua::new();
    lua.globals().set("obj", table(&lua, state)).unwrap();
    let answer: mlua::Table = lua.load(script).eval().unwrap();
    (answer.get("status").unwrap(), answer.get("message").unwrap())
}

/// JSON as Lua's tables, as Argo CD passes an object on.
fn table(lua: &mlua::Lua, value: &Value) -> mlua::Value {
    match value {
        Value::Null => mlua::Value::Nil,
        Value::Bool(value) => mlua::Value::Boolean(*value),
        Value::Number(value) => mlua::Value::Number(value.as_f64().unwrap()),
        Value::String(value) => mlua::Value::String(lua.create_string(value).unwrap()),
        Value::Array(values) => {
            let values = values.iter().map(|value| table(lua, value));
            mlua::Value::Table(lua.create_sequence_from(values).unwrap())
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.as_str(), table(lua, value)));
            mlua::Value::Table(lua.create_table_from(fields).unwrap())
        }
    }
}

/// What both should say, by our own conditions.
fn expected(state: &Value) -> (&'static str, &'static str) {
    let status = &state["status"];
    let holds = |kind: &str| is_true(state, kind);
    match () {
        () if status["observedGeneration"] != state["metadata"]["generation"] => {
            ("InProgress", "Progressing")
        }
        () if holds("Stalled") => ("Failed", "Degraded"),
        () if holds("Reconciling") => ("InProgress", "Progressing"),
        () if holds("Suspended") && holds("Ready") => ("Current", "Suspended"),
        // Work that was never done is held back.
        () if holds("Suspended") => ("InProgress", "Suspended"),
        () if holds("Ready") => ("Current", "Healthy"),
        () => ("InProgress", "Progressing"),
    }
}

/// Recorded states do not have them all: a suspended pipeline that the quota holds up is one.
#[test]
fn argo_cd_and_kstatus_agree_on_every_set_of_conditions() {
    const KINDS: [&str; 5] = ["Stalled", "Reconciling", "Suspended", "Ready", "Serving"];
    let states: Vec<Value> = (0_u32..1 << KINDS.len())
        .map(|set| {
            let condition = |(at, kind): (usize, &&str)| {
                let holds = if set & (1 << at) != 0 { "True" } else { "False" };
                json!({"type": kind, "status": holds, "reason": "Because", "message": kind, "observedGeneration": 1})
            };
            let conditions: Vec<Value> = KINDS.iter().enumerate().map(condition).collect();
            json!({
                "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
                "metadata": {"name": "p", "namespace": "n", "generation": 1},
                "status": {"observedGeneration": 1, "conditions": conditions},
            })
        })
        .collect();
    for (state, word) in states.iter().zip(kstatus(&states)) {
        let (of_kstatus, of_argo_cd) = expected(state);
        assert_eq!(health(state).0, of_argo_cd, "{state}");
        // Ours never says both.
        if !(is_true(state, "Reconciling") && is_true(state, "Stalled")) {
            assert_eq!(word, of_kstatus, "{state}");
        }
    }
}

fn is_true(state: &Value, kind: &str) -> bool {
    let conditions = state["status"]["conditions"].as_array().into_iter().flatten();
    conditions.clone().any(|condition| condition["type"] == kind && condition["status"] == "True")
}

/// Every pipeline of deploy/samples, under a name that contains its file.
fn samples() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(programs::repository().join("deploy/samples")).unwrap().flatten() {
        for file in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            if file.path().extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(file.path()).unwrap();
            for document in text.split("\n---").filter(|text| text.contains("kind: MLPipeline")) {
                let pipeline: Value = serde_saphyr::from_str(document).unwrap();
                let name = pipeline["metadata"]["name"].as_str().unwrap();
                let folder = folder.file_name();
                found.push((format!("{}-{name}", folder.to_str().unwrap()), pipeline["spec"].clone()));
            }
        }
    }
    assert!(found.len() > 15, "{}", found.len());
    found.sort_by(|left, right| left.0.cmp(&right.0));
    found.dedup_by(|left, right| left.0 == right.0);
    found
}

fn dynamic(bed: &Bed) -> Api<DynamicObject> {
    Api::namespaced_with(bed.client.clone(), bed.namespace.name(), &ApiResource::erase::<MLPipeline>(&()))
}

/// Checks every recorded state of a pipeline against both judges; answers the last word of kstatus.
fn judge(name: &str, states: &[Value]) -> String {
    let words = kstatus(states);
    for (state, word) in states.iter().zip(&words) {
        let (current, healthy) = expected(state);
        assert_eq!(word, current, "{name}: {}", state["status"]);
        assert_eq!(health(state).0, healthy, "{name}: {}", state["status"]);
    }
    assert_eq!(words[0], "InProgress", "{name} from its first moment: {}", states[0]["status"]);
    words.last().unwrap().clone()
}

#[tokio::test]
async fn kstatus_and_argo_cd_read_every_sample_rightly_from_its_first_moment() {
    let bed = Bed::new("gitops-samples").await;
    let recording = Recording::start(&dynamic(&bed)).await;
    let samples = samples();
    // Before there is an operator, and nobody but the API server can have said anything.
    for (name, spec) in &samples {
        bed.apply(name, spec).await;
    }
    let before: Vec<Value> =
        dynamic(&bed).list(&Default::default()).await.unwrap().iter().map(|state| json!(state)).collect();
    assert!(kstatus(&before).iter().all(|word| word == "InProgress"), "{before:#?}");
    let _operator = bed.start(&[]);
    wait_until("nearly all samples are done", LONG, async || {
        let all = dynamic(&bed).list(&Default::default()).await.map_err(|error| error.to_string())?;
        let open: Vec<String> = all
            .iter()
            .filter(|pipeline| expected(&json!(pipeline)).0 == "InProgress")
            .map(ResourceExt::name_any)
            .collect();
        if open.iter().all(|name| NEVER_DONE_HERE.contains(&name.as_str())) {
            Ok(())
        } else {
            Err(open.join(", "))
        }
    })
    .await;
    for (name, _) in &samples {
        judge(name, &recording.of(&bed, name).await);
    }
    nothing_differs(&bed, &samples).await;
}

/// What `kubectl diff` says of the samples now that the operator has done its work on them: nothing, whoever would apply them.
async fn nothing_differs(bed: &Bed, samples: &[(String, Value)]) {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    let text: String = samples
        .iter()
        .map(|(name, spec)| format!("---\n{}\n", super::pipelines::pipeline(name, spec)))
        .collect();
    std::fs::write(file.path(), text).unwrap();
    let server_side = ["--server-side", "--force-conflicts", "--field-manager=argocd"];
    for more in [&[][..], &server_side] {
        let arguments = [&["diff", "--filename", file.path().to_str().unwrap()], more].concat();
        // It fails where anything differs.
        assert_eq!(kubectl(&bed.namespace, &arguments).await, "", "{more:?}");
    }
}

/// Samples that wait for the night.
const NEVER_DONE_HERE: [&str; 1] = ["mlops-flowers"];

/// The same, with every number as one of the same kind: 1 and 1.0 are stored alike.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(values) => values.iter().map(plain).collect(),
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn an_edit_a_failure_and_a_suspension_are_read_rightly_too() {
    let bed = Bed::new("gitops-life").await;
    let recording = Recording::start(&dynamic(&bed)).await;
    let _operator = bed.start(&[]);
    bed.apply("chain", &chain(2)).await;
    bed.condition("chain", "Ready", "True").await;
    let mut suspended = chain(3);
    suspended["suspend"] = true.into();
    bed.apply("chain", &suspended).await;
    bed.condition("chain", "Suspended", "True").await;
    let wrong = json!({"steps": [{"name": "a", "run": {"image": "x"}, "after": ["nobody"]}]});
    bed.apply("wrong", &wrong).await;
    bed.condition("wrong", "Stalled", "True").await;
    assert_eq!(judge("wrong", &recording.of(&bed, "wrong").await), "Failed");
    let states = recording.of(&bed, "chain").await;
    assert_eq!(judge("chain", &states), "InProgress", "its third step is held back");
    let generations: Vec<_> = states.iter().map(|state| state["metadata"]["generation"].as_i64()).collect();
    let edited = generations.iter().position(|generation| *generation == Some(2)).unwrap();
    assert_eq!(
        kstatus(&states[edited..=edited]),
        ["InProgress"],
        "an edit is seen before the operator has seen it"
    );
}

/// What is applied again by anybody else never changes anything: no field of the spec is anybody's but Git's.
#[tokio::test]
async fn another_manager_that_applies_the_same_sees_no_difference() {
    let bed = Bed::new("gitops-same").await;
    let _operator = bed.start(&[]);
    for (name, spec) in samples() {
        bed.apply(&name, &spec).await;
        wait_until(&format!("{name} is looked at"), LONG, async || {
            let pipeline = bed.pipelines().get(&name).await.map_err(|error| error.to_string())?;
            let status = pipeline.status.unwrap_or_default();
            if status.is_observed() { Ok(()) } else { Err(json!(status).to_string()) }
        })
        .await;
        let before = dynamic(&bed).get(&name).await.unwrap();
        let applied = Patch::Apply(super::pipelines::pipeline(&name, &spec));
        let dry = PatchParams { dry_run: true, ..PatchParams::apply("argocd") };
        let after = dynamic(&bed).patch(&name, &dry, &applied).await.unwrap();
        assert_eq!(before.data["spec"], after.data["spec"], "{name}");
        assert_eq!(plain(&before.data["spec"]), plain(&spec), "{name}: what is stored is what was written");
        assert_eq!(before.metadata.generation, after.metadata.generation, "{name}");
        assert_eq!(
            (before.metadata.labels, before.metadata.annotations),
            (after.metadata.labels, after.metadata.annotations)
        );
    }
}
