//! What a condition may ask: the facts of the caller and the request, and the captures of the path.

use super::lowering::{Lowering, Value};
use super::sort::{Item, Sort};
use super::{Beside, Doubt};
use crate::cel::{Expr, Fault, Kind};
use crate::diagnostic::{Code, Severity, Span};
use crate::field::nearest;
use crate::lower::short;
use countersign_ruleset::condition::{CallerFact, Node, RequestFact};
use std::collections::{BTreeMap, BTreeSet};

const CALLER: [&str; 7] = [
    "actor", "claims", "client", "email", "groups", "provider", "subject",
];
const REQUEST: [&str; 5] = ["headers", "host", "method", "path", "source"];
/// What everything that is asked begins with.
pub(super) const ROOTS: [&str; 3] = ["caller", "request", "path"];

/// The most keys of a claim, one inside the other.
const MAX_KEYS: usize = 8;

/// The most captures that a diagnostic names.
const MOST_NAMES: usize = 16;

/// A name and the members after it: `caller.claims["tenant"]`.
struct Way<'e> {
    root: (&'e str, Span),
    keys: Vec<(&'e str, Span)>,
}

impl Lowering<'_> {
    /// A fact, or a member of what is bound.
    pub(super) fn fact(&mut self, expr: &Expr) -> Result<Value, Fault> {
        let way = way(expr)?;
        let (root, span) = way.root;
        if let Some((level, item)) = self.bound(root) {
            let mut value = self.node(Node::Bound(level), item.sort(), span)?;
            for (key, at) in way.keys {
                if value.sort != Sort::Any {
                    let message = format!("{} has no `{}`", value.sort, short(key));
                    return Err(Fault::new(at, message));
                }
                let node = Node::Select {
                    of: value.place,
                    member: key.into(),
                };
                value = self.node(node, Sort::Any, expr.span)?;
            }
            return Ok(value);
        }
        let (node, sort) = match root {
            "caller" => caller(expr, &way)?,
            "request" => request(expr, &way)?,
            "path" => self.capture(expr, &way)?,
            other => return Err(unnamed(other, span)),
        };
        self.node(node, sort, expr.span)
    }

    fn capture(&mut self, expr: &Expr, way: &Way<'_>) -> Result<(Node, Sort), Fault> {
        let [(name, _)] = &*way.keys else {
            let fault = Fault::new(expr.span, "`path` is written with the name of one capture");
            return Err(fault.help("write `path.NAME`, where a path of `to` has `{NAME}`"));
        };
        let captured = self
            .captured
            .get_or_insert_with(|| Captured::of(self.beside));
        if let Some(doubt) = captured.doubt(name, expr.span) {
            self.doubt(doubt);
        }
        Ok((Node::Capture((*name).into()), Sort::Text))
    }
}

fn caller(expr: &Expr, way: &Way<'_>) -> Result<(Node, Sort), Fault> {
    let Some(((name, at), rest)) = way.keys.split_first() else {
        return Err(whole(expr, "caller", "subject"));
    };
    if *name == "claims" {
        if rest.is_empty() {
            return Err(whole(expr, "caller.claims", "tenant"));
        }
        if rest.len() > MAX_KEYS {
            let message = format!("expected at most {MAX_KEYS} keys, got {}", rest.len());
            return Err(Fault::new(expr.span, message));
        }
        let keys = rest.iter().map(|(key, _)| (*key).to_owned());
        return Ok((Node::Claim(keys.collect()), Sort::Any));
    }
    let (fact, sort) = match *name {
        "actor" => (CallerFact::Actor, Sort::Text),
        "client" => (CallerFact::Client, Sort::Text),
        "email" => (CallerFact::Email, Sort::Text),
        "groups" => (CallerFact::Groups, Sort::List(Item::Text)),
        "provider" => (CallerFact::Provider, Sort::Text),
        "subject" => (CallerFact::Subject, Sort::Text),
        other => return Err(misspelt("caller", other, *at, &CALLER)),
    };
    ends(sort, rest)?;
    Ok((Node::Caller(fact), sort))
}

fn request(expr: &Expr, way: &Way<'_>) -> Result<(Node, Sort), Fault> {
    let Some(((name, at), rest)) = way.keys.split_first() else {
        return Err(whole(expr, "request", "path"));
    };
    let (fact, sort) = match *name {
        "headers" => {
            let Some(((header, at), rest)) = rest.split_first() else {
                let fault = Fault::new(expr.span, "`request.headers` is written with one name");
                return Err(fault.help("write `request.headers[\"x-app\"]`"));
            };
            ends(Sort::Text, rest)?;
            (RequestFact::Header(named(header, *at)?), Sort::Text)
        }
        "host" => (RequestFact::Host, Sort::Text),
        "method" => (RequestFact::Method, Sort::Text),
        "path" => (RequestFact::Path, Sort::Text),
        "source" => (RequestFact::Source, Sort::Address),
        other => return Err(misspelt("request", other, *at, &REQUEST)),
    };
    if *name != "headers" {
        ends(sort, rest)?;
    }
    Ok((Node::Request(fact), sort))
}

