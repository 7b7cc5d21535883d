//! One namespace: compiled, published, and what came of it written down.

use super::publishing::{Came, Target};
use super::queue::Work;
use super::reading::{Input, Reading, id};
use super::unsure::Unsure;
use super::whole::Wrote;
use super::{Reconciler, lock};
use crate::publication::{Kind as Failure, NotPublished, Published, Seen};
use crate::status::condition::{InForce, Programmed, Said, of_policy, of_referred, of_unreadable};
use crate::status::edges::{self, Edges};
use crate::status::ruleset;
use crate::watch::{Kind, Object};
use countersign_policy::compile::Outcome;
use countersign_ruleset::names::Scope;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How soon what edges say is looked at again, while not all have what is published.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How often a publication that lost a race is made anew at once.
const RACES: usize = 3;

/// What was taken of a namespace at one moment.
struct Taken {
    /// Its UID; `None` if it is not known.
    uid: Option<String>,
    /// Whether it is gone, or going.
    is_gone: bool,
    /// What may be otherwise than it was taken.
    unsure: Option<Unsure>,
    input: Input,
    /// All of its objects that are watched.
    objects: Vec<Arc<Object>>,
}

impl Taken {
    fn target<'a>(&'a self, scope: &'a Scope, seen: &'a Seen) -> Target<'a> {
        Target {
            scope,
            uid: self.uid.as_deref(),
            seen,
        }
    }
}

impl Reconciler {
    /// Does what is to be done for a namespace; when it is to be done again. Who lost a race looks again
    /// at what is meant: another may have seen more.
    pub(super) async fn namespace(&self, scope: &Scope) -> Result<Option<Instant>, NotPublished> {
        let mut races: usize = 0;
        loop {
            match self.attempt(scope, races < RACES).await {
                Err(error) if error.kind() == Failure::Conflict && races < RACES => {
                    races = races.saturating_add(1);
                }
                done => return done,
            }
        }
    }

    /// One attempt. It looks first at what is published, and then at what is meant: nothing is published
    /// over what somebody else has published since.
    async fn attempt(&self, scope: &Scope, again: bool) -> Result<Option<Instant>, NotPublished> {
        let seen = if self.has_ruleset(scope) {
            Some(self.parts.publisher.look(scope).await)
        } else {
            None
        };
        let taken = self.take(scope);
        if taken.is_gone {
            return self.gone(scope, seen.transpose()?.as_ref()).await;
        }
        if let Some(unsure) = &taken.unsure {
            return self.hold(scope, &taken, unsure, seen).await;
        }
        if seen.is_none() && !taken.objects.iter().any(|it| it.kind.is_ours()) {
            return Ok(None);
        }
        let (taken, mut reading) = self.compile(taken).await;
        let Some(seen) = seen else {
            return Ok(self.told(scope, &taken, &reading, None).await);
        };
        let unsure = Unsure::by_reading(&reading);
        let compiled = reading.compilation.rulesets.remove(scope);
        let meant = (compiled, std::mem::take(&mut reading.wanting));
        let came = match seen {
            Ok(seen) => {
                let of = taken.target(scope, &seen);
                self.come(of, unsure.as_ref(), &taken.input, meant).await
            }
            Err(error) => Err(error),
        };
        if again
            && came
                .as_ref()
                .is_err_and(|it| it.kind() == Failure::Conflict)
        {
            return came.map(|_| None);
        }
        let (came, failure) = match came {
            Ok(came) => (came, None),
            Err(error) => (self.failed(scope, &error), Some(error)),
        };
        let next = self.told(scope, &taken, &reading, Some(&came)).await;
        failure.map_or(Ok(next), Err)
    }

    /// Whether there is a ruleset of it, or is to be.
    fn has_ruleset(&self, scope: &Scope) -> bool {
        let is_published = lock(&self.standings).is_published(scope);
        let view = self.parts.shared.view();
        let mut policies = view.cluster.of_kind_in(Kind::AccessPolicy, scope.as_str());
        is_published || policies.next().is_some()
    }

