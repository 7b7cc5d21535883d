//! Calls of the Model Context Protocol: a body as JSON-RPC, read in one way or not at all.
//!
//! A rule with `mcp` decides on what the service will do with the body, so there must be no second
//! reading of it: it is read whole, as plain JSON with each member once, within limits. What a more
//! lenient reader could take otherwise (`Method` beside `method`, a batch in a batch) is not read,
//! and then `mcp` is unknown: it gives nothing and takes away.
//!
//! ```
//! use countersign_enforcer::mcp::{self, Call, Message};
//! let body = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}"#;
//! let search = Call { method: "tools/call".into(), tool: Some("search".into()) };
//! assert_eq!(mcp::read(body), Ok(vec![Message::Call(search)]));
//! ```

use countersign_ruleset::json::{self, Limits};
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::rules::Mcp;

#[cfg(test)]
mod tests;
mod wire;

use wire::Wire;

/// The most bytes of a body that is read.
pub const MAX_BODY: usize = 1 << 20;

/// The most messages of a batch: each is decided by itself.
pub const MAX_BATCH: usize = 64;

const LIMITS: Limits = Limits {
    bytes: MAX_BODY,
    depth: 64,
    exact_integers: false,
};

/// The one method of which a rule can name more than the method: its tool.
const TOOLS_CALL: &str = "tools/call";

/// What is known of the calls in a request's body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Calls {
    /// The body was not read, or cannot be read in one way only.
    #[default]
    Unseen,
    /// It was read whole, and these are all its messages; of none, there is no body.
    Seen(Vec<Message>),
}

/// One message of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request or a notification: the service acts on either.
    Call(Call),
    /// The answer to a call of the service's own. It calls nothing.
    Response,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The JSON-RPC method.
    pub method: String,
    /// The name of the tool, of `tools/call` only.
    pub tool: Option<String>,
}

/// Why a body is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON of one meaning, or too large.
    #[error(transparent)]
    Json(#[from] json::Malformed),
    /// A batch without a message (JSON-RPC 2.0 §6 calls it invalid).
    #[error("expected a message in the batch, got none")]
    EmptyBatch,
    /// There are too many.
    #[error("expected at most {MAX_BATCH} messages, got {0}")]
    TooMany(usize),
    /// Another protocol, or none.
    #[error("expected `jsonrpc` to be \"2.0\", got another text")]
    Version,
    /// Neither a call nor a response, or both.
    #[error("expected either a method, or an id with a result or an error")]
    Form,
    /// A call of a tool that does not say of which.
    #[error("expected `params.name` in {TOOLS_CALL}, once and in this spelling")]
    Tool,
}

/// Reads the messages of a body: one, or a batch. What encodes the body must have been undone.
///
/// # Errors
/// If it is not all there, or could be read in another way.
pub fn read(body: &[u8]) -> Result<Vec<Message>, Unreadable> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'[') {
        return Ok(vec![json::strict::<Wire>(body, LIMITS)?.message()?]);
    }
    let batch: Vec<Wire> = json::strict(body, LIMITS)?;
    match batch.len() {
        0 => Err(Unreadable::EmptyBatch),
        many if many > MAX_BATCH => Err(Unreadable::TooMany(many)),
        _ => batch.into_iter().map(Wire::message).collect(),
    }
}

/// The message at hand in a decision: every one of a body is decided as a request of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtHand<'a> {
    /// What is called is not known.
    Unseen,
    /// Nothing is called.
    Nothing,
    /// This is.
    Call(&'a Call),
}

impl Calls {
    /// Each message, or the one request where there is none.
    pub(crate) fn each(&self) -> impl Iterator<Item = AtHand<'_>> {
        let (alone, messages) = match self {
            Self::Unseen => (Some(AtHand::Unseen), [].as_slice()),
            Self::Seen(messages) if messages.is_empty() => (Some(AtHand::Nothing), [].as_slice()),
            Self::Seen(messages) => (None, messages.as_slice()),
        };
        alone.into_iter().chain(messages.iter().map(AtHand::of))
    }
}

impl<'a> AtHand<'a> {
    const fn of(message: &'a Message) -> Self {
        match message {
            Message::Response => Self::Nothing,
            Message::Call(call) => Self::Call(call),
        }
    }
}

impl AtHand<'_> {
    /// Whether it is what a rule asks for. Names are compared exactly.
    pub(crate) fn meets(&self, wanted: &Mcp) -> Kleene {
        let call = match self {
            Self::Unseen => return Kleene::Unknown,
            Self::Nothing => return Kleene::False,
            Self::Call(call) => call,
        };
        let listed = |list: &Option<Vec<String>>, got: Option<&String>| {
            list.as_ref()
                .is_none_or(|list| got.is_some_and(|got| list.contains(got)))
        };
        let method = listed(&wanted.methods, Some(&call.method));
        (method && listed(&wanted.tools, call.tool.as_ref())).into()
    }
}
