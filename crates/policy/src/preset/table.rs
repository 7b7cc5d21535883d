//! The table of presets, in order of name.

use super::google::{GOOGLE, GOOGLE_IAP};
use super::{Email, Form, Path, Platform, Preset};
use countersign_ruleset::provider::{Algorithm, TokenType};

pub(super) const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// RFC 8693 §4.1.
const ACTOR: Option<Path> = Some(&["act", "sub"]);

/// OpenID Connect Core §5.1.
pub(super) const EMAIL: Email = Email {
    path: &["email"],
    verified_by: Some(&["email_verified"]),
    verified_subjects: None,
    domain: None,
};

/// What only ID tokens hold (OpenID Connect Core §2, §3.1.3.6, §3.3.2.11).
const OF_ID_TOKENS: &[Path] = &[&["nonce"], &["at_hash"], &["c_hash"]];

/// What is said where nothing else is known.
pub(super) const PLAIN: Preset = Preset {
    name: "OIDC",
    issuer: None,
    issuer_form: "https://HOST/PATH",
    aliases: &[],
    jwks_url: None,
    header: None,
    algorithms: &[Algorithm::ES256, Algorithm::RS256],
    token_types: &[TokenType::AccessToken],
    forms: &[],
    max_lifetime: DAY,
    groups: None,
    overage: &[],
    email: None,
    client: &[&["azp"], &["client_id"]],
    actor: ACTOR,
    scopes: &[&["scope"]],
    tenant: &[],
    platform: None,
    sources: &[],
};

pub(super) static PRESETS: [Preset; 10] = [
    AUTH0,
    ENTRA,
    GITHUB_ACTIONS,
    GOOGLE,
    GOOGLE_IAP,
    KEYCLOAK,
    KUBERNETES,
    OIDC,
    OKTA,
    SPIFFE,
];

/// Two profiles of access tokens: its own (`JWT`, `azp`, `gty`) and RFC 9068 (`at+jwt`,
/// `client_id`). `scope`, `gty` and `permissions` are reserved: no Action can put them into an ID
/// token. It has no groups of its own.
const AUTH0: Preset = Preset {
    name: "Auth0",
    issuer_form: "https://TENANT.auth0.com/",
    algorithms: &[Algorithm::RS256],
    forms: &[
        Form {
            token_type: TokenType::AccessToken,
            typ: &["at+jwt"],
            present: &[&[&["client_id"]]],
            absent: &[],
        },
        Form {
            token_type: TokenType::AccessToken,
            typ: &["jwt"],
            present: &[&[&["azp"]], &[&["scope"], &["gty"], &["permissions"]]],
            absent: OF_ID_TOKENS,
        },
        Form {
            token_type: TokenType::IDToken,
            typ: &["jwt"],
            present: &[],
            absent: &[&["scope"], &["gty"], &["permissions"]],
        },
    ],
    email: Some(EMAIL),
    tenant: &[&["org_id"]],
    sources: &[
        "https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles",
        "https://auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims",
    ],
    ..PLAIN
};

/// `typ` is always `JWT`. Access tokens say how the client showed who it is: `azpacr` (v2.0) or
/// `appidacr` (v1.0); ID tokens cannot. More than 200 groups are left out, with `_claim_names` or
/// `hasgroups` in their place. An address counts only by `xms_edov`, an optional claim: without it,
/// any customer could claim any address.
const ENTRA: Preset = Preset {
    name: "Entra",
    issuer_form: "https://login.microsoftonline.com/TENANT/v2.0",
    algorithms: &[Algorithm::RS256],
    forms: &[
        Form {
            token_type: TokenType::AccessToken,
            typ: &["jwt"],
            present: &[&[&["azpacr"], &["appidacr"]]],
            absent: OF_ID_TOKENS,
        },
        Form {
            token_type: TokenType::IDToken,
            typ: &["jwt"],
            present: &[],
            absent: &[&["azpacr"], &["appidacr"], &["scp"]],
        },
    ],
    groups: Some(&["groups"]),
    overage: &[&["hasgroups"]],
    email: Some(Email {
        path: &["email"],
        verified_by: Some(&["xms_edov"]),
        verified_subjects: None,
        domain: None,
    }),
    client: &[&["azp"], &["appid"]],
    scopes: &[&["scp"]],
    tenant: &[&["tid"]],
    sources: &[
        "https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference",
        "https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference",
        "https://learn.microsoft.com/entra/identity-platform/optional-claims-reference",
    ],
    ..PLAIN
};

/// One issuer for everybody who has a repository. A name can be taken by somebody else later, its
/// number cannot: so tenants are numbers (`repository_owner_id`). A token lives as long as a job may
/// run, which is six hours.
const GITHUB_ACTIONS: Preset = Preset {
    name: "GitHubActions",
    issuer: Some("https://token.actions.githubusercontent.com"),
    issuer_form: "https://token.actions.githubusercontent.com, or https://HOST/_services/token",
    algorithms: &[Algorithm::RS256],
    token_types: &[TokenType::IDToken],
    forms: &[Form {
        token_type: TokenType::IDToken,
        typ: &["jwt"],
        present: &[&[&["repository_owner_id"]]],
        absent: &[],
    }],
    max_lifetime: 6 * HOUR,
    client: &[],
    scopes: &[],
    tenant: &[&["repository_owner_id"]],
    platform: Some(Platform::Github),
    sources: &[
        "https://docs.github.com/actions/reference/security/oidc",
        "https://github.com/github/actions-oidc-debugger",
    ],
    ..PLAIN
};

