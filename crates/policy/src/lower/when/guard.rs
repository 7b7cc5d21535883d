//! Whose word it is: under `anyone`, a condition that reads what a provider says tests which provider.
//!
//! Without that the word of whichever provider is admitted would do: a caller of one could carry the
//! group of another, or its subject. A test is `caller.provider == "KIND/NAME"` or
//! `caller.provider in ["KIND/NAME"]`, and it must stand in one `&&` with each part that reads what a
//! provider says. `!=`, a test inside `!`, and a test in another branch of `||` guard nothing. Whether
//! there is a subject, a client or an actor needs none: that says nothing of who it is.

use crate::cel::{Binary, Expr, Fault, Kind};

/// What one provider says of a caller, and another may say of somebody else.
const SAID: [&str; 6] = ["actor", "claims", "client", "email", "groups", "subject"];

/// Of what of it `has()` may be asked whoever says it.
const THERE: [&str; 3] = ["actor", "client", "subject"];

/// The first part that is read without a test of whose word it is.
pub(super) fn unguarded(expr: &Expr) -> Option<Fault> {
    if is_tested(expr) || asks_if_there(expr) {
        return None;
    }
    match of_caller(expr) {
        Some(said) if SAID.contains(&said) => Some(fault(expr, said)),
        _ => inside(expr).into_iter().find_map(unguarded),
    }
}

/// Whether it holds only by the word of providers that it names.
pub(super) fn is_tested(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::All(parts) => conjuncts(parts).any(is_test),
        _ => is_test(expr),
    }
}

/// `has(caller.subject)`.
fn asks_if_there(expr: &Expr) -> bool {
    let Kind::Call {
        of: None,
        name,
        arguments,
    } = &expr.kind
    else {
        return false;
    };
    let [fact] = arguments.as_slice() else {
        return false;
    };
    name.0 == "has" && of_caller(fact).is_some_and(|fact| THERE.contains(&fact))
}

/// What of the caller it reads.
pub(super) fn of_caller(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        Kind::Select { of, member } if is_caller(of) => Some(&member.0),
        Kind::Index { of, key } if is_caller(of) => match &key.kind {
            Kind::Text(key) => Some(key),
            _ => None,
        },
        _ => None,
    }
}

fn fault(expr: &Expr, said: &str) -> Fault {
    let said = match expr.kind {
        Kind::Index { .. } => format!("caller[\"{said}\"]"),
        _ => format!("caller.{said}"),
    };
    let message = format!("under `anyone`, nothing says by whose word `{said}` holds");
    let help = "name the provider in `from`, or write `caller.provider == \"ClusterTrustProvider/NAME\" && ...` around it";
    Fault::new(expr.span, message).help(help)
}

/// The parts of an `&&`, those of one inside it too: `a && (b && c)`.
fn conjuncts(parts: &[Expr]) -> impl Iterator<Item = &Expr> {
    let mut left: Vec<&Expr> = parts.iter().collect();
    std::iter::from_fn(move || {
        let next = left.pop()?;
        if let Kind::All(parts) = &next.kind {
            left.extend(parts);
        }
        Some(next)
    })
}

fn is_test(expr: &Expr) -> bool {
    let Kind::Binary {
        operator,
        left,
        right,
    } = &expr.kind
    else {
        return false;
    };
    let is_text = |expr: &Expr| matches!(expr.kind, Kind::Text(_));
    match (operator, &right.kind) {
        (Binary::Equal, _) => {
            is_provider(left) && is_text(right) || is_text(left) && is_provider(right)
        }
        (Binary::In, Kind::List(members)) => is_provider(left) && members.iter().all(is_text),
        _ => false,
    }
}

fn is_caller(expr: &Expr) -> bool {
    matches!(&expr.kind, Kind::Name(name) if name == "caller")
}

fn is_provider(expr: &Expr) -> bool {
    matches!(&expr.kind, Kind::Select { of, member } if is_caller(of) && member.0 == "provider")
}

/// The parts of an expression.
fn inside(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        Kind::All(parts) | Kind::Any(parts) | Kind::List(parts) => parts.iter().collect(),
        Kind::Binary { left, right, .. } => vec![left, right],
        Kind::Call { of, arguments, .. } => of.as_deref().into_iter().chain(arguments).collect(),
        Kind::Index { of, key } => vec![of, key],
        Kind::Not(of) | Kind::Select { of, .. } => vec![of],
        Kind::Bool(_) | Kind::Integer(_) | Kind::Name(_) | Kind::Text(_) => Vec::new(),
    }
}
