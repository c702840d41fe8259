//! Specs are searched for what takes longest to check and plan, and bounded beside what it takes to read one of the same size.
//!
//! The search begins with specs that use every field, and grows one list, map or text after another to what the CustomResourceDefinition allows,
//! and all of the spec to an eighth of its limit, from the inside outwards, keeping what makes the operator's part dearer. So a new field is searched too.

#![allow(clippy::expect_used)]

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use mlpipeline_core::observed::Observed;
use mlpipeline_core::plan::{Schedules, plan};
use mlpipeline_core::validate::{SPEC_BYTES, validate};
use mlpipeline_crds::MLPipeline;
use serde_json::{Value, json};

/// How often what is compared is timed before one is said to take longer.
const TIMES: usize = 10;

/// Which parts of what is left one list, map or text may take. A spec may be dear by one long text, or by the same again in each of many steps.
const PARTS: [usize; 2] = [4, 64];

/// The size of the specs of the search: a part of what is allowed, for quick turns. What is dear beyond all measure is so here, too.
const BYTES: usize = SPEC_BYTES / 8;

/// How many times what reading a spec of that size takes may go into checking and planning one.
const FACTOR: u32 = 10;

/// What texts grow to: letters, and what patterns, lists of names and quoted words are slow at elsewhere.
const TEXTS: [&str; 2] = [r"(?<a>\w{1000})", "$(é,"];

/// A spec, and what it costs.
#[derive(Clone)]
struct Candidate {
    spec: Value,
    cost: Duration,
}

impl Candidate {
    /// `None` when no such spec can be sent: it cannot be decoded, or is larger than one may be.
    fn of(spec: Value) -> Option<Self> {
        let resource = decoded(&spec)?;
        if spec.to_string().len() > BYTES {
            return None;
        }
        Some(Self { spec, cost: timed(|| check(&resource)) })
    }
}

/// What the operator does with a spec before it asks the cluster for anything.
fn check(resource: &MLPipeline) {
    if let Ok(pipeline) = validate(resource) {
        let _ = plan(&pipeline, &Observed::default(), Timestamp::UNIX_EPOCH, Schedules::Keep);
    }
}

/// How long some work took, of this thread's own time.
fn timed(work: impl FnOnce()) -> Duration {
    let start = time_of_thread();
    work();
    time_of_thread().saturating_sub(start)
}

/// This thread's own time where the system reports it.
fn time_of_thread() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    // The report is as old as the thread's last turn: without a new one, it lags by a tick of the system's clock, or by many that were lost.
    std::thread::yield_now();
    let reported = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = reported.as_deref().and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// Whether some work takes less than [`FACTOR`] times what other work takes: each turn times both, one after the other, so that a machine that is slower for
/// a while is so for both, and one turn is enough, since other work on the machine only adds to what is timed.
fn is_bounded(mut work: impl FnMut(), mut beside: impl FnMut()) -> bool {
    (0..TIMES).any(|_| {
        let beside = timed(&mut beside);
        timed(&mut work) < beside * FACTOR
    })
}

fn decoded(spec: &Value) -> Option<MLPipeline> {
    let resource = json!({
        "apiVersion": "mlpipeline.dev/v1alpha1", "kind": "MLPipeline",
        "metadata": {"name": "worst", "namespace": "ns", "uid": "u"}, "spec": spec,
    });
    serde_json::from_value(resource).ok()
}

/// Where a list, map or text of a spec is, and what its schema says of it.
struct Place {
    pointer: String,
    schema: Value,
}

