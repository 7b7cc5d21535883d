//! The oracle's reading of whose word a condition takes under `anyone`.

use super::when::place;
use cel::Program;
use cel::common::ast::{Expr, LiteralValue};
use serde_json::Value;

/// Whether it reads what a provider says, and not in one `&&` with a test of which provider it is. Whether
/// there is a subject, a client or an actor may be asked of anyone.
pub(crate) fn is_anyones(expression: &Expr) -> bool {
    let is_there = matches!(expression, Expr::Select(select) if select.test);
    let said = |path: Vec<&str>| match &*path {
        ["caller", "email" | "groups" | "claims", ..] => true,
        ["caller", "subject" | "client" | "actor"] => !is_there,
        _ => false,
    };
    let inside = |one: &cel::IdedExpr| is_anyones(&one.expr);
    !is_tested(expression)
        && (place(expression).is_some_and(said)
            || match expression {
                Expr::Call(call) => {
                    call.target.iter().any(|one| inside(one)) || call.args.iter().any(inside)
                }
                Expr::List(list) => list.elements.iter().any(inside),
                Expr::Select(select) => inside(&select.operand),
                Expr::Comprehension(each) => inside(&each.iter_range) || inside(&each.loop_step),
                _ => false,
            })
}

/// 11, 16: whether a rule asks of a caller what a token says beside `from`; and whether its condition
/// says by whose word.
pub(crate) fn asks_of_token(rule: &Value) -> (bool, bool) {
    let when = rule.get("when").and_then(Value::as_str);
    let program = when.and_then(|when| Program::compile(when).ok());
    let expression = program.as_ref().map(|it| &it.expression().expr);
    let asks = rule.get("require").is_some() || expression.is_some_and(asks_of_caller);
    (asks, expression.is_some_and(is_tested))
}

/// Whether it asks anything of the caller.
fn asks_of_caller(expression: &Expr) -> bool {
    let inside = |one: &cel::IdedExpr| asks_of_caller(&one.expr);
    matches!(expression, Expr::Ident(name) if name == "caller")
        || match expression {
            Expr::Call(call) => {
                call.target.iter().any(|one| inside(one)) || call.args.iter().any(inside)
            }
            Expr::List(list) => list.elements.iter().any(inside),
            Expr::Select(select) => inside(&select.operand),
            Expr::Comprehension(each) => inside(&each.iter_range) || inside(&each.loop_step),
            _ => false,
        }
}

/// `caller.provider == "KIND/NAME"` or `in [...]`, in an `&&` however deep, or alone.
fn is_tested(expression: &Expr) -> bool {
    let Expr::Call(call) = expression else {
        return false;
    };
    if call.func_name == "_&&_" {
        return call.args.iter().any(|one| is_tested(&one.expr));
    }
    let is_text = |one: &Expr| matches!(one, Expr::Literal(LiteralValue::String(_)));
    let is_provider = |one: &Expr| place(one).is_some_and(|path| path == ["caller", "provider"]);
    match (&*call.func_name, &*call.args) {
        ("_==_", [a, b]) => {
            is_provider(&a.expr) && is_text(&b.expr) || is_text(&a.expr) && is_provider(&b.expr)
        }
        ("@in", [a, b]) => {
            let Expr::List(list) = &b.expr else {
                return false;
            };
            is_provider(&a.expr) && list.elements.iter().all(|one| is_text(&one.expr))
        }
        _ => false,
    }
}
