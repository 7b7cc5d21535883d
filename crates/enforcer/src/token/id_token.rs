//! ID tokens: what a provider tells the client at which somebody logged in, and nobody else.

use super::compact::Compact;
use super::invalid::Invalid;
use super::trusted::Trusted;
use super::{Authentic, Evidence, authentic, tenant};
use crate::claims::{Fact, lookup};
use countersign_ruleset::provider::TokenType;
use countersign_ruleset::time::UnixTime;
use std::sync::Arc;

/// Verifies an ID token by every check of a caller's token, but for its type: it must be an ID token,
/// whether services take those or not. For which client it is, [`Authentic::is_for_client`] says.
pub(crate) fn id_token<'p>(
    compact: Compact<'_>,
    admitted: impl FnOnce(&str) -> Option<&'p Arc<Trusted>>,
    at: UnixTime,
) -> Result<Authentic, Invalid> {
    authentic(compact, admitted, Some(TokenType::IDToken), at)
}

impl Authentic {
    /// "The Client MUST validate that the aud (audience) Claim contains its `client_id` value [...] If
    /// the ID Token contains multiple audiences, the Client SHOULD verify that an azp Claim is present.
    /// If an azp (authorized party) Claim is present, the Client SHOULD verify that its `client_id` is
    /// the Claim Value." (OIDC Core §3.1.3.7). Both "should" are "must" here: a token that another
    /// client got, and may pass on, logs nobody in.
    pub(crate) fn is_for_client(&self, client: &str) -> bool {
        let audiences = &self.required.audiences;
        let party = lookup::at(&self.members, &["azp".to_owned()]).and_then(lookup::text);
        let by_party = match party {
            Fact::Absent => audiences.len() == 1,
            Fact::Known(party) => party == client,
            Fact::Unknown(_) => false,
        };
        by_party && audiences.iter().any(|audience| audience == client)
    }

    /// "If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present and its
    /// value checked" (OIDC Core §3.1.3.7): applications may share a client, and the ID token of a login
    /// to one of them must log nobody in to another.
    pub(crate) fn repeats(&self, nonce: &str) -> bool {
        let said = lookup::at(&self.members, &["nonce".to_owned()]).and_then(lookup::text);
        matches!(said, Fact::Known(said) if said == nonce)
    }

    /// The same token by what the provider is now, long after its own end: `None` if the provider does
    /// not sign as this issuer any more, if the tenant is none of its own now, or if the subject, the
    /// session, the token or its key was revoked, be it for a time that began and ended since. A key
    /// that was merely replaced does not end it.
    pub(crate) fn under(&self, trusted: &Arc<Trusted>, since: UnixTime) -> Option<Self> {
        let counts = trusted.issues_as(&self.required.issuer)
            && tenant::is_admitted(trusted.provider(), &self.members)
            && !trusted.revokes_key(&self.key, self.required.issued_at, since)
            && !trusted.revokes(&self.required, &self.members, since);
        counts.then(|| Self {
            trusted: Arc::clone(trusted),
            members: self.members.clone(),
            required: self.required.clone(),
            key: self.key.clone(),
            _evidence: Evidence(()),
        })
    }
}