    /// Writes down what came of it, if it has a ruleset; when it is to be done again.
    async fn told(
        &self,
        scope: &Scope,
        taken: &Taken,
        reading: &Reading,
        came: Option<&Came>,
    ) -> Option<Instant> {
        if let Some(came) = came {
            let policies = taken.objects.iter();
            let policies = policies.filter(|it| it.kind == Kind::AccessPolicy);
            let policies: Vec<&Object> = policies.map(AsRef::as_ref).collect();
            self.conclude(scope, came, &policies);
        }
        let edges = self.edges(scope, &taken.objects);
        let programmed = came.map_or(&Programmed::Yes, |it| &it.programmed);
        let mut failed = self.tell(scope, taken, reading, programmed, &edges).await;
        if came.is_some() {
            failed |= self.tell_ruleset(scope, taken, programmed, &edges).await;
        }
        let published = came.and_then(|it| it.published.as_ref());
        let look = edges.least.map(|_| LOOK_AGAIN);
        self.soon_if(failed).or_else(|| self.again(published, look))
    }

    fn conclude(&self, scope: &Scope, came: &Came, policies: &[&Object]) {
        if lock(&self.standings).concluded(scope, came, policies) {
            self.touch_all([Work::Cluster]);
        }
    }

    fn take(&self, scope: &Scope) -> Taken {
        let view = self.parts.shared.view();
        let namespace = view.cluster.object(Kind::Namespace, "", scope.as_str());
        let unsure = Unsure::by_doubts(&self.doubts(&view));
        // one that is not heard of may be there all the same
        let is_known = !matches!(unsure, Some(Unsure::Cluster(_)));
        Taken {
            is_gone: namespace.map_or(is_known, |it| it.deleting),
            uid: namespace.map(|it| it.uid.clone()),
            unsure,
            input: Input::of(&view.cluster, scope.as_str()),
            objects: view.cluster.objects(scope.as_str()).cloned().collect(),
        }
    }

    /// Lets go on what is published of a namespace while something of it is not heard of. Nothing is told
    /// of its objects, and it is done again as soon as all is known.
    async fn hold(
        &self,
        scope: &Scope,
        taken: &Taken,
        unsure: &Unsure,
        seen: Option<Result<Seen, NotPublished>>,
    ) -> Result<Option<Instant>, NotPublished> {
        lock(&self.held).insert(Work::Namespace(scope.clone()));
        let Some(seen) = seen.transpose()? else {
            return Ok(None);
        };
        let why = unsure.why();
        tracing::info!(%scope, why, "nothing new is published of it for now");
        let of = taken.target(scope, &seen);
        let nothing = (None, BTreeSet::new());
        let came = self.come(of, Some(unsure), &taken.input, nothing).await?;
        self.conclude(scope, &came, &[]);
        Ok(self.again(came.published.as_ref(), None))
    }

    /// A namespace that is being deleted loses its objects one by one, and a Deny may be the first. So it
    /// gets the empty set at once; who makes it anew gets another UID.
    async fn gone(
        &self,
        scope: &Scope,
        seen: Option<&Seen>,
    ) -> Result<Option<Instant>, NotPublished> {
        let is_published = lock(&self.standings).is_published(scope);
        if let Some(seen) = seen.filter(|_| is_published && self.leads()) {
            let publisher = &self.parts.publisher;
            let published = publisher.publish_over(seen, (scope, None), None, self.moment());
            match published.await {
                Ok(published) if published.changed => {
                    tracing::info!(%scope, "the namespace is gone: an empty ruleset is published");
                }
                Ok(_) => {}
                Err(error) => {
                    self.failed(scope, &error);
                    return Err(error);
                }
            }
        }
        if lock(&self.standings).gone(scope) {
            self.touch_all([Work::Cluster]);
        }
        Ok(None)
    }

