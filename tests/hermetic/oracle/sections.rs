//! The oracle's reading of routes: what Gateway API precedence sends to which rule of which route.

use super::gateways::{Heard, heard};
use super::hosts::{Claim, Named};
use super::meaning::list;
use super::sent::Form;
use super::truth::{Truth, misspelt, some};
use super::what::captured;
use super::{Asked, World};
use serde_json::{Value, json};

/// How much a path says, segment by segment from the left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Says {
    /// Whatever is below.
    Below,
    /// Any one segment.
    Any,
    Literal,
    /// That nothing is below.
    End,
}

/// What comes first: the more specific hostname, then the more specific path, then what has a method.
type Rank = (Named, Vec<Says>, bool);

/// A match of a rule that takes a request, or may.
struct Taking<'a> {
    route: &'a Value,
    rule: usize,
    /// Nothing, where it cannot be told what comes before it.
    rank: Option<Rank>,
    surely: bool,
}

impl World {
    /// 22: whether a policy that names a target by this reference covers the request.
    pub(crate) fn covers(&self, reference: &Value, asked: &Asked, form: &Form) -> Truth {
        let Some(section) = reference.get("sectionName") else {
            return Some(true);
        };
        let route = self.route(&self.target())?;
        let rules = list(&route["spec"], "rules").iter().enumerate();
        let named = rules.filter(|(_, rule)| section.is_string() && rule["name"] == *section);
        let named: Vec<usize> = named.map(|(number, _)| number).collect();
        let takes = |rule: usize| self.takes(route, Some(rule), asked, form);
        match &*named {
            // A name that is not there, or is none, may mean any.
            [] => None,
            [one] => takes(*one),
            // Two of one name: which is meant is not known, nor that it is a third.
            many => some(many.iter().map(|one| takes(*one).filter(|takes| !takes))),
        }
    }

    /// Whether a rule of a route takes the request; without a rule, whether any of the route does.
    pub(crate) fn takes(
        &self,
        route: &Value,
        rule: Option<usize>,
        asked: &Asked,
        form: &Form,
    ) -> Truth {
        // One that its Gateways refused takes nothing that is known.
        if heard(route) == Heard::Refused {
            return None;
        }
        let takers = self.takers(route, asked, form);
        let own =
            |one: &&Taking<'_>| one.route == route && rule.is_none_or(|rule| rule == one.rule);
        match takers.iter().filter(own).count() {
            0 => Some(false),
            all if all == takers.len() && takers.iter().any(|one| one.surely) => Some(true),
            _ => None,
        }
    }

    /// Whether another route takes the request, or may.
    pub(crate) fn is_contested(&self, route: &Value, asked: &Asked, form: &Form) -> bool {
        let takers = self.takers(route, asked, form);
        takers.iter().any(|one| one.route != route)
    }

    /// The best match takes a request; of those that are alike the first rule's, and of two routes it is
    /// not known whose. What only perhaps takes it does so before what is alike, or less specific.
    fn takers<'a>(&'a self, route: &'a Value, asked: &Asked, form: &Form) -> Vec<Taking<'a>> {
        let mut all: Vec<Taking<'_>> = self
            .routes(&asked.namespace)
            .filter_map(|one| Some((one, self.claim(route, one, &form.host)?)))
            .flat_map(|(one, claim)| takings(one, claim, asked, form))
            .collect();
        let sure = all.iter().filter(|one| one.surely);
        let best = sure.filter_map(|one| one.rank.clone()).max();
        all.retain(|one| match &one.rank {
            None => true,
            rank if one.surely => *rank == best,
            rank => *rank >= best,
        });
        let sure = all.iter().filter(|one| one.surely);
        let sure: Vec<_> = sure.map(|one| (one.route, one.rule)).collect();
        let earlier = |one: &Taking<'_>| {
            let mut others = sure.iter();
            others.any(|(route, rule)| *route == one.route && *rule < one.rule)
        };
        all.retain(|one| !(one.surely && earlier(one)));
        all
    }
}

