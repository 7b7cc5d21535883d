//! AccessRole and ClusterAccessRole: who holds a role, said once.

use super::from::From;
use super::schema::{needs, rule};
use super::status::Status;
use crate::field::{Field, List, Unread};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! role {
    ($(#[$demand:meta])* $kind:literal, $plural:literal, $short:literal, $doc:literal, $spec:ident $(, $namespaced:ident)?) => {
        /// Who holds the role.
        #[derive(Debug, Clone, Default, PartialEq, Eq, CustomResource, Serialize, Deserialize, JsonSchema)]
        #[kube(
            group = "countersign.dev",
            version = "v1alpha1",
            kind = $kind,
            plural = $plural,
            $($namespaced,)?
            shortname = $short,
            category = "countersign",
            status = "Status",
            doc = $doc,
            printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
            printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
            printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
        )]
        #[serde(rename_all = "camelCase")]
        #[schemars(transform = needs(&["members"]))]
        $(#[$demand])*
        pub struct $spec {
            /// Who holds the role: one entry suffices; inside an entry all must hold. As `from` in a
            /// policy, but without `roleRefs` and `anyone`.
            #[serde(default, skip_serializing_if = "Field::is_absent")]
            #[schemars(length(max = 64), transform = rule(
                "self.all(m, !(has(m.roleRefs) || has(m.anyone)))",
                "a role's members have no roleRefs and no anyone",
            ))]
            pub members: Field<List<Field<From>>>,
            /// What is no field of a role.
            #[serde(flatten)]
            #[schemars(skip)]
            pub unread: Unread,
        }
    };
}

role!(
    "AccessRole",
    "accessroles",
    "acrole",
    "Who holds a role, for the policies of its namespace.",
    AccessRoleSpec,
    namespaced
);
role!(
    #[schemars(transform = rule(
        "self.members.all(m, !has(m.providerRef) || !has(m.providerRef.kind) || m.providerRef.kind == 'ClusterTrustProvider')",
        "a cluster's role refers to cluster kinds only: ClusterTrustProvider",
    ))]
    "ClusterAccessRole",
    "clusteraccessroles",
    "cacrole",
    "Who holds a role, for every policy of the cluster.",
    ClusterAccessRoleSpec
);
