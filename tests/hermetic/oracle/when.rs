//! The oracle's reading of `when`: CEL as another parser reads it, evaluated by the page in three values.

use super::facts::Fact;
use super::language::{body, boolean, is_known, names};
use super::sent::{Call, is_within};
use super::truth::{Truth, every, some};
use super::what::Captures;
use super::who::Place;
use super::word;
use cel::Program;
use cel::common::ast::{ComprehensionExpr, Expr, LiteralValue, SelectExpr};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// What surrounds an expression.
struct Scope<'a> {
    place: Place<'a>,
    call: &'a Call<'a>,
    captures: &'a Captures,
    /// What `exists` and `all` have at hand, by name.
    bound: Vec<(&'a str, Value)>,
}

/// Whether the condition of a rule holds for one alternative. What cannot be read, and what this
/// language has not, is unknown as a whole.
pub(crate) fn holds(rule: &Value, captures: &Captures, place: Place<'_>, call: &Call<'_>) -> Truth {
    let Some(when) = rule.get("when") else {
        return Some(true);
    };
    let program = Program::compile(when.as_str()?).ok()?;
    let expression = &program.expression().expr;
    is_known(expression, &mut Vec::new()).then_some(())?;
    // 16: under `anyone`, what a provider says means something only beside which provider it is.
    let anyone = super::meaning::list(rule, "from")
        .iter()
        .any(|entry| entry.get("anyone").is_some());
    if anyone && word::is_anyones(expression) {
        return None;
    }
    let scope = Scope {
        place,
        call,
        captures,
        bound: Vec::new(),
    };
    scope.truth(expression)
}

