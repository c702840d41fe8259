//! One document of the kind MLPipeline: read into a valid pipeline, or into everything that is wrong with it.

use std::collections::BTreeSet;
use std::path::Path;

use mlpipeline_core::pipeline::ValidatedPipeline;
use mlpipeline_core::validate::{FieldError, validate};
use mlpipeline_crds::{MLPipeline, StepKind};
use serde_json::{Value, json};

use super::namespace::Namespace;
use super::problem::Problem;
use super::schema::{self, Complaint};
use super::yaml::{Content, Node};

/// Reads a pipeline: the schema's complaints first, then those of the core about all that the schema let pass.
pub(super) fn read(
    file: &Path,
    node: &Node,
    namespace: Namespace<'_>,
) -> (Option<ValidatedPipeline>, Vec<Problem>) {
    let mut complaints = schema::check(node);
    let mut json = node.to_json();
    complaints.extend(set_namespace(&mut json, node, namespace));
    keep_own_metadata(&mut json);
    let replaced = replace_unreadable(&mut json, &complaints);
    let checked = match serde_json::from_value::<MLPipeline>(json) {
        Ok(resource) => validate(&resource),
        // The complaints say why; what is left to find is found once they are gone.
        Err(_) if !complaints.is_empty() => Err(Vec::new()),
        Err(error) => Err(vec![FieldError { path: String::new(), problem: error.to_string(), hint: None }]),
    };
    let (pipeline, errors) = match checked {
        Ok(pipeline) => (complaints.is_empty().then_some(pipeline), Vec::new()),
        Err(errors) => (None, errors),
    };
    let name = name_of(node, namespace);
    let mut problems: Vec<Problem> = merge(complaints, errors, &replaced, node)
        .into_iter()
        .map(|complaint| Problem {
            file: file.display().to_string(),
            at: Some(complaint.at),
            pipeline: name.clone(),
            path: complaint.path,
            problem: complaint.problem,
            hint: complaint.hint,
        })
        .collect();
    problems.sort_by_key(|problem| problem.at.map(|at| (at.line, at.column)));
    (pipeline, problems)
}

/// The pipeline as NAMESPACE/NAME, if it has a name.
pub(super) fn name_of(node: &Node, namespace: Namespace<'_>) -> Option<String> {
    let of = |key: &str| node.get("metadata").and_then(|metadata| metadata.get(key)).and_then(Node::text);
    Some(format!("{}/{}", of("namespace").or(namespace.of_unnamed()).unwrap_or("default"), of("name")?))
}

fn set_namespace(json: &mut Value, node: &Node, namespace: Namespace<'_>) -> Option<Complaint> {
    let metadata = json.get_mut("metadata")?.as_object_mut()?;
    match metadata.get("namespace").and_then(Value::as_str) {
        None => {
            metadata.insert("namespace".into(), namespace.of_unnamed()?.into());
            None
        }
        Some(written) => {
            let required = namespace.required().filter(|required| *required != written)?;
            Some(Complaint {
                path: "metadata.namespace".into(),
                at: node.find("metadata.namespace"),
                problem: format!("is \"{written}\", and the command line says \"{required}\""),
                hint: Some("remove one of the two".into()),
                is_bound: true,
            })
        }
    }
}

/// Removes what an API server adds to metadata: nothing here depends on it, and the schema has judged it.
fn keep_own_metadata(json: &mut Value) {
    if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| {
            ["name", "namespace", "labels", "annotations", "uid", "generation"].contains(&field.as_str())
        });
    }
}

