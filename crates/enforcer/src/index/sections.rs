//! Which route, and which section of it, takes a request by the precedence of Gateway API.
//!
//! A policy may cover one named rule of a route. It covers what is sent there, and not all that the
//! rule's matches could match: a section `/` takes nothing that a section `/v1` takes, be it another
//! route's of the same host.

use crate::request::Request;
use countersign_ruleset::host::{Claimants, Host, HostPattern};
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::path::{CanonicalPath, PathPattern, Segment};
use countersign_ruleset::rules::{Application, MAX_MATCHES, Pending, SectionMatch};
use foldhash::HashMap;
use http::Method;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What one route takes.
#[derive(Debug)]
struct Route {
    hosts: Vec<HostPattern>,
    /// For which it may be beside.
    pending: Option<Pending>,
    /// The names of its sections, those included that other sections leave nothing.
    sections: Vec<Option<Box<str>>>,
    claims: Vec<Claim>,
}

/// One match, and whose it is.
#[derive(Debug)]
struct Claim {
    section: Option<Box<str>>,
    found: SectionMatch,
    /// How specific it is; `None` where that cannot be told.
    specific: Option<Specific>,
}

/// "The most specific match wins" (`HTTPRouteRule.matches`, `GRPCRouteRule.matches`): of two that
/// cover one path the one that is specific in more segments from the left, then one with a method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Specific {
    path: Vec<Reverse<Kind>>,
    method: bool,
}

/// A segment that says more comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The path ends: an exact match.
    End,
    Literal,
    Any,
    Rest,
}

/// How specific the hostname of a route is for a host, which counts before its matches.
type Hostname = (bool, usize);

/// The routes of one application's hosts: its own and those of the others.
#[derive(Debug)]
pub(crate) struct Sections {
    own: Arc<Route>,
    /// Those whose hosts may be the same, itself among them; `None` if there are so many matches that
    /// they are not gone through.
    sharing: Sharing,
}

type Sharing = Option<Arc<[Arc<Route>]>>;

/// All routes that take something, by the hosts that they may be for.
#[derive(Debug, Default)]
struct Routes {
    all: Vec<Arc<Route>>,
    by_host: Claimants<usize>,
    /// Those that may be for any.
    anywhere: Vec<usize>,
}

/// What is asked of sections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'r> {
    /// The host, if it is one of the application's.
    host: Option<&'r Host>,
    method: &'r Method,
    path: &'r CanonicalPath,
}

impl<'r> Asked<'r> {
    pub(crate) fn of(request: &'r Request<'_>, foreign: bool) -> Self {
        Self {
            host: Some(request.host()).filter(|_| !foreign),
            method: request.method(),
            path: request.path(),
        }
    }
}

/// Who could take a request: what is asked about, and any other.
#[derive(Debug, Default)]
struct Takers {
    own: bool,
    others: bool,
}

impl Takers {
    const fn add(&mut self, own: bool) {
        self.own |= own;
        self.others |= !own;
    }
}

impl Sections {
    /// The sections of each application, with those of every other whose hosts may be the same.
    pub(crate) fn of(applications: &[Application]) -> Vec<Arc<Self>> {
        let own: Vec<Arc<Route>> = applications.iter().map(Route::new).collect();
        let routes = Routes::of(&own);
        // routes of the same hosts share them with the same others
        let mut of_hosts: HashMap<&[HostPattern], Sharing> = HashMap::default();
        let each = own.iter().map(|own| {
            // what has no sections asks for no rivals: most applications are no routes
            let sharing = if own.sections.is_empty() {
                Some(Arc::default())
            } else {
                let of_hosts = of_hosts.entry(&own.hosts);
                of_hosts.or_insert_with(|| routes.sharing(own)).clone()
            };
            let own = Arc::clone(own);
            Arc::new(Self { own, sharing })
        });
        each.collect()
    }

    /// Whether it is a route's.
    pub(crate) fn is_route(&self) -> bool {
        !self.own.sections.is_empty()
    }

    /// Whether the section of that name takes the request; of no name, whether any of the route does.
    /// What also asks for a header or a query may take what its path covers, and nothing that a more
    /// specific path takes; what a regular expression takes is never known.
    pub(crate) fn takes(&self, name: Option<&str>, asked: Asked<'_>) -> Kleene {
        let Some((surely, maybe)) = self.takers(name, asked) else {
            return Kleene::Unknown;
        };
        match (surely.own || maybe.own, surely.others || maybe.others) {
            (false, _) => Kleene::False,
            (true, false) if surely.own => Kleene::True,
            (true, _) => Kleene::Unknown,
        }
    }

    /// Whether another route takes the request, or may.
    pub(crate) fn is_contested(&self, asked: Asked<'_>) -> bool {
        let takers = self.takers(None, asked);
        takers.is_none_or(|(surely, maybe)| surely.others || maybe.others)
    }

