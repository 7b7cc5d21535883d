//! A condition refers back only, ends, and has one readable form.

use super::{Condition, Literal, Node, Operator};

fn yes() -> Node {
    Node::Literal(Literal::Bool(true))
}

#[test]
fn has_one_readable_form() {
    let condition = Condition::new(vec![
        Node::Claim(vec!["tenant".into()]),
        Node::Capture("tenant".into()),
        Node::Compare {
            operator: Operator::Equal,
            left: 0,
            right: 1,
        },
    ])
    .unwrap();
    let json = serde_json::to_string(&condition).unwrap();
    assert_eq!(
        json,
        r#"[{"claim":["tenant"]},{"capture":"tenant"},{"compare":{"operator":"equal","left":0,"right":1}}]"#
    );
    assert_eq!(serde_json::from_str::<Condition>(&json).unwrap(), condition);
}

#[test]
fn refuses_a_node_that_looks_at_itself_or_ahead() {
    assert_eq!(
        Condition::new(vec![Node::Not(0)]).unwrap_err(),
        "node 0 refers to node 0, not an earlier one"
    );
    assert!(Condition::new(vec![yes(), Node::Not(0)]).is_ok());
}

#[test]
fn refuses_nothing_too_much_and_too_deep() {
    assert_eq!(
        Condition::new(vec![]).unwrap_err(),
        "expected a node, got none"
    );
    assert!(Condition::new(vec![yes(); 512]).is_ok());
    assert!(Condition::new(vec![yes(); 513]).is_err());
    let mut nested = Condition::new(vec![yes()]).unwrap();
    for _ in 0..2 {
        let exists = Node::Exists {
            list: 0,
            body: nested,
        };
        nested = Condition {
            nodes: vec![yes(), exists],
        };
    }
    assert!(nested.inspect().is_ok());
    let deeper = Condition {
        nodes: vec![
            yes(),
            Node::Exists {
                list: 0,
                body: nested,
            },
        ],
    };
    assert_eq!(
        deeper.inspect().unwrap_err(),
        "node 1 is nested deeper than 2"
    );
}

#[test]
fn an_element_is_bound_only_inside_its_list() {
    assert!(Condition::new(vec![Node::Bound(0)]).is_err());
    let body = Condition {
        nodes: vec![Node::Bound(0)],
    };
    assert!(Condition::new(vec![yes(), Node::Every { list: 0, body }]).is_ok());
}

#[test]
fn says_whether_it_asks_of_the_caller() {
    use super::{CallerFact, RequestFact};
    let of = |node: Node| Condition::new(vec![node]).unwrap().asks_of_caller();
    assert!(of(Node::Caller(CallerFact::Provider)));
    assert!(of(Node::Claim(vec!["tenant".into()])));
    assert!(!of(Node::Request(RequestFact::Host)));
    assert!(!of(Node::Capture("tenant".into())));
    let inside = |node| {
        let body = Condition::body(vec![node, yes()], 1).unwrap();
        let list = Node::List(vec![]);
        let nodes = vec![list, Node::Exists { list: 0, body }];
        Condition::new(nodes).unwrap().asks_of_caller()
    };
    assert!(inside(Node::Caller(CallerFact::Subject)), "in a body too");
    assert!(!inside(Node::Bound(0)));
}
