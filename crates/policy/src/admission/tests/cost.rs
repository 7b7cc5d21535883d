//! What the expressions cost a server at most, reckoned as cel-go does.
//!
//! A name, a choice of a field, a call: 1 each. A fold over a list or map: 3 for each member (whether
//! to go on, and both sides of its `&&`), 1 for its result, and what its body costs. To find a text
//! in a list of constants costs nothing. A fold over names ends at the first that is not known.

use super::super::{Level, Step, levels};
use crate::crd;
use serde_json::Value;

/// What one expression may cost, and all of a policy's together (`k8s.io/apiserver/pkg/apis/cel`).
const PER_EXPRESSION: usize = 1_000_000;
const PER_POLICY: usize = 10_000_000;

/// What etcd takes in one request, if nothing else is said: nothing larger is ever stored.
const LARGEST: usize = 1536 * 1024;

#[test]
fn the_largest_that_can_be_stored_is_within_what_a_server_spends() {
    for definition in crd::all() {
        let kind = &definition.spec.names.kind;
        let written = serde_json::to_value(&definition).unwrap();
        let root = &written["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let spec = &root["properties"]["spec"];
        let levels = levels(&definition);
        for level in &levels {
            let cost = most(level, spec, LARGEST);
            assert!(cost < PER_EXPRESSION, "{kind} {}: {cost}", level.path());
        }
        // of two lists of rules each may be the larger, by sixteenths; but not both
        for part in 0..16 {
            let costs = levels.iter().map(|level| {
                let denies = level.path().starts_with("spec.deny[]");
                let parts = if denies { 16 - part } else { part + 1 };
                most(level, spec, LARGEST / 16 * parts)
            });
            let together: usize = costs.sum();
            assert!(together < PER_POLICY, "{kind}: {together}");
        }
    }
}

/// The most that an expression costs, whatever is written as far as it fits into so many bytes.
///
/// Each list on the way costs as if nothing but it were written, and its members as short as they
/// may be.
fn most(level: &Level, spec: &Value, bytes: usize) -> usize {
    let mut schema = spec;
    let (mut cost, mut members) = (1, 1);
    // what is chosen to come to the place, and what is written around it, from the innermost list on
    let (mut chosen, mut around) = (2, 0);
    for step in &level.steps {
        match step {
            Step::Field(name) => {
                // `has` and `!`, and the way to the place of both
                cost += members * (chosen + 2);
                schema = &schema["properties"][name];
                around += name.len() + "{\"\":}".len();
                chosen += 1;
            }
            Step::Member => {
                let all = usize::try_from(schema["maxItems"].as_u64().unwrap()).unwrap();
                // the list's own way and result, for each that there is
                cost += members * (chosen + 1);
                schema = &schema["items"];
                members = (members * all).min(bytes / (smallest(schema) + 1));
                cost += members * 3;
                (chosen, around) = (1, 1);
            }
        }
    }
    // the way to a value, its name, the choice, the comparison, and the `&&` before
    let value = if level.looks_at_values() {
        chosen + 4
    } else {
        0
    };
    cost + inside(schema, members, (chosen, around, 4 + value), bytes)
}

/// What the names in each of so many objects cost: some of them, the shortest first.
fn inside(
    schema: &Value,
    members: usize,
    (chosen, around, name): (usize, usize, usize),
    bytes: usize,
) -> usize {
    let fields = schema["properties"].as_object().unwrap();
    let mut sizes: Vec<_> = fields
        .iter()
        .map(|(n, f)| n.len() + 4 + smallest(f))
        .collect();
    sizes.sort_unstable();
    let (mut size, mut most) = (1, 0);
    for (n, field) in sizes.iter().enumerate() {
        size += field;
        let fit = members.min(bytes / (around + size.max(smallest(schema))));
        most = most.max(fit * (chosen + 1 + name * (n + 1)));
    }
    // an object with nothing in it, and one more name that is not known
    most.max(members * (chosen + 1)) + name
}

/// How many bytes a value has at least, as JSON.
fn smallest(schema: &Value) -> usize {
    let number = |keyword: &str| usize::try_from(schema[keyword].as_u64().unwrap_or(0)).unwrap();
    match schema["type"].as_str().unwrap() {
        "object" => {
            let fields = schema["properties"].as_object();
            let of = |name: &str| name.len() + 4 + smallest(&schema["properties"][name]);
            let needed = schema["required"].as_array().into_iter().flatten();
            let needed: usize = needed.map(|name| of(name.as_str().unwrap())).sum();
            let one = fields.into_iter().flatten().map(|(name, _)| of(name)).min();
            let one = one.filter(|_| number("minProperties") > 0).unwrap_or(0);
            (1 + needed.max(one)).max(2)
        }
        "array" => 2 + number("minItems") * smallest(&schema["items"]),
        "string" => 2 + number("minLength"),
        _ => 1,
    }
}
