//! The resources of the cluster, and what is written down of any resource.

use super::queue::Work;
use super::reading::{self, Input, id};
use super::{Reconciler, lock};
use crate::publication::said;
use crate::status::condition::{Said, of_policy, of_referred, of_unreadable};
use crate::status::writer::Written;
use crate::status::{in_use, object};
use crate::watch::{Kind, Object};
use countersign_policy::compile::Outcome;
use countersign_policy::diagnostic::Diagnostic;
use countersign_policy::v1alpha1::Status;
use futures::StreamExt;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many statuses are written at once.
const AT_ONCE: usize = 16;

/// How soon what could not be written is tried again.
const SOON: Duration = Duration::from_secs(5);

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    /// It was written.
    Written,
    /// There was nothing to write to.
    Needless,
    /// It is to be tried again.
    Failed,
}

impl Reconciler {
    /// Does what is to be done for the resources of the cluster.
    pub(super) async fn whole(&self) -> Option<Instant> {
        let issuer = self.issuer();
        let issuer = issuer.as_ref();
        let (input, sources, changes) = {
            let view = self.parts.shared.view();
            // what is not heard of is neither unused, nor a provider less
            if !self.doubts(&view).is_empty() {
                lock(&self.held).insert(Work::Cluster);
                return None;
            }
            let sources = reading::key_sources(&view.cluster, issuer);
            let changes = in_use::changes(&view.cluster);
            (Input::of(&view.cluster, ""), sources, changes)
        };
        self.parts.sources.send_if_modified(|there| {
            let differs = *there != sources;
            *there = sources;
            differs
        });
        let known = Arc::clone(&self.parts.keys.borrow());
        let reading = input.compile(&known.keys, issuer);
        let programmed = lock(&self.standings).of_cluster();
        let none = Outcome::default();
        let all = input.own.iter().map(|object| {
            let id = id(object);
            let outcome = reading.compilation.statuses.get(&id).unwrap_or(&none);
            let said = match reading.unreadable.get(&id) {
                Some(why) => of_unreadable(why),
                None if object.kind == Kind::ClusterAccessPolicy => {
                    of_policy(outcome, &programmed, None)
                }
                None => {
                    let trouble = known.troubles.get(&id).map(|it| it.message.as_str());
                    of_referred(outcome, trouble)
                }
            };
            (Arc::clone(object), outcome.clone(), said)
        });
        let all: Vec<_> = all.collect();
        let mut failed = self.write(all, &reading.compilation.diagnostics).await;
        for change in changes {
            if !self.leads() {
                return None;
            }
            let written = self.parts.writer.in_use(&change).await;
            failed |= self.wrote(written, "a finalizer") == Wrote::Failed;
        }
        self.soon_if(failed)
    }

    /// When what could not be written is tried again.
    pub(super) fn soon_if(&self, failed: bool) -> Option<Instant> {
        let soon = (self.parts.clock.monotonic)().checked_add(SOON);
        soon.filter(|_| failed)
    }

    /// Writes the statuses that say something new; whether one could not be written.
    pub(super) async fn write(
        &self,
        all: Vec<(Arc<Object>, Outcome, Vec<Said>)>,
        diagnostics: &[Diagnostic],
    ) -> bool {
        let now = self.timestamp();
        let new = all.into_iter().filter_map(|(object, outcome, said)| {
            let before: Status = serde_json::from_value(object.status.clone()).unwrap_or_default();
            let known = object::Known {
                id: &id(&object),
                manifest: &object.manifest,
                generation: object.generation,
                outcome: &outcome,
                diagnostics,
                said: &said,
            };
            let status = object::of(known, &before, now);
            (status != before).then_some((object, before, status))
        });
        let one = |(object, before, status): (Arc<Object>, Status, Status)| async move {
            if !self.leads() {
                return false;
            }
            let written = self.parts.writer.status(&object, &status).await;
            let wrote = self.wrote(written, "a status");
            if wrote == Wrote::Written {
                self.announce(&object, &before, &status).await;
            }
            wrote == Wrote::Failed
        };
        let writes = futures::stream::iter(new)
            .map(one)
            .buffer_unordered(AT_ONCE);
        writes
            .fold(false, |any, failed| async move { any | failed })
            .await
    }

    /// Tells of a transition: of Ready, which sums all others up.
    async fn announce(&self, object: &Object, before: &Status, after: &Status) {
        let ready = |it: &Status| -> Option<Condition> {
            let mut all = it.conditions.iter();
            all.find(|it| it.type_ == "Ready").cloned()
        };
        let Some(now) = ready(after) else { return };
        let state = |it: &Condition| (it.status.clone(), it.reason.clone());
        if ready(before).is_some_and(|before| state(&before) == state(&now)) {
            return;
        }
        let good = now.status == "True";
        self.parts
            .writer
            .event(object, good, &now.reason, &now.message)
            .await;
    }

    /// Takes down what was written, before the watch tells it: what is said next is said beside it.
    pub(super) fn wrote(&self, written: Written, what: &str) -> Wrote {
        match written {
            Ok(Some(object)) => {
                self.parts.metrics.statuses.inc();
                let touched = self.parts.shared.update(object);
                self.touch(&touched);
                Wrote::Written
            }
            Ok(None) => Wrote::Needless,
            Err(error) => {
                self.parts.metrics.unwritten.inc();
                let why = said(&error);
                tracing::warn!(why, "{what} could not be written");
                Wrote::Failed
            }
        }
    }

    /// What is written for people.
    pub(super) fn timestamp(&self) -> Timestamp {
        let now = i64::try_from((self.parts.clock.now)().0).unwrap_or_default();
        Timestamp::from_second(now).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
