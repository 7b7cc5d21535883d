//! Evaluates a lowered condition: one pass over its nodes, three-valued, always ending.
//!
//! What cannot be said is [`Value::UNKNOWN`]: a type that does not fit, an absent claim in a
//! comparison, a fact that was not established. Only `has` turns absence into false, and only
//! plain absence.

use countersign_ruleset::condition::{CallerFact, Condition, Literal, Node, Operator, RequestFact};
use countersign_ruleset::kleene::Kleene;
use std::borrow::Cow;
use std::net::IpAddr;

mod budget;

pub(crate) use budget::Budget;

/// What a condition may ask of the request at hand.
pub(crate) trait Facts<'a> {
    /// A fact about the caller; absent for the anonymous.
    fn caller(&self, fact: CallerFact) -> Value<'a>;
    /// A claim, by its path of keys; absent for the anonymous.
    fn claim(&self, path: &[String]) -> Value<'a>;
    /// A capture of the path alternative at hand; unknown if that alternative has none.
    fn capture(&self, name: &str) -> Value<'a>;
    /// A fact about the request; a header that occurs twice is unknown.
    fn request(&self, fact: &RequestFact) -> Value<'a>;
}

/// What a node came to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// The fact is not there.
    Absent,
    /// An address.
    Address(IpAddr),
    /// A whole number.
    Integer(i64),
    /// A list.
    List(Vec<Self>),
    /// An object of a claim.
    Object(&'a serde_json::Map<String, serde_json::Value>),
    /// A text.
    Text(Cow<'a, str>),
    /// A truth value, `Unknown` among them: whatever cannot be said.
    Truth(Kleene),
}

impl<'a> Value<'a> {
    /// What cannot be said.
    pub(crate) const UNKNOWN: Self = Self::Truth(Kleene::Unknown);

    /// A claim's value. `null` and fractions are of no type that a condition knows.
    pub(crate) fn of_json(value: &'a serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::UNKNOWN,
            serde_json::Value::Bool(known) => Self::Truth((*known).into()),
            serde_json::Value::Number(number) => {
                number.as_i64().map_or(Self::UNKNOWN, Self::Integer)
            }
            serde_json::Value::String(text) => Self::Text(Cow::Borrowed(text)),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(Self::of_json).collect())
            }
            serde_json::Value::Object(members) => Self::Object(members),
        }
    }

    /// As a condition's result: anything but a truth value says nothing.
    pub(crate) fn truth(&self) -> Kleene {
        match self {
            Self::Truth(truth) => *truth,
            Self::Absent
            | Self::Address(_)
            | Self::Integer(_)
            | Self::List(_)
            | Self::Object(_)
            | Self::Text(_) => Kleene::Unknown,
        }
    }

    /// What it costs to have it at hand.
    fn weight(&self) -> usize {
        match self {
            Self::List(members) => members
                .iter()
                .map(Self::weight)
                .fold(1, usize::saturating_add),
            Self::Text(text) => (text.len() / 64).saturating_add(1),
            Self::Absent
            | Self::Address(_)
            | Self::Integer(_)
            | Self::Object(_)
            | Self::Truth(_) => 1,
        }
    }

    /// Whether it is there and known, with all its members.
    fn is_settled(&self) -> bool {
        match self {
            Self::Absent | Self::Truth(Kleene::Unknown) => false,
            Self::List(members) => members.iter().all(Self::is_settled),
            Self::Address(_)
            | Self::Integer(_)
            | Self::Object(_)
            | Self::Text(_)
            | Self::Truth(_) => true,
        }
    }

    fn equals(&self, other: &Self) -> Kleene {
        match (self, other) {
            (Self::Address(a), Self::Address(b)) => (a == b).into(),
            (Self::Integer(a), Self::Integer(b)) => (a == b).into(),
            (Self::Text(a), Self::Text(b)) => (a == b).into(),
            (Self::Truth(a), Self::Truth(b)) => a.and(*b).or((!*a).and(!*b)),
            // Whatever the length: absence is not false, and its negation not true.
            (Self::List(a), Self::List(b)) if !a.iter().chain(b).all(Self::is_settled) => {
                Kleene::Unknown
            }
            (Self::List(a), Self::List(b)) if a.len() != b.len() => Kleene::False,
            (Self::List(a), Self::List(b)) => {
                Kleene::all(a.iter().zip(b).map(|(a, b)| a.equals(b)))
            }
            _ => Kleene::Unknown,
        }
    }
}

