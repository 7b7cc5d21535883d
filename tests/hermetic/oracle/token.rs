//! The oracle's reading of a token: whose word it is, and whether it counts.

use super::facts::{Caller, Fact};
use super::meaning::list;
use super::pool::{BEFORE, EARLIER, LATER, NOW};
use super::provider::Provider;
use super::reach::Bearing;
use super::rule::seconds;
use super::sent::Form;
use super::truth::text;
use super::who::reference;
use super::{Asked, Token, World};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::rc::Rc;

impl World {
    /// 25: the credential: whose it is, or why it does not count.
    pub(crate) fn caller<'a>(
        &self,
        asked: &'a Asked,
        form: &Form,
        bearing: &[Bearing<'_>],
    ) -> Result<Option<Caller<'a>>, &'static str> {
        // 11: a target admits the providers of its enforced Allows.
        let admitted = |provider: &Rc<Provider>| {
            let mut named = bearing.iter().filter(|one| one.named);
            named.any(|one| self.admits(one, &provider.id))
        };
        let admitted: Vec<Rc<Provider>> =
            self.providers(&asked.namespace).filter(admitted).collect();
        // 38: the headers that carry tokens here, beside `Authorization`.
        let carries = |name: &str| admitted.iter().any(|it| it.spec["header"] == name);
        let token = asked.token.as_ref();
        let token = token.filter(|token| token.header.is_none_or(carries));
        let others = asked.headers.iter().filter(|(name, _)| carries(name));
        if others.count().saturating_add(usize::from(token.is_some())) > 1 {
            return Err("CredentialTwice");
        }
        let token = match (token, self.session(asked, form)) {
            (None, session) => return Ok(session),
            // 45: a token beside a session that counts.
            (Some(_), Some(_)) => return Err("CredentialTwice"),
            (Some(token), None) => token,
        };
        if let Some(reason) = incomplete(token, &["iss"]) {
            return Err(reason);
        }
        let provider = admitted.into_iter().find(|provider| {
            let named = provider.names.iter().any(|it| token.claims["iss"] == **it);
            named && provider.spec["header"].as_str() == token.header
        });
        let caller = Caller {
            provider: provider.ok_or("UnknownIssuer")?,
            claims: &token.claims,
            logged_in: false,
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
    let keys = || {
        list(&spec["keys"]["inline"], "keys")
            .iter()
            .filter(|it| is_key(it))
    };
    // Every token here is signed with Ed25519.
    if !list(spec, "algorithms").contains(&json!("EdDSA")) {
        return Some("AlgorithmNotAllowed");
    }
    if let Some(reason) = incomplete(token, &["sub", "aud", "exp", "iat"]) {
        return Some(reason);
    }
    // What costs nothing is looked at first, the key then, and last whose customer it is of.
    timing(token, spec)
        .or_else(|| (!is_of_type(token, caller)).then_some("WrongTokenType"))
        .or_else(|| token.claims.get("cnf").map(|_| "BoundToken"))
        .or_else(|| (keys().count() == 0).then_some("KeysUnavailable"))
        .or_else(|| {
            keys()
                .all(|key| key["kid"] != token.key)
                .then_some("UnknownKey")
        })
        .or_else(|| revokes(token, spec, NOW, &["key"]).then_some("Revoked"))
        .or_else(|| (!is_tenant(caller)).then_some("TenantNotAllowed"))
        .or_else(|| is_revoked(token, spec, NOW).then_some("Revoked"))
}

/// A public key of Ed25519, for signatures.
fn is_key(key: &Value) -> bool {
    let may_be = |name: &str, only: &str| key.get(name).is_none_or(|one| one == only);
    let x = key["x"].as_str().unwrap_or_default();
    let whole = key["kty"] == "OKP" && key["crv"] == "Ed25519" && x.len() == 43;
    whole && may_be("alg", "EdDSA") && may_be("use", "sig")
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
    let (skew, longest) = (seconds(&spec["clockSkew"])?, seconds(&spec["maxLifetime"])?);
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

/// 38: how a type of token is told. What could be of two types, or is of none, is refused.
fn is_of_type(token: &Token, caller: &Caller<'_>) -> bool {
    let spec = &caller.provider.spec;
    let typ = token.typ.as_deref().map(str::to_ascii_lowercase);
    let typ = match typ.as_deref() {
        None => "",
        Some("") => return false,
        Some(typ) => {
            let short = typ.strip_prefix("application/");
            short.filter(|it| !it.contains('/')).unwrap_or(typ)
        }
    };
    let said = |claim: &Value| match claim.as_str() {
        Some(name) => caller.claim(&json!([name])),
        None => caller.claim(claim),
    };
    let is_there = |claim: &Value| matches!(said(claim), Fact::Said(one) if !one.is_null());
    let is_not = |claim: &Value| said(claim) == Fact::Absent;
    let each = |claims: &Value| claims.as_array().cloned().unwrap_or_default();
    let fits = |form: &&Value| {
        let one_of = |claims: &Value| each(claims).iter().any(is_there);
        each(&form[1]).contains(&json!(typ))
            && each(&form[2]).iter().all(one_of)
            && each(&form[3]).iter().all(is_not)
    };
    let shown: Vec<&Value> = list(spec, "forms").iter().filter(fits).collect();
    let taken = |form: &&Value| list(spec, "tokenTypes").contains(&form[0]);
    let one = shown
        .first()
        .is_some_and(|first| shown.iter().all(|it| it[0] == first[0]));
    // A security event (RFC 8417) grants nothing.
    one && shown.iter().all(taken) && !token.claims["events"].is_object()
}

/// 12: whose customer it is of. A project of Google is told by the address of its service account.
pub(crate) fn is_tenant(caller: &Caller<'_>) -> bool {
    let spec = &caller.provider.spec;
    let tenants = list(spec, "tenants");
    let claim = text(spec, "tenant");
    if tenants.is_empty() {
        return true;
    }
    if claim != "the project of its address" {
        return matches!(caller.claim(&json!([claim])), Fact::Said(one) if tenants.contains(&one));
    }
    let address = caller.fact("email").text().unwrap_or_default().concat();
    let own = text(caller.claims, "email").eq_ignore_ascii_case(&address);
    let projects = tenants.iter().filter_map(Value::as_str);
    let mut domains = projects.map(|one| {
        let whole = one.contains('.');
        if whole {
            one.to_owned()
        } else {
            format!("{one}.iam.gserviceaccount.com")
        }
    });
    own && domains.any(|domain| address.ends_with(&format!("@{domain}")))
}

/// 36: by subject, session or id, or by key. Whether it was at any time since.
pub(crate) fn is_revoked(token: &Token, spec: &Value, since: i64) -> bool {
    revokes(token, spec, since, &["sub", "sid", "jti", "key"])
}

/// 36: by these, of those issued before, and until then. A bound that cannot be read is none.
fn revokes(token: &Token, spec: &Value, since: i64, names: &[&str]) -> bool {
    let time = |one: &Value, name: &str| {
        let known = |text: &&str| [BEFORE, EARLIER, LATER].contains(text);
        one.get(name)
            .and_then(Value::as_str)
            .filter(known)
            .map(super::pool::instant)
    };
    let issued = token.claims["iat"].as_i64().unwrap_or_default();
    // What cannot be read of a token may be any of those.
    let is = |name: &str, revoked: &Value| match token.claims.get(name) {
        None => false,
        Some(Value::String(said)) if !said.is_empty() => revoked == said,
        Some(_) => true,
    };
    list(spec, "revocations").iter().any(|one| {
        let mut signed = list(&spec["keys"]["inline"], "keys").iter();
        let mut by = names
            .iter()
            .filter_map(|name| Some((*name, one.get(*name)?)));
        by.any(|(name, revoked)| match name {
            "key" => signed.any(|key| key["kid"] == token.key && *revoked == thumbprint(key)),
            name => is(name, revoked),
        }) && time(one, "issuedBefore").is_none_or(|before| issued < before)
            && time(one, "until").is_none_or(|until| since < until)
    })
}

/// RFC 7638 of an Ed25519 key: the members that make it, in order.
pub(crate) fn thumbprint(key: &Value) -> String {
    let (curve, x) = (&key["crv"], &key["x"]);
    let text = format!(r#"{{"crv":{curve},"kty":"OKP","x":{x}}}"#);
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn audiences(claim: &Value) -> Option<Vec<&str>> {
    match claim {
        Value::String(one) => (!one.is_empty()).then(|| vec![one.as_str()]),
        Value::Array(many) => many.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// An audience is compared exactly; one of several suffices. 45: a session is for its application.
pub(crate) fn is_for(wanted: &[String], caller: &Caller<'_>) -> bool {
    let has = audiences(&caller.claims["aud"]).unwrap_or_default();
    caller.logged_in || wanted.iter().any(|one| has.contains(&one.as_str()))
}
