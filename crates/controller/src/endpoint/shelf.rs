//! The shelf of published rulesets as what the endpoint serves.

use super::Source;
use crate::publication::Shelf;
use bytes::Bytes;
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::Scope;
use futures::future::BoxFuture;

impl Source for Shelf {
    fn manifest(&self, scope: &Scope) -> Option<Bytes> {
        self.manifest(scope)
    }

    fn trust(&self, version: u64) -> Option<Bytes> {
        self.trust(version)
    }

    fn blob(&self, scope: &Scope, digest: &Digest) -> Option<Bytes> {
        self.blob(scope, digest)
    }

    fn changed<'s>(&'s self, scope: &'s Scope, known: Option<Bytes>) -> BoxFuture<'s, ()> {
        let mut current = self.watch(scope);
        Box::pin(async move {
            let other = current.wait_for(|it| it.as_ref().map(|it| &it.envelope) != known.as_ref());
            if other.await.is_err() {
                // nothing more comes from a shelf that is gone
                std::future::pending::<()>().await;
            }
        })
    }
}
