//! The resources of `countersign.dev/v1alpha1`. The doc comments are what `kubectl explain` shows.

mod cluster;
mod from;
mod policy;
mod provider;
mod role;
mod rule;
mod schema;
mod status;
mod to;
mod workload;

pub use cluster::{
    ClusterAccessPolicy, ClusterAccessPolicySpec, ClusterRule, LabelExpression, NamespaceSelector,
};
pub use from::{ClaimMatch, From, ProviderRef, RoleRef, ServiceAccountRef};
pub use policy::{AccessPolicy, AccessPolicySpec, Login, TargetRef};
pub use provider::{
    ActorMapping, AuditSpec, AuditedClaim, ClaimMapping, ClientSpec, ClusterTrustProvider,
    ClusterTrustProviderSpec, DomainOrPath, EmailMapping, GroupsMapping, InlineKeys, KeysSpec,
    ProviderSpec, RevocationSpec, TrustProvider, TrustProviderSpec,
};
pub use role::{AccessRole, AccessRoleSpec, ClusterAccessRole, ClusterAccessRoleSpec};
pub use rule::{RequireSpec, Rule};
pub use status::{
    AncestorStatus, EdgesStatus, Ruleset, RulesetSpec, RulesetStatus, Status, TargetStatusRef,
};
pub use to::{McpTo, To};
pub use workload::{AwsWorkload, GithubWorkload, GoogleWorkload, SpiffeWorkload, Workload};

/// The API group.
pub const GROUP: &str = "countersign.dev";

/// The API version, with its group.
pub const API_VERSION: &str = "countersign.dev/v1alpha1";
