//! What takes too many steps is unknown, and ends.

use super::{Table, claim, evaluate};
use crate::condition::budget::STEPS;
use crate::condition::{self, Budget, Facts, Value};
use countersign_ruleset::condition::{CallerFact, Condition, Node, RequestFact};
use countersign_ruleset::kleene::Kleene::{False, True, Unknown};
use serde_json::json;
use std::cell::Cell;

/// Counts how often a claim is asked for.
struct Counting<'t>(&'t Table, Cell<usize>);

impl<'a> Facts<'a> for Counting<'a> {
    fn caller(&self, fact: CallerFact) -> Value<'a> {
        self.0.caller(fact)
    }

    fn claim(&self, path: &[String]) -> Value<'a> {
        self.1.set(self.1.get().saturating_add(1));
        self.0.claim(path)
    }

    fn capture(&self, name: &str) -> Value<'a> {
        self.0.capture(name)
    }

    fn request(&self, fact: &RequestFact) -> Value<'a> {
        self.0.request(fact)
    }
}

/// `a.exists(x, b.exists(y, y in c))` or, turned over, `a.all(x, b.all(y, !(y in c)))`.
fn nested(exists: bool) -> Condition {
    let mut inner = vec![
        json!({"claim": ["c"]}),
        json!({"bound": 0}),
        json!({"in": {"item": 1, "list": 0}}),
    ];
    if !exists {
        inner.push(json!({"not": 2}));
    }
    let quantifier = if exists { "exists" } else { "every" };
    let each =
        |list: &str, body| json!([{"claim": [list]}, {quantifier: {"list": 0, "body": body}}]);
    serde_json::from_value(each("a", each("b", inner.into()))).unwrap()
}

fn lists(count: usize, member: &str) -> Table {
    let list = |text: &str| vec![text.to_owned(); count];
    Table(json!({"a": list("a"), "b": list("b"), "c": list(member)}))
}

/// The caller chooses the lists of his token, and three of them inside each other are cubic.
#[test]
fn what_takes_too_many_steps_is_unknown_and_ends() {
    for (exists, whole) in [(true, False), (false, True)] {
        let few = lists(20, "c");
        let facts = Counting(&few, Cell::new(0));
        assert_eq!(evaluate(&nested(exists), &facts), whole);
        assert_eq!(facts.1.get(), 1 + 20 + 20 * 20);
        let many = lists(400, "c");
        let facts = Counting(&many, Cell::new(0));
        assert_eq!(evaluate(&nested(exists), &facts), Unknown);
        // each of the inner list has the 400 of `c` at hand, and asks each of them
        assert!(facts.1.get() <= 2 + STEPS / 800, "{}", facts.1.get());
    }
}

/// Negated, what is not known is no more known: no budget lets anybody in or keeps a Deny from acting.
#[test]
fn what_takes_too_many_steps_is_unknown_also_when_negated() {
    let many = lists(400, "c");
    for exists in [true, false] {
        let mut nodes = nested(exists).nodes().to_vec();
        nodes.push(Node::Not(1));
        let condition = Condition::new(nodes).unwrap();
        assert_eq!(evaluate(&condition, &&many), Unknown);
    }
}

#[test]
fn the_element_that_decides_is_the_last_that_is_asked() {
    let many = lists(400, "b");
    for (exists, decided) in [(true, True), (false, False)] {
        let facts = Counting(&many, Cell::new(0));
        assert_eq!(evaluate(&nested(exists), &facts), decided);
        assert_eq!(facts.1.get(), 3);
    }
}

/// One caller's rules together cost no more than one may: what is asked after the end is unknown.
#[test]
fn a_spent_budget_leaves_everything_after_it_unknown() {
    let employee = Condition::new(vec![claim("employee")]).unwrap();
    let table = Table(json!({"employee": true}));
    let budget = Budget::default();
    let ask = || condition::evaluate(&employee, &&table, &budget);
    assert_eq!(ask(), True);
    let many = lists(400, "c");
    assert_eq!(condition::evaluate(&nested(true), &&many, &budget), Unknown);
    assert_eq!(ask(), Unknown);
    assert_eq!(evaluate(&employee, &&table), True, "another decision's");
}
