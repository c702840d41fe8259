//! Server-side apply, as far as one manager's fields and a few others' go: maps are merged, lists are replaced.

use serde_json::{Value, json};

use super::state::{Key, State};

/// What an apply came to.
pub enum Outcome {
    Done(Value),
    Conflict(String),
}

impl State {
    /// Applies on behalf of a manager; only the status, or all but the status.
    pub fn apply(&mut self, key: &Key, manager: &str, mut body: Value, force: bool, status: bool) -> Outcome {
        let uid = body["metadata"].as_object_mut().and_then(|metadata| metadata.remove("uid"));
        let existing = self.objects.get(key).cloned();
        if let Some(uid) = uid
            && existing.as_ref().is_none_or(|existing| existing["metadata"]["uid"] != uid)
        {
            return Outcome::Conflict(format!("uid mismatch: the provided object specified uid {uid}"));
        }
        let part = if status { json!({ "status": body["status"] }) } else { without_status(&body) };
        let holder = (key.clone(), format!("{manager}{}", if status { "/status" } else { "" }));
        let Some(mut value) = existing else {
            self.applied.insert(holder, part.clone());
            return Outcome::Done(self.create(key, part));
        };
        if !force && !holds(&value, &part) {
            return Outcome::Conflict("conflict with another manager".to_owned());
        }
        let others: Vec<Value> = self
            .applied
            .iter()
            .filter(|((applied, other), _)| applied == key && *other != holder.1)
            .map(|(_, part)| part.clone())
            .collect();
        if let Some(before) = self.applied.get(&holder) {
            remove_missing(&mut value, before, &part, &others);
        }
        merge(&mut value, &part);
        self.applied.insert(holder, part);
        Outcome::Done(self.update(key, value))
    }

    /// Merges what is said into what is there, of this uid where one is said; `None` where nothing is there.
    pub fn merge_patch(&mut self, key: &Key, mut body: Value) -> Option<Outcome> {
        let mut value = self.objects.get(key).cloned()?;
        let uid = body["metadata"].as_object_mut().and_then(|metadata| metadata.remove("uid"));
        if let Some(uid) = uid.filter(|uid| value["metadata"]["uid"] != *uid) {
            return Some(Outcome::Conflict(format!("uid mismatch: the provided object specified uid {uid}")));
        }
        merge(&mut value, &body);
        Some(Outcome::Done(self.update(key, value)))
    }

    /// Who holds which field, as the server would report it.
    pub fn managed_fields(&self, key: &Key) -> Value {
        let entries = self.applied.iter().filter(|((applied, _), _)| applied == key).map(|((_, manager), part)| {
            json!({"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields(part)})
        });
        Value::Array(entries.collect())
    }
}

fn fields(part: &Value) -> Value {
    match part {
        Value::Object(map) => map.iter().map(|(key, value)| (format!("f:{key}"), fields(value))).collect(),
        _ => json!({}),
    }
}

fn without_status(body: &Value) -> Value {
    let mut part = body.clone();
    part.as_object_mut().expect("an object").remove("status");
    part
}

fn holds(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => {
            part.iter().all(|(key, part)| value.get(key).is_none_or(|value| holds(value, part)))
        }
        _ => value == part,
    }
}

fn merge(value: &mut Value, part: &Value) {
    match (value, part) {
        (Value::Object(value), Value::Object(part)) => {
            for (key, part) in part {
                merge(value.entry(key.clone()).or_insert(Value::Null), part);
            }
        }
        (value, part) => *value = part.clone(),
    }
}

/// Takes away what the manager applied before and no longer does, unless somebody else holds it.
fn remove_missing(value: &mut Value, before: &Value, part: &Value, others: &[Value]) {
    let (Some(map), Some(before)) = (value.as_object_mut(), before.as_object()) else { return };
    for (key, was) in before {
        let others: Vec<Value> = others.iter().filter_map(|other| other.get(key).cloned()).collect();
        match (map.get_mut(key), part.get(key)) {
            (Some(value), Some(part)) => remove_missing(value, was, part, &others),
            (Some(_), None) if others.is_empty() => {
                map.remove(key);
            }
            _ => {}
        }
    }
}
