//! The functions of a condition: `has size startsWith endsWith contains exists all inCIDR`.

use super::fact::ROOTS;
use super::lowering::{Lowering, Value};
use super::network;
use super::never::Part;
use super::sort::{Item, Sort};
use crate::cel::{Expr, Fault, Kind};
use crate::diagnostic::Span;
use crate::field::nearest;
use crate::lower::short;
use countersign_ruleset::condition::{MAX_NESTING, Node};

const FUNCTIONS: [&str; 8] = [
    "has",
    "size",
    "startsWith",
    "endsWith",
    "contains",
    "exists",
    "all",
    "inCIDR",
];

/// What CEL has elsewhere, and what to write here.
const ELSEWHERE: [(&str, &str); 8] = [
    (
        "matches",
        "there are no regular expressions: write `startsWith`, `endsWith` or `contains`",
    ),
    ("exists_one", "write `exists`"),
    ("filter", "write `exists` or `all`"),
    ("map", "write `exists` or `all`"),
    ("lowerAscii", "write the text as it is sent"),
    ("type", "what is of another type is unknown by itself"),
    ("int", "write the number, or the text in quotes"),
    ("timestamp", "a rule ends by its `expiresAt`"),
];

/// Lowers a call.
pub(super) fn lower(
    lowering: &mut Lowering<'_>,
    of: Option<&Expr>,
    (name, at): &(String, Span),
    arguments: &[Expr],
    span: Span,
) -> Result<Value, Fault> {
    let form = || wrong_form(name, span);
    match (name.as_str(), of, arguments) {
        ("has", None, [fact]) => has(lowering, fact, span),
        ("size", None, [value]) | ("size", Some(value), []) => size(lowering, value, span),
        ("startsWith" | "endsWith" | "contains", Some(text), [part]) => {
            part_of(lowering, name, (text, part), span)
        }
        ("exists" | "all", Some(list), [element, body]) => {
            each(lowering, name, (list, element, body), span)
        }
        ("inCIDR", None, [address, network]) => within(lowering, (address, network), span),
        (known, ..) if FUNCTIONS.contains(&known) => Err(form()),
        _ => Err(unnamed(name, *at)),
    }
}

fn unnamed(name: &str, at: Span) -> Fault {
    let fault = Fault::new(at, format!("there is no function `{}`", short(name)));
    if let Some((_, help)) = ELSEWHERE.iter().find(|(there, _)| *there == name) {
        return fault.help(*help);
    }
    fault.help(nearest(name, FUNCTIONS).map_or_else(
        || format!("there are {}", FUNCTIONS.join(", ")),
        |near| format!("did you mean `{near}`?"),
    ))
}

fn wrong_form(name: &str, span: Span) -> Fault {
    let form = match name {
        "has" => "has(caller.claims.tenant)",
        "size" => "size(caller.groups)",
        "inCIDR" => "inCIDR(request.source, \"10.0.0.0/8\")",
        "exists" | "all" => "caller.groups.exists(g, g == \"staff\")",
        _ => "request.path.startsWith(\"/v1/\")",
    };
    let form = match name {
        "all" => form.replace("exists", "all"),
        "endsWith" | "contains" => form.replace("startsWith", name),
        _ => form.to_owned(),
    };
    Fault::new(span, format!("`{name}` is not called like this")).help(format!("write `{form}`"))
}

/// Beyond CEL it takes `has(request.headers["x-app"])` too: there is no other way to name that header.
fn has(lowering: &mut Lowering<'_>, fact: &Expr, span: Span) -> Result<Value, Fault> {
    let is_path = |of: &Expr| matches!(&of.kind, Kind::Name(name) if name == "path");
    match &fact.kind {
        Kind::Select { of, .. } | Kind::Index { of, .. } if is_path(of) => {
            let fault = Fault::new(fact.span, "a capture is never absent, only unknown");
            Err(fault.help("write a rule for the paths that capture it"))
        }
        Kind::Select { .. } | Kind::Index { .. } => {
            let place = lowering.fact(fact)?.place;
            lowering.node(Node::Has(place), Sort::Truth, span)
        }
        _ => {
            let fault = Fault::new(fact.span, "`has` asks if one fact is there");
            Err(fault.help("write `has(caller.claims.tenant)`"))
        }
    }
}

