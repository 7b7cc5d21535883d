//! A person's claims as a provider would write them: its issuer, its kind of token, its tenant.

use crate::dev::cast::{Person, at, put};
use countersign_ruleset::provider::{ClaimPath, Provider, TokenForm};
use countersign_ruleset::time::UnixTime;
use serde_json::{Map, Value, json};

/// The longest that a development token is good for.
const LIFETIME: u64 = 3_600;

/// The header's `typ`, and the claims. `None` if the provider takes no kind of token that can be told.
pub(super) fn of(
    person: &Person,
    provider: &Provider,
    audiences: &[String],
    now: UnixTime,
) -> Option<(String, Value)> {
    let mut claims = person.claims.clone();
    let lifetime = provider.max_lifetime.min(LIFETIME);
    for (name, value) in [
        ("iss", json!(provider.issuers.first()?)),
        ("iat", json!(now.0)),
        ("exp", json!(now.plus(lifetime).0)),
        ("aud", audience(audiences)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    claims.entry("sub").or_insert_with(|| json!(person.name));
    if claims.contains_key("acr") || claims.contains_key("amr") {
        claims.insert("auth_time".to_owned(), json!(now.0));
    }
    settle(provider, &mut claims);
    let forms = provider.forms.iter();
    let mut taken = forms.filter(|form| provider.token_types.contains(&form.token_type));
    taken.find_map(|form| shaped(form, provider, claims.clone()))
}

/// One audience is a text, as most providers write it; several are a list (RFC 7519 §4.1.3).
fn audience(audiences: &[String]) -> Value {
    match audiences {
        [one] => json!(one),
        several => json!(several),
    }
}

/// Comes from a customer whose tokens count, unless the person says from which.
fn settle(provider: &Provider, claims: &mut Map<String, Value>) {
    let Some(tenants) = &provider.tenants else {
        return;
    };
    let (Some(path), Some(tenant)) = (tenants.paths.first(), tenants.any_of.first()) else {
        return;
    };
    if tenants.domain_of_email {
        let user = claims
            .get("sub")
            .and_then(Value::as_str)
            .unwrap_or("someone")
            .to_owned();
        put(claims, path, json!(format!("{user}@{tenant}")));
        if let Some(verified) = provider
            .claims
            .email
            .as_ref()
            .and_then(|e| e.verified_by.as_ref())
        {
            put(claims, verified, json!(true));
        }
    } else if tenants.paths.iter().all(|path| at(claims, path).is_none()) {
        put(claims, path, json!(tenant));
    }
}

/// The claims as a token of that form, if it can be told from every other type's.
fn shaped(
    form: &TokenForm,
    provider: &Provider,
    mut claims: Map<String, Value>,
) -> Option<(String, Value)> {
    for one_of in &form.present {
        if one_of.iter().all(|path| at(&claims, path).is_none()) {
            let path = one_of.first()?;
            put(&mut claims, path, json!(typical(path)));
        }
    }
    let typ = form.typ.first().cloned().unwrap_or_default();
    let fits = |form: &TokenForm| {
        let is_there = |path: &ClaimPath| at(&claims, path).is_some();
        form.typ.contains(&typ)
            && form
                .present
                .iter()
                .all(|one_of| one_of.iter().any(is_there))
            && !form.absent.iter().any(is_there)
    };
    let others = provider
        .forms
        .iter()
        .filter(|other| other.token_type != form.token_type);
    let told_apart = fits(form) && !others.into_iter().any(fits);
    told_apart.then_some((typ, Value::Object(claims)))
}

/// What stands in a claim that must be there and of which nothing is asked.
fn typical(path: &ClaimPath) -> &'static str {
    match path.last().map(String::as_str) {
        Some("scope" | "scp") => "openid",
        Some("azpacr" | "appidacr" | "ver") => "1",
        _ => "dev",
    }
}
