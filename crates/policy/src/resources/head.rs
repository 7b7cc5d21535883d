//! Which resource an object is: group, kind, namespace and name.

use super::Fault;
use crate::diagnostic::{FieldPath, ResourceId};
use crate::field::{described, nearest};
use crate::v1alpha1::GROUP;
use countersign_ruleset::names::{is_dns_label, is_dns_subdomain};
use serde_json::Value;

/// The groups whose kinds have a part in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Core,
    Countersign,
    Gateway,
    Knative,
}

/// Our kinds, and whether each is namespaced.
const OWN: [(&str, bool); 7] = [
    ("AccessPolicy", true),
    ("AccessRole", true),
    ("ClusterAccessPolicy", false),
    ("ClusterAccessRole", false),
    ("ClusterTrustProvider", false),
    ("Ruleset", true),
    ("TrustProvider", true),
];

/// The members of an object. What stands beside them is read by nobody, and may have been meant to
/// stand in `spec`.
const MEMBERS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// Which resource an object is.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) group: Group,
    pub(super) id: ResourceId,
}

impl Head {
    /// Reads it; `None` for kinds that have no part in a policy.
    pub(super) fn read(manifest: &Value) -> Result<Option<Self>, Fault> {
        if !manifest.is_object() {
            let got = described(manifest);
            return Err((
                FieldPath::default(),
                format!("expected an object, got {got}"),
            ));
        }
        let at = |name: &str| FieldPath::default().name(name);
        let api_version = text(manifest.get("apiVersion"), &at("apiVersion"))?;
        let kind = text(manifest.get("kind"), &at("kind"))?;
        let Some((group, namespaced)) = known(api_version, kind)? else {
            return Ok(None);
        };
        let metadata = manifest.get("metadata").unwrap_or(&Value::Null);
        let name = text(metadata.get("name"), &at("metadata").name("name"))?;
        let is_name = if (group, kind) == (Group::Core, "Namespace") {
            is_dns_label
        } else {
            is_dns_subdomain
        };
        if !is_name(name) {
            let expected = "expected a DNS name in lower case";
            return Err((
                at("metadata").name("name"),
                format!("{expected}, got `{}`", short(name)),
            ));
        }
        let namespace = if namespaced { namespace(metadata)? } else { "" };
        let (kind, namespace, name) = (kind.into(), namespace.into(), name.into());
        Ok(Some(Self {
            group,
            id: ResourceId {
                kind,
                namespace,
                name,
            },
        }))
    }
}

/// A `metadata.namespace` that is not written is `default`.
fn namespace(metadata: &Value) -> Result<&str, Fault> {
    let Some(written) = metadata.get("namespace") else {
        return Ok("default");
    };
    let path = FieldPath::default().name("metadata").name("namespace");
    let namespace = text(Some(written), &path)?;
    if is_dns_label(namespace) {
        Ok(namespace)
    } else {
        let got = short(namespace);
        Err((
            path,
            format!("expected a namespace (a DNS label), got `{got}`"),
        ))
    }
}

/// The group, and whether the kind is namespaced; `None` for kinds that have no part in a policy.
///
/// A kind or version of ours that is not known is no such kind: it may have been a Deny. Nor is one
/// of our names without a group, or anything in a group that is ours but for a slip.
fn known(api_version: &str, kind: &str) -> Result<Option<(Group, bool)>, Fault> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let own = OWN.iter().find(|(own, _)| *own == kind);
    let slipped = (own.is_some() && group.is_empty()) || nearest(GROUP, [group]).is_some();
    if group == GROUP || slipped {
        if (group, version) != (GROUP, "v1alpha1") {
            let expected = crate::v1alpha1::API_VERSION;
            let message = format!("expected `{expected}`, got `{}`", short(api_version));
            return Err((FieldPath::default().name("apiVersion"), message));
        }
        let Some((_, namespaced)) = own else {
            return Err((FieldPath::default().name("kind"), unknown_kind(kind)));
        };
        return Ok(Some((Group::Countersign, *namespaced)));
    }
    Ok(match (group, kind) {
        ("", "Namespace") => Some((Group::Core, false)),
        ("", "Service") => Some((Group::Core, true)),
        ("serving.knative.dev", "Service") => Some((Group::Knative, true)),
        ("gateway.networking.k8s.io", "Gateway" | "HTTPRoute" | "GRPCRoute") => {
            Some((Group::Gateway, true))
        }
        _ => None,
    })
}

fn unknown_kind(kind: &str) -> String {
    let names = OWN.map(|(name, _)| name);
    let got = short(kind);
    nearest(kind, names).map_or_else(
        || format!("expected one of {}, got `{got}`", names.join(", ")),
        |near| format!("expected `{near}`, got `{got}`"),
    )
}

/// The members of a `List`, as `kubectl get` prints one; `None` for anything else. What is one but for
/// a slip would hide all its members.
pub(super) fn list(manifest: &Value) -> Result<Option<&Vec<Value>>, Fault> {
    let said = |name: &str| manifest.get(name).and_then(Value::as_str).unwrap_or("");
    let (api_version, kind) = (said("apiVersion"), said("kind"));
    if api_version != "v1" {
        return Ok(None);
    }
    if kind != "List" {
        if manifest.get("items").is_some() && nearest("List", [kind]).is_some() {
            let message = format!("expected `List`, got `{}`", short(kind));
            return Err((FieldPath::default().name("kind"), message));
        }
        return Ok(None);
    }
    let items = manifest.get("items").unwrap_or(&Value::Null);
    items.as_array().map(Some).ok_or_else(|| {
        let message = format!("expected a list, got {}", described(items));
        (FieldPath::default().name("items"), message)
    })
}

/// What stands beside `spec` and not in it is not carried out, and so cannot be let pass.
pub(super) fn expect_no_stray_members(manifest: &Value) -> Result<(), Fault> {
    let mut names = manifest
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::keys);
    names
        .find(|name| !MEMBERS.contains(&name.as_str()))
        .map_or(Ok(()), |stray| {
            let expected = MEMBERS.join(", ");
            let message = format!(
                "expected {expected} and nothing else, got `{}`",
                short(stray)
            );
            Err((FieldPath::default().name(stray), message))
        })
}

fn text<'a>(value: Option<&'a Value>, path: &FieldPath) -> Result<&'a str, Fault> {
    match value {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        None => Err((path.clone(), "expected a text, got nothing".into())),
        Some(other) => {
            let message = format!(
                "expected a text with something in it, got {}",
                described(other)
            );
            Err((path.clone(), message))
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