fn size(lowering: &mut Lowering<'_>, expr: &Expr, span: Span) -> Result<Value, Fault> {
    let value = lowering.value(expr)?;
    match value.sort {
        Sort::Any | Sort::Text | Sort::List(_) => {
            lowering.node(Node::Size(value.place), Sort::Integer, span)
        }
        other => {
            let message = format!("expected a text or a list, got {other}");
            Err(Fault::new(expr.span, message))
        }
    }
}

/// A text of which something is asked.
fn text(lowering: &mut Lowering<'_>, expr: &Expr) -> Result<Value, Fault> {
    let value = lowering.value(expr)?;
    if value.sort.may_be(Sort::Text) {
        return Ok(value);
    }
    let fault = Fault::new(expr.span, format!("expected a text, got {}", value.sort));
    Err(match value.sort {
        Sort::List(_) => fault.help("of a list, write `\"a\" in list` or `list.exists(x, ...)`"),
        Sort::Address => fault.help("write `inCIDR(request.source, \"10.0.0.0/8\")`"),
        _ => fault,
    })
}

fn part_of(
    lowering: &mut Lowering<'_>,
    name: &str,
    (whole, part): (&Expr, &Expr),
    span: Span,
) -> Result<Value, Fault> {
    let fact = text(lowering, whole)?;
    let (text, part, expr) = (fact.place, text(lowering, part)?.place, part);
    let (node, of) = match name {
        "startsWith" => (Node::StartsWith { text, part }, Part::Start),
        "endsWith" => (Node::EndsWith { text, part }, Part::End),
        _ => (Node::Contains { text, part }, Part::Inside),
    };
    lowering.may_be(fact, of, expr)?;
    lowering.node(node, Sort::Truth, span)
}

fn within(
    lowering: &mut Lowering<'_>,
    (address, network): (&Expr, &Expr),
    span: Span,
) -> Result<Value, Fault> {
    let value = lowering.value(address)?;
    if !matches!(value.sort, Sort::Address | Sort::Any | Sort::Text) {
        let message = format!("expected an address, got {}", value.sort);
        return Err(Fault::new(address.span, message).help("write `request.source`"));
    }
    let Kind::Text(text) = &network.kind else {
        let fault = Fault::new(network.span, "expected a network in quotes");
        return Err(fault.help("write `inCIDR(request.source, \"10.0.0.0/8\")`"));
    };
    let node = Node::InCidr {
        address: value.place,
        network: network::read(text, network.span)?,
    };
    lowering.node(node, Sort::Truth, span)
}

fn each(
    lowering: &mut Lowering<'_>,
    name: &str,
    (list, element, body): (&Expr, &Expr, &Expr),
    span: Span,
) -> Result<Value, Fault> {
    let value = lowering.value(list)?;
    let item = match value.sort {
        Sort::List(item) => item,
        Sort::Any => Item::Any,
        other => {
            let message = format!("expected a list, got {other}");
            return Err(Fault::new(list.span, message));
        }
    };
    let Kind::Name(bound) = &element.kind else {
        return Err(Fault::new(element.span, "expected a name for each element"));
    };
    if ROOTS.contains(&bound.as_str()) {
        let message = format!("`{bound}` is what is asked, and no name for an element");
        return Err(Fault::new(element.span, message).help("write `x`"));
    }
    if lowering.depth() >= MAX_NESTING {
        let message =
            format!("expected at most {MAX_NESTING} of `exists` and `all` inside each other");
        return Err(Fault::new(span, message).help("write two rules"));
    }
    let body = lowering.body(bound, item, body)?;
    let list_at = value.place;
    let node = if name == "all" {
        lowering.asked_of_all(list_at, span);
        Node::Every {
            list: list_at,
            body,
        }
    } else {
        Node::Exists {
            list: list_at,
            body,
        }
    };
    lowering.node(node, Sort::Truth, span)
}