/// What a condition comes to. Once a decision has taken too many steps nothing more is known in it:
/// lists of a caller's token inside each other would multiply.
pub(crate) fn evaluate<'a>(
    condition: &Condition,
    facts: &dyn Facts<'a>,
    budget: &Budget,
) -> Kleene {
    trace(condition, facts, budget).0
}

/// The same, with what each node came to: fewer than there are nodes where the steps did not suffice.
pub(crate) fn trace<'a>(
    condition: &Condition,
    facts: &dyn Facts<'a>,
    budget: &Budget,
) -> (Kleene, Vec<Value<'a>>) {
    let values = pass(condition, facts, &[], budget);
    let whole = !budget.is_spent() && values.len() == condition.nodes().len();
    let last = values.last().filter(|_| whole);
    (last.map_or(Kleene::Unknown, Value::truth), values)
}

/// One pass over the nodes, which ends early when the steps do not suffice.
fn pass<'a>(
    condition: &Condition,
    facts: &dyn Facts<'a>,
    bound: &[&Value<'a>],
    budget: &Budget,
) -> Vec<Value<'a>> {
    let mut values: Vec<Value<'a>> = Vec::with_capacity(condition.nodes().len());
    for node in condition.nodes() {
        let value = Step {
            facts,
            bound,
            values: &values,
            budget,
        }
        .value(node);
        budget.spend(value.weight());
        if budget.is_spent() {
            break;
        }
        values.push(value);
    }
    values
}

/// One node's view: what came before it, and the elements at hand.
struct Step<'s, 'a> {
    facts: &'s dyn Facts<'a>,
    bound: &'s [&'s Value<'a>],
    values: &'s [Value<'a>],
    budget: &'s Budget,
}

