//! Conditions: the form to which `when` is lowered, a flat list of nodes that always ends.
//!
//! A condition is written in CEL and lowered before it is signed, so an edge needs no CEL engine.
//! Each node refers only to nodes before it and the last one is the result: evaluation is one pass
//! over the list, without recursion, and what each node came to can be shown.
//!
//! ```text
//! caller.claims.tenant == path.tenant        0  {"claim":["tenant"]}
//!                                            1  {"capture":"tenant"}
//!                                            2  {"compare":{"operator":"equal","left":0,"right":1}}
//! ```

use serde::{Deserialize, Serialize};

/// The most nodes of one condition, those inside `exists` and `every` included.
pub const MAX_NODES: usize = 512;

/// How deep `exists` and `every` may stand inside each other.
pub const MAX_NESTING: usize = 2;

/// The place of an earlier node.
pub type Place = u16;

/// A lowered condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition {
    nodes: Vec<Node>,
}

/// One step of a condition. What cannot be said (a type that does not fit, an absent claim) is
/// unknown, and only [`Node::Has`] turns plain absence into false.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Node {
    /// All hold.
    All(Vec<Place>),
    /// One holds.
    Any(Vec<Place>),
    /// The element at hand, of the `exists` or `every` that many levels out.
    Bound(u8),
    /// A part of the path, by the name of its capture, percent-decoded once.
    Capture(String),
    /// A fact about the caller.
    Caller(CallerFact),
    /// A claim of the caller, by its path of keys.
    Claim(Vec<String>),
    /// A comparison.
    #[serde(rename_all = "camelCase")]
    Compare {
        /// How.
        operator: Operator,
        /// What.
        left: Place,
        /// With what.
        right: Place,
    },
    /// `text.contains(part)`.
    #[serde(rename_all = "camelCase")]
    Contains {
        /// The text.
        text: Place,
        /// The part.
        part: Place,
    },
    /// `text.endsWith(part)`.
    #[serde(rename_all = "camelCase")]
    EndsWith {
        /// The text.
        text: Place,
        /// The part.
        part: Place,
    },
    /// `list.all(x, body)`.
    #[serde(rename_all = "camelCase")]
    Every {
        /// The list.
        list: Place,
        /// What must hold for each.
        body: Condition,
    },
    /// `list.exists(x, body)`.
    #[serde(rename_all = "camelCase")]
    Exists {
        /// The list.
        list: Place,
        /// What must hold for one.
        body: Condition,
    },
    /// `has(fact)`: false for plain absence only.
    Has(Place),
    /// `item in list`.
    #[serde(rename_all = "camelCase")]
    In {
        /// The item.
        item: Place,
        /// The list.
        list: Place,
    },
    /// `inCIDR(address, network)`.
    #[serde(rename_all = "camelCase")]
    InCidr {
        /// The address.
        address: Place,
        /// The network.
        network: ipnet::IpNet,
    },
    /// A list.
    List(Vec<Place>),
    /// A value as written.
    Literal(Literal),
    /// It does not hold.
    Not(Place),
    /// A fact about the request.
    Request(RequestFact),
    /// A member of an object.
    #[serde(rename_all = "camelCase")]
    Select {
        /// The object.
        of: Place,
        /// The member.
        member: String,
    },
    /// `size(value)`: the characters of a text, the members of a list or an object.
    Size(Place),
    /// `text.startsWith(part)`.
    #[serde(rename_all = "camelCase")]
    StartsWith {
        /// The text.
        text: Place,
        /// The part.
        part: Place,
    },
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Operator {
    /// `==`
    Equal,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `!=`
    NotEqual,
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Literal {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
}

/// What a condition may ask of the caller beside the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallerFact {
    /// The outermost actor.
    Actor,
    /// The client.
    Client,
    /// The verified e-mail address.
    Email,
    /// The groups.
    Groups,
    /// `KIND/NAME` of the provider.
    Provider,
    /// `sub`.
    Subject,
}

/// What a condition may ask of the request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum RequestFact {
    /// A header that occurs once, by its name in lower case.
    Header(String),
    /// The host, in lower case.
    Host,
    /// The method.
    Method,
    /// The canonical path.
    Path,
    /// The address of the caller, as far as it is established.
    Source,
}

impl Condition {
    /// A condition of these nodes.
    ///
    /// # Errors
    /// Says which node refers to one that does not come before it, or which limit is passed.
    pub fn new(nodes: Vec<Node>) -> Result<Self, String> {
        let condition = Self { nodes };
        condition.inspect()?;
        Ok(condition)
    }

    /// What `exists` or `every` asks of each element, with so many elements at hand.
    ///
    /// # Errors
    /// As of a whole condition; how many nodes there are is counted in the whole.
    pub fn body(nodes: Vec<Node>, at_hand: usize) -> Result<Self, String> {
        let body = Self { nodes };
        body.inspect_nested(at_hand)?;
        Ok(body)
    }

    /// The nodes; the last one is the result.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether it asks anything of the caller, so that a token decides.
    pub fn asks_of_caller(&self) -> bool {
        self.nodes.iter().any(|node| match node {
            Node::Caller(_) | Node::Claim(_) => true,
            Node::Every { body, .. } | Node::Exists { body, .. } => body.asks_of_caller(),
            _ => false,
        })
    }

    /// Refuses what an evaluator could not run in one pass.
    pub(crate) fn inspect(&self) -> Result<(), String> {
        let total = self.inspect_nested(0)?;
        if total > MAX_NODES {
            return Err(format!("expected at most {MAX_NODES} nodes, got {total}"));
        }
        Ok(())
    }

    fn inspect_nested(&self, depth: usize) -> Result<usize, String> {
        if self.nodes.is_empty() {
            return Err("expected a node, got none".into());
        }
        let mut total = self.nodes.len();
        for (at, node) in self.nodes.iter().enumerate() {
            for place in node.places() {
                if usize::from(place) >= at {
                    return Err(format!(
                        "node {at} refers to node {place}, not an earlier one"
                    ));
                }
            }
            match node {
                Node::Bound(level) if usize::from(*level) >= depth => {
                    return Err(format!("node {at} is bound {level} levels out, of {depth}"));
                }
                Node::Every { body, .. } | Node::Exists { body, .. } => {
                    if depth >= MAX_NESTING {
                        return Err(format!("node {at} is nested deeper than {MAX_NESTING}"));
                    }
                    total = total.saturating_add(body.inspect_nested(depth.saturating_add(1))?);
                }
                _ => {}
            }
        }
        Ok(total)
    }
}

impl Node {
    /// The earlier nodes that this one looks at.
    pub fn places(&self) -> Vec<Place> {
        match self {
            Self::All(places) | Self::Any(places) | Self::List(places) => places.clone(),
            Self::Compare { left, right, .. } => vec![*left, *right],
            Self::Contains { text, part }
            | Self::EndsWith { text, part }
            | Self::StartsWith { text, part } => vec![*text, *part],
            Self::Every { list, .. } | Self::Exists { list, .. } => vec![*list],
            Self::In { item, list } => vec![*item, *list],
            Self::Has(place)
            | Self::InCidr { address: place, .. }
            | Self::Not(place)
            | Self::Select { of: place, .. }
            | Self::Size(place) => vec![*place],
            Self::Bound(_)
            | Self::Capture(_)
            | Self::Caller(_)
            | Self::Claim(_)
            | Self::Literal(_)
            | Self::Request(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