/// The matches of a route that take a request, or may.
fn takings<'a>(route: &'a Value, claim: Claim, asked: &Asked, form: &Form) -> Vec<Taking<'a>> {
    let taking = |(rule, one): (usize, Match)| {
        let path = one.pattern.as_deref();
        let covers = path.is_none_or(|pattern| covers(pattern, &form.path));
        let of_method = one.method.as_ref().is_none_or(|it| *it == asked.method);
        let rank = claim
            .named
            .zip(path)
            .map(|(named, pattern)| (named, says(pattern), one.method.is_some()));
        let surely = one.surely && claim.surely && rank.is_some();
        (covers && of_method).then_some(Taking {
            route,
            rule,
            rank,
            surely,
        })
    };
    matches(route).into_iter().filter_map(taking).collect()
}

fn covers(pattern: &str, path: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    captured(&pattern, path).is_some()
}

fn says(pattern: &str) -> Vec<Says> {
    let segments = pattern.split('/').skip(1);
    let segments = segments.map(|segment| match segment {
        "**" => Says::Below,
        "*" => Says::Any,
        _ => Says::Literal,
    });
    let ends = (!pattern.ends_with("/**")).then_some(Says::End);
    segments.chain(ends).collect()
}

/// One match: of which paths, as a pattern of `to`; nothing if it may be any.
#[derive(Clone)]
struct Match {
    pattern: Option<String>,
    method: Option<String>,
    surely: bool,
}

impl Match {
    /// What cannot be read may take anything.
    const ANY: Self = Self {
        pattern: None,
        method: None,
        surely: false,
    };

    fn of(pattern: String, method: Option<&str>, surely: bool) -> Self {
        Self {
            pattern: Some(pattern),
            method: method.map(str::to_owned),
            surely,
        }
    }
}

/// The matches of a route's rules, each with the rule's number.
fn matches(route: &Value) -> Vec<(usize, Match)> {
    let all = json!([{}]);
    let rules = match route["spec"].get("rules") {
        None => all.as_array(),
        Some(rules) => rules.as_array(),
    };
    let Some(rules) = rules else {
        return vec![(0, Match::ANY)];
    };
    let of_rule = |rule| matches_of(&route["kind"], rule).into_iter();
    let numbered = rules.iter().enumerate();
    let numbered = numbered.flat_map(|(number, rule)| of_rule(rule).map(move |one| (number, one)));
    // Which of `/v1` and `/v1/` is longer is read in two ways.
    let open = unsettled(rules);
    let settle = |(number, mut one): (usize, Match)| {
        one.surely &= one.pattern.as_ref().is_none_or(|it| !open.contains(it));
        (number, one)
    };
    numbered.map(settle).collect()
}

/// A rule that does not say what it takes takes all.
fn matches_of(kind: &Value, rule: &Value) -> Vec<Match> {
    const BESIDE: [&str; 6] = [
        "backendRefs",
        "filters",
        "name",
        "retry",
        "sessionPersistence",
        "timeouts",
    ];
    let read = |one: &Value| match one.as_object() {
        Some(_) if kind == "GRPCRoute" => call(one),
        Some(_) => vec![request(one)],
        None => vec![Match::ANY],
    };
    match rule.get("matches") {
        Some(Value::Array(matches)) if !matches.is_empty() => {
            matches.iter().flat_map(read).collect()
        }
        Some(Value::Array(_)) => read(&json!({})),
        None if rule.is_object() && !misspelt(rule, &BESIDE) => read(&json!({})),
        _ => vec![Match::ANY],
    }
}

/// Whether it asks for nothing beside; nothing where that cannot be told.
fn asks_no_more(one: &Value, known: &[&str]) -> Option<bool> {
    let asks = |name: &str| {
        let written = one.get(name);
        written.is_some_and(|it| it.as_array().is_none_or(|it| !it.is_empty()))
    };
    (!misspelt(one, known)).then(|| !asks("headers") && !asks("queryParams"))
}