/// `caller.claims.tenant`, `request.headers["x-tier"]`: the names, outermost first.
pub(super) fn place(expression: &Expr) -> Option<Vec<&str>> {
    let (of, name) = match expression {
        Expr::Ident(name) => return Some(vec![name]),
        Expr::Select(select) => (&select.operand.expr, &*select.field),
        Expr::Call(call) if call.func_name == "_[_]" => match &*call.args {
            [of, key] => match &key.expr {
                Expr::Literal(LiteralValue::String(key)) => (&of.expr, key.inner()),
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    let mut path = place(of)?;
    path.push(name);
    Some(path)
}

impl<'a> Scope<'a> {
    /// A condition's value: what is no truth is unknown.
    fn truth(&self, expression: &'a Expr) -> Truth {
        match self.value(expression) {
            Fact::Said(value) => value.as_bool(),
            Fact::Absent | Fact::Unknown => None,
        }
    }

    fn value(&self, expression: &'a Expr) -> Fact {
        match expression {
            Expr::Literal(LiteralValue::Boolean(value)) => Fact::Said(json!(value.inner())),
            Expr::Literal(LiteralValue::Int(value)) => Fact::Said(json!(value.inner())),
            Expr::Literal(LiteralValue::String(value)) => Fact::Said(json!(value.inner())),
            Expr::Ident(name) => {
                let bound = self.bound.iter().rev().find(|(one, _)| one == name);
                bound.map_or(Fact::Unknown, |(_, value)| Fact::Said(value.clone()))
            }
            // 15: what cannot be told of a member is kept, as null.
            Expr::List(list) => {
                let members = list.elements.iter().map(|one| self.said(&one.expr));
                Fact::Said(members.collect())
            }
            Expr::Select(select) if select.test => truth(self.has(select)),
            Expr::Select(_) => self.fact(expression),
            Expr::Call(call) if call.func_name == "_[_]" => self.fact(expression),
            Expr::Call(call) => {
                let target = call.target.iter().map(|one| &one.expr);
                let arguments: Vec<_> = target
                    .chain(call.args.iter().map(|one| &one.expr))
                    .collect();
                self.call(&call.func_name, &arguments)
            }
            Expr::Comprehension(each) => truth(self.each(each)),
            _ => Fact::Unknown,
        }
    }

    /// What is said; absent and unknown are both nothing.
    fn said(&self, expression: &'a Expr) -> Option<Value> {
        match self.value(expression) {
            Fact::Said(value) if is_whole(&value, false) => Some(value),
            Fact::Said(_) | Fact::Absent | Fact::Unknown => None,
        }
    }

    /// 15: `has()` is false for plain absence only.
    fn has(&self, select: &SelectExpr) -> Truth {
        let mut path = place(&select.operand.expr)?;
        path.push(&select.field);
        match self.look_up(&path) {
            Fact::Said(value) => is_whole(&value, false).then_some(true),
            Fact::Absent => Some(false),
            Fact::Unknown => None,
        }
    }

    fn fact(&self, expression: &Expr) -> Fact {
        place(expression).map_or(Fact::Unknown, |path| self.look_up(&path))
    }

    fn look_up(&self, path: &[&str]) -> Fact {
        let asked = self.call.asked;
        match path {
            ["request", "method"] => Fact::Said(json!(asked.method)),
            // 20: what the caller calls himself is no host of the target.
            ["request", "host"] if self.call.form.foreign => Fact::Unknown,
            ["request", "host"] => Fact::Said(json!(self.call.form.host)),
            ["request", "path"] => Fact::Said(json!(self.call.form.path)),
            // 15: not established is not absent.
            ["request", "source"] => asked
                .source
                .as_ref()
                .map_or(Fact::Unknown, |one| Fact::Said(json!(one))),
            // 21: a header that occurs twice is unknown.
            ["request", "headers", name] => match &*asked.headers(name) {
                [] => Fact::Absent,
                [one] => Fact::Said(json!(one)),
                _ => Fact::Unknown,
            },
            // 19: a name missing in an alternative is unknown.
            ["path", name] => self
                .captures
                .get(*name)
                .map_or(Fact::Unknown, |one| Fact::Said(json!(one))),
            ["caller", rest @ ..] => match (&self.call.caller, rest) {
                // 16: of the anonymous everything is absent.
                (None, _) => Fact::Absent,
                // 16: in a cluster's rule nothing is taken as said by a namespace's provider.
                (Some(caller), _)
                    if self.place.namespace.is_none() && caller.provider.is_namespaced() =>
                {
                    Fact::Unknown
                }
                (Some(caller), ["claims", path @ ..]) => caller.claim(&json!(path)),
                (Some(caller), [fact]) => caller.fact(fact),
                _ => Fact::Unknown,
            },
            _ => Fact::Unknown,
        }
    }

    fn each(&self, each: &'a ComprehensionExpr) -> Truth {
        let list = self.said(&each.iter_range.expr)?;
        let body = body(each)?;
        let inside = list.as_array()?.iter().map(|item| {
            let mut bound = self.bound.clone();
            bound.push((&*each.iter_var, item.clone()));
            let Self {
                place,
                call,
                captures,
                ..
            } = *self;
            Scope {
                place,
                call,
                captures,
                bound,
            }
            .truth(body)
        });
        if each.accu_init.expr == boolean(true) {
            every(inside)
        } else {
            some(inside)
        }
    }

    /// 16: which of these providers it is; of one that there is not, or out of reach, it is unknown.
    fn is_one_of(&self, names: Vec<Option<&str>>) -> Truth {
        let Fact::Said(provider) = self.look_up(&["caller", "provider"]) else {
            return None;
        };
        some(names.into_iter().map(|name| {
            let there = self.place.world.provider(name?, self.place.namespace)?;
            Some(provider == there.id)
        }))
    }

    fn call(&self, function: &str, arguments: &[&'a Expr]) -> Fact {
        if let Some(names) = names(function, arguments) {
            let is = self.is_one_of(names);
            return truth(if function == "_!=_" {
                is.map(|is| !is)
            } else {
                is
            });
        }
        let both = || {
            Some((
                self.said(arguments.first()?)?,
                self.said(arguments.get(1)?)?,
            ))
        };
        let texts = || {
            let (text, part) = both()?;
            Some((text.as_str()?.to_owned(), part.as_str()?.to_owned()))
        };
        let compared = |is: fn(Ordering) -> bool| both().and_then(|(a, b)| order(&a, &b)).map(is);
        let conditions = || arguments.iter().map(|one| self.truth(one));
        truth(match function {
            "_&&_" => every(conditions()),
            "_||_" => some(conditions()),
            "!_" => conditions().next().flatten().map(|holds| !holds),
            "_==_" => both().and_then(|(a, b)| equal(&a, &b)),
            "_!=_" => both().and_then(|(a, b)| equal(&a, &b)).map(|same| !same),
            "_<_" => compared(Ordering::is_lt),
            "_<=_" => compared(Ordering::is_le),
            "_>_" => compared(Ordering::is_gt),
            "_>=_" => compared(Ordering::is_ge),
            "@in" => both().and_then(|(item, list)| {
                some(list.as_array()?.iter().map(|one| equal(&item, one)))
            }),
            "startsWith" => texts().map(|(text, part)| text.starts_with(&part)),
            "endsWith" => texts().map(|(text, part)| text.ends_with(&part)),
            "contains" => texts().map(|(text, part)| text.contains(&part)),
            "inCIDR" => texts().and_then(|(address, network)| is_within(&address, &network)),
            "size" => {
                let size = arguments
                    .first()
                    .and_then(|one| self.said(one))
                    .and_then(|value| match value {
                        Value::String(text) => Some(text.chars().count()),
                        Value::Array(list) => Some(list.len()),
                        Value::Object(members) => Some(members.len()),
                        _ => None,
                    });
                return size.map_or(Fact::Unknown, |size| Fact::Said(json!(size)));
            }
            _ => None,
        })
    }
}

fn truth(holds: Truth) -> Fact {
    holds.map_or(Fact::Unknown, |holds| Fact::Said(json!(holds)))
}

/// 21: a type mismatch is unknown.
fn equal(a: &Value, b: &Value) -> Truth {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        // 15: lists of which a member cannot be told, whatever their length.
        (Value::Array(a), Value::Array(b)) => match a.len() == b.len() {
            _ if !a.iter().chain(b).all(|one| is_whole(one, true)) => None,
            true => every(a.iter().zip(b).map(|(a, b)| equal(a, b))),
            false => Some(false),
        },
        _ => order(a, b).map(Ordering::is_eq),
    }
}

/// Whether it is of a type that a condition knows; and, of a list, all that is in it.
fn is_whole(value: &Value, deep: bool) -> bool {
    match value {
        Value::Null => false,
        Value::Number(number) => number.is_i64(),
        Value::Array(items) => !deep || items.iter().all(|one| is_whole(one, deep)),
        _ => true,
    }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) => Some(a.as_i64()?.cmp(&b.as_i64()?)),
        _ => None,
    }
}
