//! The oracle's reading of the language of `when`: what it has, and what it refuses to compare.

use super::sent::{canonical, is_network};
use super::when::place;
use cel::common::ast::{ComprehensionExpr, Expr, LiteralValue};

/// What is said of the caller beside the claims.
const CALLER: [&str; 6] = ["actor", "client", "email", "groups", "provider", "subject"];
const PROVIDER: [&str; 2] = ["caller", "provider"];
const METHODS: [&str; 9] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// 21: the language, and nothing else.
pub(crate) fn is_known<'a>(expression: &'a Expr, bound: &mut Vec<&'a str>) -> bool {
    match expression {
        Expr::Literal(
            LiteralValue::Boolean(_) | LiteralValue::Int(_) | LiteralValue::String(_),
        ) => true,
        Expr::Ident(name) => bound.contains(&name.as_str()),
        Expr::List(list) => list.elements.iter().all(|one| is_known(&one.expr, bound)),
        Expr::Comprehension(each) => {
            let known = is_macro(each) && is_known(&each.iter_range.expr, bound);
            bound.push(&each.iter_var);
            let body = body(each).is_some_and(|body| is_known(body, bound));
            bound.pop();
            known && body
        }
        Expr::Call(call) => {
            let arguments = call.target.iter().map(|one| &one.expr);
            let arguments: Vec<&Expr> = arguments
                .chain(call.args.iter().map(|one| &one.expr))
                .collect();
            if let Some(names) = names(&call.func_name, &arguments) {
                return names.into_iter().all(is_name);
            }
            if is_never(&call.func_name, &arguments) {
                return false;
            }
            match (&*call.func_name, call.target.is_some(), &*arguments) {
                ("_[_]", ..) => place(expression).is_some_and(|path| path != PROVIDER),
                ("inCIDR", false, [address, Expr::Literal(LiteralValue::String(network))]) => {
                    is_known(address, bound) && is_network(network.inner())
                }
                ("!_" | "size", false, [_])
                | ("size", true, [_])
                | (
                    "_&&_" | "_||_" | "_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_" | "@in",
                    false,
                    [_, _],
                )
                | ("startsWith" | "endsWith" | "contains", true, [_, _]) => {
                    arguments.into_iter().all(|one| is_known(one, bound))
                }
                _ => false,
            }
        }
        Expr::Select(select) => {
            let path = place(expression);
            let is = |path: &Vec<&str>| match &**path {
                ["caller", "claims", _, ..]
                | ["request", "headers", _]
                | ["request", "method" | "host" | "path" | "source"] => true,
                // 16: it is compared with names, and nothing else is asked of it.
                ["caller", "provider"] => select.test,
                ["caller", fact] => CALLER.contains(fact),
                ["path", _] => !select.test,
                _ => false,
            };
            path.is_some_and(|path| is(&path))
        }
        _ => false,
    }
}

/// `exists` begins with false and is an or; `all` begins with true and is an and. Other macros are none
/// of this language.
fn is_macro(each: &ComprehensionExpr) -> bool {
    let step = match &each.loop_step.expr {
        Expr::Call(call) => &*call.func_name,
        _ => "",
    };
    let begins = &each.accu_init.expr;
    each.iter_var2.is_none()
        && (step == "_||_" && *begins == boolean(false)
            || step == "_&&_" && *begins == boolean(true))
}

pub(crate) fn boolean(value: bool) -> Expr {
    Expr::Literal(LiteralValue::Boolean(value.into()))
}

pub(crate) fn body(each: &ComprehensionExpr) -> Option<&Expr> {
    match &each.loop_step.expr {
        Expr::Call(call) => call.args.get(1).map(|one| &one.expr),
        _ => None,
    }
}

/// 21: a comparison that can never hold, as far as it is told by the whole text.
fn is_never(function: &str, arguments: &[&Expr]) -> bool {
    let [a, b] = arguments else { return false };
    let never = |fact: &Expr, with: &Expr| {
        let Some(fact) = place(fact) else {
            return false;
        };
        texts(with).iter().any(|text| match &*fact {
            ["caller", "email"] | ["request", "host"] => *text != text.to_lowercase(),
            ["request", "method"] => {
                !METHODS.contains(text) && METHODS.contains(&&*text.to_uppercase())
            }
            ["request", "path"] if matches!(function, "_==_" | "_!=_" | "@in") => {
                canonical(text).as_deref() != Some(text)
            }
            _ => false,
        })
    };
    match function {
        "_==_" | "_!=_" => never(a, b) || never(b, a),
        "@in" | "startsWith" | "endsWith" | "contains" => never(a, b),
        _ => false,
    }
}

/// 16: the names with which `caller.provider` is compared, if it is; what is no text is none.
pub(crate) fn names<'a>(function: &str, arguments: &[&'a Expr]) -> Option<Vec<Option<&'a str>>> {
    let is_provider = |one: &Expr| place(one).is_some_and(|path| path == PROVIDER);
    match (function, arguments) {
        ("_==_" | "_!=_", [a, b]) if is_provider(a) => Some(vec![text(b)]),
        ("_==_" | "_!=_", [a, b]) if is_provider(b) => Some(vec![text(a)]),
        ("@in", [a, Expr::List(list)]) if is_provider(a) => {
            Some(list.elements.iter().map(|one| text(&one.expr)).collect())
        }
        _ => None,
    }
}

/// Whether it is `KIND/NAME` of a provider.
fn is_name(text: Option<&str>) -> bool {
    let name = text.and_then(|text| text.split_once("TrustProvider/"));
    name.is_some_and(|(kind, name)| matches!(kind, "" | "Cluster") && !name.is_empty())
}

fn text(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// A text, or the texts of a list.
fn texts(expression: &Expr) -> Vec<&str> {
    match expression {
        Expr::List(list) => list
            .elements
            .iter()
            .filter_map(|one| text(&one.expr))
            .collect(),
        _ => text(expression).into_iter().collect(),
    }
}
