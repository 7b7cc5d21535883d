//! The oracle's reading of `mcp`: which calls of the Model Context Protocol a body makes.

use super::Asked;
use super::truth::{Part, Truth, every, misspelt, part, some};
use serde_json::Value;

/// One message of a body.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    /// The body was not read, or can be read in two ways.
    Unseen,
    /// An answer to the service's own call.
    Answer,
    /// A call, of a tool by name if it is one.
    Call(String, Option<String>),
}

/// 44: the messages, each decided as a request of its own.
pub(crate) fn messages(asked: &Asked) -> Vec<Message> {
    // An empty body was read, and calls nothing.
    if asked.body.as_deref() == Some("") {
        return vec![Message::Answer];
    }
    let body = asked.body.as_deref().and_then(strict);
    let read = body.and_then(|body| match body {
        Value::Array(batch) if batch.is_empty() => None,
        Value::Array(batch) => batch.iter().map(message).collect(),
        one => message(&one).map(|one| vec![one]),
    });
    read.unwrap_or_else(|| vec![Message::Unseen])
}

/// JSON that can be read in one way only: a reader of YAML refuses a member that occurs twice.
fn strict(body: &str) -> Option<Value> {
    let json: Value = serde_json::from_str(body).ok()?;
    let yaml: Value = serde_saphyr::from_str(body).ok()?;
    (json == yaml).then_some(json)
}

fn message(one: &Value) -> Option<Message> {
    let members = one.as_object()?;
    if one["jsonrpc"] != "2.0" {
        return None;
    }
    let Some(method) = members.get("method") else {
        let answers = members.contains_key("result") != members.contains_key("error");
        return answers.then_some(Message::Answer);
    };
    let method = method.as_str()?.to_owned();
    if method != "tools/call" {
        return Some(Message::Call(method, None));
    }
    let tool = one["params"].get("name")?.as_str()?;
    Some(Message::Call(method, Some(tool.to_owned())))
}

/// 44: whether an entry's `mcp` covers a message; `tools` beside `methods` must list their method.
pub(crate) fn covers(to: &Value, message: &Message) -> Truth {
    let Some(mcp) = to.get("mcp") else {
        return Some(true);
    };
    let (method, tool) = match message {
        Message::Unseen => return None,
        Message::Answer => (None, None),
        Message::Call(method, tool) => (Some(&**method), tool.as_deref()),
    };
    let field = |name: &str, got: Option<&str>| match part(mcp, name) {
        Part::Absent => Some(true),
        Part::List(any_of) => some(any_of.iter().map(|one| Some(Some(one.as_str()?) == got))),
        Part::Unknown | Part::Other => None,
    };
    let asks = mcp.as_object().is_some_and(|mcp| !mcp.is_empty());
    let listed = match part(mcp, "methods") {
        Part::List(methods) => methods.iter().any(|one| one == "tools/call"),
        Part::Absent | Part::Unknown | Part::Other => true,
    };
    if !asks || (!listed && mcp.get("tools").is_some()) {
        return None;
    }
    let whole = (!misspelt(mcp, &["methods", "tools"])).then_some(true);
    every([field("methods", method), field("tools", tool), whole])
}
