//! `mcp`: which calls of the Model Context Protocol are meant.

use super::{Read, list, members, state};
use crate::diagnostic::{Code, FieldPath};
use crate::field::Field;
use crate::lower::{Said, Sink, short};
use crate::v1alpha1::McpTo;
use countersign_ruleset::rules::Mcp;

const MCP: [&str; 2] = ["methods", "tools"];

/// The one method that names a tool.
const TOOLS_CALL: &str = "tools/call";

/// What was read of it.
pub(super) enum Calls {
    /// It is not written.
    Absent,
    /// It cannot be read: it may have been any call, or none.
    Unknown,
    /// These.
    Known {
        tools: Option<Read<String>>,
        methods: Option<Read<String>>,
        /// Whether something is asked beside that cannot be read.
        misspelt: bool,
    },
}

pub(super) fn read(path: &FieldPath, field: &Field<McpTo>, sink: &mut Sink) -> Calls {
    let written = match sink.field(path, field) {
        Said::Absent => return Calls::Absent,
        Said::Unknown => return Calls::Unknown,
        Said::Known(written) => written,
    };
    let misspelt = sink.unread(path, &written.unread, &MCP);
    let tools = list(&path.name("tools"), &written.tools, tool, sink);
    let methods = list(&path.name("methods"), &written.methods, method, sink);
    if tools.is_none() && methods.is_none() {
        if !misspelt {
            let message = "expected which calls it means, got nothing";
            let help = "to mean every call of a tool: `methods: [tools/call]`".to_owned();
            sink.error(path, Code::UnreadableValue, message, Some(help));
        }
        return Calls::Unknown;
    }
    let calls_none = |methods: &Read<String>| methods.whole && !methods.known.contains(TOOLS_CALL);
    if tools.is_some() && methods.as_ref().is_some_and(calls_none) {
        let message = format!("`tools` means calls by `{TOOLS_CALL}`, which is not named here");
        let help = "leave `methods` out, or write an entry of `to` for each".to_owned();
        sink.error(&path.name("methods"), Code::Exclusive, message, Some(help));
        return Calls::Unknown;
    }
    Calls::Known {
        tools,
        methods,
        misspelt,
    }
}

impl Calls {
    pub(super) const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether there is something that cannot be read, but for members of its lists.
    pub(super) const fn is_spoilt(&self) -> bool {
        matches!(self, Self::Unknown | Self::Known { misspelt: true, .. })
    }

    /// Of each of its lists, whether all of it could be read, and whether any.
    pub(super) fn states(&self) -> impl Iterator<Item = (bool, bool)> {
        let lists = match self {
            Self::Absent | Self::Unknown => [None, None],
            Self::Known { tools, methods, .. } => [state(tools.as_ref()), state(methods.as_ref())],
        };
        lists.into_iter().flatten()
    }

    /// What could be read; or, if only whole lists count, no demand where it is not one.
    pub(super) fn lower(&self, whole_only: bool) -> Option<Mcp> {
        let (tools, methods) = match self {
            Self::Absent | Self::Unknown => return None,
            Self::Known { tools, methods, .. } => (tools.as_ref(), methods.as_ref()),
        };
        let mcp = Mcp {
            tools: members(tools, whole_only),
            methods: members(methods, whole_only),
        };
        (mcp.tools.is_some() || mcp.methods.is_some()).then_some(mcp)
    }
}

/// Names are compared exactly: `*` stands for nothing.
fn tool(path: &FieldPath, text: &str, sink: &mut Sink) -> Option<String> {
    let help = "to mean every tool: `methods: [tools/call]`";
    name(path, text, ("the name of a tool", help), sink)
}

fn method(path: &FieldPath, text: &str, sink: &mut Sink) -> Option<String> {
    let help = "each method is named, as in `tools/list`";
    name(path, text, ("a method such as `tools/list`", help), sink)
}

fn name(
    path: &FieldPath,
    text: &str,
    (expected, help): (&str, &str),
    sink: &mut Sink,
) -> Option<String> {
    let odd = |c: char| c == '*' || c.is_whitespace() || c.is_control();
    if !text.is_empty() && !text.contains(odd) {
        return Some(text.to_owned());
    }
    let message = format!("expected {expected}, got `{}`", short(text));
    sink.error(path, Code::InvalidValue, message, Some(help.to_owned()));
    None
}