/// A header's name. Case is no part of it, so it is lowered in lower case.
fn named(header: &str, at: Span) -> Result<String, Fault> {
    let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    if !header.is_empty() && header.bytes().all(is_token) {
        return Ok(header.to_ascii_lowercase());
    }
    let message = format!("`{}` is no name of a header", short(header));
    Err(Fault::new(at, message))
}

fn way(expr: &Expr) -> Result<Way<'_>, Fault> {
    match &expr.kind {
        Kind::Name(name) => Ok(Way {
            root: (name, expr.span),
            keys: Vec::new(),
        }),
        Kind::Select { of, member } => {
            let mut way = way(of)?;
            way.keys.push((&member.0, member.1));
            Ok(way)
        }
        Kind::Index { of, key } => {
            let mut way = way(of)?;
            let Kind::Text(text) = &key.kind else {
                let fault = Fault::new(key.span, "expected a name in quotes between `[` and `]`");
                return Err(fault.help("of a list, ask with `in`, `exists` or `all`"));
            };
            way.keys.push((text, key.span));
            Ok(way)
        }
        _ => {
            let fault = Fault::new(expr.span, "only a fact has members");
            Err(fault.help("write `caller.`, `request.` or `path.` and a name"))
        }
    }
}

fn ends(sort: Sort, rest: &[(&str, Span)]) -> Result<(), Fault> {
    rest.first().map_or(Ok(()), |(key, at)| {
        let fault = Fault::new(*at, format!("{sort} has no `{}`", short(key)));
        Err(match sort {
            Sort::List(_) => fault.help("of a list, ask with `in`, `exists` or `all`"),
            _ => fault,
        })
    })
}

fn whole(expr: &Expr, what: &str, example: &str) -> Fault {
    let message = format!("`{what}` is written with the name of what is asked");
    Fault::new(expr.span, message).help(format!("write `{what}.{example}`"))
}

fn unnamed(name: &str, at: Span) -> Fault {
    let message = format!("there is no `{}` in a condition", short(name));
    let help = if CALLER.contains(&name) {
        format!("write `caller.{name}`")
    } else if REQUEST.contains(&name) {
        format!("write `request.{name}`")
    } else if let Some(near) = nearest(name, ROOTS) {
        format!("did you mean `{near}`?")
    } else {
        "a condition asks of `caller`, `request` and `path`; a text stands in quotes".to_owned()
    };
    Fault::new(at, message).help(help)
}

fn misspelt(of: &str, name: &str, at: Span, known: &[&str]) -> Fault {
    let message = format!("there is no `{of}.{}`", short(name));
    let help = nearest(name, known.iter().copied()).map_or_else(
        || {
            let claim = if of == "caller" {
                "; a claim is `caller.claims.NAME`"
            } else {
                ""
            };
            format!("there are {}{claim}", known.join(", "))
        },
        |near| format!("did you mean `{of}.{near}`?"),
    );
    Fault::new(at, message).help(help)
}

/// What the paths of a rule capture: how many of them each name. They are gone through once.
#[derive(Debug)]
pub(super) struct Captured<'r> {
    names: BTreeMap<&'r str, usize>,
    alternatives: usize,
}

impl<'r> Captured<'r> {
    fn of(beside: Beside<'r>) -> Self {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        let mut alternatives = 0_usize;
        for to in beside.to {
            let paths = to.paths.as_deref();
            alternatives = alternatives.saturating_add(paths.map_or(1, <[_]>::len));
            for path in paths.into_iter().flatten() {
                let each: BTreeSet<&str> = path.capture_names().collect();
                for name in each {
                    let count = names.entry(name).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        Self {
            names,
            alternatives,
        }
    }

    /// What is wrong with a capture that not every path of the rule has.
    fn doubt(&self, name: &str, span: Span) -> Option<Doubt> {
        let with = self.names.get(name).copied().unwrap_or_default();
        if with > 0 && with == self.alternatives {
            return None;
        }
        let (severity, message) = if with == 0 {
            let message = format!("no path of `to` captures `{}`", short(name));
            (Severity::Error, message)
        } else {
            let message = format!("not every path of `to` captures `{}`", short(name));
            (Severity::Warning, message)
        };
        let mut fault = Fault::new(span, message);
        fault.help = Some(if with > 0 {
            "where it is not captured it is unknown: an Allow gives nothing, a Deny acts".to_owned()
        } else if self.names.is_empty() {
            format!("capture it: `/{{{}}}/**`", short(name))
        } else {
            there_are(self.names.keys())
        });
        Some(Doubt {
            severity,
            code: Code::NotCaptured,
            fault,
        })
    }
}

/// The names that a person reads, and no more of them.
fn there_are<'n>(names: impl ExactSizeIterator<Item = &'n &'n str>) -> String {
    let more = if names.len() > MOST_NAMES {
        ", …"
    } else {
        ""
    };
    let names: Vec<&str> = names.take(MOST_NAMES).copied().collect();
    format!("there are {}{more}", names.join(", "))
}
