//! The objects of one kind, found by the pipeline that they say they belong to.
//!
//! Fed by a watch. Unlike a plain reflector it finds all objects of one pipeline without reading those of others, reports which
//! pipelines a change affects (also when a relist finds that something was deleted), and never goes back to an older version of an
//! object that still exists. An object that a list lacks is gone. Where a write of our own has created it a moment later, the
//! watch, which starts where the list ends, delivers it again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::watcher::Event;
use tokio::time::Instant;

use super::access_denied::AccessDenied;
use mlpipeline_core::labels::label;

/// The pipeline that owns an object, as its labels say: a namespace and the value of the pipeline label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipelineKey {
    /// The namespace.
    pub namespace: String,
    /// The value of the pipeline label.
    pub label: String,
}

impl PipelineKey {
    /// The owner that an object's labels name; `None` where they name none.
    #[must_use]
    pub fn of(metadata: &ObjectMeta) -> Option<Self> {
        Some(Self {
            namespace: metadata.namespace.clone()?,
            label: metadata.labels.as_ref()?.get(label::PIPELINE)?.clone(),
        })
    }
}

/// Objects of one kind.
#[derive(Debug)]
pub struct Index<K> {
    inner: RwLock<Inner<K>>,
}

#[derive(Debug)]
struct Inner<K> {
    by_pipeline: HashMap<PipelineKey, BTreeMap<String, Arc<K>>>,
    /// The pipeline label of the object of this namespace and name.
    owner_labels: HashMap<Place, String>,
    /// What a list has delivered so far, before it is complete.
    arriving: Vec<K>,
    is_listed: bool,
    access_denied: AccessDenied,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        let inner = Inner {
            by_pipeline: HashMap::new(),
            owner_labels: HashMap::new(),
            arriving: Vec::new(),
            is_listed: false,
            access_denied: AccessDenied::default(),
        };
        Self { inner: RwLock::new(inner) }
    }
}

impl<K: Resource<DynamicType = ()> + Clone + PartialEq> Index<K> {
    /// All objects of one pipeline, by name.
    #[must_use]
    pub fn of(&self, key: &PipelineKey) -> Vec<Arc<K>> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.by_pipeline.get(key).map(|objects| objects.values().cloned().collect()).unwrap_or_default()
    }

    /// Whether the first list is complete.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).is_listed
    }

    /// The API server's message where it has denied access to these objects for a while.
    #[must_use]
    pub fn access_denied(&self) -> Option<String> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).access_denied.message().map(str::to_owned)
    }

    /// Notes that the API server denied access to these objects; whether that is new.
    pub fn note_denied(&self, message: String) -> bool {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let has_list = inner.is_listed;
        inner.access_denied.note(message, has_list, Instant::now())
    }

    /// Notes that the API server allows access to these objects; whether that is new.
    pub fn note_allowed(&self) -> bool {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).access_denied.end()
    }

    /// The pipeline that owns the object of this name, as its labels say.
    #[must_use]
    pub fn owner_key(&self, namespace: &str, name: &str) -> Option<PipelineKey> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.owner_key(&(namespace.to_owned(), name.to_owned()))
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.by_pipeline.values().map(BTreeMap::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores the response to a call, so that the next reconcile sees it although the watch may be behind; whether it was not
    /// known like this.
    pub fn insert(&self, object: K) -> bool {
        !self.inner.write().unwrap_or_else(PoisonError::into_inner).put(object).is_empty()
    }

    /// Removes an object that was deleted.
    pub fn remove(&self, object: &ObjectMeta) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).delete(object);
    }

    /// Applies an event of the watch; the pipelines that it affects.
    pub fn apply_event(&self, event: Event<K>) -> BTreeSet<PipelineKey> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Apply(object) => inner.put(object),
            Event::Delete(object) => inner.delete(object.meta()),
            Event::Init => {
                inner.arriving = Vec::new();
                BTreeSet::new()
            }
            Event::InitApply(object) => {
                inner.arriving.push(object);
                BTreeSet::new()
            }
            Event::InitDone => inner.replace(),
        }
    }
}

