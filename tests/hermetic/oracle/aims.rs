//! The oracle's reading of what a policy names: targets, and what is known of them.

use super::hosts::host;
use super::meaning::list;
use super::sections::is_readable;
use super::truth::{Part, misspelt, part, text};
use super::{Asked, World};
use serde_json::{Value, json};

/// A target that a policy names.
pub(crate) struct Aim {
    /// `KIND/NAME`, of a group `KIND.GROUP/NAME`.
    pub(crate) target: String,
    pub(crate) reference: Value,
    /// Whether an Allow may count there.
    usable: bool,
}

impl Aim {
    /// The rule of a route that is meant; nothing for the whole, which is meant by what is no name too.
    pub(crate) fn section(&self) -> Option<&str> {
        let name = self.reference["sectionName"].as_str();
        name.filter(|name| !name.is_empty() && !self.target.starts_with("Service"))
    }
}

/// What can be read of what a policy names.
pub(crate) fn aims(policy: &Value) -> Vec<Aim> {
    read(policy).into_iter().flatten().collect()
}

/// 2: whether something could not be read, which may have been any target.
pub(crate) fn is_astray(policy: &Value) -> bool {
    let fields = ["hosts", "targetRefs"].map(|name| part(&policy["spec"], name));
    let none = fields.iter().all(|one| matches!(one, Part::Absent));
    let unread = fields
        .iter()
        .any(|one| matches!(one, Part::Unknown | Part::Other));
    none || unread || read(policy).iter().any(Option::is_none)
}

fn read(policy: &Value) -> Vec<Option<Aim>> {
    let spec = &policy["spec"];
    let [hosts, references] = ["hosts", "targetRefs"].map(|name| list(spec, name).iter());
    // A policy names the one or the other.
    let one = spec.get("hosts").is_none() || spec.get("targetRefs").is_none();
    // 20: a host in another spelling counts for Denies alone.
    let of_host = |written: &Value| {
        let (written, host) = (written.as_str()?, host(written.as_str()?)?);
        Some(Aim {
            target: format!("Host/{host}"),
            reference: json!({}),
            usable: one && written == host,
        })
    };
    let of_reference = |written: &Value| {
        Some(Aim {
            target: target(written)?,
            reference: written.clone(),
            usable: one && !misspelt(written, &["group", "kind", "name", "sectionName"]),
        })
    };
    hosts
        .map(of_host)
        .chain(references.map(of_reference))
        .collect()
}

/// Which of two Services that are called alike is meant is never guessed.
fn target(reference: &Value) -> Option<String> {
    let [group, kind, name] = ["group", "kind", "name"].map(|field| reference[field].as_str());
    let (group, kind, name) = (group?, kind?, name?);
    let known = match group {
        "" | "serving.knative.dev" => kind == "Service",
        "gateway.networking.k8s.io" => ["HTTPRoute", "GRPCRoute"].contains(&kind),
        _ => false,
    };
    let dot = if group.is_empty() { "" } else { "." };
    let is_name = !name.is_empty() && name == name.to_lowercase();
    (known && is_name).then(|| format!("{kind}{dot}{group}/{name}"))
}

impl World {
    /// All that the policies of the namespace name.
    pub(crate) fn targets(&self, asked: &Asked) -> Vec<String> {
        let own = self.own(asked).flat_map(aims);
        let mut targets: Vec<_> = own.map(|aim| aim.target).collect();
        targets.sort();
        targets.dedup();
        targets
    }

    /// 23: whether an Allow may count there: the target is there, and can be read.
    pub(crate) fn counts(&self, aim: &Aim) -> bool {
        let section = aim.section().is_some() || aim.reference.get("sectionName").is_none();
        let usable = aim.usable && section;
        usable && self.is_there(&aim.target) && self.route(&aim.target).is_none_or(is_readable)
    }

    /// Whether there is what is named by `KIND/NAME`. A host is wherever it is said.
    pub(crate) fn is_there(&self, target: &str) -> bool {
        let (of, name) = target.split_once('/').unwrap_or_default();
        let (kind, group) = of.split_once('.').unwrap_or((of, ""));
        let is = |one: &Value| {
            let version = text(one, "apiVersion")
                .split_once('/')
                .unwrap_or_default()
                .0;
            one["kind"] == kind && version == group && one["metadata"]["name"] == name
        };
        kind == "Host" || self.resources.iter().any(is)
    }

    /// 24: the audiences that are written; by default the target's own URL at each of its hosts, but for
    /// those of which another target answers too.
    pub(crate) fn audiences(&self, policy: &Value, asked: &Asked) -> Vec<String> {
        let written = policy["spec"].get("audiences");
        let mut audiences: Vec<String> = if let Some(written) = written {
            let written = written.as_array().into_iter().flatten();
            let texts = written.filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        } else {
            let target = self.target();
            let mut others = self.targets(asked);
            others.retain(|one| *one != target);
            let shared = |host: &String| others.iter().any(|one| self.hosts_of(one).contains(host));
            let urls = self.urls_of(&target).into_iter();
            let own = urls.filter(|(host, _)| !shared(host));
            own.map(|(_, url)| url).collect()
        };
        // 45: but for what browsers log in as.
        let clients: Vec<_> = self.clients(&asked.namespace).collect();
        audiences.retain(|one| !clients.contains(&&**one));
        audiences
    }
}
