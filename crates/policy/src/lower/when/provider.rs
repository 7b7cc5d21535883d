//! `caller.provider`: compared with the names of providers that there are, and with nothing else.
//!
//! Of a name that nobody has, `!=` would hold for everybody and a Deny by `==` would act on nobody. So
//! such a name is reported and lowered as what is unknown; and where no name is to be seen (a claim, a
//! part of a text, a member of a list) it cannot be looked for: that is refused.

use super::lowering::{Lowering, Value};
use super::sort::{Item, Sort};
use super::{Doubt, guard};
use crate::cel::{Binary, Expr, Fault, Kind};
use crate::diagnostic::{Severity, Span};
use crate::lower::place::Missed;
use crate::lower::short;
use countersign_ruleset::condition::{Literal, Node, Operator, Place};

/// A text has no members, so this one of it is unknown to every edge.
const MISSING: &str = "isMissing";

/// Whether it is `caller.provider`.
pub(super) fn is(expr: &Expr) -> bool {
    guard::of_caller(expr) == Some("provider")
}

/// What is asked of it that needs no name.
pub(super) fn nameless(expr: &Expr) -> Fault {
    let message =
        "`caller.provider` is compared with names of providers, and nothing else is asked of it";
    Fault::new(expr.span, message).help(
        "write `caller.provider == \"ClusterTrustProvider/NAME\"`, or `in [...]` of such names",
    )
}

/// Lowers a comparison of which one side is `caller.provider`.
pub(super) fn compare(
    lowering: &mut Lowering<'_>,
    operator: Binary,
    (left, right): (&Expr, &Expr),
    span: Span,
) -> Result<Value, Fault> {
    let node = match (operator, &right.kind) {
        (Binary::In, Kind::List(members)) if is(left) => {
            let item = side(lowering, left)?;
            let names = members.iter().map(|name| named(lowering, name));
            let names = names.collect::<Result<Vec<Place>, Fault>>()?;
            let list = lowering
                .node(Node::List(names), Sort::List(Item::Text), right.span)?
                .place;
            Node::In { item, list }
        }
        (Binary::Equal | Binary::NotEqual, _) => {
            let operator = if operator == Binary::Equal {
                Operator::Equal
            } else {
                Operator::NotEqual
            };
            let (left, right) = if is(left) {
                (side(lowering, left)?, named(lowering, right)?)
            } else {
                (named(lowering, left)?, side(lowering, right)?)
            };
            Node::Compare {
                operator,
                left,
                right,
            }
        }
        _ => return Err(nameless(if is(left) { left } else { right })),
    };
    lowering.node(node, Sort::Truth, span)
}

fn side(lowering: &mut Lowering<'_>, expr: &Expr) -> Result<Place, Fault> {
    lowering.fact(expr).map(|value| value.place)
}

/// The name of a provider, in quotes.
fn named(lowering: &mut Lowering<'_>, expr: &Expr) -> Result<Place, Fault> {
    let Kind::Text(text) = &expr.kind else {
        return Err(nameless(expr));
    };
    let (kind, name) = id(text).ok_or_else(|| misnamed(text, expr.span))?;
    let literal = Node::Literal(Literal::Text(text.clone()));
    let of = lowering.node(literal, Sort::Text, expr.span)?.place;
    let Err(Missed {
        code,
        message,
        help,
    }) = lowering.beside.place.knows_provider(kind, name)
    else {
        return Ok(of);
    };
    let mut fault = Fault::new(expr.span, message);
    fault.help = help;
    lowering.doubt(Doubt {
        severity: Severity::Error,
        code,
        fault,
    });
    let member = MISSING.to_owned();
    let unknown = lowering.node(Node::Select { of, member }, Sort::Text, expr.span)?;
    Ok(unknown.place)
}

fn id(text: &str) -> Option<(&str, &str)> {
    let (kind, name) = text.split_once('/')?;
    let is_kind = matches!(kind, "ClusterTrustProvider" | "TrustProvider");
    (is_kind && !name.is_empty() && !name.contains('/')).then_some((kind, name))
}

fn misnamed(text: &str, span: Span) -> Fault {
    let message = format!("expected `KIND/NAME` of a provider, got `{}`", short(text));
    let name = text.rsplit('/').next().unwrap_or_default();
    let name = if name.is_empty() { "NAME" } else { name };
    let help = format!("write \"ClusterTrustProvider/{}\"", short(name));
    Fault::new(span, message).help(help)
}
