//! Whose tokens: the issuer, its other names, and where its keys are.

use super::super::{Said, Sink, short};
use super::tenants;
use super::url::{Channel, channel};
use crate::diagnostic::{Code, FieldPath, ResourceId};
use crate::field::Field;
use crate::preset::{Preset, Shared};
use crate::resources::KeySource;
use crate::v1alpha1::ProviderSpec;
use countersign_ruleset::provider::Tenants;
use std::collections::BTreeSet;

/// The issuer of Entra for everybody's tenants. No token names it: `iss` is the tenant's own.
const ENTRA: [&str; 2] = [
    "https://login.microsoftonline.com/common/v2.0",
    "https://login.microsoftonline.com/organizations/v2.0",
];

/// The keys of every tenant of Entra.
const ENTRA_KEYS: &str = "https://login.microsoftonline.com/common/discovery/v2.0/keys";

/// Whose tokens.
#[derive(Debug)]
pub(super) struct Origin {
    /// The issuer and its other names, as tokens write them.
    pub(super) issuers: Vec<String>,
    /// Where its keys are, if there is no discovery.
    pub(super) jwks_url: Option<String>,
    /// Whose of its tokens.
    pub(super) tenants: Option<Tenants>,
    /// Whether it serves everybody and no tenants are said.
    pub(super) shared: bool,
}

pub(super) fn read(preset: &Preset, spec: &ProviderSpec, sink: &mut Sink) -> Option<Origin> {
    let issuer = issuer(preset, spec, sink);
    let aliases = aliases(spec, sink);
    let tenants = tenants::read(preset, issuer, &spec.tenants, sink);
    let issuer = issuer?;
    let tenants = match tenants {
        Said::Absent => None,
        Said::Known(tenants) => Some(tenants),
        Said::Unknown => return None,
    };
    let jwks_url = jwks_url(preset, issuer, spec);
    let mut issuers: Vec<String> = if ENTRA.contains(&issuer) {
        entra(tenants.as_ref(), sink)?
    } else {
        vec![issuer.into()]
    };
    if preset.issuer == Some(issuer) {
        issuers.extend(preset.aliases.iter().map(ToString::to_string));
    }
    for alias in aliases {
        if !issuers.contains(&alias) {
            issuers.push(alias);
        }
    }
    let shared = serves_everybody(issuer, &issuers, tenants.as_ref());
    Some(Origin {
        issuers,
        jwks_url,
        tenants,
        shared,
    })
}

/// Whether anyone can have a token of it, by the issuer as written, by another name, or by a tenant
/// that is everybody's.
fn serves_everybody(issuer: &str, issuers: &[String], tenants: Option<&Tenants>) -> bool {
    // Where no claim names the customer, no tenant can be told.
    let is_open = |issuer: &str| {
        Shared::at(issuer).is_some_and(|it| it.tenant.is_empty() || tenants.is_none())
    };
    let entras = |tenant: &String| is_open(&format!("https://login.microsoftonline.com/{tenant}"));
    is_open(issuer)
        || issuers.iter().any(|issuer| is_open(issuer))
        || tenants.is_some_and(|tenants| tenants.any_of.iter().any(entras))
}

/// The issuer, as it is written or as the type has it.
fn issuer<'s>(preset: &Preset, spec: &'s ProviderSpec, sink: &mut Sink) -> Option<&'s str> {
    let path = FieldPath::spec().name("issuer");
    let written = match (sink.field(&path, &spec.issuer), preset.issuer) {
        (Said::Known(issuer), _) => issuer.as_str(),
        (Said::Absent, Some(issuer)) => return Some(issuer),
        (Said::Absent, None) => {
            let help = format!("write it as in {}", preset.issuer_form);
            sink.error(&path, Code::Missing, "it must be written", Some(help));
            return None;
        }
        (Said::Unknown, _) => return None,
    };
    expect_channel(&path, written, sink)?;
    // "using the https scheme that contains scheme, host, and optionally, port number and path
    // components and no query or fragment components" (OpenID Connect Core §2)
    if written.contains('?') {
        let message = format!("expected a URL without query, got `{}`", short(written));
        sink.error(&path, Code::InvalidValue, message, None);
        return None;
    }
    Some(written)
}

/// Looks at a URL that is fetched from, or that leads to one.
pub(super) fn expect_channel(path: &FieldPath, url: &str, sink: &mut Sink) -> Option<Channel> {
    match channel(url) {
        Ok(Channel::Loopback) => {
            let message = "keys over plain http: only for development on one machine";
            sink.warning(path, Code::InsecureIssuer, message, None);
            Some(Channel::Loopback)
        }
        Ok(secure) => Some(secure),
        Err(expected) => {
            let message = format!("expected {expected}, got `{}`", short(url));
            sink.error(path, Code::InvalidValue, message, None);
            None
        }
    }
}

