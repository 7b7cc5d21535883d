//! Targets: what a policy protects, each an application of its own.

use super::to::report_host;
use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List, nearest};
use crate::resources::Resources;
use crate::v1alpha1::{AccessPolicySpec, TargetRef};
use countersign_ruleset::host::{Host, HostPattern};
use countersign_ruleset::names::{ApplicationId, is_dns_label};
use std::collections::BTreeMap;

mod route;

const REFERENCE: [&str; 4] = ["group", "kind", "name", "sectionName"];
const KNATIVE: &str = "serving.knative.dev";
const GATEWAY: &str = "gateway.networking.k8s.io";
const KINDS: [&str; 3] = ["Service", "HTTPRoute", "GRPCRoute"];

/// What a policy protects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    /// What could be read.
    pub(crate) these: BTreeMap<Part, Target>,
    /// Whether there is something that could not be read: it may have been any target.
    pub(crate) unknown: bool,
}

/// An application, or one section of it. Both are named at once by who names both.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub(crate) application: ApplicationId,
    /// The rule of a route; `None` for all of it.
    pub(crate) section: Option<String>,
}

/// One target of one policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Target {
    /// The hosts that it answers for.
    pub(crate) hosts: Vec<HostPattern>,
    /// Whether a Gateway accepted them.
    pub(crate) accepted: bool,
    /// Its own https URL at each of its hosts: the audiences where none is said.
    pub(crate) urls: BTreeMap<HostPattern, String>,
    /// Whether an Allow may count there. A Deny does in any case.
    pub(crate) usable: bool,
}

impl Targets {
    pub(crate) fn lower(
        resources: &Resources,
        namespace: &str,
        spec: &AccessPolicySpec,
        sink: &mut Sink,
    ) -> Self {
        let path = FieldPath::spec();
        let mut targets = Self::default();
        targets.hosts(&path.name("hosts"), &spec.hosts, sink);
        let mut lookup = Lookup {
            resources,
            namespace,
            sink,
        };
        targets.references(&path.name("targetRefs"), &spec.target_refs, &mut lookup);
        match (spec.hosts.is_absent(), spec.target_refs.is_absent()) {
            (true, true) => {
                let message = "it must say what it protects";
                let help = "write `targetRefs`, or `hosts` for a service outside the cluster";
                sink.error(&path, Code::Missing, message, Some(help.into()));
                targets.unknown = true;
            }
            (false, false) => {
                let message = "`hosts` and `targetRefs` exclude each other";
                let help = "write a policy for each".to_owned();
                sink.error(&path.name("hosts"), Code::Exclusive, message, Some(help));
                targets
                    .these
                    .values_mut()
                    .for_each(|target| target.usable = false);
            }
            _ => {}
        }
        targets
    }

    fn hosts(&mut self, path: &FieldPath, written: &Field<List<String>>, sink: &mut Sink) {
        let hosts = match sink.field(path, written) {
            Said::Absent => return,
            Said::Unknown => return self.unknown = true,
            Said::Known(hosts) => hosts,
        };
        for (n, text) in hosts.iter().enumerate() {
            let path = path.index(n);
            let parsed = text.parse::<HostPattern>();
            if let Err(expected) = &parsed {
                report_host(&path, text, expected, sink);
            }
            let usable = parsed.is_ok();
            // a Deny for `Orders.example.com` is one for `orders.example.com`
            let host = parsed
                .ok()
                .or_else(|| Host::parse(text).ok()?.as_str().parse().ok());
            let application = host
                .as_ref()
                .and_then(|host| format!("Host/{host}").parse().ok());
            let (Some(host), Some(application)) = (host, application) else {
                if usable {
                    let message = format!("expected a DNS name, got `{}`", short(text));
                    sink.error(&path, Code::InvalidValue, message, None);
                }
                self.unknown = true;
                continue;
            };
            let part = Part {
                application,
                section: None,
            };
            self.add(
                part,
                Target {
                    urls: urls([&host]),
                    hosts: vec![host],
                    accepted: false,
                    usable,
                },
            );
        }
    }

    fn references(
        &mut self,
        path: &FieldPath,
        written: &Field<List<Field<TargetRef>>>,
        lookup: &mut Lookup<'_>,
    ) {
        let references = match lookup.sink.field(path, written) {
            Said::Absent => return,
            Said::Unknown => return self.unknown = true,
            Said::Known(references) => references,
        };
        for (n, reference) in references.iter().enumerate() {
            let path = path.index(n);
            let reference = lookup.sink.required(&path, reference);
            match reference.and_then(|reference| lookup.target(&path, reference)) {
                Some((part, target)) => self.add(part, target),
                None => self.unknown = true,
            }
        }
    }

