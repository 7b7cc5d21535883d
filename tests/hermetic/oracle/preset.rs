//! The oracle's reading of what a type of provider says where its resource does not.

use serde_json::{Value, json};

/// 12: issuers that serve everybody, by what they begin with, and the claim that names a customer.
const SHARED: [(&str, &str); 6] = [
    ("https://accounts.google.com", "hd"),
    ("accounts.google.com", "hd"),
    ("https://gitlab.com", "namespace_id"),
    ("https://login.microsoftonline.com/common/v2.0", "tid"),
    (
        "https://login.microsoftonline.com/organizations/v2.0",
        "tid",
    ),
    (
        "https://token.actions.githubusercontent.com",
        "repository_owner_id",
    ),
];

/// The claim that names a customer of an issuer that serves everybody.
pub(crate) fn tenant_of(issuer: &str) -> Option<&'static str> {
    let mut all = SHARED.iter();
    all.find(|(shared, _)| *shared == issuer)
        .map(|(_, claim)| *claim)
}

/// 42: an account of AWS.
pub(crate) fn is_of_aws(issuer: &str) -> bool {
    let id = issuer
        .strip_prefix("https://")
        .and_then(|rest| rest.strip_suffix(".tokens.sts.global.api.aws"));
    id.is_some_and(|id| !id.is_empty() && !id.contains(['.', '/', '@']))
}

/// 38: the table, as the providers document it; nothing of a type that there is not. `first`: the first of
/// these that is there. `forms`: of which type a token is that has one of these `typ` (empty: none), one
/// claim of each of the first list, and none of the second.
pub(crate) fn preset(name: &str, issuer: &str) -> Option<Value> {
    let verified = json!({"path": ["email"], "verifiedBy": {"path": ["email_verified"]}});
    let of_hd = json!({"path": ["email"], "verifiedBy": {"path": ["email_verified"]}, "domain": {"path": ["hd"]}});
    let groups = json!({"path": ["groups"]});
    let actor = json!({"path": ["act", "sub"]});
    let client = json!({"first": [["azp"], ["client_id"]]});
    let id = ["nonce", "at_hash", "c_hash"];
    let own = match name {
        _ if of_jobs(name, issuer).is_some() => of_jobs(name, issuer)?,
        "Auth0" => json!({
            "tenant": "org_id", "claims": {"email": verified, "client": client, "scopes": {"first": [["scope"]]}},
            "forms": [
                ["AccessToken", ["at+jwt"], [["client_id"]], []],
                ["AccessToken", ["jwt"], [["azp"], ["scope", "gty", "permissions"]], id],
                ["IDToken", ["jwt"], [], ["scope", "gty", "permissions"]],
            ],
        }),
        "Entra" => json!({
            "tenant": "tid", "overage": "hasgroups",
            "claims": {
                "groups": groups, "email": {"path": ["email"], "verifiedBy": {"path": ["xms_edov"]}},
                "client": {"first": [["azp"], ["appid"]]}, "scopes": {"first": [["scp"]]},
            },
            "forms": [
                ["AccessToken", ["jwt"], [["azpacr", "appidacr"]], id],
                ["IDToken", ["jwt"], [], ["azpacr", "appidacr", "scp"]],
            ],
        }),
        "Google" => json!({
            "issuer": "https://accounts.google.com", "others": ["accounts.google.com"], "tokenTypes": ["IDToken"],
            "maxLifetime": "1h", "tenant": "hd", "claims": {"email": of_hd, "client": {"path": ["azp"]}},
            "forms": [["IDToken", ["", "jwt"], [], []]],
        }),
        "GoogleIAP" => json!({
            "issuer": "https://cloud.google.com/iap", "header": "x-goog-iap-jwt-assertion", "tokenTypes": ["IDToken"],
            "maxLifetime": "10m", "tenant": "hd",
            "claims": {"email": {"path": ["email"], "verifiedSubjects": "accounts.google.com:", "domain": {"path": ["hd"]}}},
            "forms": [["IDToken", ["", "jwt"], [], []]],
        }),
        "Keycloak" => json!({
            "claims": {"groups": groups, "email": verified, "client": client, "scopes": {"first": [["scope"]]}},
            "forms": [
                ["AccessToken", ["at+jwt", "jwt"], [["scope"]], ["at_hash", "c_hash"]],
                ["IDToken", ["jwt"], [id], ["scope"]],
            ],
        }),
        "OIDC" => json!({
            "claims": {
                "groups": groups, "email": verified, "client": client, "scopes": {"first": [["scope"], ["scp"]]},
            },
            "forms": [
                ["AccessToken", ["at+jwt"], [], []],
                ["IDToken", ["", "jwt"], [id], ["client_id", "scope", "scp"]],
            ],
        }),
        "Okta" => json!({
            "claims": {
                "groups": groups, "email": verified, "client": {"path": ["cid"]}, "scopes": {"first": [["scp"]]},
            },
            "forms": [
                ["AccessToken", ["", "at+jwt", "jwt"], [["cid"]], id],
                ["IDToken", ["", "jwt"], [], ["cid", "scp"]],
            ],
        }),
        _ => return None,
    };
    let mut all = json!({
        "tokenTypes": ["AccessToken"], "maxLifetime": "24h", "clockSkew": "30s",
        "algorithms": ["RS256"], "claims": {"actor": actor},
    });
    laid_over(&mut all, &own);
    Some(all)
}

/// The same, of those that speak for jobs and workloads.
fn of_jobs(name: &str, issuer: &str) -> Option<Value> {
    Some(match name {
        "GitHubActions" => json!({
            "issuer": "https://token.actions.githubusercontent.com", "tokenTypes": ["IDToken"], "maxLifetime": "6h",
            "tenant": "repository_owner_id", "forms": [["IDToken", ["jwt"], [["repository_owner_id"]], []]],
        }),
        "Kubernetes" => json!({
            "issuer": "https://kubernetes.default.svc.cluster.local", "tokenTypes": ["WorkloadToken"],
            "maxLifetime": "1h", "claims": {"actor": null}, "forms": [["WorkloadToken", [""], [], []]],
        }),
        "OIDC" if is_of_aws(issuer) => json!({
            "tokenTypes": ["WorkloadToken"], "maxLifetime": "1h",
            "forms": [["WorkloadToken", ["", "jwt"], [[["https://sts.amazonaws.com/", "aws_account"]]], []]],
        }),
        "SPIFFE" => json!({
            "tokenTypes": ["WorkloadToken"], "maxLifetime": "1h", "claims": {"actor": null},
            "forms": [["WorkloadToken", ["", "jose", "jwt"], [], []]],
        }),
        _ => return None,
    })
}

/// What is said in place of what is usual; what is `null` is not said at all.
pub(crate) fn laid_over(usual: &mut Value, said: &Value) {
    for (name, value) in said.as_object().into_iter().flatten() {
        match (name.as_str(), usual.as_object_mut()) {
            ("claims", Some(members)) => {
                let claims = members.entry(name.clone()).or_insert(json!({}));
                laid_over(claims, value);
            }
            (_, Some(members)) if value.is_null() => drop(members.remove(name)),
            (_, Some(members)) => drop(members.insert(name.clone(), value.clone())),
            (_, None) => {}
        }
    }
}
