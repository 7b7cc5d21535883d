//! Workloads, by the platform that vouches for them.

use super::schema::{not_empty, rule};
use crate::field::{Field, List, Unread};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A workload, by the platform that vouches for it: exactly one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = not_empty)]
#[schemars(transform = rule(
    "(has(self.google) ? 1 : 0) + (has(self.github) ? 1 : 0) + (has(self.aws) ? 1 : 0) + (has(self.spiffe) ? 1 : 0) == 1",
    "a workload is exactly one of google, github, aws and spiffe",
))]
pub struct Workload {
    /// A Google service account, by the word of a provider of type `Google`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub google: Field<GoogleWorkload>,
    /// A GitHub Actions job, by the word of a provider of type `GitHubActions`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub github: Field<GithubWorkload>,
    /// An AWS role, by the word of a provider of type `OIDC` whose issuer is the account's own
    /// (`https://ID.tokens.sts.global.api.aws`).
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub aws: Field<AwsWorkload>,
    /// A SPIFFE identity, by the word of a provider of type `SPIFFE`.
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub spiffe: Field<SpiffeWorkload>,
    /// What is no field of a workload.
    #[serde(flatten)]
    #[schemars(skip)]
    pub unread: Unread,
}

macro_rules! workload {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident $(= $rename:literal)?: $type:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        #[schemars(transform = not_empty)]
        pub struct $name {
            $($(#[$field_meta])*
            #[serde(default, skip_serializing_if = "Field::is_absent" $(, rename = $rename)?)]
            pub $field: Field<$type>,)+
            /// What is no field of it.
            #[serde(flatten)]
            #[schemars(skip)]
            pub unread: Unread,
        }
    };
}

workload! {
    /// A Google service account. All that is said must hold.
    GoogleWorkload {
        /// Its e-mail address.
        #[schemars(length(min = 1, max = 320))]
        service_account: String,
        /// Its unique number: an address can be given to another account later.
        #[schemars(length(min = 1, max = 64))]
        unique_id = "uniqueID": String,
    }
}
workload! {
    /// A GitHub Actions job. All that is said must hold. Where the provider has no `tenants`, one of
    /// `repository` and `repositoryID` must be said: any repository can have the rest.
    GithubWorkload {
        /// `owner/name`.
        #[schemars(length(min = 1, max = 256))]
        repository: String,
        /// The repository's number: a name can be taken by another repository later.
        #[schemars(length(min = 1, max = 64))]
        repository_id = "repositoryID": String,
        /// The whole git ref, such as `refs/heads/main`.
        #[schemars(length(min = 1, max = 512))]
        ref_name = "ref": String,
        /// The environment, whose protection rules a job has passed.
        #[schemars(length(min = 1, max = 256))]
        environment: String,
        /// The workflow file and its ref (`job_workflow_ref`), as in
        /// `owner/name/.github/workflows/deploy.yaml@refs/heads/main`. Whoever may read it can call
        /// it, so it does not say whose job it is.
        #[schemars(length(min = 1, max = 512))]
        workflow: String,
        /// One of these events, as in `[push]`.
        #[schemars(length(max = 16), inner(length(min = 1, max = 64)))]
        events: List<String>,
    }
}
workload! {
    /// An AWS role.
    AwsWorkload {
        /// Its ARN, as in `arn:aws:iam::123456789012:role/checkout`.
        #[schemars(length(min = 1, max = 512))]
        role_arn = "roleARN": String,
    }
}
workload! {
    /// A SPIFFE identity.
    SpiffeWorkload {
        /// `spiffe://TRUST-DOMAIN/PATH`.
        #[schemars(length(min = 1, max = 2048))]
        id: String,
    }
}
