//! ClusterAccessPolicy: what no team can undo.

use super::from::From;
use super::rule::RequireSpec;
use super::schema::{bounded_values, needs, one_of, rule};
use super::status::Status;
use super::to::To;
use crate::field::{Field, List, Unread};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the cluster demands: a request that is let in must also match one rule of `boundary`, if
/// there is a boundary, and no rule of `deny`.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, CustomResource, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "countersign.dev",
    version = "v1alpha1",
    kind = "ClusterAccessPolicy",
    plural = "clusteraccesspolicies",
    shortname = "cacpol",
    category = "countersign",
    status = "Status",
    doc = "What the cluster demands of every service in the namespaces it selects. No AccessPolicy can undo it.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
    printcolumn = r#"{"name":"Mode","type":"string","jsonPath":".spec.mode","priority":1}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["namespaceSelector"]))]
pub struct ClusterAccessPolicySpec {
    /// `Enforce`, if nothing is said, or `Observe`: then it only says what it would decide.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16), transform = one_of(&["Enforce", "Observe"]))]
    pub mode: Field<String>,
    /// The namespaces, by their labels, as in `{matchLabels: {env: production}}`; `{}` is all of them.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub namespace_selector: Field<NamespaceSelector>,
    /// A request that is let in must match one of these too. An empty list lets nothing in.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), transform = rule(
        "self.all(a, self.exists_one(b, a.name == b.name))",
        "each rule has a name of its own",
    ))]
    pub boundary: Field<Vec<Field<ClusterRule>>>,
    /// A request that matches one of these is denied, whatever an AccessPolicy says.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), transform = rule(
        "self.all(a, self.exists_one(b, a.name == b.name))",
        "each rule has a name of its own",
    ))]
    #[schemars(transform = rule("self.all(r, !has(r.require))", "require stands in a boundary only"))]
    pub deny: Field<Vec<Field<ClusterRule>>>,
    /// What is no field of a policy.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// Namespaces by their labels. All that is said must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamespaceSelector {
    /// Labels with exactly these values, as in `{env: production}`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(transform = bounded_values)]
    pub match_labels: Field<BTreeMap<String, String>>,
    /// Demands on labels.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16))]
    pub match_expressions: Field<List<Field<LabelExpression>>>,
    /// What is no field of a selector.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// A demand on one label, as in `{key: env, operator: In, values: [production]}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["key", "operator"]))]
#[schemars(transform = rule(
    "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)",
    "In and NotIn have values; Exists and DoesNotExist have none",
))]
pub struct LabelExpression {
    /// The label.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 317))]
    pub key: Field<String>,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(
        length(max = 16),
        transform = one_of(&["In", "NotIn", "Exists", "DoesNotExist"]),
    )]
    pub operator: Field<String>,
    /// The values for `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 64), inner(length(max = 63)))]
    pub values: Field<Vec<String>>,
    /// What is no field of it.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

/// One rule of a boundary or of `deny`. It matches a request if `from`, `to` and `when` do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = needs(&["name", "from"]))]
#[schemars(transform = rule(
    "self.from.all(e, !has(e.providerRef) || !has(e.providerRef.kind) || e.providerRef.kind == 'ClusterTrustProvider')",
    "a cluster's rule refers to cluster kinds only: ClusterTrustProvider",
))]
#[schemars(transform = rule(
    "self.from.all(e, !has(e.roleRefs) || e.roleRefs.all(r, has(r.kind) && r.kind == 'ClusterAccessRole'))",
    "a cluster's rule refers to cluster kinds only: ClusterAccessRole",
))]
pub struct ClusterRule {
    /// Its name, unique in its list.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 63), pattern("^[A-Za-z0-9._-]+$"))]
    pub name: Field<String>,
    /// Why it is there, for people.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 1024))]
    pub description: Field<String>,
    /// Who calls: one entry suffices; inside an entry all must hold. Only cluster kinds may be
    /// referred to.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 32))]
    pub from: Field<List<Field<From>>>,
    /// What is called: one entry suffices; inside an entry all must hold. If nothing is said:
    /// everything.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(max = 16))]
    pub to: Field<List<Field<To>>>,
    /// And only if this holds, in CEL. It sees `caller`, `request` and the path's captures.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    #[schemars(length(min = 1, max = 1024))]
    pub when: Field<String>,
    /// What a caller that matches must have done beside, such as log in with two factors. In a
    /// boundary only.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub require: Field<RequireSpec>,
    /// What is no field of a rule.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}
