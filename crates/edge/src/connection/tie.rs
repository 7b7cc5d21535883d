//! What ties a connection, and a tunnel that it becomes, to the edge that serves it.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

/// Held as long as something of a connection is open: its place among the connections, and the
/// knowledge that the edge is not done.
#[derive(Debug, Clone)]
pub(crate) struct Tie {
    _place: Option<Arc<OwnedSemaphorePermit>>,
    _open: mpsc::Sender<()>,
    cut: watch::Receiver<bool>,
}

/// The other end of all ties.
#[derive(Debug)]
pub(crate) struct Open {
    tied: mpsc::Receiver<()>,
    cut: watch::Sender<bool>,
}

impl Tie {
    /// A tie, and its other end.
    pub(crate) fn new() -> (Self, Open) {
        let (open, tied) = mpsc::channel(1);
        let (cutter, cut) = watch::channel(false);
        let tie = Self {
            _place: None,
            _open: open,
            cut,
        };
        (tie, Open { tied, cut: cutter })
    }

    /// The same for one connection, with its place.
    pub(crate) fn with(&self, place: OwnedSemaphorePermit) -> Self {
        Self {
            _place: Some(Arc::new(place)),
            ..self.clone()
        }
    }

    /// Returns when the grace is over.
    pub(crate) async fn is_cut(&mut self) {
        drop(self.cut.wait_for(|cut| *cut).await);
    }

    #[cfg(test)]
    pub(crate) fn loose() -> Self {
        Self::new().0
    }
}

impl Open {
    /// Returns when nothing is tied any longer.
    pub(crate) async fn all_gone(&mut self) {
        while self.tied.recv().await.is_some() {}
    }

    /// Cuts what is left.
    pub(crate) fn cut(&self) {
        // Told to nobody if nobody is left.
        let _ = self.cut.send(true);
    }
}
