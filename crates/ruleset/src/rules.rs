//! The rules blob: what each application of a namespace demands, in the one form that is signed.
//!
//! ```text
//! Rules ─┬─ applications ── policies ── rules ── from · to · when · require
//!        ├─ guardrails ──── boundary, deny        (the cluster's, for every application)
//!        ├─ roles                                 (named by entries of `from`)
//!        └─ revocations, audit
//! ```
//!
//! A member may be missing only where that asks nothing (`when`, `to.hosts`), and the bytes must be
//! exactly what the encoder writes: one meaning has one digest. A member that is always written is
//! refused where it is missing, and an unknown member everywhere.

use crate::condition::Condition;
use crate::host::HostPattern;
use crate::names::{ApplicationId, PolicyId, ProviderId, RoleId, RuleName, Scope};
use crate::path::PathPattern;
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

mod bounds;
mod bytes;
mod identity;

pub use bounds::{MAX_LIST, MAX_OBJECTS};
pub use bytes::{Invalid, MAX_RULES};
pub(crate) use bytes::{at_most, canonical, ordered};
pub use identity::{Audited, Entry, Matcher, Revocation, Revoked, ServiceAccount};

/// All that is demanded in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// The namespace.
    pub scope: Scope,
    /// What is protected; by `id`, each once.
    pub applications: Vec<Application>,
    /// What the cluster demands of every application here; by `policy`, each once.
    pub guardrails: Vec<Guardrail>,
    /// Who holds a role: one entry suffices.
    pub roles: BTreeMap<RoleId, Vec<Entry>>,
    /// What counts no longer, though its signature does.
    pub revocations: Vec<Revocation>,
    /// The claims that may appear in an audit line, by provider and name.
    pub audit: BTreeMap<ProviderId, BTreeMap<String, Audited>>,
}

/// The most matches of the routes for one host that an edge goes through for a request. Of more it is
/// not known who takes it.
pub const MAX_MATCHES: usize = 4_096;

/// One protected service. What no rule of it allows is denied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Application {
    /// Its name.
    pub id: ApplicationId,
    /// The hosts it answers for; a pinned edge takes any other as foreign.
    pub hosts: Vec<HostPattern>,
    /// Whether a Gateway accepted the hosts. An edge of several namespaces takes no others: or a
    /// namespace could claim what is another's.
    #[serde(skip_serializing_if = "is_false", default)]
    pub accepted: bool,
    /// Hosts that a route asks for beside, and for which no Gateway has refused it: it may take what
    /// is sent there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pending: Option<Pending>,
    /// What a route takes, and so what is left for the other routes of its hosts; and its sections,
    /// for policies that cover only one.
    pub sections: Vec<Section>,
    /// The policies that name it; of none, nothing that it takes is let in.
    pub policies: Vec<Policy>,
    /// The provider at which browsers log in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub login: Option<ProviderId>,
    /// What the upstream is told of the caller.
    pub forward: Vec<Forward>,
    /// What a denied caller may read.
    pub disclose: Disclose,
}

/// For which hosts a route may be beside those that are known to be its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pending {
    /// Any.
    Any,
    /// These.
    Hosts(Vec<HostPattern>),
}

/// What a Gateway API route sends to one of its rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Section {
    /// The rule's name; `None` for rules without one, which still take traffic from the others.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// What it takes, one sufficing.
    pub matches: Vec<SectionMatch>,
}

/// One match of a route's rule. By Gateway API precedence the most specific path wins, then a
/// method, then whatever else is asked. What only the order of a route's rules would decide between is
/// decided before it stands here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SectionMatch {
    /// The paths. `None` is not all of them: it cannot be told which (a regular expression), nor
    /// whether another match comes before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path: Option<PathPattern>,
    /// The method, if one is named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    /// Whether more is asked (a header, a query): then it is not known what this match takes.
    pub unknown: bool,
}

/// Whether a policy decides or only says what it would decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// It decides.
    Enforce,
    /// It takes no part; what it would decide is logged.
    Observe,
}

