//! Lowers the tree of a condition to nodes, and tells the sort of each.

use super::fact::Captured;
use super::never::{self, Part};
use super::sort::{Item, Sort};
use super::{Beside, Doubt, call, provider};
use crate::cel::{Binary, Expr, Fault, Kind};
use crate::diagnostic::{Code, Severity, Span};
use countersign_ruleset::condition::{Condition, Literal, Node, Operator, Place};
use countersign_ruleset::rules::Effect;

/// A lowered part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value {
    pub(super) place: Place,
    pub(super) sort: Sort,
}

/// The nodes of a condition, or of what is asked of each element, as far as they are lowered.
#[derive(Debug, Default)]
struct Block {
    nodes: Vec<Node>,
    /// The lists that `all` was asked of, and where.
    all: Vec<(Place, Span)>,
}

/// A condition as it is lowered.
#[derive(Debug)]
pub(super) struct Lowering<'r> {
    pub(super) beside: Beside<'r>,
    blocks: Vec<Block>,
    bound: Vec<(String, Item)>,
    doubts: Vec<Doubt>,
    /// What the rule's paths capture, once it is asked.
    pub(super) captured: Option<Captured<'r>>,
}

impl<'r> Lowering<'r> {
    pub(super) fn new(beside: Beside<'r>) -> Self {
        Self {
            beside,
            blocks: vec![Block::default()],
            bound: Vec::new(),
            doubts: Vec::new(),
            captured: None,
        }
    }

    pub(super) fn into_doubts(self) -> Vec<Doubt> {
        self.doubts
    }

    pub(super) fn doubt(&mut self, doubt: Doubt) {
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }

    /// Lowers a whole condition.
    pub(super) fn whole(&mut self, expr: &Expr) -> Result<Condition, Fault> {
        let result = self.truth(expr)?;
        let nodes = self.close(result, expr.span)?;
        let refused = |message| Fault::new(expr.span, message).help("write two rules");
        Condition::new(nodes).map_err(refused)
    }

    /// What is asked of each element: `x, x == "a"`.
    pub(super) fn body(&mut self, name: &str, item: Item, expr: &Expr) -> Result<Condition, Fault> {
        self.blocks.push(Block::default());
        self.bound.push((name.into(), item));
        let result = self.truth(expr)?;
        let nodes = self.close(result, expr.span)?;
        let at_hand = self.bound.len();
        self.bound.pop();
        let refused = |message| Fault::new(expr.span, message).help("write two rules");
        Condition::body(nodes, at_hand).map_err(refused)
    }

    /// The nodes of the block at hand. Its result stands last: one that was shared stands once more.
    fn close(&mut self, result: Value, span: Span) -> Result<Vec<Node>, Fault> {
        let Block { mut nodes, all } = self.blocks.pop().unwrap_or_default();
        let last = nodes.len().checked_sub(1);
        if last != Some(usize::from(result.place)) {
            let shared = nodes.get(usize::from(result.place)).cloned();
            nodes.push(shared.ok_or_else(|| Fault::new(span, "expected a condition"))?);
        }
        for (list, span) in all {
            let sized = nodes.iter().any(|node| match node {
                Node::Size(of) | Node::Exists { list: of, .. } => *of == list,
                _ => false,
            });
            if !sized && self.beside.effect == Effect::Allow {
                self.doubt(empty(span));
            }
        }
        Ok(nodes)
    }

    /// How many levels out a name is bound, and to what.
    pub(super) fn bound(&self, name: &str) -> Option<(u8, Item)> {
        let mut out = self.bound.iter().rev().enumerate();
        let (level, (_, item)) = out.find(|(_, (bound, _))| bound == name)?;
        Some((u8::try_from(level).ok()?, *item))
    }

    /// How many elements are at hand.
    pub(super) const fn depth(&self) -> usize {
        self.bound.len()
    }