/// Every place of a value, the inner ones first, with the first of a list's elements standing for all unless they are steps.
fn places(value: &Value, schema: &Value, pointer: &str, found: &mut Vec<Place>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let of_field = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
                let name = name.replace('~', "~0").replace('/', "~1");
                places(value, of_field, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in
                items.iter().enumerate().take(if pointer == "/steps" { items.len() } else { 1 })
            {
                places(item, &schema["items"], &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
    if value.is_string() || value.is_array() || value.is_object() {
        found.push(Place { pointer: pointer.to_owned(), schema: schema.clone() });
    }
}

/// The value made larger in each way there is, with `room` more bytes at most.
fn grown(value: &Value, schema: &Value, room: usize) -> Vec<Value> {
    let most = |name: &str| schema[name].as_u64().and_then(|most| usize::try_from(most).ok());
    let own = value.to_string().len();
    match value {
        Value::String(_) => {
            let most = most("maxLength").unwrap_or(room).min(room);
            TEXTS.iter().map(|text| Value::from(text.repeat(most / text.chars().count()))).collect()
        }
        Value::Array(items) => {
            let Some(first) = items.first() else { return Vec::new() };
            let most = most("maxItems").unwrap_or(usize::MAX);
            let each = own / items.len() + 8;
            let count = most.min(room / each);
            vec![
                (0..count)
                    .map(|index| renamed(items.get(index % items.len()).unwrap_or(first), index))
                    .collect(),
            ]
        }
        Value::Object(fields) if schema["additionalProperties"].is_object() => {
            let Some((_, first)) = fields.iter().next() else { return Vec::new() };
            let count = most("maxProperties").unwrap_or(usize::MAX).min(room / (own + 8));
            vec![Value::Object((0..count).map(|index| (format!("k{index}"), first.clone())).collect())]
        }
        _ => Vec::new(),
    }
}

/// The element of a list under a name of its own.
fn renamed(element: &Value, index: usize) -> Value {
    let mut element = element.clone();
    match &mut element {
        Value::String(text) => text.push_str(&index.to_string()),
        Value::Object(fields) => {
            if let Some(Value::String(name)) = fields.get_mut("name") {
                name.push_str(&index.to_string());
            }
        }
        _ => {}
    }
    element
}

/// The dearest spec that growing one place after another finds, where each takes such a part of what is left.
fn worst(seed: &Value, schema: &Value, part: usize) -> Candidate {
    let mut best = Candidate::of(seed.clone()).expect("a spec");
    let mut found = Vec::new();
    places(seed, schema, "", &mut found);
    for place in found {
        let Some(value) = best.spec.pointer(&place.pointer).cloned() else { continue };
        let room = BYTES.saturating_sub(best.spec.to_string().len());
        // The steps take what the others left.
        let room = if place.pointer == "/steps" { room } else { room / part };
        for value in grown(&value, &place.schema, room) {
            let mut spec = best.spec.clone();
            if let Some(here) = spec.pointer_mut(&place.pointer) {
                *here = value;
            }
            if let Some(candidate) = Candidate::of(spec).filter(|candidate| candidate.cost > best.cost) {
                best = candidate;
            }
        }
    }
    best
}

#[test]
fn d7_no_admissible_spec_takes_much_longer_to_check_than_one_of_its_size_takes_to_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let everything =
        std::fs::read_to_string(root.join("tests/tests/api_server/everything.yaml")).expect("a file");
    let everything: Value = serde_saphyr::from_str(&everything).expect("YAML");
    let definition = serde_json::to_value(mlpipeline_crds::custom_resource_definition()).expect("JSON");
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    let seeds = everything["rows"].as_array().expect("rows");
    let largest = largest(&seeds[0]);
    let read = || {
        let _: Option<MLPipeline> = decoded(&serde_json::from_str(&largest).expect("JSON"));
    };
    for (seed, part) in seeds.iter().flat_map(|seed| PARTS.map(|part| (seed, part))) {
        let worst = worst(seed, schema, part);
        let resource = decoded(&worst.spec).expect("a spec");
        assert!(is_bounded(|| check(&resource), read), "{:?} for {}", worst.cost, worst.spec);
    }
}

/// A spec of the largest size of the search, of ordinary steps.
fn largest(seed: &Value) -> String {
    let mut spec = seed.clone();
    let steps = seed["steps"].as_array().expect("steps");
    let count = BYTES / (seed["steps"].to_string().len() / steps.len());
    spec["steps"] = (0..count).map(|index| renamed(&steps[index % steps.len()], index)).collect();
    spec.to_string()
}
