//! A publication on the condition that nobody has published since its meaning was looked for.
//!
//! Else a publisher that was stopped for a while, and goes on as if nothing had happened, would publish
//! what was meant before over what another has published since.

use super::{Moment, Publisher};
use crate::publication::chain::Last;
use crate::publication::published::{NotPublished, Published};
use crate::publication::store::{Key, Version};
use countersign_policy::Compiled;
use countersign_ruleset::names::Scope;

/// What was published of a namespace at one moment; nothing can be read out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen(Option<Version>);

impl Seen {
    /// That this was published, or nothing.
    pub fn of(last: Option<&Last>) -> Self {
        Self(last.map(|it| it.version.clone()))
    }
}

impl Publisher {
    /// Looks at what is published of a namespace, before its meaning is looked for.
    pub async fn look(&self, scope: &Scope) -> Result<Seen, NotPublished> {
        let there = self.store.read(&Key::Manifest(scope.clone())).await?;
        Ok(Seen(there.map(|it| it.version)))
    }

    /// Publishes it as [`Publisher::publish`] does, but over nothing else than what was seen.
    pub async fn publish_over(
        &self,
        seen: &Seen,
        (scope, uid): (&Scope, Option<&str>),
        compiled: Option<&Compiled>,
        at: Moment,
    ) -> Result<Published, NotPublished> {
        let chain = self.chain(at.now).await?;
        let known = self.known(scope, &chain, at.now).await?;
        if known.as_ref().map(|it| &it.version) != seen.0.as_ref() {
            let place = self.store.place(&Key::Manifest(scope.clone()));
            return Err(NotPublished::Conflict { place });
        }
        self.publish_known((scope, uid), compiled, known, &chain, at)
            .await
    }
}