/// Other names. Nothing is fetched from them, so they may be any text that an `iss` can be.
fn aliases(spec: &ProviderSpec, sink: &mut Sink) -> Vec<String> {
    let path = FieldPath::spec().name("issuerAliases");
    let Said::Known(written) = sink.field(&path, &spec.issuer_aliases) else {
        return Vec::new();
    };
    let mut aliases = Vec::new();
    for (n, alias) in written.iter().enumerate() {
        if !alias.is_empty() && alias.bytes().all(|c| c.is_ascii_graphic()) {
            aliases.push(alias.clone());
        } else {
            let message = format!("expected an `iss` without blanks, got `{}`", short(alias));
            sink.error(&path.index(n), Code::InvalidValue, message, None);
        }
    }
    aliases
}

/// The issuers of Entra's tenants, each by its own name.
fn entra(tenants: Option<&Tenants>, sink: &mut Sink) -> Option<Vec<String>> {
    let path = FieldPath::spec().name("tenants");
    let Some(tenants) = tenants else {
        let help = "write `tenants`, or the tenant's own issuer";
        let message = "no token names this issuer: each tenant has its own";
        sink.error(&path, Code::SharedIssuer, message, Some(help.into()));
        return None;
    };
    let is_id = |text: &String| {
        text.len() == 36 && text.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-')
    };
    if let Some(other) = tenants.any_of.iter().find(|tenant| !is_id(tenant)) {
        let message = format!("expected the id of a tenant, got `{}`", short(other));
        sink.error(&path, Code::InvalidValue, message, None);
        return None;
    }
    let of = |tenant: &String| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    Some(tenants.any_of.iter().map(of).collect())
}

fn jwks_url(preset: &Preset, issuer: &str, spec: &ProviderSpec) -> Option<String> {
    let written = spec
        .keys
        .known()
        .and_then(|keys| keys.jwks_url.known())
        .cloned();
    let own = preset.jwks_url.filter(|_| preset.issuer == Some(issuer));
    let entra = ENTRA.contains(&issuer).then_some(ENTRA_KEYS);
    written.or_else(|| own.or(entra).map(Into::into))
}

/// What it claims to sign as, as far as that can be read: also if it is invalid, for a mistake in
/// one provider must not make room for another.
pub(super) fn claimed(spec: &ProviderSpec) -> BTreeSet<String> {
    let preset = spec.type_.known().and_then(|name| Preset::named(name));
    let read = preset.and_then(|preset| read(preset, spec, &mut scratch()));
    let usual = preset
        .filter(|_| spec.issuer.is_absent())
        .and_then(|preset| preset.issuer);
    let own = spec.issuer.known().map(String::as_str).or(usual);
    // Of everybody's tenants it has only those that it names.
    let own = own.filter(|own| !ENTRA.contains(own)).map(Into::into);
    let aliases = spec.issuer_aliases.known().into_iter().flatten().cloned();
    // The names that the type has beside it are its own whatever else cannot be read.
    let by_type = preset.filter(|preset| preset.issuer == own.as_deref());
    let by_type = by_type.into_iter().flat_map(|preset| preset.aliases);
    let by_type: Vec<String> = by_type.map(ToString::to_string).collect();
    own.into_iter()
        .chain(aliases)
        .chain(by_type)
        .chain(read.into_iter().flat_map(|it| it.issuers))
        .collect()
}

/// Where a provider's keys are to be fetched from: `None` if they are inline, or it is invalid.
pub(crate) fn key_source(id: &ResourceId, spec: &ProviderSpec) -> Option<KeySource> {
    let cluster_kind = id.kind == "ClusterTrustProvider";
    let provider = format!("{}/{}", id.kind, id.name).parse().ok()?;
    super::lower(&provider, spec, cluster_kind, None, &mut scratch()).provider?;
    let preset = Preset::named(spec.type_.known()?)?;
    let issuer = issuer(preset, spec, &mut scratch())?;
    let keys = spec.keys.known();
    if keys.is_some_and(|keys| !keys.inline.is_absent()) {
        return None;
    }
    Some(KeySource {
        resource: id.clone(),
        issuer: issuer.into(),
        jwks_url: jwks_url(preset, issuer, spec),
        ca_bundle: keys.and_then(|keys| keys.ca_bundle.known()).cloned(),
        proxy_url: keys.and_then(|keys| keys.proxy_url.known()).cloned(),
    })
}

/// Whether its issuer is, or its keys are fetched, over plain http on this machine.
pub(crate) fn is_insecure(spec: &ProviderSpec) -> bool {
    let is_loopback = |url: &Field<String>| {
        url.known()
            .is_some_and(|url| channel(url) == Ok(Channel::Loopback))
    };
    is_loopback(&spec.issuer)
        || spec
            .keys
            .known()
            .is_some_and(|keys| is_loopback(&keys.jwks_url))
}

/// For what is read again and was reported before.
fn scratch() -> Sink {
    Sink::new(ResourceId {
        kind: String::new(),
        namespace: String::new(),
        name: String::new(),
    })
}
