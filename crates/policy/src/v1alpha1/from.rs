//! Who calls: whose word an entry takes, and what that word must be.

use super::schema::{needs, not_empty, one_of, rule};
use super::workload::Workload;
use crate::field::{Field, List, Unread};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry of `from`: whose word it takes, and what must hold. All in it must. As in
/// `{providerRef: {name: okta}, groups: [order-support]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = not_empty)]
#[schemars(transform = rule(
    "(has(self.providerRef) ? 1 : 0) + (has(self.anyone) ? 1 : 0) + (has(self.roleRefs) ? 1 : 0) + (has(self.serviceAccounts) ? 1 : 0) == 1",
    "an entry has exactly one of providerRef, anyone, roleRefs and serviceAccounts",
))]
#[schemars(transform = rule(
    "has(self.providerRef) || !(has(self.groups) || has(self.emails) || has(self.emailDomains) || has(self.subjects) || has(self.clients) || has(self.actors) || has(self.claims) || has(self.workloads))",
    "anyone, roleRefs and serviceAccounts stand alone in their entry; whatever else is asked of a caller needs a providerRef",
))]
pub struct From {
    /// Everyone, with or without a token. Stands alone in its entry.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(transform = rule("self", "anyone is true, or not written"))]
    pub anyone: Field<bool>,
    /// Whose word it takes. With nothing beside it: any caller with a valid token of that provider.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub provider_ref: Field<ProviderRef>,
    /// One of these groups.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 256)))]
    pub groups: Field<List<String>>,
    /// One of these e-mail addresses, which the provider has verified.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 256), inner(length(min = 3, max = 320)))]
    pub emails: Field<List<String>>,
    /// An address at one of these domains, which the provider has verified. Where the provider says
    /// for which domain it speaks (Google's `hd`), that must be one of them too.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 253)))]
    pub email_domains: Field<List<String>>,
    /// One of these `sub`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 512)))]
    pub subjects: Field<List<String>>,
    /// One of these clients (`azp`, `client_id`, `cid`), for which the token was made out.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 512)))]
    pub clients: Field<List<String>>,
    /// One of these as the outermost actor (`act`). A token with an actor matches no Allow that
    /// does not name it: an agent inherits nothing by silence.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 256), inner(length(min = 1, max = 512)))]
    pub actors: Field<List<String>>,
    /// All of these claims, as in `[{path: [realm_access, roles], anyOf: [orders-admin]}]`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 8))]
    pub claims: Field<List<Field<ClaimMatch>>>,
    /// One of these workloads, as in `[{github: {repository: example/platform, ref:
    /// refs/heads/main}}]`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64))]
    pub workloads: Field<List<Field<Workload>>>,
    /// Whoever holds one of these roles. Stands alone in its entry.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16))]
    pub role_refs: Field<List<Field<RoleRef>>>,
    /// One of these service accounts of this cluster, as in `[{namespace: shop, name: checkout}]`.
    /// Stands alone in its entry.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64))]
    pub service_accounts: Field<List<Field<ServiceAccountRef>>>,
    /// What is no field of an entry.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// A provider, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["name"]))]
pub struct ProviderRef {
    /// `ClusterTrustProvider`, if nothing is said, or `TrustProvider` of the same namespace.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 32), transform = one_of(&["ClusterTrustProvider", "TrustProvider"]))]
    pub kind: Field<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Field<String>,
    /// What is no field of a reference.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// A role, by kind and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["name"]))]
pub struct RoleRef {
    /// `AccessRole` of the same namespace, if nothing is said, or `ClusterAccessRole`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 32), transform = one_of(&["AccessRole", "ClusterAccessRole"]))]
    pub kind: Field<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Field<String>,
    /// What is no field of a reference.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// A service account of this cluster. `*` stands for a whole value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["namespace", "name"]))]
pub struct ServiceAccountRef {
    /// Its namespace, or `*` for any.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(
        length(min = 1, max = 63),
        pattern(r"^(\*|[a-z0-9]([-a-z0-9]*[a-z0-9])?)$")
    )]
    pub namespace: Field<String>,
    /// Its name, or `*` for any.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(
        length(min = 1, max = 253),
        pattern(r"^(\*|[a-z0-9]([-.a-z0-9]*[a-z0-9])?)$")
    )]
    pub name: Field<String>,
    /// What is no field of a service account.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// A claim and the values of which it must be or hold one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["path", "anyOf"]))]
pub struct ClaimMatch {
    /// The claim, as a list of keys, outermost first; so dots and URLs are no trouble. As in
    /// `[realm_access, roles]` or `["https://example.com/roles"]`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 8), inner(length(min = 1, max = 256)))]
    pub path: Field<List<String>>,
    /// One of these: the claim is this string, or an array that holds it.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), inner(length(max = 512)))]
    pub any_of: Field<List<String>>,
    /// What is no field of a claim.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}
