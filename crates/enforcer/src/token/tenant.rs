//! From which of an issuer's many customers a token comes.

use crate::claims::{Email, Fact, lookup};
use countersign_ruleset::provider::Provider;
use serde_json::{Map, Value};

/// Whether the token's tenant is one of the provider's. Anyone can become a customer of an issuer
/// that serves everybody, and have it sign a token for any audience.
pub(super) fn is_admitted(provider: &Provider, members: &Map<String, Value>) -> bool {
    let Some(tenants) = &provider.tenants else {
        return true;
    };
    let tenant = lookup::first(members, &tenants.paths).and_then(lookup::text);
    let Fact::Known(tenant) = tenant else {
        return false;
    };
    if !tenants.domain_of_email {
        return tenants.any_of.iter().any(|listed| listed == tenant);
    }
    // An address speaks for its domain only if the provider verified it, and so it must be the one
    // that the provider maps.
    let email = Email::read(members, provider.claims.email.as_ref());
    email.known().is_some_and(|email| {
        email.address().eq_ignore_ascii_case(tenant)
            && tenants
                .any_of
                .iter()
                .any(|listed| listed.eq_ignore_ascii_case(email.domain()))
    })
}
