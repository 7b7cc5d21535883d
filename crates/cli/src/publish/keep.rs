//! Keys that could not be fetched this time: those that were published last go on, with their age.

use super::Order;
use super::last::Chain;
use anyhow::Result;
use countersign_policy::Compiled;
use countersign_policy::diagnostic::ResourceId;
use countersign_ruleset::names::{ProviderId, Scope};
use countersign_ruleset::provider::{Provider, Refresh};
use countersign_ruleset::time::UnixTime;
use std::collections::{BTreeMap, BTreeSet};

/// Gives each provider whose fetch failed the keys that it was last published with, and says until
/// when they are good. A provider that is down for an hour then locks nobody out.
///
/// They keep the time at which they were fetched, so that a key which was withdrawn is honoured no
/// longer than `maxStale`; and a provider that is described otherwise by now starts anew.
///
/// # Errors
/// If what is published cannot be verified.
pub(crate) fn keep(
    rulesets: &mut BTreeMap<Scope, Compiled>,
    failed: &BTreeSet<ResourceId>,
    order: &Order<'_>,
) -> Result<BTreeMap<ResourceId, UnixTime>> {
    let mut kept = BTreeMap::new();
    if failed.is_empty() {
        return Ok(kept);
    }
    let chain = Chain::follow(order)?;
    for (scope, compiled) in rulesets {
        let mut wanting: Vec<_> = compiled.keys.providers.iter_mut().collect();
        wanting.retain(|provider| failed.contains(&resource(scope, &provider.id)));
        if wanting.is_empty() {
            continue;
        }
        let Some(last) = chain.read(scope, order)? else {
            continue;
        };
        for provider in wanting {
            let Some(before) = last.keys.provider(&provider.id) else {
                continue;
            };
            let until = before.fetched_at.map(|at| at.plus(before.max_stale));
            if let Some(until) = until.filter(|until| order.now < *until)
                && is_same(provider, before)
            {
                provider.clone_from(before);
                kept.insert(resource(scope, &provider.id), until);
            }
        }
    }
    Ok(kept)
}

/// Whether all but the keys is as it was. Where discovery failed, it is not known where they are.
fn is_same(now: &Provider, before: &Provider) -> bool {
    let described = |provider: &Provider| Provider {
        keys: Vec::new(),
        fetched_at: None,
        jwks_url: None,
        refresh: Refresh::Never,
        ..provider.clone()
    };
    let place = now.jwks_url.is_none() || now.jwks_url == before.jwks_url;
    place && described(now) == described(before)
}

/// The resource that a provider's name in a ruleset stands for.
fn resource(scope: &Scope, id: &ProviderId) -> ResourceId {
    let (kind, name) = id.as_str().split_once('/').unwrap_or_default();
    let own = kind == "TrustProvider";
    let namespace = if own { scope.as_str() } else { "" };
    ResourceId {
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}