    /// A target that is named twice counts only if it does both times.
    fn add(&mut self, part: Part, target: Target) {
        let usable = target.usable;
        let there = self.these.entry(part).or_insert(target);
        there.usable &= usable;
    }
}

/// Looks up what targets refer to, in the policy's own namespace.
struct Lookup<'r> {
    resources: &'r Resources,
    namespace: &'r str,
    sink: &'r mut Sink,
}

impl Lookup<'_> {
    /// The application that is meant; `None` if it cannot be told.
    fn target(&mut self, path: &FieldPath, written: &TargetRef) -> Option<(Part, Target)> {
        let misspelt = self.sink.unread(path, &written.unread, &REFERENCE);
        // A core Service and one of Knative are called alike: which is meant is never guessed.
        let group = self.sink.required(&path.name("group"), &written.group);
        let kind = self.sink.required(&path.name("kind"), &written.kind);
        let name = self.sink.required(&path.name("name"), &written.name);
        let (group, kind, name) = (group?.as_str(), kind?.as_str(), name?.as_str());
        if kind == "Service" && !is_dns_label(name) {
            // `payroll.shop` would answer for the Service `payroll` of another namespace.
            let message = format!("expected a DNS label in lower case, got `{}`", short(name));
            self.sink
                .error(&path.name("name"), Code::InvalidValue, message, None);
            return None;
        }
        let found = match (group, kind) {
            ("", "Service") => self.service(name),
            (KNATIVE, "Service") => self.knative(name),
            (GATEWAY, "HTTPRoute" | "GRPCRoute") => self.route(path, kind, name),
            _ => {
                self.report_kind(path, group, kind);
                return None;
            }
        };
        let dot = if group.is_empty() { "" } else { "." };
        let Ok(application) = format!("{kind}{dot}{group}/{name}").parse::<ApplicationId>() else {
            let message = format!("expected a name in lower case, got `{}`", short(name));
            self.sink
                .error(&path.name("name"), Code::InvalidValue, message, None);
            return None;
        };
        let mut target = found.unwrap_or_else(|| {
            let message = format!("there is no {application} in {}", self.namespace);
            self.sink.error(path, Code::TargetNotFound, message, None);
            Target::default()
        });
        let (section, known) = self.section(path, written, (kind, name));
        target.usable &= known && !misspelt;
        let part = Part {
            application,
            section,
        };
        Some((part, target))
    }

    /// A Service has no URL that is its own alone: what is said to callers in the cluster is no name
    /// that a token should be good for.
    fn service(&self, name: &str) -> Option<Target> {
        let namespace = self.namespace;
        self.resources
            .services
            .contains(&(namespace.to_owned(), name.to_owned()))
            .then(|| {
                let names = [
                    name.to_owned(),
                    format!("{name}.{namespace}"),
                    format!("{name}.{namespace}.svc"),
                    format!("{name}.{namespace}.svc.cluster.local"),
                ];
                let hosts = names.iter().filter_map(|name| name.parse().ok()).collect();
                Target {
                    hosts,
                    usable: true,
                    ..Target::default()
                }
            })
    }

    fn knative(&self, name: &str) -> Option<Target> {
        let key = (self.namespace.to_owned(), name.to_owned());
        let url = self.resources.knative_services.get(&key)?.url.as_deref();
        let authority = url.and_then(|url| url.split_once("://")?.1.split('/').next());
        let host = authority.and_then(|authority| Host::parse(authority).ok());
        let host: Option<HostPattern> = host.and_then(|host| host.as_str().parse().ok());
        let url = url.filter(|url| url.starts_with("https://"));
        let urls = host.clone().zip(url.map(str::to_owned));
        Some(Target {
            hosts: host.into_iter().collect(),
            accepted: false,
            urls: urls.into_iter().collect(),
            usable: true,
        })
    }

    fn report_kind(&mut self, path: &FieldPath, group: &str, kind: &str) {
        let (written, of) = (short(kind), short(group));
        let message = format!(
            "expected {}, got `{written}` of the group `{of}`",
            KINDS.join(", ")
        );
        let help = match kind {
            "Service" => Some(format!("`group: \"\"`, or `group: {KNATIVE}` for Knative")),
            "HTTPRoute" | "GRPCRoute" => Some(format!("say `group: {GATEWAY}`")),
            other => nearest(other, KINDS).map(|near| format!("did you mean `{near}`?")),
        };
        self.sink
            .error(&path.name("kind"), Code::InvalidValue, message, help);
    }
}

/// `https://HOST` for each host without a wildcard.
fn urls<'h>(hosts: impl IntoIterator<Item = &'h HostPattern>) -> BTreeMap<HostPattern, String> {
    let exact = hosts.into_iter().filter(|host| host.wildcard().is_none());
    exact
        .map(|host| (host.clone(), format!("https://{host}")))
        .collect()
}
