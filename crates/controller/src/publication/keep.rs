//! Keys that could not be fetched this time: those that were published last go on, with their age.

use super::published::NotPublished;
use super::publisher::{Moment, Publisher};
use countersign_policy::Compiled;
use countersign_policy::diagnostic::ResourceId;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Provider;
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
pub async fn keep(
    rulesets: &mut BTreeMap<Scope, Compiled>,
    failed: &BTreeSet<ResourceId>,
    publisher: &Publisher,
    at: Moment,
) -> Result<BTreeMap<ResourceId, UnixTime>, NotPublished> {
    let mut kept = BTreeMap::new();
    for (scope, compiled) in rulesets {
        let mut wanting: Vec<_> = compiled.keys.providers.iter_mut().collect();
        wanting.retain(|provider| failed.contains(&ResourceId::of_provider(scope, &provider.id)));
        if wanting.is_empty() {
            continue;
        }
        let last = publisher.last(scope, at).await?;
        let Some(last) = last.and_then(|last| last.whole) else {
            continue;
        };
        for provider in wanting {
            let Some(before) = last.keys.provider(&provider.id) else {
                continue;
            };
            let until = before.fetched_at.map(|at| at.plus(before.max_stale));
            if let Some(until) = until.filter(|until| at.now < *until)
                && is_same(provider, before)
            {
                provider.clone_from(before);
                kept.insert(ResourceId::of_provider(scope, &provider.id), until);
            }
        }
    }
    Ok(kept)
}

/// Whether all but the keys is as it was: also whether their place was written or discovered, for who
/// takes a place out of the resource no longer believes it. Where discovery failed, the place is that
/// of before.
fn is_same(now: &Provider, before: &Provider) -> bool {
    let described = |provider: &Provider| Provider {
        keys: Vec::new(),
        fetched_at: None,
        jwks_url: None,
        ..provider.clone()
    };
    let place = now.jwks_url.is_none() || now.jwks_url == before.jwks_url;
    place && described(now) == described(before)
}

#[cfg(test)]
mod tests {
    use super::is_same;
    use countersign_policy::diagnostic::ResourceId;
    use countersign_policy::jwks::FetchedKeys;
    use countersign_policy::{Resources, compile};
    use countersign_ruleset::provider::Provider;
    use countersign_ruleset::time::UnixTime;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    const PLACE: &str = "https://id.example.com/keys";

    /// What comes of a provider with these `keys`, which were fetched from a place, or not.
    fn compiled(keys: &Value, place: Option<&str>) -> Provider {
        let id = ResourceId {
            kind: "ClusterTrustProvider".into(),
            namespace: String::new(),
            name: "okta".into(),
        };
        let resources = [
            json!({
                "apiVersion": "countersign.dev/v1alpha1", "kind": id.kind,
                "metadata": {"name": id.name},
                "spec": {"type": "OIDC", "issuer": "https://id.example.com", "keys": keys},
            }),
            json!({
                "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
                "metadata": {"name": "orders", "namespace": "shop"},
                "spec": {"hosts": ["orders.example.com"], "rules": [
                    {"name": "staff", "from": [{"providerRef": {"name": id.name}}]},
                ]},
            }),
        ];
        let fetched = place.map(|place| FetchedKeys {
            keys: Vec::new(),
            jwks_url: place.into(),
            fetched_at: UnixTime(1_795_521_600),
        });
        let fetched: BTreeMap<_, _> = fetched.map(|keys| (id, keys)).into_iter().collect();
        let compilation = compile(&Resources::read(&resources).unwrap(), &fetched);
        let shop = &compilation.rulesets[&"shop".parse().unwrap()];
        shop.keys.providers[0].clone()
    }

    #[test]
    fn keys_go_on_only_where_all_else_is_as_it_was() {
        let (found, written) = (json!({}), json!({"jwksURL": PLACE}));
        let own = json!({"caBundle": "-----BEGIN CERTIFICATE-----"});
        let is_kept = |now: &Value, before: &Value| {
            is_same(&compiled(now, None), &compiled(before, Some(PLACE)))
        };
        assert!(is_kept(&found, &found), "discovery fails this time");
        assert!(is_kept(&written, &written));
        assert!(!is_kept(&found, &written), "the place was taken away");
        assert!(
            !is_kept(&written, &found),
            "it was found, and is written now"
        );
        assert!(!is_kept(&own, &found), "another channel than before");
        let other = json!({"jwksURL": "https://other.example.com/keys"});
        assert!(!is_kept(&other, &written), "another place");
    }
}