impl<'a> Step<'_, 'a> {
    fn at(&self, place: u16) -> &Value<'a> {
        self.values
            .get(usize::from(place))
            .unwrap_or(&Value::UNKNOWN)
    }

    fn value(&self, node: &Node) -> Value<'a> {
        Value::Truth(match node {
            Node::All(places) => Kleene::all(places.iter().map(|&p| self.at(p).truth())),
            Node::Any(places) => Kleene::any(places.iter().map(|&p| self.at(p).truth())),
            Node::Not(place) => !self.at(*place).truth(),
            Node::Compare {
                operator,
                left,
                right,
            } => compare(*operator, self.at(*left), self.at(*right)),
            Node::Contains { text, part } => self.text(*text, *part, |t, p| t.contains(p)),
            Node::EndsWith { text, part } => self.text(*text, *part, |t, p| t.ends_with(p)),
            Node::StartsWith { text, part } => self.text(*text, *part, |t, p| t.starts_with(p)),
            Node::Every { list, body } => self.each(*list, body, |each| Kleene::all(each)),
            Node::Exists { list, body } => self.each(*list, body, |each| Kleene::any(each)),
            Node::Has(place) => match self.at(*place) {
                Value::Absent => Kleene::False,
                Value::Truth(Kleene::Unknown) => Kleene::Unknown,
                _ => Kleene::True,
            },
            // Of no members none would be equal: but absence is not false, and its negation not true.
            Node::In { item, list } => match (self.at(*item), self.at(*list)) {
                (Value::Absent | Value::Truth(Kleene::Unknown), _) => Kleene::Unknown,
                (item, Value::List(members)) => {
                    let steps = members.len().saturating_mul(item.weight());
                    self.budget.spend(steps);
                    Kleene::any(members.iter().map(|member| item.equals(member)))
                }
                _ => Kleene::Unknown,
            },
            Node::InCidr { address, network } => match self.at(*address) {
                Value::Address(address) => network.contains(address).into(),
                // `::ffff:10.1.2.3` is 10.1.2.3, or a Deny of 10.0.0.0/8 is passed by writing it so
                Value::Text(text) => text.parse::<IpAddr>().map_or(Kleene::Unknown, |address| {
                    network.contains(&address.to_canonical()).into()
                }),
                _ => Kleene::Unknown,
            },
            Node::Bound(_)
            | Node::Capture(_)
            | Node::Caller(_)
            | Node::Claim(_)
            | Node::List(_)
            | Node::Literal(_)
            | Node::Request(_)
            | Node::Select { .. }
            | Node::Size(_) => return self.fact(node),
        })
    }

    /// The nodes that are not truth values by themselves.
    fn fact(&self, node: &Node) -> Value<'a> {
        match node {
            Node::Bound(level) => self
                .bound
                .iter()
                .rev()
                .nth(usize::from(*level))
                .map_or(Value::UNKNOWN, |&element| element.clone()),
            Node::Capture(name) => self.facts.capture(name),
            Node::Caller(fact) => self.facts.caller(*fact),
            Node::Claim(path) => self.facts.claim(path),
            Node::List(places) => Value::List(places.iter().map(|&p| self.at(p).clone()).collect()),
            Node::Literal(Literal::Bool(known)) => Value::Truth((*known).into()),
            Node::Literal(Literal::Integer(number)) => Value::Integer(*number),
            Node::Literal(Literal::Text(text)) => Value::Text(Cow::Owned(text.clone())),
            Node::Request(fact) => self.facts.request(fact),
            Node::Select { of, member } => match self.at(*of) {
                Value::Object(members) => members.get(member).map_or(Value::Absent, Value::of_json),
                Value::Absent => Value::Absent,
                _ => Value::UNKNOWN,
            },
            Node::Size(place) => self.size(*place),
            _ => Value::UNKNOWN,
        }
    }

    fn size(&self, place: u16) -> Value<'a> {
        let size = match self.at(place) {
            Value::List(members) => members.len(),
            Value::Object(members) => members.len(),
            Value::Text(text) => text.chars().count(),
            _ => return Value::UNKNOWN,
        };
        i64::try_from(size).map_or(Value::UNKNOWN, Value::Integer)
    }

    fn text(&self, place: u16, part: u16, test: fn(&str, &str) -> bool) -> Kleene {
        match (self.at(place), self.at(part)) {
            (Value::Text(text), Value::Text(part)) => {
                self.budget.spend(self.at(place).weight());
                test(text, part).into()
            }
            _ => Kleene::Unknown,
        }
    }

    fn each(
        &self,
        list: u16,
        body: &Condition,
        join: fn(&mut dyn Iterator<Item = Kleene>) -> Kleene,
    ) -> Kleene {
        let Value::List(members) = self.at(list) else {
            return Kleene::Unknown;
        };
        let mut bound = self.bound.to_vec();
        // lazily: the element that decides is the last that is asked
        join(&mut members.iter().map_while(|member| {
            if self.budget.is_spent() {
                return None;
            }
            bound.push(member);
            let values = pass(body, self.facts, &bound, self.budget);
            bound.pop();
            // of a spent budget no node counts, and the whole is unknown
            Some(values.last().map_or(Kleene::Unknown, Value::truth))
        }))
    }
}

fn compare(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> Kleene {
    let ordering = match (left, right) {
        (Value::Integer(a), Value::Integer(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => None,
    };
    let ordered = |test: fn(std::cmp::Ordering) -> bool| {
        ordering.map_or(Kleene::Unknown, |ordering| test(ordering).into())
    };
    match operator {
        Operator::Equal => left.equals(right),
        Operator::NotEqual => !left.equals(right),
        Operator::Greater => ordered(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(std::cmp::Ordering::is_ge),
        Operator::Less => ordered(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => ordered(std::cmp::Ordering::is_le),
    }
}

#[cfg(test)]
mod tests;
