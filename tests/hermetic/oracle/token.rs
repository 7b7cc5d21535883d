//! The oracle's reading of a token: whose word it is, and whether it counts.

use super::facts::{Caller, Fact};
use super::meaning::list;
use super::pool::NOW;
use super::preset::Provider;
use super::reach::Bearing;
use super::who::reference;
use super::{Asked, Token, World};
use serde_json::{Value, json};

impl World {
    /// 25: the credential: whose it is, or why it does not count.
    pub(crate) fn caller<'a>(
        &self,
        asked: &'a Asked,
        bearing: &[Bearing<'_>],
    ) -> Result<Option<Caller<'a>>, &'static str> {
        let Some(token) = &asked.token else {
            return Ok(None);
        };
        if let Some(reason) = incomplete(token, &["iss"]) {
            return Err(reason);
        }
        // 11: a target admits the providers of its enforced Allows.
        let admitted = |provider: &Provider| {
            let mut named = bearing.iter().filter(|one| one.named);
            named.any(|one| self.admits(one, &provider.id))
        };
        let mut providers = self.providers(&asked.namespace).filter(admitted);
        let provider = providers.find(|provider| {
            let aliases = list(&provider.spec, "issuerAliases").iter();
            let mut names = aliases.chain([&provider.spec["issuer"]]);
            names.any(|name| *name == token.claims["iss"])
        });
        let caller = Caller {
            provider: provider.ok_or("UnknownIssuer")?,
            claims: &token.claims,
        };
        match fault(token, &caller) {
            Some(reason) => Err(reason),
            None => Ok(Some(caller)),
        }
    }

    fn admits(&self, one: &Bearing<'_>, provider: &str) -> bool {
        let namespace = one.policy["metadata"]["namespace"].as_str();
        let mut allows = one.rules();
        allows.any(|rule| {
            let mut entries = list(rule, "from").iter();
            entries.any(|entry| self.names(entry, namespace, provider))
        })
    }

    /// 11: the provider that an entry names, roles expanded.
    fn names(&self, entry: &Value, namespace: Option<&str>, provider: &str) -> bool {
        if entry.get("serviceAccounts").is_some() {
            return provider == "ClusterTrustProvider/kubernetes";
        }
        if let Some(named) = entry.get("providerRef") {
            // A cluster's role takes the word of the cluster's providers only.
            let own = provider.starts_with("TrustProvider/");
            return reference(named, "ClusterTrustProvider").is_some_and(|id| id == provider)
                && (namespace.is_some() || !own);
        }
        list(entry, "roleRefs").iter().any(|role| {
            let role = self.role(namespace, role);
            role.is_some_and(|role| {
                let namespace = namespace.filter(|_| role["kind"] == "AccessRole");
                list(&role["spec"], "members")
                    .iter()
                    .any(|m| self.names(m, namespace, provider))
            })
        })
    }
}

/// Why a token of that provider does not count; nothing if it does.
fn fault(token: &Token, caller: &Caller<'_>) -> Option<&'static str> {
    let spec = &caller.provider.spec;
    let keys = list(&spec["keys"]["inline"], "keys");
    if let Some(reason) = incomplete(token, &["sub", "aud", "exp", "iat"]) {
        return Some(reason);
    }
    // What costs nothing is looked at first, the key then, and last whose customer it is of.
    timing(token, spec)
        .or_else(|| (!is_of_type(token, spec)).then_some("WrongTokenType"))
        .or_else(|| keys.is_empty().then_some("KeysUnavailable"))
        .or_else(|| {
            keys.iter()
                .all(|key| key["kid"] != token.key)
                .then_some("UnknownKey")
        })
        .or_else(|| (!is_tenant(caller)).then_some("TenantNotAllowed"))
        .or_else(|| is_revoked(token, spec).then_some("Revoked"))
}

/// 28: claims required in every token, each of its type.
fn incomplete(token: &Token, names: &[&str]) -> Option<&'static str> {
    for name in names {
        let Some(claim) = token.claims.get(name) else {
            return Some("MissingClaim");
        };
        let fits = match *name {
            "iss" | "sub" => claim.as_str().is_some_and(|text| !text.is_empty()),
            "aud" => audiences(claim).is_some_and(|all| !all.is_empty()),
            _ => claim.as_i64().is_some_and(|time| time >= 0),
        };
        if !fits {
            return Some("MalformedClaim");
        }
    }
    let begins = token.claims.get("nbf").filter(|_| names.contains(&"exp"));
    begins
        .filter(|time| !time.is_number())
        .map(|_| "MalformedClaim")
}

