//! Providers: whose tokens count, with nothing left to look up.
//!
//! What says whose tokens count must be read whole, or none counts: the type, the issuer, tenants,
//! keys, algorithms, types of token, times, the actor and revocations, and any field that there is
//! not, since it may have been one of these. Where another claim is, may be wrong by itself: then
//! that claim is unknown. Aliases, audited claims and a client that cannot be read are left out.

use super::time::duration;
use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, nearest};
use crate::jwks::FetchedKeys;
use crate::preset::{Platform, Preset};
use crate::v1alpha1::ProviderSpec;
use countersign_ruleset::names::ProviderId;
use countersign_ruleset::provider::{Algorithm, Provider, TokenForm, TokenType};
use countersign_ruleset::rules::{Audited, Revocation};
use std::collections::BTreeMap;

mod claims;
mod client;
mod conflict;
mod keys;
mod origin;
mod revocation;
mod tenants;
#[cfg(test)]
mod tests;
mod url;

pub(crate) use conflict::conflicts;
pub(crate) use origin::{is_insecure, key_source};

const FIELDS: [&str; 13] = [
    "algorithms",
    "audit",
    "claims",
    "client",
    "clockSkew",
    "issuer",
    "issuerAliases",
    "keys",
    "maxLifetime",
    "revocations",
    "tenants",
    "tokenTypes",
    "type",
];

/// The longest that any token may be good for: 30 days.
const MAX_LIFETIME: u64 = 2_592_000;

/// Semantics 28.
const MAX_SKEW: u64 = 60;

/// How far a clock may be off if nothing is said.
const SKEW: u64 = 30;

/// How old keys may be before the provider's tokens are answered 503: a day.
const MAX_STALE: u64 = 86_400;

/// A provider, as the ruleset holds it.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    /// `None` if it is invalid: then none of its tokens count.
    pub(crate) provider: Option<Provider>,
    /// Whether the issuer serves everybody and no tenants are said.
    pub(crate) shared: bool,
    /// Whether a claim names the domain for which the provider speaks.
    pub(crate) domain_mapped: bool,
    /// The platform whose workloads it vouches for.
    pub(crate) platform: Option<Platform>,
    /// What browsers log in as, even if they cannot, since more of the client cannot be read.
    pub(crate) client_id: Option<String>,
    /// What counts no longer.
    pub(crate) revocations: Vec<Revocation>,
    /// What audit lines may hold.
    pub(crate) audit: BTreeMap<String, Audited>,
}

/// Lowers a provider. `fetched` are its keys, if they are not inline and could be had.
pub(crate) fn lower(
    id: &ProviderId,
    spec: &ProviderSpec,
    cluster_kind: bool,
    fetched: Option<&FetchedKeys>,
    sink: &mut Sink,
) -> Lowered {
    let root = FieldPath::spec();
    let is_whole = !sink.unread(&root, &spec.unread, &FIELDS);
    let audit = revocation::audit(&root.name("audit"), &spec.audit, sink);
    let revocations = revocation::revocations(id, &root.name("revocations"), spec, sink);
    let Some(preset) = preset(spec, sink) else {
        return Lowered::default();
    };
    let client = client::client(&root.name("client"), preset, &spec.client, sink);
    let origin = origin::read(preset, spec, sink);
    let claims = claims::read(preset, &spec.claims, sink);
    let terms = Terms::read(preset, spec, sink);
    let keys = keys::read(spec, cluster_kind, origin.as_ref(), fetched, sink);
    let shared = origin.as_ref().is_some_and(|origin| origin.shared);
    let domain_mapped = claims.as_ref().is_some_and(claims::maps_domain);
    let provider = (|| {
        let (origin, keys, terms) = (origin?, keys?, terms?);
        revocations.as_ref()?;
        is_whole.then_some(Provider {
            id: id.clone(),
            issuers: origin.issuers,
            header: preset.header.map(Into::into),
            algorithms: terms.algorithms,
            token_types: terms.token_types,
            forms: preset.forms.iter().map(TokenForm::from).collect(),
            tenants: origin.tenants,
            max_lifetime: terms.max_lifetime,
            clock_skew: terms.clock_skew,
            claims: claims?,
            client,
            jwks_url: keys.jwks_url,
            discovered: keys.discovered,
            refresh: keys.refresh,
            max_stale: MAX_STALE,
            fetched_at: keys.fetched_at,
            keys: keys.usable,
        })
    })();
    let revocations = revocations
        .filter(|_| provider.is_some())
        .unwrap_or_default();
    Lowered {
        provider,
        shared,
        domain_mapped,
        platform: preset.platform,
        client_id: spec.client.known().and_then(|it| it.id.known()).cloned(),
        revocations,
        audit,
    }
}