/// What the upstream is told of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Forward {
    /// A short-lived assertion signed by the edge.
    Assertion,
    /// The verified e-mail address.
    Email,
    /// The groups.
    Groups,
    /// The token as it came.
    Token,
    /// Provider and subject.
    User,
}

/// What a denied caller may read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Disclose {
    /// The reason's code and the decision's id.
    #[default]
    Code,
    /// Also what was expected.
    Reason,
}

/// One AccessPolicy, as it bears on one application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// The policy.
    pub id: PolicyId,
    /// Whether it decides.
    pub mode: Mode,
    /// The one section of the route that it covers; `None` for all of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub section: Option<String>,
    /// A token counts for this policy's Allows only if its `aud` holds one of these (RFC 7519
    /// §4.1.3, compared exactly). Of none, no Allow that asks for a token gives anything.
    pub audiences: Vec<String>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// One ClusterAccessPolicy: what no policy of the namespace can undo.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guardrail {
    /// The policy.
    pub policy: PolicyId,
    /// Whether it decides.
    pub mode: Mode,
    /// What is let in must match one of these; `None` is no boundary, an empty list lets nothing in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub boundary: Option<Vec<Rule>>,
    /// What matches one of these is denied.
    pub deny: Vec<Rule>,
}

/// What a rule does when it matches. A boundary's rules are Allows: they act on what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Lets in, if every part is true.
    Allow,
    /// Denies, unless a part is false.
    Deny,
}

/// One rule: it matches if `from`, `to` and `when` do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Its name, unique in its policy.
    pub name: RuleName,
    /// What it does.
    pub effect: Effect,
    /// Who: one entry suffices, none matches nobody.
    pub from: Vec<Entry>,
    /// What: one entry suffices, none matches nothing; an entry that asks nothing matches all.
    pub to: Vec<To>,
    /// And only if this holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub when: Option<Condition>,
    /// What a matching caller must have done beside: missing, it is asked for (an Allow's only).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub require: Option<Require>,
    /// From this instant on the rule matches nothing (an Allow's only).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<UnixTime>,
}

impl Rule {
    /// Whether it asks, beside `from`, for something that only a token says.
    pub fn asks_of_token(&self) -> bool {
        let when = self.when.as_ref();
        self.require.is_some() || when.is_some_and(Condition::asks_of_caller)
    }
}

/// Which requests: all that is asked must hold; `None` asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct To {
    /// One of these hosts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hosts: Option<Vec<HostPattern>>,
    /// One of these methods, compared exactly (RFC 9110 §9.1); GET does not imply HEAD.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub methods: Option<Vec<String>>,
    /// One of these paths. Each is an alternative with captures of its own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub paths: Option<Vec<PathPattern>>,
    /// A CORS preflight: OPTIONS with `Origin` and `Access-Control-Request-Method`.
    #[serde(skip_serializing_if = "is_false", default)]
    pub cors_preflight: bool,
    /// A call of the Model Context Protocol.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mcp: Option<Mcp>,
    /// Whether something is asked that could not be read.
    #[serde(skip_serializing_if = "is_false", default)]
    pub unknown: bool,
}

/// Which calls of the Model Context Protocol, read from the whole body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mcp {
    /// `tools/call` of one of these.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tools: Option<Vec<String>>,
    /// One of these JSON-RPC methods.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub methods: Option<Vec<String>>,
}

/// What a caller that matches must have done beside (OAuth scopes, a fresh or strong login).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Require {
    /// All of these scopes (RFC 6749 §3.3); else 403 `insufficient_scope`.
    pub scopes: Vec<String>,
    /// One of these authentication context classes (RFC 9470); none asks nothing.
    pub acr_values: Vec<String>,
    /// All of these authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// At most this many seconds since `auth_time` (RFC 9470).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_auth_age: Option<u64>,
    /// A token bound to a key of the caller.
    pub proof_of_possession: bool,
    /// Whether something is asked that could not be read: then it is never met.
    pub unknown: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `skip_serializing_if` passes one"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}
