//! The routes of one namespace: what each takes, and which of them share a host.

use super::application::Subject;
use super::contest::{Contest, Rival};
use super::{Reports, sink};
use crate::diagnostic::{Code, FieldPath};
use crate::lower::section::sections;
use crate::resources::Resources;
use crate::resources::route::{Route, RouteRule, Standing};
use countersign_ruleset::host::{Claimants, HostPattern};
use countersign_ruleset::names::{ApplicationId, Scope};
use countersign_ruleset::rules::{Application, Disclose, MAX_MATCHES, Pending, Section};
use std::collections::{BTreeMap, BTreeSet};

const GATEWAY: &str = "gateway.networking.k8s.io";

/// The routes of all namespaces, each looked at once.
#[derive(Debug)]
pub(super) struct Everywhere<'r> {
    by_namespace: BTreeMap<&'r str, BTreeMap<ApplicationId, Known<'r>>>,
    /// The namespaces that claim a host.
    claims: Claimants<&'r str>,
}

/// The routes of one namespace, each with the hosts that it answers for.
#[derive(Debug)]
pub(super) struct Routes<'r> {
    namespace: &'r str,
    own: BTreeMap<&'r ApplicationId, &'r Known<'r>>,
    /// Who of them claims a host, and takes something there.
    claims: Claimants<&'r ApplicationId>,
    /// Those that may be for any host.
    anywhere: Vec<&'r ApplicationId>,
    everywhere: &'r Everywhere<'r>,
}

#[derive(Debug)]
pub(super) struct Known<'r> {
    route: &'r Route,
    /// Of none it is not known for which hosts it is.
    hosts: Vec<HostPattern>,
    /// For which it may be beside.
    pending: Option<Pending>,
    /// What it takes. One that its Gateways refused takes nothing.
    sections: Vec<Section>,
}

impl<'r> Everywhere<'r> {
    pub(super) fn of(resources: &'r Resources) -> Self {
        let mut by_namespace: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        let mut claims = Claimants::new();
        for ((kind, namespace, name), route) in &resources.routes {
            // INVARIANT: a resource's name is a DNS name, or it would not have been read
            let Ok(id) = format!("{kind}.{GATEWAY}/{name}").parse() else {
                continue;
            };
            let known = Known::of(resources, namespace, route);
            if known.is_active() {
                known
                    .patterns()
                    .for_each(|it| claims.insert(it, namespace.as_str()));
            }
            let own = by_namespace.entry(namespace.as_str()).or_default();
            own.insert(id, known);
        }
        Self {
            by_namespace,
            claims,
        }
    }
}

impl<'r> Routes<'r> {
    pub(super) fn of(everywhere: &'r Everywhere<'r>, scope: &'r Scope) -> Self {
        let namespace = scope.as_str();
        let own = everywhere.by_namespace.get(namespace).into_iter().flatten();
        let own: BTreeMap<_, _> = own.collect();
        let (mut claims, mut anywhere) = (Claimants::new(), Vec::new());
        for (id, known) in own.iter().filter(|(_, known)| known.size() > 0) {
            known.patterns().for_each(|it| claims.insert(it, *id));
            if known.may_be_for_any() {
                anywhere.push(*id);
            }
        }
        Self {
            namespace,
            own,
            claims,
            anywhere,
            everywhere,
        }
    }

    /// What a route takes. One that its Gateways refused takes nothing that is known.
    pub(super) fn sections(&self, id: &ApplicationId) -> Vec<Section> {
        let known = self.own.get(id);
        known.map(|it| it.sections.clone()).unwrap_or_default()
    }

    /// For which hosts it may be beside its own.
    pub(super) fn pending(&self, id: &ApplicationId) -> Option<Pending> {
        self.own.get(id)?.pending.clone()
    }

