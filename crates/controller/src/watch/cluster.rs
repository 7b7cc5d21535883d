//! The cluster, as it is known: every object that has a part in a policy, and what a change touches.

use super::kind::Kind;
use super::object::Object;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The objects of one namespace, or of none, by kind and name.
pub type Objects = BTreeMap<(Kind, String), Arc<Object>>;

/// Every object that has a part in a policy.
#[derive(Debug, Default)]
pub struct Cluster {
    /// By namespace; what is in none stands under the empty name.
    by_namespace: BTreeMap<String, Objects>,
    /// The kinds that have been listed, or are known to be absent.
    known: BTreeSet<Kind>,
}

/// What must be compiled anew after a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// The resources of the cluster, and with them every namespace.
    pub all: bool,
    /// What the cluster is told of its resources, whichever namespace they are in.
    pub cluster: bool,
    /// Every namespace that has routes.
    pub routes: bool,
    /// These namespaces.
    pub namespaces: BTreeSet<String>,
}

impl Cluster {
    /// Takes an object in, new or changed; not one that is older than what is known.
    pub fn put(&mut self, object: Object) -> Touched {
        let known = self.object(object.kind, &object.namespace, &object.name);
        if known.is_some_and(|known| object.is_before(known)) {
            return Touched::default();
        }
        self.take(object)
    }

    /// Takes in what an API server answered to a write of ours. An object that is not known is one that
    /// is gone by now, and must not come back.
    pub fn update(&mut self, object: Object) -> Touched {
        let known = self.object(object.kind, &object.namespace, &object.name);
        if known.is_some_and(|known| known.uid == object.uid) {
            return self.put(object);
        }
        Touched::default()
    }

    fn take(&mut self, object: Object) -> Touched {
        let mut touched = Touched::default();
        let object = Arc::new(object);
        let key = (object.kind, object.name.clone());
        let objects = self.by_namespace.entry(object.namespace.clone());
        let before = objects.or_default().insert(key, Arc::clone(&object));
        if !before.is_some_and(|before| before.means(&object)) {
            touched.by(object.kind, &object.namespace, &object.name);
        }
        touched
    }

    /// Forgets an object.
    pub fn remove(&mut self, kind: Kind, namespace: &str, name: &str) -> Touched {
        let mut touched = Touched::default();
        if let Some(objects) = self.by_namespace.get_mut(namespace) {
            if objects.remove(&(kind, name.to_owned())).is_some() {
                touched.by(kind, namespace, name);
            }
            if objects.is_empty() {
                self.by_namespace.remove(namespace);
            }
        }
        touched
    }

    /// Takes in all objects of a kind: what is not among them is gone. A kind that an API server does
    /// not have is one without objects.
    pub fn replace(&mut self, kind: Kind, objects: Vec<Object>) -> Touched {
        self.known.insert(kind);
        let key = |it: &Object| (it.namespace.clone(), it.name.clone());
        let there: BTreeSet<_> = objects.iter().map(key).collect();
        let gone: Vec<_> = self.of_kind(kind).map(|it| key(it)).collect();
        let mut touched = Touched::default();
        for (namespace, name) in gone.into_iter().filter(|it| !there.contains(it)) {
            touched.add(self.remove(kind, &namespace, &name));
        }
        // a list is the whole truth, also where it is older than what was known: an etcd was restored
        for object in objects {
            touched.add(self.take(object));
        }
        touched
    }

    /// Knows of a kind no longer what there is; what was there is remembered.
    pub fn forget(&mut self, kind: Kind) {
        self.known.remove(&kind);
    }

    /// The kinds of which it is not known yet what there is.
    pub fn unknown(&self) -> Vec<Kind> {
        let all = Kind::ALL.into_iter();
        all.filter(|kind| !self.known.contains(kind)).collect()
    }

    /// The objects of a namespace; of the cluster, if the name is empty.
    pub fn objects(&self, namespace: &str) -> impl Iterator<Item = &Arc<Object>> {
        self.by_namespace
            .get(namespace)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// One object.
    pub fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        let objects = self.by_namespace.get(namespace)?;
        objects.get(&(kind, name.to_owned()))
    }

    /// All objects of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
        self.by_namespace
            .values()
            .flat_map(move |it| within(it, kind))
    }

    /// The objects of a kind in a namespace.
    pub fn of_kind_in(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = &Arc<Object>> {
        let objects = self.by_namespace.get(namespace).into_iter();
        objects.flat_map(move |it| within(it, kind))
    }

    /// The namespaces that have objects of ours.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        let ours = |objects: &Objects| objects.keys().any(|(kind, _)| kind.is_ours());
        let all = self.by_namespace.iter();
        let named = all.filter(move |(name, objects)| !name.is_empty() && ours(objects));
        named.map(|(name, _)| name.as_str())
    }

    /// Whether a namespace has routes.
    pub fn has_routes(&self, namespace: &str) -> bool {
        let routes = [Kind::GrpcRoute, Kind::HttpRoute].into_iter();
        routes
            .map(|kind| self.of_kind_in(kind, namespace).count())
            .sum::<usize>()
            > 0
    }
}

/// The objects of one kind.
fn within(objects: &Objects, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
    let from = objects.range((kind, String::new())..);
    from.take_while(move |((it, _), _)| *it == kind)
        .map(|(_, object)| object)
}

impl Touched {
    /// Whether nothing is.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// All that either is.
    pub fn add(&mut self, other: Self) {
        self.all |= other.all;
        self.cluster |= other.cluster;
        self.routes |= other.routes;
        self.namespaces.extend(other.namespaces);
    }

    /// What a change of one object touches.
    fn by(&mut self, kind: Kind, namespace: &str, name: &str) {
        match kind {
            Kind::ClusterAccessPolicy | Kind::ClusterAccessRole | Kind::ClusterTrustProvider => {
                self.all = true;
            }
            Kind::Gateway => self.routes = true,
            Kind::Namespace => drop(self.namespaces.insert(name.to_owned())),
            Kind::TrustProvider => {
                self.cluster = true;
                self.namespaces.insert(namespace.to_owned());
            }
            Kind::AccessPolicy
            | Kind::AccessRole
            | Kind::Ruleset
            | Kind::Service
            | Kind::KnativeService
            | Kind::GrpcRoute
            | Kind::HttpRoute
            | Kind::EndpointSlice => drop(self.namespaces.insert(namespace.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
