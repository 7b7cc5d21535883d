//! Publishes what a namespace means, and says in its owners' words why it could not be.

use super::Reconciler;
use super::reading::{Carried, Input};
use super::unsure::{Unsure, is_of_it};
use crate::metrics::Why;
use crate::publication::{Kind as Failure, NotPublished, Published, Seen, keep};
use crate::status::condition::Programmed;
use crate::watch::Part;
use countersign_policy::Compiled;
use countersign_policy::diagnostic::ResourceId;
use countersign_ruleset::names::Scope;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What something is published of, and over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) scope: &'a Scope,
    /// The namespace's UID; `None` if it is not known.
    pub(super) uid: Option<&'a str>,
    /// What was published before it was looked at what is meant.
    pub(super) seen: &'a Seen,
}

/// What is meant, and the providers whose keys are not known.
pub(super) type Meant = (Option<Compiled>, BTreeSet<ResourceId>);

/// What came of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) programmed: Programmed,
    pub(super) published: Option<Published>,
    /// Whether what the cluster demands by now has reached it.
    pub(super) reached: bool,
}

impl Reconciler {
    /// Publishes what is meant, or lets go on what is there as far as that is not known.
    pub(super) async fn come(
        &self,
        of: Target<'_>,
        unsure: Option<&Unsure>,
        input: &Input,
        meant: Meant,
    ) -> Result<Came, NotPublished> {
        if !self.leads() {
            return Ok(Came {
                programmed: Programmed::NotPublished("another replica leads now".to_owned()),
                published: None,
                reached: false,
            });
        }
        let Some(unsure) = unsure else {
            let published = Some(self.publish(of, meant).await?);
            self.count(published.as_ref());
            return Ok(Came {
                programmed: Programmed::Yes,
                published,
                reached: true,
            });
        };
        let (published, reached) = self.go_on(of, unsure, input).await?;
        self.count(published.as_ref());
        let is_emptied = published.as_ref().is_some_and(|it| it.emptied);
        let until = if is_emptied {
            "; it allows nothing until that is mended"
        } else {
            ""
        };
        Ok(Came {
            programmed: Programmed::Unreadable(format!("{}{until}", unsure.why())),
            published,
            reached,
        })
    }

    /// Publishes what is meant, with the keys that are known; nothing is meant to be denied.
    async fn publish(
        &self,
        of: Target<'_>,
        (compiled, wanting): Meant,
    ) -> Result<Published, NotPublished> {
        let (publisher, at) = (&self.parts.publisher, self.moment());
        let compiled = compiled.into_iter();
        let mut rulesets: BTreeMap<_, _> = compiled.map(|it| (of.scope.clone(), it)).collect();
        keep(&mut rulesets, &wanting, publisher, at).await?;
        let compiled = rulesets.get(of.scope);
        publisher
            .publish_over(of.seen, (of.scope, of.uid), compiled, at)
            .await
    }

    /// Lets go on what is published, and says whether what the cluster demands by now is a part of it. Of
    /// what is of another namespace than this, or no longer fits, nothing goes on.
    async fn go_on(
        &self,
        of: Target<'_>,
        unsure: &Unsure,
        input: &Input,
    ) -> Result<(Option<Published>, bool), NotPublished> {
        let (publisher, at) = (&self.parts.publisher, self.moment());
        let Some(last) = publisher.last(of.scope, at).await? else {
            return Ok((None, unsure.part() == Part::Own));
        };
        let is_of_it = is_of_it(&last.manifest.scope_uid, of.uid);
        let whole = last.whole.filter(|_| is_of_it);
        let carried = match (unsure.part(), whole) {
            (Part::Cluster, _) if is_of_it => Carried::Unreadable,
            (Part::Own, Some(whole)) => {
                let (rules, keys) = (whole.rules, whole.keys);
                self.carry(Compiled { rules, keys }, input.clone()).await
            }
            (Part::Cluster | Part::Own, _) => Carried::Nothing,
        };
        let meant = match carried {
            Carried::Whole(compiled, wanting) => (Some(compiled), wanting),
            Carried::Nothing => (None, BTreeSet::new()),
            Carried::Unreadable => {
                return Ok((publisher.renew(of.scope, of.uid, at).await?, false));
            }
        };
        Ok((Some(self.publish(of, meant).await?), true))
    }

    /// What was said before beside what the cluster says by now, away from what answers.
    async fn carry(&self, before: Compiled, input: Input) -> Carried {
        let known = Arc::clone(&self.parts.keys.borrow());
        let issuer = self.issuer();
        let carried =
            tokio::task::spawn_blocking(move || input.carry(&before, &known.keys, issuer.as_ref()));
        match carried.await {
            Ok(carried) => carried,
            // the task is not aborted by anybody, so that it panicked; and so does this one
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn count(&self, published: Option<&Published>) {
        let Some(published) = published else { return };
        self.parts
            .metrics
            .holds_until(&published.scope, published.expires_at);
        if published.changed {
            self.parts.metrics.published.inc();
            let (scope, serial) = (&published.scope, published.serial);
            tracing::info!(%scope, serial, rules = published.rules, "published");
        }
    }

    /// What a failure means to who wrote the resources.
    pub(super) fn failed(&self, scope: &Scope, error: &NotPublished) -> Came {
        let kind = error.kind();
        let reason = match kind {
            Failure::AwaitingTrust => "AwaitingTrust",
            Failure::Conflict => "Conflict",
            Failure::Clock => "Clock",
            Failure::Unverifiable => "Unverifiable",
            Failure::Store => "Store",
            Failure::Refused => "Refused",
        };
        self.parts
            .metrics
            .unpublished
            .get_or_create(&Why { reason })
            .inc();
        tracing::warn!(%scope, reason, %error, "it was not published");
        let programmed = if kind == Failure::AwaitingTrust {
            let help = "`countersign keys adopt` lets a root key vouch for the controller's";
            Programmed::AwaitingTrust(format!("{error}; {help}"))
        } else {
            Programmed::NotPublished(error.to_string())
        };
        Came {
            programmed,
            published: None,
            // what has no room allows nothing, and that is published
            reached: matches!(error, NotPublished::TooLarge { .. }),
        }
    }
}
