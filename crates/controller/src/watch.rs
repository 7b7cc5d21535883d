//! Watches the cluster: what is there, and whether it is known well enough to be acted on.

mod cluster;
mod definitions;
mod doubts;
mod kind;
mod object;
mod stream;

pub use cluster::{Cluster, Objects, Touched};
pub use definitions::Misfit;
pub use doubts::Doubts;
pub use kind::{Kind, Part};
pub use object::Object;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::Api;
use kube::core::DynamicObject;
use kube::runtime::watcher::Config;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use stream::Change;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How much may wait to be taken in.
const WAITING: usize = 1024;

/// What is known of a cluster.
#[derive(Debug)]
pub struct View {
    /// What is there.
    pub cluster: Cluster,
    /// What is wrong with the definitions of our kinds; `None` is nothing.
    definitions: BTreeMap<String, Option<Misfit>>,
    /// What cannot be watched for now, and why.
    broken: BTreeMap<String, String>,
    /// The names of the definitions of our kinds.
    expected: Vec<String>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            cluster: Cluster::default(),
            definitions: BTreeMap::new(),
            broken: BTreeMap::new(),
            expected: definitions::names(),
        }
    }
}

/// What is known of a cluster, shared.
#[derive(Debug, Clone, Default)]
pub struct Shared(Arc<RwLock<View>>);

/// What a stream tells.
#[derive(Debug)]
enum News {
    Kind(Kind, Change<Object>),
    Definition(String, Change<Box<CustomResourceDefinition>>),
}

impl Shared {
    /// Looks at it. Nothing may be awaited meanwhile.
    pub fn view(&self) -> RwLockReadGuard<'_, View> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, View> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what an API server answered to a write, before the watch tells it.
    pub fn update(&self, object: Object) -> Touched {
        self.change().cluster.update(object)
    }

    /// Watches everything, and says what each change touches, as long as it is driven.
    pub async fn follow(&self, client: Client, mut touched: impl FnMut(Touched)) {
        let (tell, mut told) = mpsc::channel(WAITING);
        let mut streams = JoinSet::new();
        for kind in Kind::ALL {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.resource());
            let news = move |change: Change<DynamicObject>| {
                let object = |it| Object::of(kind, it);
                Some(News::Kind(kind, change.map(object)?))
            };
            streams.spawn(stream::follow(api, Config::default(), tell.clone(), news));
        }
        for name in definitions::names() {
            let api: Api<CustomResourceDefinition> = Api::all(client.clone());
            let config = Config::default().fields(&format!("metadata.name={name}"));
            let news = move |change: Change<CustomResourceDefinition>| {
                let change = change.map(|it| Some(Box::new(it)))?;
                Some(News::Definition(name.clone(), change))
            };
            streams.spawn(stream::follow(api, config, tell.clone(), news));
        }
        drop(tell);
        while let Some(news) = told.recv().await {
            // what touches nothing may still be the last that was waited for
            let change = self.change().take(news);
            touched(change);
        }
    }
}

impl View {
    /// Why nothing may be done yet; nothing, if all is known.
    pub fn unready(&self) -> Vec<String> {
        let unfit = self.definitions.iter();
        let unfit = unfit.filter_map(|(name, it)| Some(format!("{name} {}", it.as_ref()?)));
        let unknown = self.expected.iter();
        let unknown = unknown.filter(|it| !self.definitions.contains_key(*it));
        let unlisted = self
            .cluster
            .unknown()
            .into_iter()
            .map(|kind| kind.to_string());
        let unlisted = unlisted.map(|what| match self.broken.get(&what) {
            Some(why) => format!("{what} could not be listed: {why}"),
            None => format!("{what} has not been listed yet"),
        });
        let unread = unknown.map(|name| format!("the definition {name} has not been read yet"));
        unfit.chain(unread).chain(unlisted).collect()
    }

    /// What cannot be watched for now.
    pub fn broken(&self) -> impl Iterator<Item = (&str, &str)> {
        let broken = self.broken.iter();
        broken.map(|(what, why)| (what.as_str(), why.as_str()))
    }

    /// Takes in what a stream told. What was known before is true until something else is.
    fn take(&mut self, news: News) -> Touched {
        match news {
            News::Kind(kind, change) => self.take_objects(kind, change),
            News::Definition(name, change) => {
                let misfit = match change {
                    Change::All(all) => definitions::misfit(&name, all.first().map(AsRef::as_ref)),
                    Change::Put(definition) => definitions::misfit(&name, Some(&definition)),
                    Change::Gone(_) | Change::Absent => definitions::misfit(&name, None),
                    Change::Broken(why) => {
                        self.break_off(format!("the definition {name}"), why);
                        return Touched::default();
                    }
                };
                self.broken.remove(&format!("the definition {name}"));
                let before = self.definitions.insert(name.clone(), misfit.clone());
                if let Some(misfit) = misfit
                    .as_ref()
                    .filter(|it| before != Some(Some((*it).clone())))
                {
                    tracing::error!("{name} {misfit}: nothing is done until that is mended");
                }
                let mended = misfit.is_none() && before != Some(None);
                Touched {
                    all: mended,
                    ..Touched::default()
                }
            }
        }
    }

    fn take_objects(&mut self, kind: Kind, change: Change<Object>) -> Touched {
        let touched = match change {
            Change::All(objects) => self.cluster.replace(kind, objects),
            Change::Put(object) => self.cluster.put(object),
            Change::Gone(object) => self.cluster.remove(kind, &object.namespace, &object.name),
            Change::Absent if kind.is_optional() => self.cluster.replace(kind, Vec::new()),
            // its objects are not what somebody took away
            Change::Absent => {
                self.cluster.forget(kind);
                self.break_off(kind.to_string(), "there is no such kind".to_owned());
                return Touched::default();
            }
            Change::Broken(why) => {
                self.break_off(kind.to_string(), why);
                return Touched::default();
            }
        };
        self.broken.remove(&kind.to_string());
        touched
    }

    fn break_off(&mut self, what: String, why: String) {
        if !self.broken.contains_key(&what) {
            tracing::warn!(what, why, "it cannot be watched for now");
        }
        self.broken.insert(what, why);
    }
}

#[cfg(test)]
mod tests;