    /// Who takes the request for certain, and who perhaps.
    fn takers(&self, name: Option<&str>, asked: Asked<'_>) -> Option<(Takers, Takers)> {
        let named = |section: &Option<Box<str>>| name.is_none() || section.as_deref() == name;
        let sharing = self.sharing.as_ref()?.iter();
        if !self.own.sections.iter().any(named) {
            return None;
        }
        let rivals = sharing.filter(|it| !Arc::ptr_eq(it, &self.own));
        let host = asked.host.and_then(|host| self.own.hostname(host));
        let (mut first, mut surely, mut perhaps) = (None, Takers::default(), Vec::new());
        let mut claim = |claim, (hostname, sure): (Option<Hostname>, bool), own| {
            let Claim {
                found, specific, ..
            }: &Claim = claim;
            let key = hostname.zip(specific.as_ref());
            if found.unknown || !sure || key.is_none() {
                perhaps.push((key, own));
            } else if key > first {
                (first, surely) = (key, Takers::default());
                surely.add(own);
            } else if key == first {
                surely.add(own);
            }
        };
        for one in self.own.covering(asked) {
            // alone, a route is not held against other hosts
            let host = host.or(Some((false, 0)));
            claim(one, (host, true), named(&one.section));
        }
        for rival in rivals {
            // of a host that is not known, or is no other's, it cannot be told who comes first
            let theirs = match (host, asked.host) {
                (Some(_), Some(host)) if !rival.may_be_for_any() => {
                    let Some((theirs, sure)) = rival.claimed(host) else {
                        continue;
                    };
                    (Some(theirs), sure)
                }
                _ => (None, false),
            };
            for one in rival.covering(asked) {
                claim(one, theirs, false);
            }
        }
        // what only perhaps takes it does so before what is less specific, or of the same
        let mut maybe = Takers::default();
        for (key, own) in perhaps {
            if key.is_none() || key >= first {
                maybe.add(own);
            }
        }
        Some((surely, maybe))
    }
}

impl Routes {
    fn of(own: &[Arc<Route>]) -> Self {
        let mut routes = Self::default();
        for route in own.iter().filter(|it| !it.claims.is_empty()) {
            let n = routes.all.len();
            for host in route.hosts.iter().chain(route.awaited()) {
                routes.by_host.insert(host, n);
            }
            if route.may_be_for_any() {
                routes.anywhere.push(n);
            }
            routes.all.push(Arc::clone(route));
        }
        routes
    }

    /// Those of which a request for one of its hosts could be. A route whose hosts are not known may
    /// have any.
    fn sharing(&self, own: &Route) -> Sharing {
        let mut places: BTreeSet<usize> = self.anywhere.iter().copied().collect();
        let mut sharing = own.hosts.iter().flat_map(|host| self.by_host.sharing(host));
        if own.hosts.is_empty() {
            places.extend(0..self.all.len());
        }
        // each takes something, so that more than these are too many
        while places.len() <= MAX_MATCHES
            && let Some(place) = sharing.next()
        {
            places.insert(place);
        }
        let routes = places.iter().filter_map(|&place| self.all.get(place));
        let size: usize = routes.clone().map(|route| route.claims.len()).sum();
        (size <= MAX_MATCHES).then(|| routes.cloned().collect())
    }
}

impl Route {
    fn new(application: &Application) -> Arc<Self> {
        let sections = || application.sections.iter();
        let claims = sections().flat_map(|section| {
            let name = section.name.as_deref();
            section.matches.iter().map(move |found| Claim {
                section: name.map(Box::from),
                found: found.clone(),
                specific: found.path.as_ref().map(|path| Specific {
                    path: kinds(path),
                    method: found.method.is_some(),
                }),
            })
        });
        Arc::new(Self {
            hosts: application.hosts.clone(),
            pending: application.pending.clone(),
            sections: sections()
                .map(|section| section.name.as_deref().map(Box::from))
                .collect(),
            claims: claims.collect(),
        })
    }

    fn covering(&self, asked: Asked<'_>) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(move |claim| {
            let found = &claim.found;
            let method = found.method.as_deref();
            let path = found.path.as_ref();
            method.is_none_or(|method| asked.method == method)
                && path.is_none_or(|path| path.matches(asked.path))
        })
    }

    /// "The largest number of characters in a matching non-wildcard hostname, then in a matching
    /// hostname" (`HTTPRouteSpec.hostnames`).
    fn hostname(&self, host: &Host) -> Option<Hostname> {
        best(&self.hosts, host)
    }

    /// The same of a rival, and whether it is known that it is for the host. Where no Gateway has said
    /// so yet it may already take what is sent there.
    fn claimed(&self, host: &Host) -> Option<(Hostname, bool)> {
        let (surely, perhaps) = (self.hostname(host), best(self.awaited(), host));
        let sure = surely >= perhaps;
        surely.max(perhaps).map(|best| (best, sure))
    }

    fn awaited(&self) -> &[HostPattern] {
        match &self.pending {
            Some(Pending::Hosts(hosts)) => hosts,
            Some(Pending::Any) | None => &[],
        }
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

fn best(patterns: &[HostPattern], host: &Host) -> Option<Hostname> {
    let matching = patterns.iter().filter(|pattern| pattern.matches(host));
    let rank = |it: &HostPattern| (it.wildcard().is_none(), it.as_str().len());
    matching.map(rank).max()
}

fn kinds(path: &PathPattern) -> Vec<Reverse<Kind>> {
    let kinds = path.segments().iter().map(|segment| match segment {
        Segment::Literal(_) => Kind::Literal,
        Segment::Any | Segment::Capture(_) => Kind::Any,
        Segment::Rest => Kind::Rest,
    });
    let rest = path.segments().last() == Some(&Segment::Rest);
    let end = Some(Kind::End).filter(|_| !rest);
    kinds.chain(end).map(Reverse).collect()
}

#[cfg(test)]
mod tests;
