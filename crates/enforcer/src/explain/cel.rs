//! A lowered condition back in the words it was written in, or in words that mean the same.

use countersign_ruleset::condition::{CallerFact, Condition, Literal, Node, Operator, RequestFact};

/// The longest text of one node: a node may be used by many others.
const MOST: usize = 1_024;

/// How tightly a text holds together; what holds less tightly gets brackets inside another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    Or,
    And,
    Relation,
    Unary,
    Primary,
}

#[derive(Debug, Clone)]
struct Text {
    text: String,
    tie: Tie,
}

/// The text of each node, in CEL.
pub(super) fn texts(condition: &Condition) -> Vec<String> {
    let texts = inside(condition, 0);
    texts.into_iter().map(|text| text.text).collect()
}

/// `depth` is how many `exists` and `all` stand around.
fn inside(condition: &Condition, depth: usize) -> Vec<Text> {
    let mut texts: Vec<Text> = Vec::with_capacity(condition.nodes().len());
    for node in condition.nodes() {
        let mut text = Writer {
            texts: &texts,
            depth,
        }
        .node(node);
        if text.text.len() > MOST {
            text.text = text.text.chars().take(MOST).chain(['…']).collect();
        }
        texts.push(text);
    }
    texts
}

/// The name of the element at hand, so many levels in.
const fn variable(level: usize) -> &'static str {
    match level {
        0 => "x",
        1 => "y",
        _ => "z",
    }
}

struct Writer<'t> {
    texts: &'t [Text],
    depth: usize,
}

impl Writer<'_> {
    fn node(&self, node: &Node) -> Text {
        let (text, tie) = match node {
            Node::All(places) => return self.joined(places, " && ", Tie::And, "true"),
            Node::Any(places) => return self.joined(places, " || ", Tie::Or, "false"),
            Node::Not(place) => (format!("!{}", self.at(*place, Tie::Unary)), Tie::Unary),
            Node::Compare {
                operator,
                left,
                right,
            } => (self.relation(*left, sign(*operator), *right), Tie::Relation),
            Node::In { item, list } => (self.relation(*item, "in", *list), Tie::Relation),
            Node::Contains { text, part } => return self.method(*text, "contains", *part),
            Node::EndsWith { text, part } => return self.method(*text, "endsWith", *part),
            Node::StartsWith { text, part } => return self.method(*text, "startsWith", *part),
            Node::Every { list, body } => return self.each(*list, "all", body),
            Node::Exists { list, body } => return self.each(*list, "exists", body),
            Node::Has(place) => (format!("has({})", self.at(*place, Tie::Or)), Tie::Primary),
            Node::Size(place) => (format!("size({})", self.at(*place, Tie::Or)), Tie::Primary),
            Node::InCidr { address, network } => {
                let address = self.at(*address, Tie::Or);
                (format!("inCIDR({address}, \"{network}\")"), Tie::Primary)
            }
            Node::List(places) => {
                let members: Vec<String> = places.iter().map(|&p| self.at(p, Tie::Or)).collect();
                (format!("[{}]", members.join(", ")), Tie::Primary)
            }
            Node::Select { of, member } => (key(self.at(*of, Tie::Primary), member), Tie::Primary),
            Node::Bound(level) => {
                let level = self
                    .depth
                    .saturating_sub(1)
                    .saturating_sub(usize::from(*level));
                (variable(level).to_owned(), Tie::Primary)
            }
            Node::Capture(name) => (format!("path.{name}"), Tie::Primary),
            Node::Caller(fact) => (format!("caller.{}", caller(*fact)), Tie::Primary),
            Node::Claim(path) => {
                let claims = "caller.claims".to_owned();
                (
                    path.iter().fold(claims, |text, name| key(text, name)),
                    Tie::Primary,
                )
            }
            Node::Literal(literal) => (written(literal), Tie::Primary),
            Node::Request(fact) => (request(fact), Tie::Primary),
        };
        Text { text, tie }
    }

    fn at(&self, place: u16, tie: Tie) -> String {
        match self.texts.get(usize::from(place)) {
            Some(text) if text.tie >= tie => text.text.clone(),
            Some(text) => format!("({})", text.text),
            None => String::new(),
        }
    }

    fn joined(&self, places: &[u16], by: &str, tie: Tie, none: &str) -> Text {
        if let [only] = places {
            return self.texts.get(usize::from(*only)).cloned().unwrap_or(Text {
                text: String::new(),
                tie,
            });
        }
        let each: Vec<String> = places.iter().map(|&place| self.at(place, tie)).collect();
        if each.is_empty() {
            return Text {
                text: none.to_owned(),
                tie: Tie::Primary,
            };
        }
        Text {
            text: each.join(by),
            tie,
        }
    }

    fn relation(&self, left: u16, sign: &str, right: u16) -> String {
        let [left, right] = [left, right].map(|place| self.at(place, Tie::Unary));
        format!("{left} {sign} {right}")
    }

    fn method(&self, text: u16, name: &str, part: u16) -> Text {
        let (text, part) = (self.at(text, Tie::Primary), self.at(part, Tie::Or));
        Text {
            text: format!("{text}.{name}({part})"),
            tie: Tie::Primary,
        }
    }

    fn each(&self, list: u16, name: &str, body: &Condition) -> Text {
        let list = self.at(list, Tie::Primary);
        let bound = variable(self.depth);
        let body = inside(body, self.depth.saturating_add(1)).pop();
        let body = body.map(|text| text.text).unwrap_or_default();
        Text {
            text: format!("{list}.{name}({bound}, {body})"),
            tie: Tie::Primary,
        }
    }
}

const fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "==",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::NotEqual => "!=",
    }
}

const fn caller(fact: CallerFact) -> &'static str {
    match fact {
        CallerFact::Actor => "actor",
        CallerFact::Client => "client",
        CallerFact::Email => "email",
        CallerFact::Groups => "groups",
        CallerFact::Provider => "provider",
        CallerFact::Subject => "subject",
    }
}

fn request(fact: &RequestFact) -> String {
    match fact {
        RequestFact::Header(name) => format!("request.headers[{}]", quoted(name)),
        RequestFact::Host => "request.host".into(),
        RequestFact::Method => "request.method".into(),
        RequestFact::Path => "request.path".into(),
        RequestFact::Source => "request.source".into(),
    }
}

fn written(literal: &Literal) -> String {
    match literal {
        Literal::Bool(known) => known.to_string(),
        Literal::Integer(number) => number.to_string(),
        Literal::Text(text) => quoted(text),
    }
}

/// `of.name`, or `of["name"]` where the name is no identifier.
fn key(of: String, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins && name.chars().all(plain) {
        of + "." + name
    } else {
        of + "[" + &quoted(name) + "]"
    }
}

/// A text as CEL writes it; JSON's escapes are among its own.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::texts;
    use countersign_ruleset::condition::Condition;
    use serde_json::{Value, json};

    fn text(nodes: Value) -> String {
        let condition: Condition = serde_json::from_value(nodes).unwrap();
        texts(&condition).pop().unwrap()
    }

    #[test]
    fn a_condition_reads_as_it_was_written() {
        let nodes = json!([{"claim": ["tenant"]}, {"capture": "tenant"},
            {"compare": {"operator": "equal", "left": 0, "right": 1}}]);
        assert_eq!(text(nodes), "caller.claims.tenant == path.tenant");
        let nodes = json!([{"request": "source"},
            {"inCidr": {"address": 0, "network": "10.0.0.0/8"}}, {"not": 1}]);
        assert_eq!(text(nodes), r#"!inCIDR(request.source, "10.0.0.0/8")"#);
        let nodes = json!([{"claim": ["https://example.com/a", "b"]}, {"has": 0},
            {"literal": {"text": "a\"b"}}, {"request": {"header": "x-tenant"}},
            {"startsWith": {"text": 3, "part": 2}}, {"not": 1}, {"any": [4, 5]}]);
        let expected = r#"request.headers["x-tenant"].startsWith("a\"b") || !has(caller.claims["https://example.com/a"].b)"#;
        assert_eq!(text(nodes), expected);
    }

    #[test]
    fn what_ties_less_gets_brackets() {
        let facts = |more: Value| {
            let mut nodes = vec![
                json!({"claim": ["a"]}),
                json!({"claim": ["b"]}),
                json!({"literal": {"integer": 7}}),
                json!({"any": [0, 1]}),
                json!({"all": [0, 3]}),
            ];
            nodes.extend(more.as_array().unwrap().iter().cloned());
            text(nodes.into())
        };
        let [a, b] = ["caller.claims.a", "caller.claims.b"];
        assert_eq!(facts(json!([])), format!("{a} && ({a} || {b})"));
        assert_eq!(
            facts(json!([{"any": [4, 1]}])),
            format!("{a} && ({a} || {b}) || {b}")
        );
        assert_eq!(facts(json!([{"not": 3}])), format!("!({a} || {b})"));
        assert_eq!(facts(json!([{"all": [3]}])), format!("{a} || {b}"));
        let compare = json!([{"compare": {"operator": "notEqual", "left": 3, "right": 2}}]);
        assert_eq!(facts(compare), format!("({a} || {b}) != 7"));
        assert_eq!(
            facts(json!([{"list": [0, 2]}, {"in": {"item": 1, "list": 5}}])),
            format!("{b} in [{a}, 7]")
        );
        assert_eq!(
            facts(json!([{"select": {"of": 0, "member": "x y"}}, {"size": 5}])),
            format!("size({a}[\"x y\"])")
        );
    }

    #[test]
    fn elements_have_names_by_their_level() {
        let inner = json!([{"bound": 0}, {"bound": 1}, {"compare": {"operator": "less", "left": 0, "right": 1}}]);
        let outer = json!([{"claim": ["b"]}, {"exists": {"list": 0, "body": inner}}]);
        let nodes = json!([{"caller": "groups"}, {"every": {"list": 0, "body": outer}}]);
        assert_eq!(
            text(nodes),
            "caller.groups.all(x, caller.claims.b.exists(y, y < x))"
        );
    }

    #[test]
    fn a_text_that_would_never_end_is_cut() {
        let mut nodes = vec![json!({"claim": ["abc"]})];
        nodes.extend((0..100).map(|n| json!({"list": [n, n]})));
        assert!(text(nodes.into()).len() < 2_000);
    }
}
