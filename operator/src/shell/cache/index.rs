//! The objects of one kind, found by the pipeline that they say they belong to.
//!
//! Fed by a watch. Unlike a plain reflector it answers "all of this pipeline" without looking at everybody else's objects, tells
//! which pipelines a change touches (also when a relist finds that something has gone), and never goes back to an older
//! version of an object that a write of our own has already brought.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::watcher::Event;

use crate::core::build::label;

/// Whose an object is, by its own word: a namespace and the value of the pipeline label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipelineKey {
    /// The namespace.
    pub namespace: String,
    /// The value of the pipeline label.
    pub label: String,
}

impl PipelineKey {
    /// What an object says of itself; `None` for one that names no pipeline.
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
    /// The label under which the object of this namespace and name is kept.
    homes: HashMap<(String, String), String>,
    /// What a list has brought so far, before it is complete.
    arriving: Vec<Arc<K>>,
    ready: bool,
    /// What the API server said when it last refused to show these objects; nothing once it shows them.
    refused: Option<String>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        let inner = Inner {
            by_pipeline: HashMap::new(),
            homes: HashMap::new(),
            arriving: Vec::new(),
            ready: false,
            refused: None,
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
    pub fn is_ready(&self) -> bool {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).ready
    }

    /// What the API server says where it refuses to show these objects.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).refused.clone()
    }

    /// Notes that the API server refuses to show these objects, or shows them again; whether that is news.
    pub fn note_refusal(&self, refused: Option<String>) -> bool {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = inner.refused.is_some() != refused.is_some();
        inner.refused = refused;
        is_news
    }

    /// The pipeline that the object of this name belongs to by its own word.
    #[must_use]
    pub fn home(&self, namespace: &str, name: &str) -> Option<PipelineKey> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let label = inner.homes.get(&(namespace.to_owned(), name.to_owned()))?.clone();
        Some(PipelineKey { namespace: namespace.to_owned(), label })
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

    /// Takes in what a call has answered, so that the next look sees it although the watch may be behind; whether it was not
    /// known like this.
    pub fn insert(&self, object: K) -> bool {
        !self.inner.write().unwrap_or_else(PoisonError::into_inner).put(Arc::new(object)).is_empty()
    }

    /// Forgets an object that was deleted.
    pub fn remove(&self, object: &ObjectMeta) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).take(object);
    }

    /// Takes in what the watch says, and tells whom it touches.
    pub fn take_in(&self, event: Event<K>) -> BTreeSet<PipelineKey> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Apply(object) => inner.put(Arc::new(object)),
            Event::Delete(object) => inner.take(object.meta()),
            Event::Init => {
                inner.arriving = Vec::new();
                BTreeSet::new()
            }
            Event::InitApply(object) => {
                inner.arriving.push(Arc::new(object));
                BTreeSet::new()
            }
            Event::InitDone => inner.replace(),
        }
    }
}

impl<K: Resource<DynamicType = ()> + Clone + PartialEq> Inner<K> {
    fn put(&mut self, object: Arc<K>) -> BTreeSet<PipelineKey> {
        let (Some(key), Some(name)) = (PipelineKey::of(object.meta()), object.meta().name.clone()) else {
            return BTreeSet::new();
        };
        let objects = self.by_pipeline.entry(key.clone()).or_default();
        if objects.get(&name).is_some_and(|known| is_older_or_same(object.meta(), known.meta())) {
            return BTreeSet::new();
        }
        let is_news = objects.get(&name).is_none_or(|known| !is_same_but_for_version(object.as_ref(), known));
        objects.insert(name.clone(), object);
        let mut touched = BTreeSet::new();
        // An object whose label was changed must not stay with the pipeline that it named before.
        let before = self.homes.insert((key.namespace.clone(), name.clone()), key.label.clone());
        if let Some(label) = before.filter(|label| *label != key.label) {
            let other = PipelineKey { namespace: key.namespace.clone(), label };
            self.drop_from(&other, &name);
            touched.insert(other);
        }
        if is_news {
            touched.insert(key);
        }
        touched
    }

    fn drop_from(&mut self, key: &PipelineKey, name: &str) {
        if let Some(objects) = self.by_pipeline.get_mut(key) {
            objects.remove(name);
            if objects.is_empty() {
                self.by_pipeline.remove(key);
            }
        }
    }

    fn take(&mut self, metadata: &ObjectMeta) -> BTreeSet<PipelineKey> {
        let (Some(key), Some(name)) = (PipelineKey::of(metadata), metadata.name.as_ref()) else {
            return BTreeSet::new();
        };
        // The end of an object must not take away its successor of the same name.
        let known = self.by_pipeline.get(&key).and_then(|objects| objects.get(name));
        if known.is_some_and(|known| known.meta().uid == metadata.uid) {
            self.drop_from(&key, name);
            self.homes.remove(&(key.namespace.clone(), name.clone()));
        }
        BTreeSet::from([key])
    }

    /// Puts a complete list in the place of what was known.
    fn replace(&mut self) -> BTreeSet<PipelineKey> {
        let mut next: HashMap<PipelineKey, BTreeMap<String, Arc<K>>> = HashMap::new();
        for object in std::mem::take(&mut self.arriving) {
            if let (Some(key), Some(name)) = (PipelineKey::of(object.meta()), object.meta().name.clone()) {
                next.entry(key).or_default().insert(name, object);
            }
        }
        let mut touched = BTreeSet::new();
        for key in self.by_pipeline.keys().chain(next.keys()) {
            if versions(self.by_pipeline.get(key)) != versions(next.get(key)) {
                touched.insert(key.clone());
            }
        }
        self.homes = next
            .iter()
            .flat_map(|(key, objects)| {
                objects.keys().map(|name| ((key.namespace.clone(), name.clone()), key.label.clone()))
            })
            .collect();
        self.by_pipeline = next;
        self.ready = true;
        touched
    }
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

/// Whether nothing has changed that anybody here reads: what was dropped from both has changed.
fn is_same_but_for_version<K: Resource + Clone + PartialEq>(incoming: &K, known: &K) -> bool {
    let mut known = known.clone();
    known.meta_mut().resource_version.clone_from(&incoming.meta().resource_version);
    known == *incoming
}

/// The number of an object's version.
pub(crate) fn version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests;