/// Replaces what cannot be read into the resource's types, so that the rest can still be judged: a step by the simplest one
/// of the same name and sort, other fields by nothing. Returns the paths of the steps.
fn replace_unreadable(json: &mut Value, complaints: &[Complaint]) -> BTreeSet<String> {
    let mut replaced = BTreeSet::new();
    let unreadable = complaints
        .iter()
        .filter(|complaint| !complaint.is_bound && complaint.problem != schema::UNKNOWN_FIELD);
    for complaint in unreadable {
        let mut parts = complaint.path.split('.');
        let (Some("spec"), Some(field)) = (parts.next(), parts.next()) else { continue };
        let index = field.strip_prefix("steps[").and_then(|rest| rest.strip_suffix(']'));
        if let Some(index) = index.and_then(|index| index.parse::<usize>().ok()) {
            if let Some(step) = json.pointer_mut(&format!("/spec/steps/{index}")) {
                *step = stand_in(step);
                replaced.insert(format!("spec.{field}"));
            }
        } else if let Some(spec) = json.get_mut("spec").and_then(Value::as_object_mut) {
            spec.remove(field);
            if field == "steps" {
                spec.insert(field.to_owned(), json!([stand_in(&json!({ "name": "any" }))]));
            }
        }
    }
    replaced
}

fn stand_in(step: &Value) -> Value {
    let name = step["name"].clone();
    let kind = StepKind::ALL.into_iter().find(|kind| step.get(kind.name()).is_some());
    if kind.is_some_and(StepKind::makes_model) {
        json!({ "name": name, "import": { "onnx": { "uri": "file:model.onnx" }, "target": "y" } })
    } else if kind.is_some_and(StepKind::makes_dataset) {
        json!({ "name": name, "prepare": { "sql": "SELECT 1" } })
    } else {
        json!({ "name": name, "run": { "image": "any" } })
    }
}

/// Joins the complaints of the schema and the core, without a repetition.
fn merge(
    complaints: Vec<Complaint>,
    errors: Vec<FieldError>,
    replaced: &BTreeSet<String>,
    node: &Node,
) -> Vec<Complaint> {
    let below = |path: &str, above: &str| {
        path == above || path.strip_prefix(above).is_some_and(|rest| rest.starts_with(['.', '[']))
    };
    let is_consequence = |error: &FieldError| {
        replaced.iter().any(|step| below(&error.path, step))
            || complaints.iter().any(|complaint| {
                let parent = complaint.path.rsplit_once('.').map_or("", |(parent, _)| parent);
                let misspelt = complaint.problem == schema::UNKNOWN_FIELD
                    && complaint.hint.as_ref().is_some_and(|hint| hint.starts_with("did you mean"));
                // The core names an entry of a map in its words, the schema in its path.
                let is_of_entry = complaint.path.strip_prefix(&error.path).is_some_and(|below| {
                    let entry = below.strip_prefix('.').unwrap_or_default();
                    !entry.is_empty() && error.problem.starts_with(&format!("\"{entry}\" is"))
                });
                (!complaint.is_bound && complaint.path == error.path)
                    || (misspelt && parent == error.path)
                    || is_of_entry
            })
    };
    let errors: Vec<FieldError> = errors.into_iter().filter(|error| !is_consequence(error)).collect();
    // The core names what was found and what follows from it, where the schema only knows the bound.
    let reported: BTreeSet<String> = errors.iter().map(|error| error.path.clone()).collect();
    let mut merged: Vec<Complaint> = complaints
        .into_iter()
        .filter(|complaint| !complaint.is_bound || !reported.contains(&complaint.path))
        .collect();
    merged.extend(errors.into_iter().map(|error| Complaint {
        at: node.find(&error.path),
        hint: error.hint.or_else(|| empty_fields(node.value_at(&error.path)?)),
        path: error.path,
        problem: error.problem,
        is_bound: true,
    }));
    merged
}

/// What to do about fields of a map that have no value, and so count as left out.
fn empty_fields(node: &Node) -> Option<String> {
    let Content::Map(entries) = &node.content else { return None };
    let mut empty = entries.iter().filter(|entry| entry.value.is_null()).map(|entry| entry.key.text.as_str());
    let (first, others) = (empty.next()?, empty.next());
    let name = others.is_none().then_some(first)?;
    Some(format!(
        "{name} has no value, and counts as left out: indent its fields below it, or write {name}: {{}}"
    ))
}
