//! Rules: who may do what.

use super::from::From;
use super::schema::{DURATION, needs, not_empty, one_of, rule, time};
use super::to::To;
use crate::field::{Field, List, Unread};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One rule of an AccessPolicy. It matches a request if `from`, `to` and `when` do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["name", "from"]))]
#[schemars(transform = rule(
    "!has(self.action) || self.action == 'Allow' || !(has(self.require) || has(self.expiresAt))",
    "require and expiresAt stand on an Allow only",
))]
#[schemars(transform = rule(
    "has(self.to) || (has(self.action) && self.action == 'Deny') || !self.from.exists(e, has(e.anyone))",
    "an Allow with anyone needs to: a public path is said, never implied",
))]
pub struct Rule {
    /// Its name, unique in the policy. It stands in audit lines and in what `explain` shows.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 63), pattern("^[A-Za-z0-9._-]+$"))]
    pub name: Field<String>,
    /// Why it is there, for people.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 1024))]
    pub description: Field<String>,
    /// `Allow`, if nothing is said, or `Deny`. A Deny acts before any Allow, and also where it
    /// cannot be told whether it matches.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), transform = one_of(&["Allow", "Deny"]))]
    pub action: Field<String>,
    /// Who calls: one entry suffices; inside an entry all must hold.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 32))]
    pub from: Field<List<Field<From>>>,
    /// What is called: one entry suffices; inside an entry all must hold. If nothing is said:
    /// everything, but never for `anyone`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16))]
    pub to: Field<List<Field<To>>>,
    /// And only if this holds, in CEL. It sees `caller`, `request` and the path's captures, as in
    /// `caller.claims.tenant == path.tenant`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 1024))]
    pub when: Field<String>,
    /// What a caller that matches must have done beside, such as log in with two factors. On an
    /// Allow only.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub require: Field<RequireSpec>,
    /// From then on the rule matches nothing (RFC 3339, as in `2026-11-24T02:00:00Z`): access that
    /// ends by itself. On an Allow only.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), transform = time)]
    pub expires_at: Field<String>,
    /// What is no field of a rule.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// What a caller must have done beside. All that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = not_empty)]
pub struct RequireSpec {
    /// All of these OAuth scopes; else 403 `insufficient_scope`, which names them.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 256)))]
    pub scopes: Field<List<String>>,
    /// One of these authentication context classes (`acr`); else 401
    /// `insufficient_user_authentication` (RFC 9470).
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 256)))]
    pub acr_values: Field<List<String>>,
    /// All of these authentication methods (RFC 8176), as in `[mfa]`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)))]
    pub amr: Field<List<String>>,
    /// How long ago the caller may have logged in, at most (`auth_time`), such as `15m`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 32), pattern(DURATION))]
    pub max_auth_age: Field<String>,
    /// A token bound to a key of the caller, which is of no use to who steals it.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub proof_of_possession: Field<bool>,
    /// What is no field of it.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}
