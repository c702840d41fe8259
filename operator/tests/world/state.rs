//! The objects, their versions, and what happened to them.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::Call;

/// One object's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub resource: String,
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }
}

/// A change of an object: what it was, and what it is.
pub struct Change {
    pub version: u64,
    pub key: Key,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

pub struct State {
    pub now: Timestamp,
    pub version: u64,
    pub objects: BTreeMap<Key, Value>,
    /// What each field manager applied last.
    pub applied: HashMap<(Key, String), Value>,
    pub changes: Vec<Change>,
    pub trace: Vec<Call>,
    /// How often an object of this place was created, and deleted.
    pub created: BTreeMap<Key, u32>,
    pub deleted: BTreeMap<Key, u32>,
    uids: u64,
    sender: watch::Sender<u64>,
}

/// Kinds that have no generation.
const WITHOUT_GENERATION: [&str; 4] = ["services", "persistentvolumeclaims", "events", "leases"];

impl State {
    pub fn new(sender: watch::Sender<u64>) -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            version: 100,
            objects: BTreeMap::new(),
            applied: HashMap::new(),
            changes: Vec::new(),
            trace: Vec::new(),
            created: BTreeMap::new(),
            deleted: BTreeMap::new(),
            uids: 0,
            sender,
        }
    }

    /// Makes an object.
    pub fn create(&mut self, key: &Key, mut value: Value) -> Value {
        self.uids += 1;
        value["metadata"]["uid"] = json!(format!("uid-{}", self.uids));
        value["metadata"]["namespace"] = json!(key.namespace);
        value["metadata"]["name"] = json!(key.name);
        value["metadata"]["creationTimestamp"] = json!(self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        if !WITHOUT_GENERATION.contains(&key.resource.as_str()) {
            value["metadata"]["generation"] = json!(1);
        }
        default_fields(key, &mut value);
        *self.created.entry(key.clone()).or_default() += 1;
        self.store(key, None, Some(value))
    }

    /// Makes an object as it was recorded, with its uid and status: what the operator has applied of it, or all of it.
    pub fn restore(&mut self, key: &Key, value: Value) {
        // Beyond the uids of what was recorded.
        self.uids = self.uids.max(1_000_000);
        if value["metadata"]["uid"].is_null() {
            self.apply(key, "mlpipeline-operator", value, true, false);
        } else {
            self.store(key, None, Some(value));
        }
    }

    /// Puts an object in the place of what was there. One that is the same makes no new version.
    pub fn update(&mut self, key: &Key, mut value: Value) -> Value {
        let before = self.objects.get(key).cloned().expect("it is there");
        default_fields(key, &mut value);
        if value == before {
            return before;
        }
        let is_held = value["metadata"]["finalizers"].as_array().is_some_and(|held| !held.is_empty());
        if !value["metadata"]["deletionTimestamp"].is_null() && !is_held {
            self.delete(key);
            return value;
        }
        if value["spec"] != before["spec"] && !before["metadata"]["generation"].is_null() {
            value["metadata"]["generation"] =
                json!(before["metadata"]["generation"].as_i64().unwrap_or(0) + 1);
        }
        self.store(key, Some(before), Some(value))
    }

    pub fn edit(&mut self, key: &Key, change: impl FnOnce(&mut Value)) {
        let Some(mut value) = self.objects.get(key).cloned() else { return };
        change(&mut value);
        self.update(key, value);
    }

    pub fn user_applies(&mut self, key: &Key, value: &Value) {
        match self.objects.get(key).cloned() {
            None => {
                self.create(key, value.clone());
            }
            Some(mut existing) => {
                existing["spec"] = value["spec"].clone();
                self.update(key, existing);
            }
        }
    }

    /// Removes an object and, as the garbage collector does, everything that it owns.
    pub fn delete(&mut self, key: &Key) {
        let Some(before) = self.objects.get(key).cloned() else { return };
        *self.deleted.entry(key.clone()).or_default() += 1;
        self.applied.retain(|(applied, _), _| applied != key);
        let uid = before["metadata"]["uid"].clone();
        self.store(key, Some(before), None);
        let owned: Vec<Key> = self
            .objects
            .iter()
            .filter(|(_, object)| {
                let owners = object["metadata"]["ownerReferences"].as_array();
                owners.is_some_and(|owners| owners.iter().any(|owner| owner["uid"] == uid))
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in owned {
            self.delete(&key);
        }
    }

    fn store(&mut self, key: &Key, before: Option<Value>, after: Option<Value>) -> Value {
        self.version += 1;
        let version = json!(self.version.to_string());
        let after = after.map(|mut value| {
            value["metadata"]["resourceVersion"] = version.clone();
            value
        });
        match &after {
            Some(value) => self.objects.insert(key.clone(), value.clone()),
            None => self.objects.remove(key),
        };
        let answer = after.clone().or_else(|| before.clone()).unwrap_or_default();
        self.changes.push(Change { version: self.version, key: key.clone(), before, after });
        let _ = self.sender.send(self.version);
        answer
    }

    /// The objects of a resource at a version, in one namespace or in all, that carry these labels.
    pub fn list_at(
        &self,
        version: u64,
        resource: &str,
        namespace: Option<&str>,
        selector: &str,
    ) -> Vec<Value> {
        let is_asked_for =
            |key: &Key| key.resource == resource && namespace.is_none_or(|name| key.namespace == name);
        let mut then: BTreeMap<&Key, &Value> = BTreeMap::new();
        for change in
            self.changes.iter().filter(|change| change.version <= version && is_asked_for(&change.key))
        {
            match &change.after {
                Some(value) => then.insert(&change.key, value),
                None => then.remove(&change.key),
            };
        }
        then.into_values().filter(|value| matches(value, selector)).cloned().collect()
    }

    /// Lets every watch look again.
    pub fn wake(&self) {
        let _ = self.sender.send(self.version);
    }
}

/// Whether an object carries the labels of an equality selector.
pub fn matches(value: &Value, selector: &str) -> bool {
    selector.split(',').filter(|part| !part.is_empty()).all(|part| {
        let (name, wanted) = part.split_once('=').expect("an equality");
        value["metadata"]["labels"][name] == wanted
    })
}

/// The server has the service account under an old name too, and leaves both out where they are empty.
fn default_service_account(pod: &mut Map<String, Value>) {
    let names = ["serviceAccountName", "serviceAccount"];
    let name = names.iter().find_map(|field| pod.get(*field).filter(|name| **name != "").cloned());
    for field in names {
        match &name {
            Some(name) => pod.insert(field.to_owned(), name.clone()),
            None => pod.remove(field),
        };
    }
}

/// A few of the defaults that a real server writes.
fn default_fields(key: &Key, value: &mut Value) {
    for template in ["/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        if let Some(pod) = value.pointer_mut(template).and_then(Value::as_object_mut) {
            default_service_account(pod);
        }
    }
    if key.resource == "deployments" {
        let spec = &mut value["spec"];
        for (field, default) in [("replicas", json!(1)), ("revisionHistoryLimit", json!(10))] {
            if spec[field].is_null() {
                spec[field] = default;
            }
        }
        spec["template"]["spec"]["dnsPolicy"] = json!("ClusterFirst");
    }
    if key.resource == "services" && value["spec"]["clusterIP"].is_null() {
        value["spec"]["clusterIP"] = json!("10.0.0.1");
    }
}
