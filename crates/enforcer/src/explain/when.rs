//! `when`, shown: what each part of a condition came to, and the facts that it asked for.

use super::cel;
use super::from::because;
use super::part::{Part, list, shown};
use crate::claims::Fact;
use crate::condition::{self, Value};
use crate::decide::facts::At;
use crate::decide::matching::{Alternative, Setting};
use crate::index::Held;
use countersign_ruleset::condition::{CallerFact, Condition, Node, RequestFact};
use countersign_ruleset::kleene::Kleene;
use std::cell::Cell;
use std::collections::BTreeSet;

/// Headers that hold a credential, whatever a condition asks of them.
const SECRET: [&str; 4] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
];

/// The most parts of one condition that are shown by themselves.
const MOST: usize = 128;

/// `when` at one alternative; nothing where the rule has none. The values of `hidden` headers, and of
/// those that hold a credential by their name, are not shown.
pub(super) fn part(
    held: &Held,
    path: Alternative<'_>,
    setting: &Setting<'_>,
    hidden: &[String],
) -> Option<Part> {
    let condition = held.rule.when.as_ref()?;
    let budget = &setting.budget.anew();
    let setting = &Setting { budget, ..*setting };
    let at = At {
        held,
        path,
        setting,
    };
    let (truth, values) = condition::trace(condition, &at, budget);
    let told = Told {
        held,
        condition,
        texts: cel::texts(condition),
        values,
        setting,
        hidden,
        left: Cell::new(MOST),
    };
    let last = condition.nodes().len().checked_sub(1)?;
    let part = Part {
        name: "when".into(),
        ..told.part(last)
    };
    let text = told.texts.last().map_or("", String::as_str);
    Some(part.expected(text).which_is(truth))
}

/// A condition, and what its nodes came to.
struct Told<'s, 'a> {
    held: &'s Held,
    condition: &'s Condition,
    texts: Vec<String>,
    values: Vec<Value<'a>>,
    setting: &'s Setting<'s>,
    hidden: &'s [String],
    /// How many parts may still be shown: one node may be a part of many.
    left: Cell<usize>,
}

impl Told<'_, '_> {
    fn node(&self, place: usize) -> Option<&Node> {
        self.condition.nodes().get(place)
    }

    fn part(&self, place: usize) -> Part {
        let truth = self.values.get(place).map_or(Kleene::Unknown, Value::truth);
        let text = self.texts.get(place).map_or("", String::as_str);
        let each = |places: &[u16]| {
            let places = places.iter().map(|&place| usize::from(place));
            places.map(|place| self.part(place)).collect::<Vec<_>>()
        };
        self.left.set(self.left.get().saturating_sub(1));
        match self.node(place) {
            Some(Node::All(places)) if self.left.get() > places.len() => {
                Part::all(text, each(places)).which_is(truth)
            }
            Some(Node::Any(places)) if self.left.get() > places.len() => {
                Part::any(text, each(places)).which_is(truth)
            }
            _ => {
                let facts = self.facts(place);
                let leaf = Part::leaf(text, truth);
                if facts.is_empty() {
                    leaf
                } else {
                    leaf.got(facts)
                }
            }
        }
    }

    /// Every fact that a node is made of, and its value.
    fn facts(&self, place: usize) -> String {
        let (mut seen, mut open) = (BTreeSet::new(), vec![place]);
        while let Some(place) = open.pop() {
            if seen.insert(place) {
                let below = self.node(place).map(Node::places).unwrap_or_default();
                open.extend(below.into_iter().map(usize::from));
            }
        }
        let facts = seen.into_iter().filter_map(|place| {
            let value = self.fact(place, self.node(place)?)?;
            Some(format!("{} is {value}", self.texts.get(place)?))
        });
        facts.collect::<Vec<_>>().join(", ")
    }

    fn fact(&self, place: usize, node: &Node) -> Option<String> {
        let unknown = match node {
            Node::Caller(_) | Node::Claim(_) => self.unsettled(node),
            Node::Capture(_) => "unknown: this path has no such part",
            Node::Request(RequestFact::Header(name)) if self.is_secret(name) => {
                return Some("not shown".into());
            }
            Node::Request(RequestFact::Host) => "unknown: it is none of the target's",
            Node::Request(RequestFact::Source) => "unknown: the address is not established",
            Node::Request(_) => "unknown: it is there twice, or is no text",
            _ => return None,
        };
        let value = self.values.get(place);
        Some(value.map_or_else(
            || "unknown: the conditions took too many steps".into(),
            |value| told(value, unknown),
        ))
    }

    /// By its name, or because somebody put the token there, too.
    fn is_secret(&self, name: &str) -> bool {
        let request = self.setting.request;
        SECRET.contains(&name)
            || self.hidden.iter().any(|own| own.eq_ignore_ascii_case(name))
            || matches!(request.header(name), Ok(Some(value)) if request.is_credential_in(value))
    }

    /// Why a fact about the caller is not known.
    fn unsettled(&self, node: &Node) -> &'static str {
        fn why<T>(fact: &Fact<T>) -> &'static str {
            match fact {
                Fact::Unknown(why) => because(*why),
                // `null`, a fraction: there, and of no type that a condition knows
                Fact::Absent | Fact::Known(_) => "unknown: the claim is of another type",
            }
        }
        let Some(claims) = self.setting.claims else {
            return "unknown: there is no token";
        };
        if !self.held.trusts(claims) {
            return "unknown: a namespace's provider is not heard by the cluster's rules";
        }
        match node {
            Node::Claim(path) => why(&claims.claim(path)),
            Node::Caller(CallerFact::Actor) => why(&claims.actor()),
            Node::Caller(CallerFact::Client) => why(&claims.client()),
            Node::Caller(CallerFact::Email) => why(&claims.email()),
            Node::Caller(CallerFact::Groups) => why(&claims.groups()),
            _ => "unknown",
        }
    }
}

fn told(value: &Value<'_>, unknown: &str) -> String {
    match value {
        Value::Absent => "absent".into(),
        Value::Address(address) => address.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::List(members) => list(members.iter().map(|member| told(member, "unknown"))),
        Value::Object(_) => "an object".into(),
        Value::Text(text) => cel::quoted(&shown(text)),
        Value::Truth(Kleene::Unknown) => unknown.into(),
        Value::Truth(known) => super::part::told(*known).into(),
    }
}
