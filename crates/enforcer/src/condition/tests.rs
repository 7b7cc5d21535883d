//! Conditions over a small table of facts.

mod steps;

use super::{Budget, Facts, Value};
use countersign_ruleset::condition::{
    CallerFact, Condition, Literal, Node, Operator, Place, RequestFact,
};
use countersign_ruleset::kleene::Kleene::{self, False, True, Unknown};
use serde_json::json;
use std::borrow::Cow;

/// By a budget of its own.
fn evaluate<'a>(condition: &Condition, facts: &dyn Facts<'a>) -> Kleene {
    super::evaluate(condition, facts, &Budget::default())
}

struct Table(serde_json::Value);

impl<'a> Facts<'a> for &'a Table {
    fn caller(&self, fact: CallerFact) -> Value<'a> {
        match fact {
            CallerFact::Groups => Value::UNKNOWN,
            CallerFact::Subject => Value::Text(Cow::Borrowed("ana")),
            _ => Value::Absent,
        }
    }

    fn claim(&self, path: &[String]) -> Value<'a> {
        let found = path.iter().try_fold(&self.0, |at, key| at.get(key));
        found.map_or(Value::Absent, Value::of_json)
    }

    fn capture(&self, name: &str) -> Value<'a> {
        if name == "tenant" {
            Value::Text(Cow::Borrowed("acme"))
        } else {
            Value::UNKNOWN
        }
    }

    fn request(&self, fact: &RequestFact) -> Value<'a> {
        match fact {
            RequestFact::Source => Value::Address("10.1.2.3".parse().unwrap()),
            _ => Value::UNKNOWN,
        }
    }
}

fn comes_to(nodes: Vec<Node>) -> Kleene {
    let table = Table(json!({
        "tenant": "acme", "level": 3, "roles": ["a", "b", 7], "null": null, "half": 0.5,
        "realm": {"roles": ["x"]}, "employee": true,
    }));
    evaluate(&Condition::new(nodes).unwrap(), &&table)
}

fn claim(path: &str) -> Node {
    Node::Claim(path.split('.').map(str::to_owned).collect())
}

fn text(value: &str) -> Node {
    Node::Literal(Literal::Text(value.into()))
}

fn number(value: i64) -> Node {
    Node::Literal(Literal::Integer(value))
}

fn compare(left: Node, operator: Operator, right: Node) -> Kleene {
    comes_to(vec![
        left,
        right,
        Node::Compare {
            operator,
            left: 0,
            right: 1,
        },
    ])
}

#[test]
fn compares_what_is_of_one_type() {
    let capture = || Node::Capture("tenant".into());
    assert_eq!(compare(claim("tenant"), Operator::Equal, capture()), True);
    assert_eq!(compare(text("other"), Operator::Equal, capture()), False);
    assert_eq!(
        compare(claim("level"), Operator::GreaterOrEqual, number(3)),
        True
    );
    assert_eq!(compare(claim("level"), Operator::Less, number(3)), False);
    assert_eq!(compare(text("a"), Operator::Less, text("b")), True);
}

#[test]
fn a_type_that_does_not_fit_is_unknown_also_when_negated() {
    for operator in [Operator::Equal, Operator::NotEqual, Operator::Less] {
        assert_eq!(
            compare(claim("level"), operator, text("3")),
            Unknown,
            "{operator:?}"
        );
        assert_eq!(
            compare(claim("absent"), operator, text("3")),
            Unknown,
            "{operator:?}"
        );
        assert_eq!(
            compare(claim("null"), operator, claim("null")),
            Unknown,
            "{operator:?}"
        );
        assert_eq!(
            compare(claim("half"), operator, number(0)),
            Unknown,
            "{operator:?}"
        );
    }
}

#[test]
fn has_is_false_for_plain_absence_only() {
    let has = |node| comes_to(vec![node, Node::Has(0)]);
    assert_eq!(has(claim("tenant")), True);
    assert_eq!(has(claim("absent")), False);
    assert_eq!(has(Node::Caller(CallerFact::Email)), False);
    assert_eq!(has(Node::Caller(CallerFact::Groups)), Unknown, "overage");
    assert_eq!(has(claim("null")), Unknown);
}

#[test]
fn membership_knows_what_is_in_and_not_what_might_be() {
    let within = |item, list| comes_to(vec![item, list, Node::In { item: 0, list: 1 }]);
    assert_eq!(within(text("b"), claim("roles")), True);
    assert_eq!(
        within(text("c"), claim("roles")),
        Unknown,
        "7 is of another type"
    );
    assert_eq!(within(text("y"), claim("realm.roles")), False);
    assert_eq!(within(text("y"), claim("tenant")), Unknown);
    assert_eq!(within(text("y"), Node::Caller(CallerFact::Groups)), Unknown);
}

