//! AccessPolicy: who may call a service.

use super::from::ProviderRef;
use super::rule::Rule;
use super::schema::{needs, one_of, rule};
use super::status::Status;
use crate::field::{Field, List, Unread};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The services, and who may call them.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, CustomResource, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "countersign.dev",
    version = "v1alpha1",
    kind = "AccessPolicy",
    plural = "accesspolicies",
    namespaced,
    shortname = "acpol",
    category = "countersign",
    status = "Status",
    doc = "Who may call a service. What no rule lets in is denied.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Mode","type":"string","jsonPath":".spec.mode","priority":1}"#,
    printcolumn = r#"{"name":"Hosts","type":"string","jsonPath":".status.hosts","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["rules"]))]
#[schemars(transform = rule(
    "has(self.targetRefs) != has(self.hosts)",
    "a policy has exactly one of targetRefs and hosts",
))]
pub struct AccessPolicySpec {
    /// What it protects: a Service, a Knative Service, an HTTPRoute or a GRPCRoute of the same
    /// namespace, as in `[{group: serving.knative.dev, kind: Service, name: orders}]`. This or
    /// `hosts`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16))]
    pub target_refs: Field<List<Field<TargetRef>>>,
    /// The hosts of a service outside the cluster (Cloud Run, a virtual machine). This or
    /// `targetRefs`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 253)))]
    pub hosts: Field<List<String>>,
    /// A token counts only if its `aud` is one of these, exactly. If nothing is said: the target's
    /// own https URLs.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), inner(length(min = 1, max = 512)))]
    pub audiences: Field<List<String>>,
    /// `Enforce`, if nothing is said, or `Observe`: then it only says what it would decide.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), transform = one_of(&["Enforce", "Observe"]))]
    pub mode: Field<String>,
    /// The rules. One Allow suffices, one Deny denies, and what no rule matches is denied. Their
    /// order never matters.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), transform = rule(
        "self.all(a, self.exists_one(b, a.name == b.name))",
        "each rule has a name of its own",
    ))]
    pub rules: Field<List<Field<Rule>>>,
    /// Where browsers log in; everyone else gets 401.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub login: Field<Login>,
    /// What the upstream is told of the caller: `Token` (the caller's own), `Assertion` (a token that
    /// the edge signs; this version signs none yet), `User`, `Email`, `Groups`. If nothing is said,
    /// nothing.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(
        length(max = 5),
        inner(length(min = 1, max = 16)),
        transform = one_of(&["Token", "Assertion", "User", "Email", "Groups"]),
    )]
    pub forward: Field<List<String>>,
    /// What a denied caller may read: `Code`, if nothing is said, or `Reason`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), transform = one_of(&["Code", "Reason"]))]
    pub disclose: Field<String>,
    /// What is no field of a policy.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// A target of the same namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["group", "kind", "name"]))]
#[schemars(transform = rule(
    "self.kind == 'Service' ? self.group in ['', 'serving.knative.dev'] : self.group == 'gateway.networking.k8s.io'",
    "a target is a Service of the core group, written as group: '', or of serving.knative.dev, or an HTTPRoute or GRPCRoute of gateway.networking.k8s.io",
))]
#[schemars(transform = rule(
    "!has(self.sectionName) || self.kind in ['HTTPRoute', 'GRPCRoute']",
    "only a route has sections",
))]
pub struct TargetRef {
    /// Its API group: empty for a Service, `serving.knative.dev` for a Knative Service,
    /// `gateway.networking.k8s.io` for a route.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 253))]
    pub group: Field<String>,
    /// Its kind: `Service`, `HTTPRoute` or `GRPCRoute`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 63), transform = one_of(&["Service", "HTTPRoute", "GRPCRoute"]))]
    pub kind: Field<String>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 253))]
    pub name: Field<String>,
    /// One rule of a route, by its name: only what Gateway API sends that rule is covered.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Field<String>,
    /// What is no field of a reference.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// Where browsers log in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["providerRef"]))]
pub struct Login {
    /// The provider, which has a `client`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub provider_ref: Field<ProviderRef>,
    /// What is no field of it.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}