    /// Puts a node after those that there are; one that is there already is shared.
    pub(super) fn node(&mut self, node: Node, sort: Sort, span: Span) -> Result<Value, Fault> {
        let too_many = || Fault::new(span, "it comes to too many nodes").help("write two rules");
        let block = self.blocks.last_mut().ok_or_else(too_many)?;
        let shared = block.nodes.iter().position(|one| *one == node);
        let place = shared.unwrap_or(block.nodes.len());
        if shared.is_none() {
            block.nodes.push(node);
        }
        let place = Place::try_from(place).map_err(|_| too_many())?;
        Ok(Value { place, sort })
    }

    /// Notes that `all` is asked of a list.
    pub(super) fn asked_of_all(&mut self, list: Place, span: Span) {
        if let Some(block) = self.blocks.last_mut() {
            let literal = block.nodes.get(usize::from(list));
            if !matches!(literal, Some(Node::List(members)) if !members.is_empty()) {
                block.all.push((list, span));
            }
        }
    }

    /// A part that must be able to be true.
    pub(super) fn truth(&mut self, expr: &Expr) -> Result<Value, Fault> {
        let value = self.value(expr)?;
        if value.sort.may_be(Sort::Truth) {
            return Ok(value);
        }
        let message = format!("expected true or false, got {}", value.sort);
        Err(Fault::new(expr.span, message).help("compare it: `==`, `in`, `has(...)`"))
    }

    /// Any part.
    pub(super) fn value(&mut self, expr: &Expr) -> Result<Value, Fault> {
        let span = expr.span;
        match &expr.kind {
            Kind::All(parts) => {
                let places = self.truths(parts)?;
                self.node(Node::All(places), Sort::Truth, span)
            }
            Kind::Any(parts) => {
                let places = self.truths(parts)?;
                self.node(Node::Any(places), Sort::Truth, span)
            }
            Kind::Not(of) => {
                let place = self.truth(of)?.place;
                self.node(Node::Not(place), Sort::Truth, span)
            }
            Kind::Bool(known) => self.literal(Literal::Bool(*known), Sort::Truth, span),
            Kind::Integer(number) => self.literal(Literal::Integer(*number), Sort::Integer, span),
            Kind::Text(text) => self.literal(Literal::Text(text.clone()), Sort::Text, span),
            Kind::List(members) => self.list(members, span),
            Kind::Binary {
                operator,
                left,
                right,
            } => self.binary(*operator, (left, right), span),
            Kind::Call {
                of,
                name,
                arguments,
            } => call::lower(self, of.as_deref(), name, arguments, span),
            Kind::Select { .. } | Kind::Index { .. } if provider::is(expr) => {
                Err(provider::nameless(expr))
            }
            Kind::Name(_) | Kind::Select { .. } | Kind::Index { .. } => self.fact(expr),
        }
    }

    fn truths(&mut self, parts: &[Expr]) -> Result<Vec<Place>, Fault> {
        let place = |part| self.truth(part).map(|value| value.place);
        parts.iter().map(place).collect()
    }

    fn literal(&mut self, literal: Literal, sort: Sort, span: Span) -> Result<Value, Fault> {
        self.node(Node::Literal(literal), sort, span)
    }

    fn list(&mut self, members: &[Expr], span: Span) -> Result<Value, Fault> {
        let mut places = Vec::new();
        let mut item = None;
        for member in members {
            let value = self.value(member)?;
            places.push(value.place);
            let found = value.sort.item();
            item = Some(match item {
                Some(before) if before != found => Item::Any,
                _ => found,
            });
        }
        let sort = Sort::List(item.unwrap_or(Item::Any));
        self.node(Node::List(places), sort, span)
    }