/// Absence is no inequality, whatever the lengths.
#[test]
fn a_list_of_what_is_not_there_equals_and_differs_from_nothing() {
    let lists = |first: &[Node], operator| {
        let mut nodes = first.to_vec();
        let places = (0..).take(first.len()).collect();
        let at = Place::try_from(first.len()).unwrap();
        nodes.extend([
            Node::List(places),
            claim("realm.roles"),
            Node::Compare {
                operator,
                left: at,
                right: at + 1,
            },
        ]);
        comes_to(nodes)
    };
    for operator in [Operator::Equal, Operator::NotEqual] {
        for unsettled in [claim("absent"), claim("null"), claim("roles")] {
            let two = [text("x"), unsettled.clone()];
            let expected = if unsettled == claim("roles") {
                Kleene::from(operator == Operator::NotEqual)
            } else {
                Unknown
            };
            assert_eq!(
                lists(&two, operator),
                expected,
                "{operator:?} {unsettled:?}"
            );
        }
    }
    assert_eq!(lists(&[claim("absent")], Operator::NotEqual), Unknown);
    assert_eq!(lists(&[text("x")], Operator::Equal), True);
    assert_eq!(lists(&[text("y")], Operator::NotEqual), True);
    assert_eq!(lists(&[text("x"), text("y")], Operator::NotEqual), True);
}

#[test]
fn a_network_holds_an_address_and_not_a_word() {
    let inside = |address, network: &str| {
        let network = network.parse().unwrap();
        comes_to(vec![
            address,
            Node::InCidr {
                address: 0,
                network,
            },
        ])
    };
    let source = || Node::Request(RequestFact::Source);
    assert_eq!(inside(source(), "10.0.0.0/8"), True);
    assert_eq!(inside(source(), "192.168.0.0/16"), False);
    assert_eq!(inside(text("fd00::1"), "fd00::/8"), True);
    let mapped = || text("::ffff:10.1.2.3");
    assert_eq!(inside(mapped(), "10.0.0.0/8"), True);
    assert_eq!(inside(mapped(), "192.168.0.0/16"), False);
    assert_eq!(inside(text("localhost"), "127.0.0.0/8"), Unknown);
    assert_eq!(
        inside(Node::Request(RequestFact::Host), "10.0.0.0/8"),
        Unknown
    );
}

#[test]
fn texts_are_looked_into() {
    let look = |node: fn(Place, Place) -> Node, part: &str| {
        comes_to(vec![claim("tenant"), text(part), node(0, 1)])
    };
    assert_eq!(
        look(|text, part| Node::StartsWith { text, part }, "ac"),
        True
    );
    assert_eq!(
        look(|text, part| Node::EndsWith { text, part }, "ac"),
        False
    );
    assert_eq!(look(|text, part| Node::Contains { text, part }, "cm"), True);
}

#[test]
fn lists_are_gone_through_element_by_element() {
    let inner = |wanted: &str| -> Condition {
        serde_json::from_value(json!([
            {"bound": 0}, {"literal": {"text": wanted}},
            {"compare": {"operator": "equal", "left": 0, "right": 1}},
        ]))
        .unwrap()
    };
    let exists = |list, wanted| {
        comes_to(vec![
            list,
            Node::Exists {
                list: 0,
                body: inner(wanted),
            },
        ])
    };
    let every = |list, wanted| {
        comes_to(vec![
            list,
            Node::Every {
                list: 0,
                body: inner(wanted),
            },
        ])
    };
    assert_eq!(exists(claim("realm.roles"), "x"), True);
    assert_eq!(exists(claim("realm.roles"), "y"), False);
    assert_eq!(exists(claim("roles"), "y"), Unknown, "7 is of another type");
    assert_eq!(every(claim("realm.roles"), "x"), True);
    assert_eq!(every(claim("absent"), "x"), Unknown);
}

#[test]
fn a_member_is_selected_and_counted() {
    let of = |node, last| comes_to(vec![node, last]);
    let select = |member: &str| Node::Select {
        of: 0,
        member: member.into(),
    };
    assert_eq!(
        of(claim("realm"), select("roles")),
        Unknown,
        "a list is no truth value"
    );
    let size = |node, size| {
        comes_to(vec![
            node,
            Node::Size(0),
            number(size),
            Node::Compare {
                operator: Operator::Equal,
                left: 1,
                right: 2,
            },
        ])
    };
    assert_eq!(size(claim("roles"), 3), True);
    assert_eq!(size(text("é"), 1), True);
    assert_eq!(size(claim("absent"), 0), Unknown);
    assert_eq!(comes_to(vec![claim("employee")]), True);
}

#[test]
fn truth_values_join_as_in_kleenes_logic() {
    let join = |last| comes_to(vec![claim("employee"), claim("absent"), last]);
    assert_eq!(join(Node::All(vec![0, 1])), Unknown);
    assert_eq!(join(Node::Any(vec![0, 1])), True);
    assert_eq!(join(Node::Not(1)), Unknown);
    assert_eq!(join(Node::Not(0)), False);
    assert_eq!(join(Node::All(vec![])), True);
}

#[test]
fn a_trace_shows_what_each_node_came_to() {
    let nodes = vec![claim("tenant"), text("acme"), claim("level"), Node::Not(0)];
    let table = Table(json!({"tenant": "acme", "level": 3}));
    let condition = Condition::new(nodes).unwrap();
    let (truth, values) = super::trace(&condition, &&table, &Budget::default());
    let acme = || Value::Text(Cow::Borrowed("acme"));
    let expected = [acme(), acme(), Value::Integer(3), Value::UNKNOWN];
    assert_eq!((truth, values.as_slice()), (Unknown, expected.as_slice()));
}