    /// Its rules, if it is a route whose rules can be read.
    pub(super) fn rules(&self, id: &ApplicationId) -> &'r [RouteRule] {
        let known = self.own.get(id);
        known
            .and_then(|it| it.route.rules.as_deref().ok())
            .unwrap_or_default()
    }

    /// The routes that no policy names, but that take a part of the traffic of one that is named. No
    /// policy covers what they take, and so it is not let in.
    pub(super) fn beside(
        &self,
        subjects: &BTreeMap<&ApplicationId, Subject<'_>>,
    ) -> Vec<Application> {
        let (mut named, mut any, mut some) = (Claimants::new(), false, false);
        for known in subjects.keys().filter_map(|id| self.own.get(*id)) {
            known.hosts.iter().for_each(|it| named.insert(it, ()));
            any |= known.hosts.is_empty();
            some = true;
        }
        let shares = |known: &Known<'_>| {
            let mut patterns = known.patterns();
            let mut shares = || patterns.any(|it| named.sharing(it).next().is_some());
            any || known.may_be_for_any() || shares()
        };
        let beside = self.own.iter().filter(|(id, known)| {
            some && !subjects.contains_key(*id) && known.is_active() && shares(known)
        });
        let application = |(id, known): (&&ApplicationId, &&Known<'_>)| Application {
            id: (*id).clone(),
            hosts: known.hosts.clone(),
            accepted: known.route.standing == Standing::Accepted && !known.hosts.is_empty(),
            pending: known.pending.clone(),
            sections: known.sections.clone(),
            policies: Vec::new(),
            login: None,
            forward: Vec::new(),
            disclose: Disclose::default(),
        };
        beside.map(application).collect()
    }

    /// Says where it depends on another route whether a section takes a request, and cannot be told.
    pub(super) fn warn(
        &self,
        subjects: &BTreeMap<&ApplicationId, Subject<'_>>,
        reports: &mut Reports,
    ) {
        let mut steps = super::contest::STEPS;
        for (id, subject) in subjects {
            let Some(known) = self.own.get(*id) else {
                continue;
            };
            let named = subject.members.iter();
            let named: BTreeSet<&str> = named.filter_map(|it| it.section).collect();
            let why = self.disputed((id, known), &named, &mut steps);
            for named in &subject.members {
                let Some(section) = named.section else {
                    continue;
                };
                let Some(why) = why.get(section) else {
                    continue;
                };
                let message = format!(
                    "whether the section `{section}` of {id} takes a request depends on {why}"
                );
                let help =
                    "where it cannot be told an Allow gives nothing and a Deny acts".to_owned();
                let path = FieldPath::spec().name("targetRefs");
                sink(reports, named.member.id).warning(
                    &path,
                    Code::SectionUnclear,
                    message,
                    Some(help),
                );
            }
        }
    }

    /// Of these sections of a route those that depend on another route, and on which.
    fn disputed<'s>(
        &self,
        (id, known): (&ApplicationId, &Known<'_>),
        named: &BTreeSet<&'s str>,
        steps: &mut usize,
    ) -> BTreeMap<&'s str, String> {
        let sections = known.sections.iter();
        let sections = sections.filter_map(|it| {
            let name = it.name.as_deref()?;
            Some((*named.get(name)?, it))
        });
        let sections: Vec<_> = sections.collect();
        if sections.is_empty() {
            return BTreeMap::new();
        }
        let contest = self.contest(id, known);
        let mut elsewhere = known.hosts.iter().flat_map(|host| {
            let claiming = self.everywhere.claims.sharing(host);
            claiming.filter(|it| *it != self.namespace)
        });
        let elsewhere = elsewhere.next().map(|_| {
            "a route of another namespace for the same host, which is not looked at".to_owned()
        });
        let why = sections.into_iter().filter_map(|(name, section)| {
            let why = match &contest {
                None => Some(format!(
                    "the other routes of its hosts, which have more than {MAX_MATCHES} matches with it: they are not looked at"
                )),
                Some(contest) => contest.disputes(section, steps),
            };
            Some((name, why.or_else(|| elsewhere.clone())?))
        });
        why.collect()
    }

    /// The routes that may be for one of its hosts; `None` if they have more matches with it than an
    /// edge goes through.
    fn contest(&self, id: &ApplicationId, known: &Known<'_>) -> Option<Contest<'_>> {
        let mut left = MAX_MATCHES.checked_sub(known.size())?;
        let mut rivals = BTreeMap::new();
        let all = known.hosts.is_empty().then(|| self.own.keys().copied());
        let sharing = known.hosts.iter().flat_map(|it| self.claims.sharing(it));
        let sharing = sharing.chain(self.anywhere.iter().copied());
        for other in sharing.chain(all.into_iter().flatten()) {
            if other == id || rivals.contains_key(other) {
                continue;
            }
            let rival = self.own.get(other)?;
            left = left.checked_sub(rival.size())?;
            let rival = Rival {
                sections: &rival.sections,
                hosts_known: !known.hosts.is_empty() && !rival.may_be_for_any(),
                pending: rival.pending.is_some(),
            };
            rivals.insert(other, rival);
        }
        Some(Contest::of(&rivals))
    }
}

impl<'r> Known<'r> {
    fn of(resources: &Resources, namespace: &str, route: &'r Route) -> Self {
        let hosts = resources.hosts_of(namespace, route).unwrap_or_default();
        let refused = route.standing == Standing::Refused;
        let sections = if refused { Vec::new() } else { sections(route) };
        Self {
            route,
            pending: resources.pending(namespace, route, &hosts),
            hosts,
            sections,
        }
    }

    fn is_active(&self) -> bool {
        self.route.standing != Standing::Refused
    }

    /// How many matches it has.
    fn size(&self) -> usize {
        self.sections.iter().map(|it| it.matches.len()).sum()
    }

    /// All hosts that it is known for, or may be.
    fn patterns(&self) -> impl Iterator<Item = &HostPattern> {
        let pending = match &self.pending {
            Some(Pending::Hosts(hosts)) => hosts.as_slice(),
            Some(Pending::Any) | None => &[],
        };
        self.hosts.iter().chain(pending)
    }

    /// Whether it is not known for which hosts it is.
    fn may_be_for_any(&self) -> bool {
        match &self.pending {
            Some(Pending::Any) => true,
            Some(Pending::Hosts(_)) => false,
            None => self.hosts.is_empty(),
        }
    }
}