    /// Compiles, away from what answers.
    async fn compile(&self, taken: Taken) -> (Taken, Reading) {
        let known = Arc::clone(&self.parts.keys.borrow());
        let issuer = self.issuer();
        let begun = (self.parts.clock.monotonic)();
        let compiled = tokio::task::spawn_blocking(move || {
            let reading = taken.input.compile(&known.keys, issuer.as_ref());
            (taken, reading)
        });
        let (taken, reading) = match compiled.await {
            Ok(compiled) => compiled,
            // the task is not aborted by anybody, so that it panicked; and so does this one
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        let took = (self.parts.clock.monotonic)().saturating_duration_since(begun);
        self.parts.metrics.compiled.inc();
        self.parts
            .metrics
            .compile_seconds
            .observe(took.as_secs_f64());
        (taken, reading)
    }

    /// What the edges of a namespace say.
    fn edges(&self, scope: &Scope, objects: &[Arc<Object>]) -> Edges {
        let said = self
            .parts
            .acknowledgements
            .of(scope, (self.parts.clock.now)());
        let place = lock(&self.standings).place(scope);
        Edges::of(&edges::expected(objects), &said, place)
    }

    /// What is wrong with other places that it is published to; nothing, if there are none.
    fn mirrors(&self, scope: &Scope) -> Option<Vec<String>> {
        let all = self.parts.mirrored.borrow();
        let failing = all
            .iter()
            .filter_map(|it| Some((&it.name, it.failing.get(scope)?)));
        let failing = failing
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        (!all.is_empty()).then_some(failing)
    }

    /// When it is to be done again though nothing changes: to be signed anew, or to see that edges are
    /// gone.
    fn again(&self, published: Option<&Published>, look: Option<Duration>) -> Option<Instant> {
        let now = (self.parts.clock.monotonic)();
        let resign = published.map(|it| it.resign_at.since((self.parts.clock.now)()));
        let resign = resign.map(|it| Duration::from_secs(it.max(1)));
        now.checked_add(resign.into_iter().chain(look).min()?)
    }

    /// Writes what came of each resource; whether something could not be written.
    async fn tell(
        &self,
        scope: &Scope,
        taken: &Taken,
        reading: &Reading,
        programmed: &Programmed,
        edges: &Edges,
    ) -> bool {
        let known = Arc::clone(&self.parts.keys.borrow());
        let none = Outcome::default();
        let ours = taken
            .objects
            .iter()
            .filter(|it| it.kind.is_ours() && it.kind != Kind::Ruleset);
        let all = ours.map(|object| {
            let id = id(object);
            let outcome = reading.compilation.statuses.get(&id).unwrap_or(&none);
            let said = match reading.unreadable.get(&id) {
                Some(why) => of_unreadable(why),
                None if object.kind == Kind::AccessPolicy => {
                    let in_force = self.in_force(scope, object, edges);
                    of_policy(outcome, programmed, Some(in_force))
                }
                None => {
                    let trouble = known.troubles.get(&id).map(|it| it.message.as_str());
                    of_referred(outcome, trouble)
                }
            };
            (Arc::clone(object), outcome.clone(), said)
        });
        let all: Vec<(Arc<Object>, Outcome, Vec<Said>)> = all.collect();
        self.write(all, &reading.compilation.diagnostics).await
    }

    fn in_force(&self, scope: &Scope, policy: &Object, edges: &Edges) -> InForce {
        let since = lock(&self.standings).since(scope, policy);
        edges.in_force(since)
    }

    async fn tell_ruleset(
        &self,
        scope: &Scope,
        taken: &Taken,
        programmed: &Programmed,
        edges: &Edges,
    ) -> bool {
        if !self.leads() {
            return false;
        }
        let named = |it: &&Arc<Object>| it.kind == Kind::Ruleset && it.name == ruleset::NAME;
        let there = taken.objects.iter().find(named);
        let before = there.map(|it| serde_json::from_value(it.status.clone()).unwrap_or_default());
        let before = before.unwrap_or_default();
        let published = lock(&self.standings).last(scope).cloned();
        let uncovered = ruleset::uncovered(&taken.objects);
        let now = self.timestamp();
        let stands = ruleset::Stands {
            published: published.as_ref(),
            programmed,
            edges,
            mirrors: self.mirrors(scope),
        };
        let status = ruleset::of(&stands, uncovered, &before, now);
        if there.is_some() && status == before {
            return false;
        }
        let writer = &self.parts.writer;
        let written = writer
            .ruleset(scope.as_str(), there.is_some(), &status)
            .await;
        self.wrote(written, "a Ruleset") == Wrote::Failed
    }
}