/// Both types have the header `JWT` (`at+jwt` can be asked for). `scope` is a member of access
/// tokens only, `at_hash` of ID tokens only; `nonce` was in both before Keycloak 25.
const KEYCLOAK: Preset = Preset {
    name: "Keycloak",
    issuer_form: "https://HOST/realms/REALM",
    algorithms: &[Algorithm::RS256],
    forms: &[
        Form {
            token_type: TokenType::AccessToken,
            typ: &["at+jwt", "jwt"],
            present: &[&[&["scope"]]],
            absent: &[&["at_hash"], &["c_hash"]],
        },
        Form {
            token_type: TokenType::IDToken,
            typ: &["jwt"],
            present: &[&[&["at_hash"], &["c_hash"], &["nonce"]]],
            absent: &[&["scope"]],
        },
    ],
    groups: Some(&["groups"]),
    email: Some(EMAIL),
    sources: &[
        "https://www.keycloak.org/docs/latest/server_admin/#_oidc_token_types",
        "https://www.keycloak.org/docs/latest/upgrading/#nonce-claim-is-only-added-to-the-id-token",
    ],
    ..PLAIN
};

/// A cluster's service accounts. The header has no `typ`; tokens without an end, as Secrets held
/// them once, are refused as any other. The issuer is the same text in many clusters: the keys make
/// the difference. A token lives on when its pod is gone, so an hour is the most.
const KUBERNETES: Preset = Preset {
    name: "Kubernetes",
    issuer: Some("https://kubernetes.default.svc.cluster.local"),
    issuer_form: "https://kubernetes.default.svc.cluster.local, or what `iss` is there",
    algorithms: &[Algorithm::ES256, Algorithm::ES384, Algorithm::RS256],
    token_types: &[TokenType::WorkloadToken],
    forms: &[Form {
        token_type: TokenType::WorkloadToken,
        typ: &[""],
        present: &[],
        absent: &[],
    }],
    max_lifetime: HOUR,
    client: &[],
    actor: None,
    scopes: &[],
    sources: &[
        "https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/",
        "https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/",
    ],
    ..PLAIN
};

/// By the standards alone: an access token says `at+jwt` (RFC 9068 §2.1), an ID token holds what
/// only an ID token does. What could be either is neither.
const OIDC: Preset = Preset {
    forms: &[
        Form {
            token_type: TokenType::AccessToken,
            typ: &["at+jwt"],
            present: &[],
            absent: &[],
        },
        Form {
            token_type: TokenType::IDToken,
            typ: &["", "jwt"],
            present: &[OF_ID_TOKENS],
            absent: &[&["client_id"], &["scope"], &["scp"]],
        },
    ],
    groups: Some(&["groups"]),
    email: Some(EMAIL),
    scopes: &[&["scope"], &["scp"]],
    sources: &[
        "https://www.rfc-editor.org/rfc/rfc9068#section-2",
        "https://openid.net/specs/openid-connect-core-1_0.html#IDToken",
    ],
    ..PLAIN
};

/// Access tokens of a custom authorization server name the client in `cid`, which ID tokens cannot
/// hold; neither needs a `typ`. Those of the organization's own server
/// (`application/okta-internal-at+jwt`) are for Okta alone.
const OKTA: Preset = Preset {
    name: "Okta",
    issuer_form: "https://ORG.okta.com/oauth2/SERVER",
    algorithms: &[Algorithm::RS256],
    forms: &[
        Form {
            token_type: TokenType::AccessToken,
            typ: &["", "at+jwt", "jwt"],
            present: &[&[&["cid"]]],
            absent: OF_ID_TOKENS,
        },
        Form {
            token_type: TokenType::IDToken,
            typ: &["", "jwt"],
            present: &[],
            absent: &[&["cid"], &["scp"]],
        },
    ],
    groups: Some(&["groups"]),
    email: Some(EMAIL),
    client: &[&["cid"]],
    scopes: &[&["scp"]],
    sources: &[
        "https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/",
        "https://developer.okta.com/docs/guides/validate-access-tokens/",
    ],
    ..PLAIN
};

/// JWT-SVIDs: `typ` is absent, `JWT` or `JOSE`. The specification asks for neither `iss` nor `iat`;
/// we do, and SPIRE has both if `jwt_issuer` is set.
const SPIFFE: Preset = Preset {
    name: "SPIFFE",
    issuer_form: "https://HOST, the `jwt_issuer` of the trust domain's servers",
    algorithms: &[Algorithm::ES256, Algorithm::ES384, Algorithm::RS256],
    token_types: &[TokenType::WorkloadToken],
    forms: &[Form {
        token_type: TokenType::WorkloadToken,
        typ: &["", "jose", "jwt"],
        present: &[],
        absent: &[],
    }],
    max_lifetime: HOUR,
    client: &[],
    actor: None,
    scopes: &[],
    platform: Some(Platform::Spiffe),
    sources: &["https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md"],
    ..PLAIN
};
