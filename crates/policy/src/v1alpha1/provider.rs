//! TrustProvider and ClusterTrustProvider: whose tokens count.

use super::schema::{DURATION, key_set, needs, one_of, rule, time};
use super::status::Status;
use crate::field::{Field, List, Unread};
use crate::preset::Preset;
use countersign_ruleset::provider::Algorithm;
use kube::CustomResource;
use schemars::transform::Transform;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Demands a type that there is.
fn types(schema: &mut Schema) {
    let names: Vec<_> = Preset::ALL.iter().map(|preset| preset.name).collect();
    one_of(&names).transform(schema);
}

/// Demands algorithms that there are.
fn algorithms(schema: &mut Schema) {
    one_of(&Algorithm::ALL.map(Algorithm::as_str)).transform(schema);
}

/// Demands an issuer where the type does not name it.
fn known_issuer(schema: &mut Schema) {
    let named = Preset::ALL.iter().filter(|preset| preset.issuer.is_some());
    let named: Vec<_> = named.map(|preset| format!("'{}'", preset.name)).collect();
    let demand = format!("has(self.issuer) || self.type in [{}]", named.join(", "));
    rule(
        &demand,
        "this type of provider has no issuer of its own: write issuer",
    )
    .transform(schema);
}

macro_rules! fields {
    ($(#[$attribute:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident $(= $rename:literal)?: $type:ty,)+ }) => {
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "camelCase")]
        $(#[$attribute])*
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

fields! {
    /// Whose tokens count, and how they read. The type is a preset: what is not said, it says.
    #[schemars(transform = needs(&["type"]), transform = known_issuer)]
    ProviderSpec {
        /// `Google`, `GoogleIAP`, `Okta`, `Entra`, `Kubernetes`, `GitHubActions`, `Auth0`,
        /// `Keycloak`, `SPIFFE` or `OIDC`: presets for the fields below, and nothing more.
        #[schemars(length(max = 32), transform = types)]
        type_ = "type": String,
        /// `iss` of its tokens, exactly, such as `https://example.okta.com/oauth2/default`.
        #[schemars(
            length(min = 1, max = 512),
            transform = rule("self.startsWith('https://')", "an issuer is an https URL"),
        )]
        issuer: String,
        /// Other values of `iss`, with the same keys, such as Entra's `https://sts.windows.net/T/` for
        /// its v1 tokens. Nothing is ever fetched from them.
        #[schemars(length(max = 16), inner(length(min = 1, max = 512)))]
        issuer_aliases: List<String>,
        /// For issuers that serve everybody: whose tokens count, such as a Google Workspace domain, a
        /// GitHub `repository_owner_id` or an Entra tenant. Checked with the token.
        #[schemars(length(max = 64), inner(length(min = 1, max = 253)))]
        tenants: List<String>,
        /// Where the keys are. If nothing is said: where the issuer's discovery document says.
        keys: KeysSpec,
        /// What it may sign with, as in `[RS256]`. There is no `none` and no shared secret.
        #[schemars(
            length(max = 16),
            inner(length(min = 1, max = 16)),
            transform = algorithms,
        )]
        algorithms: List<String>,
        /// The types of token that count: `AccessToken`, `IDToken`. If nothing is said: as is usual for
        /// the type of provider. A token that could be either is refused.
        #[schemars(
            length(max = 4),
            inner(length(min = 1, max = 16)),
            transform = one_of(&["AccessToken", "IDToken"]),
        )]
        token_types: List<String>,
        /// The longest that a token may be good for, from `iat` to `exp`, such as `24h`.
        #[schemars(length(max = 32), pattern(DURATION))]
        max_lifetime: String,
        /// How far its clock may be off, such as `30s`; at most `60s`.
        #[schemars(length(max = 32), pattern(DURATION))]
        clock_skew: String,
        /// Where its claims are. If nothing is said: where they usually are for the type of provider.
        claims: ClaimMapping,
        /// For login in browsers: who this is to the provider.
        client: ClientSpec,
        /// Tokens that count no longer, before they expire.
        #[schemars(length(max = 256))]
        revocations: List<Field<RevocationSpec>>,
        /// What audit lines may hold.
        audit: AuditSpec,
    }
}

fields! {
    /// Where the keys are: at most one of `jwksURL` and `inline`; neither is discovery.
    #[schemars(transform = rule(
        "!(has(self.jwksURL) && has(self.inline))",
        "keys are at most one of jwksURL and inline",
    ))]
    KeysSpec {
        /// Their URL, in place of discovery.
        #[schemars(
            length(min = 1, max = 512),
            transform = rule("self.startsWith('https://')", "keys are fetched over https only"),
        )]
        jwks_url = "jwksURL": String,
        /// The public keys themselves, as a JWKS (RFC 7517 §5), as in `{keys: [{kty: EC, …}]}`; at most
        /// 64 KiB. They do not go stale, and nothing is fetched.
        #[schemars(schema_with = "key_set")]
        inline: InlineKeys,
        /// The CA that their server's certificate is checked against, in PEM. Cluster kind only.
        #[schemars(length(min = 1, max = 65536))]
        ca_bundle: String,
        /// A proxy to reach it by. Cluster kind only.
        #[schemars(length(min = 1, max = 512))]
        proxy_url = "proxyURL": String,
    }
}

/// Keys as they are written. Nothing prints them: a private one may have been pasted among them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InlineKeys(Value);

impl InlineKeys {
    /// The document, to be read for its public keys alone.
    pub const fn document(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for InlineKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InlineKeys(…)")
    }
}

