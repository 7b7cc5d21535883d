//! What is being done: each task, and what it is for.

use super::Reconciler;
use super::queue::Work;
use crate::publication::NotPublished;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{Id, JoinSet};

/// How long what is being done may take on when the controller is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// What is being done.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    tasks: JoinSet<Result<Option<Instant>, NotPublished>>,
    works: BTreeMap<Id, Work>,
}

impl Jobs {
    pub(super) fn spawn(&mut self, reconciler: &Arc<Reconciler>, work: Work) {
        let (reconciler, task) = (Arc::clone(reconciler), work.clone());
        let handle = self
            .tasks
            .spawn(async move { reconciler.work(&task).await });
        self.works.insert(handle.id(), work);
    }

    /// Waits for the first that ends.
    pub(super) async fn join(&mut self, reconciler: &Reconciler) {
        let (id, outcome) = match self.tasks.join_next_with_id().await {
            Some(Ok((id, outcome))) => (id, Some(outcome)),
            Some(Err(error)) => (error.id(), None),
            None => return,
        };
        if let Some(work) = self.works.remove(&id) {
            reconciler.concluded(&work, outcome.as_ref());
        }
    }

    /// Waits until all have ended, for a while.
    pub(super) async fn finish(&mut self, reconciler: &Reconciler) {
        let finish = async {
            while !self.is_empty() {
                self.join(reconciler).await;
            }
        };
        if tokio::time::timeout(GRACE, finish).await.is_err() {
            tracing::warn!("what was being done was cut off");
        }
    }

    pub(super) fn len(&self) -> usize {
        self.works.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.works.is_empty()
    }
}