    fn binary(
        &mut self,
        operator: Binary,
        (left, right): (&Expr, &Expr),
        span: Span,
    ) -> Result<Value, Fault> {
        if provider::is(left) || provider::is(right) {
            return provider::compare(self, operator, (left, right), span);
        }
        let (a, b) = (self.value(left)?, self.value(right)?);
        let compare = |operator| Node::Compare {
            operator,
            left: a.place,
            right: b.place,
        };
        let node = match operator {
            Binary::In => {
                self.is_among(a, (b, right))?;
                Node::In {
                    item: a.place,
                    list: b.place,
                }
            }
            Binary::Equal | Binary::NotEqual => {
                same(operator, a.sort, b.sort, span)?;
                self.may_be(a, Part::Whole, right)?;
                self.may_be(b, Part::Whole, left)?;
                compare(if operator == Binary::Equal {
                    Operator::Equal
                } else {
                    Operator::NotEqual
                })
            }
            Binary::Greater => compare(ordered(a.sort, b.sort, Operator::Greater, span)?),
            Binary::GreaterOrEqual => {
                compare(ordered(a.sort, b.sort, Operator::GreaterOrEqual, span)?)
            }
            Binary::Less => compare(ordered(a.sort, b.sort, Operator::Less, span)?),
            Binary::LessOrEqual => compare(ordered(a.sort, b.sort, Operator::LessOrEqual, span)?),
        };
        self.node(node, Sort::Truth, span)
    }

    /// Whether the one may be among the other.
    fn is_among(&self, item: Value, (list, expr): (Value, &Expr)) -> Result<(), Fault> {
        match (list.sort, &expr.kind) {
            (Sort::List(_), Kind::List(members)) => {
                for member in members {
                    self.may_be(item, Part::Whole, member)?;
                }
            }
            (Sort::List(_) | Sort::Any, _) => {}
            (other, _) => {
                let fault = Fault::new(expr.span, format!("expected a list, got {other}"));
                return Err(match other {
                    Sort::Text => fault.help("in a text, write `text.contains(part)`"),
                    _ => fault,
                });
            }
        }
        match list.sort {
            Sort::List(member) if !item.sort.may_be(member.sort()) => {
                let message = format!("{} is never among {}", item.sort, list.sort);
                Err(Fault::new(expr.span, message))
            }
            _ => Ok(()),
        }
    }

    /// Whether a fact ever is what it is compared with.
    pub(super) fn may_be(&self, value: Value, part: Part, with: &Expr) -> Result<(), Fault> {
        let Kind::Text(text) = &with.kind else {
            return Ok(());
        };
        let nodes = self.blocks.last().map(|block| &block.nodes);
        let node = nodes.and_then(|nodes| nodes.get(usize::from(value.place)));
        node.map_or(Ok(()), |fact| never::refuse(fact, part, text, with.span))
    }
}

fn same(operator: Binary, a: Sort, b: Sort, span: Span) -> Result<(), Fault> {
    if a.may_be(b) {
        return Ok(());
    }
    let message = format!("{a} is never compared with {b}: `{}`", operator.as_str());
    let fault = Fault::new(span, message);
    Err(match (a, b) {
        (Sort::Address, _) | (_, Sort::Address) => {
            fault.help("write `inCIDR(request.source, \"192.0.2.1/32\")`")
        }
        (Sort::List(_), _) | (_, Sort::List(_)) => fault.help("of a list, ask with `in`"),
        (Sort::Text, Sort::Integer) | (Sort::Integer, Sort::Text) => {
            fault.help("a text stands in quotes, a number does not")
        }
        _ => fault,
    })
}

fn ordered(a: Sort, b: Sort, operator: Operator, span: Span) -> Result<Operator, Fault> {
    let has_order = |sort| matches!(sort, Sort::Any | Sort::Integer | Sort::Text);
    if has_order(a) && has_order(b) && a.may_be(b) {
        return Ok(operator);
    }
    let message = format!("expected two numbers or two texts, got {a} and {b}");
    Err(Fault::new(span, message))
}

/// What `all` comes to of a list with nothing in it.
fn empty(span: Span) -> Doubt {
    let fault = Fault::new(span, "`all` holds of an empty list too");
    Doubt {
        severity: Severity::Warning,
        code: Code::Vacuous,
        fault: fault.help("if there must be one, write `size(list) > 0 && list.all(...)`"),
    }
}