fields! {
    /// Where a provider's claims are.
    ClaimMapping {
        /// The groups, as in `{path: [groups]}`.
        groups: GroupsMapping,
        /// The e-mail address, as in `{path: [email], verifiedBy: {path: [email_verified]}}`.
        email: EmailMapping,
        /// The client, as in `{path: [azp]}`.
        client: DomainOrPath,
        /// The outermost actor, as in `{path: [act, sub]}`.
        actor: ActorMapping,
    }
}

fields! {
    /// Where the groups are.
    GroupsMapping {
        /// The claim, as a list of keys, outermost first.
        #[schemars(length(max = 8), inner(length(min = 1, max = 256)))]
        path: List<String>,
        /// What it means if the claim is absent: `Unknown`, if nothing is said, or `Empty`: then the
        /// caller is known to be in no group.
        #[schemars(length(max = 16), transform = one_of(&["Unknown", "Empty"]))]
        when_absent: String,
    }
}

fields! {
    /// Where the e-mail address is, and what shows that it was verified.
    EmailMapping {
        /// The claim, as a list of keys, outermost first.
        #[schemars(length(max = 8), inner(length(min = 1, max = 256)))]
        path: List<String>,
        /// The claim that must be `true`.
        verified_by: DomainOrPath,
        /// The claim that names the domain for which the provider speaks, such as Google's `hd`.
        domain: DomainOrPath,
    }
}

fields! {
    /// A claim.
    DomainOrPath {
        /// As a list of keys, outermost first.
        #[schemars(length(max = 8), inner(length(min = 1, max = 256)))]
        path: List<String>,
    }
}

fields! {
    /// Where the outermost actor is.
    ActorMapping {
        /// As a list of keys, outermost first.
        #[schemars(length(max = 8), inner(length(min = 1, max = 256)))]
        path: List<String>,
    }
}

fields! {
    /// For login in browsers. A secret is a file given to the edge, and never stands here.
    #[schemars(transform = needs(&["id"]))]
    ClientSpec {
        /// The client's id.
        #[schemars(length(min = 1, max = 256))]
        id: String,
        /// The scopes that are asked for, as in `[openid, email]`.
        #[schemars(length(max = 16), inner(length(min = 1, max = 256)))]
        scopes: List<String>,
    }
}

fields! {
    /// Tokens that count no longer: exactly one of `sub`, `sid`, `jti` and `key`.
    #[schemars(transform = rule(
        "(has(self.sub) ? 1 : 0) + (has(self.sid) ? 1 : 0) + (has(self.jti) ? 1 : 0) + (has(self.key) ? 1 : 0) == 1",
        "a revocation is by exactly one of sub, sid, jti and key",
    ))]
    RevocationSpec {
        /// Of this subject.
        #[schemars(length(min = 1, max = 512))]
        sub: String,
        /// Of this session.
        #[schemars(length(min = 1, max = 512))]
        sid: String,
        /// Of this id.
        #[schemars(length(min = 1, max = 512))]
        jti: String,
        /// By this key of the provider, by its RFC 7638 thumbprint.
        #[schemars(length(min = 1, max = 64))]
        key: String,
        /// Only those issued before (RFC 3339, as in `2026-11-24T02:00:00Z`).
        #[schemars(length(max = 64), transform = time)]
        issued_before: String,
        /// Until when this counts (RFC 3339): when the last of them has expired.
        #[schemars(length(max = 64), transform = time)]
        until: String,
    }
}

fields! {
    /// What audit lines may hold of a token. If nothing is said, none of its claims.
    AuditSpec {
        /// The claims, as in `[{name: sub, as: plain}]`.
        #[schemars(length(max = 16))]
        claims: List<Field<AuditedClaim>>,
    }
}

fields! {
    /// One claim, and how it appears.
    #[schemars(transform = needs(&["name", "as"]))]
    AuditedClaim {
        /// Its name.
        #[schemars(length(min = 1, max = 256))]
        name: String,
        /// `plain` or `hash`.
        #[serde(rename = "as")]
        #[schemars(length(max = 8), transform = one_of(&["plain", "hash"]))]
        form: String,
    }
}

macro_rules! provider {
    ($(#[$demand:meta])* $kind:literal, $plural:literal, $short:literal, $doc:literal, $spec:ident $(, $namespaced:ident)?) => {
        /// Whose tokens count, and how they read. The type is a preset: what is not said, it says.
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
            printcolumn = r#"{"name":"Type","type":"string","jsonPath":".spec.type"}"#,
            printcolumn = r#"{"name":"Issuer","type":"string","jsonPath":".spec.issuer"}"#,
            printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
            printcolumn = r#"{"name":"Reason","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].reason"}"#,
            printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
        )]
        $(#[$demand])*
        pub struct $spec {
            /// The provider.
            #[serde(flatten)]
            pub provider: ProviderSpec,
        }
    };
}

provider!(
    #[schemars(transform = rule(
        "!has(self.keys) || !(has(self.keys.caBundle) || has(self.keys.proxyURL))",
        "caBundle and proxyURL are for a ClusterTrustProvider only",
    ))]
    "TrustProvider",
    "trustproviders",
    "tp",
    "Whose tokens count in its namespace.",
    TrustProviderSpec,
    namespaced
);
provider!(
    "ClusterTrustProvider",
    "clustertrustproviders",
    "ctp",
    "Whose tokens count in the whole cluster.",
    ClusterTrustProviderSpec
);