impl<K: Resource<DynamicType = ()> + Clone + PartialEq> Inner<K> {
    fn put(&mut self, mut object: K) -> BTreeSet<PipelineKey> {
        let Some(place) = place(object.meta()) else { return BTreeSet::new() };
        let owner = self.owner_key(&place);
        let known = owner.as_ref().and_then(|owner| self.by_pipeline.get(owner)?.get(&place.1));
        if known.is_some_and(|known| is_older_or_same(object.meta(), known.meta())) {
            return BTreeSet::new();
        }
        let key = PipelineKey::of(object.meta());
        if key.is_none() && known.is_some_and(|known| version(object.meta()) <= version(known.meta())) {
            // The object that lost its label is gone, and another has its name.
            return BTreeSet::new();
        }
        let is_new = key != owner || known.is_none_or(|known| !is_same_but_for_version(&mut object, known));
        let mut affected = BTreeSet::new();
        // An object whose label was changed or removed must not stay with the pipeline that it named before.
        if let Some(before) = owner.filter(|owner| Some(owner) != key.as_ref()) {
            self.drop_from(&before, &place);
            affected.insert(before);
        }
        if let Some(key) = key {
            self.owner_labels.insert(place.clone(), key.label.clone());
            self.by_pipeline.entry(key.clone()).or_default().insert(place.1, Arc::new(object));
            if is_new {
                affected.insert(key);
            }
        }
        affected
    }

    /// The pipeline under which the object of this place is stored.
    fn owner_key(&self, place: &Place) -> Option<PipelineKey> {
        let label = self.owner_labels.get(place)?.clone();
        Some(PipelineKey { namespace: place.0.clone(), label })
    }

    fn drop_from(&mut self, key: &PipelineKey, place: &Place) {
        self.owner_labels.remove(place);
        if let Some(objects) = self.by_pipeline.get_mut(key) {
            objects.remove(&place.1);
            if objects.is_empty() {
                self.by_pipeline.remove(key);
            }
        }
    }

    fn delete(&mut self, metadata: &ObjectMeta) -> BTreeSet<PipelineKey> {
        let mut affected: BTreeSet<PipelineKey> = PipelineKey::of(metadata).into_iter().collect();
        let Some(place) = place(metadata) else { return affected };
        // Found by its place: it may have lost its label before it was deleted.
        let Some(owner) = self.owner_key(&place) else { return affected };
        let known = self.by_pipeline.get(&owner).and_then(|objects| objects.get(&place.1));
        // The deletion of an object must not remove its successor of the same name.
        if known.is_some_and(|known| known.meta().uid == metadata.uid) {
            self.drop_from(&owner, &place);
            affected.insert(owner);
        }
        affected
    }

    /// Replaces what was known by a complete list.
    fn replace(&mut self) -> BTreeSet<PipelineKey> {
        let mut next: HashMap<PipelineKey, BTreeMap<String, Arc<K>>> = HashMap::new();
        let mut owner_labels = HashMap::new();
        for listed in std::mem::take(&mut self.arriving) {
            let Some(place) = place(listed.meta()) else { continue };
            let owner = self.owner_key(&place);
            let known = owner.and_then(|owner| self.by_pipeline.get(&owner)?.get(&place.1));
            // The response to a write of ours may be newer than the list.
            let object = match known {
                Some(known) if is_older_or_same(listed.meta(), known.meta()) => Arc::clone(known),
                _ => Arc::new(listed),
            };
            if let Some(key) = PipelineKey::of(object.meta()) {
                owner_labels.insert(place.clone(), key.label.clone());
                next.entry(key).or_default().insert(place.1, object);
            }
        }
        let mut affected = BTreeSet::new();
        for key in self.by_pipeline.keys().chain(next.keys()) {
            if versions(self.by_pipeline.get(key)) != versions(next.get(key)) {
                affected.insert(key.clone());
            }
        }
        (self.owner_labels, self.by_pipeline, self.is_listed) = (owner_labels, next, true);
        affected
    }
}

/// Where an object is: its namespace and its name.
type Place = (String, String);

fn place(metadata: &ObjectMeta) -> Option<Place> {
    Some((metadata.namespace.clone()?, metadata.name.clone()?))
}

fn versions<K: Resource<DynamicType = ()>>(
    objects: Option<&BTreeMap<String, Arc<K>>>,
) -> Vec<(Option<&String>, Option<&String>)> {
    objects
        .into_iter()
        .flat_map(|objects| objects.values())
        .map(|object| (object.meta().uid.as_ref(), object.meta().resource_version.as_ref()))
        .collect()
}

/// Whether an object is an earlier state than the known one. Versions of one object are numbers that grow.
fn is_older_or_same(incoming: &ObjectMeta, known: &ObjectMeta) -> bool {
    incoming.uid == known.uid
        && matches!((version(incoming), version(known)), (Some(incoming), Some(known)) if incoming <= known)
}

/// Whether only fields have changed that were dropped from both.
fn is_same_but_for_version<K: Resource + PartialEq>(incoming: &mut K, known: &K) -> bool {
    // Swapped for the comparison: a copy of the whole object would cost more than all the rest.
    let lent = known.meta().resource_version.clone();
    let own = std::mem::replace(&mut incoming.meta_mut().resource_version, lent);
    let is_same = *incoming == *known;
    incoming.meta_mut().resource_version = own;
    is_same
}

/// The number of an object's version.
pub(crate) fn version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests;