/// 28: the clock of a provider may be off by a little.
fn timing(token: &Token, spec: &Value) -> Option<&'static str> {
    let time = |name: &str| token.claims.get(name).and_then(Value::as_i64);
    let seconds = |name: &str, usual: i64| match spec[name].as_str() {
        Some("24h") => 86_400,
        Some("6h") => 21_600,
        Some("1h") => 3_600,
        Some("10m") => 600,
        Some("0s") => 0,
        _ => usual,
    };
    let (skew, longest) = (seconds("clockSkew", 30), seconds("maxLifetime", 86_400));
    let (issued, ends) = (time("iat")?, time("exp")?);
    let later = NOW.saturating_add(skew);
    match () {
        () if NOW >= ends.saturating_add(skew) || ends <= issued => Some("Expired"),
        () if time("nbf").is_some_and(|begins| begins > later) => Some("NotYetValid"),
        () if issued > later => Some("IssuedInTheFuture"),
        () if ends.saturating_sub(issued) > longest => Some("LifetimeTooLong"),
        () => None,
    }
}

/// 38: how a type of token is told.
fn is_of_type(token: &Token, spec: &Value) -> bool {
    let typ = token
        .typ
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let has = |names: &[&str]| {
        names
            .iter()
            .any(|name| token.claims.get(name).is_some_and(|claim| !claim.is_null()))
    };
    let id_token = ["nonce", "at_hash", "c_hash"];
    let plain = typ.is_empty() || typ == "jwt";
    let shows = match spec["type"].as_str() {
        Some("Google") if plain => "IDToken",
        Some("GitHubActions") if typ == "jwt" && has(&["repository_owner_id"]) => "IDToken",
        Some("Kubernetes") if typ.is_empty() => "WorkloadToken",
        Some("Entra") if typ == "jwt" && has(&["azpacr", "appidacr"]) && !has(&id_token) => {
            "AccessToken"
        }
        Some("Entra") if typ == "jwt" && !has(&["azpacr", "appidacr", "scp"]) => "IDToken",
        Some("OIDC") if typ == "at+jwt" => "AccessToken",
        Some("OIDC") if plain && has(&id_token) && !has(&["client_id", "scope", "scp"]) => {
            "IDToken"
        }
        _ => return false,
    };
    list(spec, "tokenTypes").contains(&json!(shows))
}

fn is_tenant(caller: &Caller<'_>) -> bool {
    let spec = &caller.provider.spec;
    let tenants = list(spec, "tenants");
    tenants.is_empty()
        || matches!(caller.claim(&spec["tenant"]), Fact::Said(one) if tenants.contains(&one))
}

/// 36: by subject, session or id, or by key; of those issued before, and until then.
fn is_revoked(token: &Token, spec: &Value) -> bool {
    let time = |one: &Value, name: &str| {
        one.get(name)
            .and_then(Value::as_str)
            .map(super::pool::instant)
    };
    list(spec, "revocations").iter().any(|one| {
        let by = |name: &str| {
            one.get(name)
                .is_some_and(|is| token.claims.get(name) == Some(is))
        };
        let issued = token.claims["iat"].as_i64().unwrap_or_default();
        (by("sub") || by("sid") || by("jti"))
            && time(one, "issuedBefore").is_none_or(|before| issued < before)
            && time(one, "until").is_none_or(|until| NOW < until)
    })
}

fn audiences(claim: &Value) -> Option<Vec<&str>> {
    match claim {
        Value::String(one) => (!one.is_empty()).then(|| vec![one.as_str()]),
        Value::Array(many) => many.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// An audience is compared exactly; one of several suffices.
pub(crate) fn is_for(wanted: &[String], claims: &Value) -> bool {
    let has = audiences(&claims["aud"]).unwrap_or_default();
    wanted.iter().any(|one| has.contains(&one.as_str()))
}
