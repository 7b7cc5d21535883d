//! Routes as targets: which hosts are known to be theirs, and which of their sections is meant.

use super::{Lookup, Target, urls};
use crate::diagnostic::{Code, FieldPath};
use crate::field::nearest;
use crate::lower::section::unclear;
use crate::lower::{Said, short};
use crate::resources::route::{Route, Standing, Unread};
use crate::v1alpha1::TargetRef;
use countersign_ruleset::host::HostPattern;

impl<'r> Lookup<'r> {
    pub(super) fn route(&mut self, path: &FieldPath, kind: &str, name: &str) -> Option<Target> {
        let route = self.found(kind, name)?;
        let hosts = self.hosts(path, route);
        if let Err(unread) = &route.rules {
            let (code, message) = match unread {
                Unread::TooMany(message) => (Code::TooMany, message),
                Unread::NoList(message) => (Code::SectionUnclear, message),
            };
            let message = format!("the rules of {kind}/{name} cannot be read: {message}");
            self.sink.error(path, code, message, None);
        }
        Some(Target {
            accepted: route.standing == Standing::Accepted && !hosts.is_empty(),
            urls: urls(&hosts),
            hosts,
            usable: route.rules.is_ok(),
        })
    }

    /// The section that a reference names, and whether an Allow may count there. One that cannot be
    /// read is any, so that a Deny is for the whole.
    pub(super) fn section(
        &mut self,
        path: &FieldPath,
        written: &TargetRef,
        (kind, name): (&str, &str),
    ) -> (Option<String>, bool) {
        let path = path.name("sectionName");
        let section = match self.sink.field(&path, &written.section_name) {
            Said::Absent => return (None, true),
            Said::Unknown => return (None, false),
            Said::Known(section) => section,
        };
        if section.is_empty() {
            let message = "expected the name of a rule, got an empty text";
            self.sink.error(&path, Code::UnreadableValue, message, None);
            return (None, false);
        }
        if kind == "Service" {
            let message = "only a route has sections";
            self.sink.error(&path, Code::InvalidValue, message, None);
            return (None, false);
        }
        let known = self
            .found(kind, name)
            .is_some_and(|route| self.is_section(&path, (kind, name, route), section));
        (Some(section.clone()), known)
    }

    fn is_section(
        &mut self,
        path: &FieldPath,
        (kind, name, route): (&str, &str, &Route),
        section: &str,
    ) -> bool {
        let Ok(named) = route.named(section) else {
            // it has been said that they cannot be read
            return false;
        };
        if named.len() > 1 {
            let message = format!("{kind}/{name} has {} rules of this name", named.len());
            self.sink.error(path, Code::Conflicted, message, None);
            return false;
        }
        if named.is_empty() {
            let rules = route.rules.iter().flatten();
            let near = nearest(section, rules.filter_map(|rule| rule.name.as_deref()));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("{kind}/{name} has no rule `{}`", short(section));
            self.sink.error(path, Code::TargetNotFound, message, help);
            return false;
        }
        if let Some(unclear) = unclear(route, section) {
            let message = format!(
                "it cannot be told for every request whether this section takes it: {unclear}"
            );
            let help = "where it cannot be told an Allow gives nothing and a Deny acts";
            self.sink
                .warning(path, Code::SectionUnclear, message, Some(help.into()));
        }
        true
    }

    fn found(&self, kind: &str, name: &str) -> Option<&'r Route> {
        let key = (kind.to_owned(), self.namespace.to_owned(), name.to_owned());
        self.resources.routes.get(&key)
    }

    fn hosts(&mut self, path: &FieldPath, route: &Route) -> Vec<HostPattern> {
        let hosts = self.resources.hosts_of(self.namespace, route);
        let missing = match &hosts {
            Err(misnamed) => format!("a hostname of the route is none: {misnamed}"),
            Ok(hosts) if !hosts.is_empty() => return hosts.clone(),
            Ok(_) if matches!(route.standing, Standing::Pending | Standing::Refused) => {
                "no Gateway accepted the route, so that it answers for no host".to_owned()
            }
            Ok(_) if route.hostnames.is_empty() => {
                "the route names no hostname; those of its Gateway are not seen".to_owned()
            }
            Ok(_) => "no listener of its Gateways is for a hostname of the route".to_owned(),
        };
        let help = "an edge must be pinned to it, and a policy must say its `audiences`";
        self.sink
            .warning(path, Code::RouteHosts, missing, Some(help.into()));
        Vec::new()
    }
}
