//! Where a rule stands, and so which providers and roles it may name.

use super::provider::Lowered;
use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath, ResourceId};
use crate::field::{Field, nearest};
use crate::v1alpha1::{ProviderRef, RoleRef};
use countersign_ruleset::names::{ProviderId, RoleId};
use countersign_ruleset::rules::Entry;
use std::collections::BTreeMap;

const REFERENCE: [&str; 2] = ["kind", "name"];
const PROVIDERS: [&str; 2] = ["ClusterTrustProvider", "TrustProvider"];
const ROLES: [&str; 2] = ["AccessRole", "ClusterAccessRole"];

/// The provider of the cluster's own service accounts.
const KUBERNETES: &str = "kubernetes";

/// What can be referred to.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// The providers that can be used; one that is invalid, or conflicts, is not among them.
    pub(crate) providers: BTreeMap<ResourceId, Lowered>,
    /// The roles, each with the entries of its members.
    pub(crate) roles: BTreeMap<ResourceId, Vec<Entry>>,
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'w> {
    pub(crate) world: &'w World,
    /// The namespace; `None` in a resource of the cluster, which may refer to cluster kinds only.
    pub(crate) namespace: Option<&'w str>,
}

/// What a reference leads to.
#[derive(Debug)]
pub(crate) enum Found<T> {
    /// This.
    This(T),
    /// Nothing; the text names what is missed.
    Missing(String),
    /// The reference cannot be read.
    Unread,
}

/// What to say of a provider that is missed.
#[derive(Debug)]
pub(crate) struct Missed {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A provider that a rule may name.
#[derive(Debug, Clone)]
pub(crate) struct Named<'w> {
    pub(crate) id: ProviderId,
    pub(crate) lowered: &'w Lowered,
}