/// The type. It is named, never guessed: it says what an access token is.
fn preset(spec: &ProviderSpec, sink: &mut Sink) -> Option<&'static Preset> {
    let path = FieldPath::spec().name("type");
    let name = sink.required(&path, &spec.type_)?;
    let preset = Preset::named(name).map(|preset| {
        let issuer = spec.issuer.known();
        issuer.map_or(preset, |issuer| preset.at(issuer))
    });
    if preset.is_none() {
        let names = || Preset::ALL.iter().map(|preset| preset.name);
        let help = nearest(name, names()).map(|near| format!("did you mean `{near}`?"));
        let known = names().collect::<Vec<_>>().join(", ");
        let message = format!("expected one of {known}, got `{}`", short(name));
        sink.error(&path, Code::InvalidValue, message, help);
    }
    preset
}

/// On what terms its tokens are taken.
struct Terms {
    algorithms: Vec<Algorithm>,
    token_types: Vec<TokenType>,
    max_lifetime: u64,
    clock_skew: u64,
}

impl Terms {
    fn read(preset: &Preset, spec: &ProviderSpec, sink: &mut Sink) -> Option<Self> {
        let root = FieldPath::spec();
        let algorithm = |name: &str| {
            let mut known = Algorithm::ALL.into_iter();
            let found = known.find(|algorithm| algorithm.as_str() == name);
            found.ok_or("an asymmetric algorithm such as `RS256`")
        };
        let token_type = |name: &str| match name {
            "AccessToken" if preset.has(TokenType::AccessToken) => Ok(TokenType::AccessToken),
            "IDToken" if preset.has(TokenType::IDToken) => Ok(TokenType::IDToken),
            "AccessToken" | "IDToken" => Err("a type of token that this type of provider issues"),
            _ => Err("`AccessToken` or `IDToken`"),
        };
        let path = root.name("algorithms");
        let algorithms = chosen(&path, &spec.algorithms, preset.algorithms, algorithm, sink);
        let path = root.name("tokenTypes");
        let token_types = chosen(
            &path,
            &spec.token_types,
            preset.token_types,
            token_type,
            sink,
        );
        let path = root.name("maxLifetime");
        let most = preset.max_lifetime;
        let max_lifetime = seconds(&path, &spec.max_lifetime, most, 1, MAX_LIFETIME, sink);
        let path = root.name("clockSkew");
        let clock_skew = seconds(&path, &spec.clock_skew, SKEW, 0, MAX_SKEW, sink);
        Some(Self {
            algorithms: algorithms?,
            token_types: token_types?,
            max_lifetime: max_lifetime?,
            clock_skew: clock_skew?,
        })
    }
}

/// A choice from what there is. What is none of it gives nothing, and the others stay.
fn chosen<T: Copy + Ord>(
    path: &FieldPath,
    field: &Field<crate::field::List<String>>,
    preset: &[T],
    parse: impl Fn(&str) -> Result<T, &'static str>,
    sink: &mut Sink,
) -> Option<Vec<T>> {
    let written = match sink.field(path, field) {
        Said::Absent => return Some(preset.to_vec()),
        Said::Unknown => return None,
        Said::Known(written) => written,
    };
    let mut chosen = Vec::new();
    for (n, name) in written.iter().enumerate() {
        match parse(name) {
            Ok(one) => chosen.push(one),
            Err(expected) => {
                let message = format!("expected {expected}, got `{}`", short(name));
                sink.error(&path.index(n), Code::InvalidValue, message, None);
            }
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    (!chosen.is_empty()).then_some(chosen)
}

/// A duration within its bounds.
fn seconds(
    path: &FieldPath,
    field: &Field<String>,
    preset: u64,
    least: u64,
    most: u64,
    sink: &mut Sink,
) -> Option<u64> {
    let text = match sink.field(path, field) {
        Said::Absent => return Some(preset),
        Said::Unknown => return None,
        Said::Known(text) => text,
    };
    let within = |seconds: u64| {
        let message = || format!("expected {least}s to {most}s, got `{}`", short(text));
        (least..=most)
            .contains(&seconds)
            .then_some(seconds)
            .ok_or_else(message)
    };
    match duration(text).and_then(within) {
        Ok(seconds) => Some(seconds),
        Err(message) => {
            sink.error(path, Code::InvalidValue, message, None);
            None
        }
    }
}