/// A match of an HTTPRoute.
fn request(one: &Value) -> Match {
    let Some(surely) = asks_no_more(one, &["headers", "method", "path", "queryParams"]) else {
        return Match::ANY;
    };
    let method = one.get("method").map(Value::as_str);
    let method = match method {
        None => None,
        Some(Some(method @ ("GET" | "POST" | "DELETE" | "OPTIONS" | "PUT"))) => Some(method),
        Some(_) => return Match::ANY,
    };
    let path = one
        .get("path")
        .map_or_else(|| Some("/**".to_owned()), of_path);
    match path {
        Some(path) => Match::of(path, method, surely),
        None => Match {
            method: method.map(str::to_owned),
            ..Match::ANY
        },
    }
}

/// What a regular expression takes, or a path in another spelling than a request's, is never known.
fn of_path(path: &Value) -> Option<String> {
    let text = |name: &str, usual| path.get(name).map_or(Some(usual), Value::as_str);
    let value = text("value", "/")?;
    let plain = super::sent::canonical(value).as_deref() == Some(value);
    let known = path.is_object() && !misspelt(path, &["type", "value"]);
    (plain && known && !value.contains(['*', '?'])).then_some(())?;
    match text("type", "PathPrefix")? {
        "Exact" => Some(value.to_owned()),
        "PathPrefix" => Some(format!("{}/**", value.strip_suffix('/').unwrap_or(value))),
        _ => None,
    }
}

/// A match of a GRPCRoute: a call is `POST /SERVICE/METHOD`, of which the service says more than the
/// method. Whether it takes what is no call, below its service, is not known.
fn call(one: &Value) -> Vec<Match> {
    let surely = asks_no_more(one, &["headers", "method"]);
    let paths = one
        .get("method")
        .map_or_else(|| Some(("/*/*".to_owned(), "/**".to_owned())), of_call);
    let (Some(surely), Some((call, below))) = (surely, paths) else {
        return vec![Match::ANY];
    };
    vec![
        Match::of(call, Some("POST"), surely),
        Match::of(below, None, false),
    ]
}

fn of_call(method: &Value) -> Option<(String, String)> {
    let known = !misspelt(method, &["method", "service", "type"]);
    let exact = method.get("type").is_none_or(|it| it == "Exact");
    (method.is_object() && known && exact).then_some(())?;
    let name = |name: &str| match method.get(name) {
        None => Some(None),
        Some(name) => {
            let name = name.as_str()?;
            (!name.is_empty() && !name.contains(['/', '*'])).then_some(Some(name))
        }
    };
    match (name("service")?, name("method")?) {
        (Some(service), Some(method)) => {
            let call = format!("/{service}/{method}");
            Some((call.clone(), call))
        }
        (Some(service), None) => Some((format!("/{service}/*"), format!("/{service}/**"))),
        (None, Some(method)) => {
            let call = format!("/*/{method}");
            Some((call.clone(), call))
        }
        (None, None) => None,
    }
}

/// The prefixes that one rule writes with a slash at its end, and another without.
fn unsettled(rules: &[Value]) -> Vec<String> {
    let written = rules.iter().enumerate().flat_map(|(number, rule)| {
        let paths = list(rule, "matches").iter().map(|one| &one["path"]);
        let prefixes = paths.filter(|path| path.get("type").is_none_or(|it| it == "PathPrefix"));
        prefixes.filter_map(move |path| {
            let slash = path["value"].as_str()?.strip_suffix('/');
            let slash = slash.is_some_and(|bare| !bare.is_empty());
            Some((of_path(path)?, number, slash))
        })
    });
    let written: Vec<_> = written.collect();
    let differ = |(path, number, slash): &&(String, usize, bool)| {
        let mut others = written.iter().filter(|one| one.0 == *path);
        others.any(|one| one.1 != *number && one.2 != *slash)
    };
    written
        .iter()
        .filter(differ)
        .map(|(path, ..)| path.clone())
        .collect()
}

/// 22: whether the rules of a route can be read at all.
pub(crate) fn is_readable(route: &Value) -> bool {
    matches!(route["spec"].get("rules"), None | Some(Value::Array(_)))
}
