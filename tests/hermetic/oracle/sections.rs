//! The oracle's reading of routes: what Gateway API precedence sends to which rule.

use super::meaning::list;
use super::sent::Form;
use super::truth::{Part, Truth, part, some};
use super::{Asked, World};
use serde_json::Value;

/// What a match has to say for itself, in the order of the Gateway API (`HTTPRouteRule.matches`): an
/// exact path, then the longest prefix, then a method, then headers and query.
type Rank = (bool, usize, bool, bool);

/// A match of a rule that takes a request, or may.
struct Taking {
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
        let route = self.route(asked)?;
        let rules = list(&route["spec"], "rules");
        let named = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| section.is_string() && rule["name"] == *section);
        let named: Vec<usize> = named.map(|(number, _)| number).collect();
        let takes = |rule: usize| takes(rules, rule, asked, form);
        match &*named {
            // A name that is not there, or is none, may mean any.
            [] => None,
            [one] => takes(*one),
            // Two of one name: which is meant is not known, nor that it is a third.
            many => some(many.iter().map(|one| takes(*one).filter(|takes| !takes))),
        }
    }

    /// The route in front of which the edge stands, if it is one.
    pub(crate) fn route(&self, asked: &Asked) -> Option<&Value> {
        let target = self.target();
        let (kind, name) = target.split_once(".gateway.networking.k8s.io/")?;
        self.named(kind, name, Some(&asked.namespace))
    }
}

/// The best match takes a request; of those that are alike the first rule's.
fn takes(rules: &[Value], rule: usize, asked: &Asked, form: &Form) -> Truth {
    let all: Vec<Taking> = rules
        .iter()
        .enumerate()
        .flat_map(|(number, rule)| taking(number, rule, asked, form))
        .collect();
    let before = |one: &Taking, other: &Taking| match (one.rank, other.rank) {
        (Some(one_rank), Some(other_rank)) => Some((one_rank, other.rule) > (other_rank, one.rule)),
        _ => None,
    };
    let mine = all.iter().filter(|one| one.rule == rule).map(|one| {
        let mut others = all.iter().filter(|other| other.rule != rule);
        let hidden = others
            .clone()
            .any(|other| other.surely && before(other, one) == Some(true));
        let perhaps = others.any(|other| before(other, one) != Some(false));
        if hidden {
            Some(false)
        } else {
            (one.surely && !perhaps).then_some(true)
        }
    });
    some(mine)
}

/// The matches of a rule that take a request, or may.
fn taking(rule: usize, written: &Value, asked: &Asked, form: &Form) -> Vec<Taking> {
    let all = Value::Array(vec![Value::Object(serde_json::Map::new())]);
    let matches = match part(written, "matches") {
        Part::Absent => all.as_array().map_or(&[][..], Vec::as_slice),
        Part::List(matches) => matches,
        Part::Unknown | Part::Other => &[],
    };
    let taken = matches.iter().filter_map(|one| {
        let method = one.get("method").and_then(Value::as_str);
        if method.is_some_and(|method| method != asked.method) {
            return None;
        }
        let more = one.get("headers").is_some() || one.get("queryParams").is_some();
        let value = one["path"]["value"].as_str().unwrap_or("/");
        let prefix = value.strip_suffix('/').unwrap_or(value);
        let below = form
            .path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let (fits, exact) = match one["path"]["type"].as_str().unwrap_or("PathPrefix") {
            "Exact" => (form.path == value, true),
            "PathPrefix" => (below, false),
            // What a regular expression takes is never known.
            _ => {
                return Some(Taking {
                    rule,
                    rank: None,
                    surely: false,
                });
            }
        };
        let rank = Some((exact, value.len(), method.is_some(), more));
        fits.then_some(Taking {
            rule,
            rank,
            surely: !more,
        })
    });
    taken.collect()
}