impl<'w> Place<'w> {
    pub(crate) fn provider(
        self,
        path: &FieldPath,
        written: &ProviderRef,
        sink: &mut Sink,
    ) -> Found<Named<'w>> {
        let spoilt = sink.unread(path, &written.unread, &REFERENCE);
        let kind = kind(
            path,
            &written.kind,
            &PROVIDERS,
            "ClusterTrustProvider",
            sink,
        );
        let name = sink.required(&path.name("name"), &written.name);
        let (Some(kind), Some(name), false) = (kind, name, spoilt) else {
            return Found::Unread;
        };
        let key = match self.key(path, kind, name, sink) {
            Ok(key) => key,
            Err(missing) => return Found::Missing(missing),
        };
        let id = format!("{kind}/{name}");
        if let (Some(lowered), Ok(id)) = (self.world.providers.get(&key), id.parse()) {
            return Found::This(Named { id, lowered });
        }
        let help = self.near(name, kind, self.world.providers.keys());
        sink.error(
            path,
            Code::ProviderNotFound,
            format!("there is no usable {key}"),
            help,
        );
        Found::Missing(short(&id))
    }

    /// The provider of the cluster's own service accounts.
    pub(crate) fn kubernetes(self, path: &FieldPath, sink: &mut Sink) -> Found<Named<'w>> {
        let name = Field::Known(KUBERNETES.to_owned());
        let reference = ProviderRef {
            name,
            ..ProviderRef::default()
        };
        self.provider(path, &reference, sink)
    }

    pub(crate) fn role(
        self,
        path: &FieldPath,
        written: &RoleRef,
        sink: &mut Sink,
    ) -> Found<RoleId> {
        let spoilt = sink.unread(path, &written.unread, &REFERENCE);
        let kind = kind(path, &written.kind, &ROLES, "AccessRole", sink);
        let name = sink.required(&path.name("name"), &written.name);
        let (Some(kind), Some(name), false) = (kind, name, spoilt) else {
            return Found::Unread;
        };
        let key = match self.key(path, kind, name, sink) {
            Ok(key) => key,
            Err(missing) => return Found::Missing(missing),
        };
        let id = format!("{kind}/{name}");
        if let (true, Ok(id)) = (self.world.roles.contains_key(&key), id.parse()) {
            return Found::This(id);
        }
        let help = self.near(name, kind, self.world.roles.keys());
        sink.error(path, Code::RoleNotFound, format!("there is no {key}"), help);
        Found::Missing(short(&id))
    }

    /// The entries of a role that is named from here.
    pub(crate) fn entries_of(self, role: &RoleId) -> &'w [Entry] {
        let Some((kind, name)) = role.as_str().split_once('/') else {
            return &[];
        };
        let own = kind == "AccessRole";
        let namespace = self
            .namespace
            .filter(|_| own)
            .unwrap_or_default()
            .to_owned();
        let key = ResourceId {
            kind: kind.to_owned(),
            namespace,
            name: name.to_owned(),
        };
        self.world.roles.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The resource that is meant. One of a namespace cannot be meant by the cluster: whose
    /// namespace, and who there may change it, it could not say.
    fn key(
        self,
        path: &FieldPath,
        kind: &str,
        name: &str,
        sink: &mut Sink,
    ) -> Result<ResourceId, String> {
        self.resource(kind, name).ok_or_else(|| {
            let (message, help) = beyond(kind);
            sink.error(
                &path.name("kind"),
                Code::NotFromCluster,
                message,
                Some(help),
            );
            format!("{kind}/{}", short(name))
        })
    }

    fn resource(self, kind: &str, name: &str) -> Option<ResourceId> {
        let own = !kind.starts_with("Cluster");
        let namespace = if own { self.namespace? } else { "" };
        Some(ResourceId {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    /// Whether a condition may name this provider: one that there is, and in reach.
    pub(crate) fn knows_provider(self, kind: &str, name: &str) -> Result<(), Missed> {
        let Some(key) = self.resource(kind, name) else {
            let (message, help) = beyond(kind);
            return Err(Missed {
                code: Code::NotFromCluster,
                message,
                help: Some(help),
            });
        };
        if self.world.providers.contains_key(&key) {
            return Ok(());
        }
        let in_reach = self.world.providers.keys().filter(|id| self.reaches(id));
        let other = in_reach.clone().find(|id| id.name == name);
        let near = other
            .map(|id| format!("{}/{}", id.kind, id.name))
            .or_else(|| {
                let names = in_reach.filter(|id| id.kind == kind);
                let near = nearest(name, names.map(|id| id.name.as_str()))?;
                Some(format!("{kind}/{near}"))
            });
        Err(Missed {
            code: Code::ProviderNotFound,
            message: format!("there is no usable {key}"),
            help: near.map(|near| format!("did you mean `{near}`?")),
        })
    }

    fn reaches(self, id: &ResourceId) -> bool {
        id.namespace.is_empty() || Some(id.namespace.as_str()) == self.namespace
    }

    /// What there is under a name like it, in reach.
    fn near<'k>(
        self,
        name: &str,
        kind: &str,
        there: impl Iterator<Item = &'k ResourceId> + Clone,
    ) -> Option<String> {
        let in_reach = there.filter(|id| self.reaches(id));
        if let Some(other) = in_reach
            .clone()
            .find(|id| id.name == name && id.kind != kind)
        {
            return Some(format!("there is {other}: say `kind: {}`", other.kind));
        }
        let names = in_reach
            .filter(|id| id.kind == kind)
            .map(|id| id.name.as_str());
        nearest(name, names).map(|near| format!("did you mean `{near}`?"))
    }
}

/// What to say of a kind that the cluster cannot name.
fn beyond(kind: &str) -> (String, String) {
    let message = format!("a resource of the cluster cannot refer to a {kind}");
    (message, format!("refer to a Cluster{kind}"))
}

/// The kind that a reference says, or the usual one.
fn kind<'k>(
    path: &FieldPath,
    written: &Field<String>,
    kinds: &[&'k str],
    usual: &'k str,
    sink: &mut Sink,
) -> Option<&'k str> {
    let path = path.name("kind");
    let kind = match sink.field(&path, written) {
        Said::Absent => return Some(usual),
        Said::Unknown => return None,
        Said::Known(kind) => kind,
    };
    let known = kinds.iter().copied().find(|known| *known == kind.as_str());
    if known.is_none() {
        let message = format!("expected {}, got `{}`", kinds.join(" or "), short(kind));
        let near = nearest(kind, kinds.iter().copied());
        let help = near.map(|near| format!("did you mean `{near}`?"));
        sink.error(&path, Code::InvalidValue, message, help);
    }
    known
}
