//! The objects of one kind, found by the pipeline that they say they belong to.
//!
//! Fed by a watch. Unlike a plain reflector it answers "all of this pipeline" without looking at everybody else's objects, tells
//! which pipelines a change touches (also when a relist finds that something has gone), and never goes back to an older
//! version of an object that is still there. What a list does not have is gone, though a write of our own may have made it a
//! moment later: the watch, which begins where the list ends, brings it again.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::watcher::Event;
use tokio::time::Instant;

use super::refusal::Refusal;
use mlpipeline_core::labels::label;

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
    homes: HashMap<Place, String>,
    /// What a list has brought so far, before it is complete.
    arriving: Vec<K>,
    ready: bool,
    refusal: Refusal,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        let inner = Inner {
            by_pipeline: HashMap::new(),
            homes: HashMap::new(),
            arriving: Vec::new(),
            ready: false,
            refusal: Refusal::default(),
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

    /// What the API server says where it refuses to show these objects, and has done so for a while.
    #[must_use]
    pub fn refused(&self) -> Option<String> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).refusal.said().map(str::to_owned)
    }

    /// Notes that the API server refused to show these objects; whether that is news.
    pub fn note_refusal(&self, said: String) -> bool {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let has_list = inner.ready;
        inner.refusal.note(said, has_list, Instant::now())
    }

    /// Notes that the API server shows these objects; whether that is news.
    pub fn note_sight(&self) -> bool {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).refusal.end()
    }

    /// The pipeline that the object of this name belongs to by its own word.
    #[must_use]
    pub fn home(&self, namespace: &str, name: &str) -> Option<PipelineKey> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.home(&(namespace.to_owned(), name.to_owned()))
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
        !self.inner.write().unwrap_or_else(PoisonError::into_inner).put(object).is_empty()
    }

    /// Forgets an object that was deleted.
    pub fn remove(&self, object: &ObjectMeta) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).take(object);
    }

    /// Takes in what the watch says, and tells whom it touches.
    pub fn take_in(&self, event: Event<K>) -> BTreeSet<PipelineKey> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Apply(object) => inner.put(object),
            Event::Delete(object) => inner.take(object.meta()),
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
        let home = self.home(&place);
        let known = home.as_ref().and_then(|home| self.by_pipeline.get(home)?.get(&place.1));
        if known.is_some_and(|known| is_older_or_same(object.meta(), known.meta())) {
            return BTreeSet::new();
        }
        let key = PipelineKey::of(object.meta());
        if key.is_none() && known.is_some_and(|known| version(object.meta()) <= version(known.meta())) {
            // What lost its label has gone since, and another has its name.
            return BTreeSet::new();
        }
        let is_news = key != home || known.is_none_or(|known| !is_same_but_for_version(&mut object, known));
        let mut touched = BTreeSet::new();
        // An object whose label was changed, or taken away, must not stay with the pipeline that it named before.
        if let Some(before) = home.filter(|home| Some(home) != key.as_ref()) {
            self.drop_from(&before, &place);
            touched.insert(before);
        }
        if let Some(key) = key {
            self.homes.insert(place.clone(), key.label.clone());
            self.by_pipeline.entry(key.clone()).or_default().insert(place.1, Arc::new(object));
            if is_news {
                touched.insert(key);
            }
        }
        touched
    }

    /// The pipeline with which the object of this place is kept.
    fn home(&self, place: &Place) -> Option<PipelineKey> {
        let label = self.homes.get(place)?.clone();
        Some(PipelineKey { namespace: place.0.clone(), label })
    }

    fn drop_from(&mut self, key: &PipelineKey, place: &Place) {
        self.homes.remove(place);
        if let Some(objects) = self.by_pipeline.get_mut(key) {
            objects.remove(&place.1);
            if objects.is_empty() {
                self.by_pipeline.remove(key);
            }
        }
    }

    fn take(&mut self, metadata: &ObjectMeta) -> BTreeSet<PipelineKey> {
        let mut touched: BTreeSet<PipelineKey> = PipelineKey::of(metadata).into_iter().collect();
        let Some(place) = place(metadata) else { return touched };
        // Found by its place: it may have lost its label before it went.
        let Some(home) = self.home(&place) else { return touched };
        let known = self.by_pipeline.get(&home).and_then(|objects| objects.get(&place.1));
        // The end of an object must not take away its successor of the same name.
        if known.is_some_and(|known| known.meta().uid == metadata.uid) {
            self.drop_from(&home, &place);
            touched.insert(home);
        }
        touched
    }

    /// Puts a complete list in the place of what was known.
    fn replace(&mut self) -> BTreeSet<PipelineKey> {
        let mut next: HashMap<PipelineKey, BTreeMap<String, Arc<K>>> = HashMap::new();
        let mut homes = HashMap::new();
        for listed in std::mem::take(&mut self.arriving) {
            let Some(place) = place(listed.meta()) else { continue };
            let home = self.home(&place);
            let known = home.and_then(|home| self.by_pipeline.get(&home)?.get(&place.1));
            // A write of ours may have been answered since the list was made.
            let object = match known {
                Some(known) if is_older_or_same(listed.meta(), known.meta()) => Arc::clone(known),
                _ => Arc::new(listed),
            };
            if let Some(key) = PipelineKey::of(object.meta()) {
                homes.insert(place.clone(), key.label.clone());
                next.entry(key).or_default().insert(place.1, object);
            }
        }
        let mut touched = BTreeSet::new();
        for key in self.by_pipeline.keys().chain(next.keys()) {
            if versions(self.by_pipeline.get(key)) != versions(next.get(key)) {
                touched.insert(key.clone());
            }
        }
        (self.homes, self.by_pipeline, self.ready) = (homes, next, true);
        touched
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

/// Whether nothing has changed that anybody here reads: what was dropped from both has changed.
fn is_same_but_for_version<K: Resource + PartialEq>(incoming: &mut K, known: &K) -> bool {
    // Lent for the comparison: a copy of the whole object would cost more than all the rest.
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
