//! A store whose writes can be made to fail, or to wait.

use crate::publication::{Expected, Key, Store, StoreError, Stored, Thrift, Version, WriteError};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use futures::future::BoxFuture;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Whether the write that fails was done all the same: the connection broke after it, or before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::publication) enum Breaks {
    Before,
    After,
}

/// Lets some writes through, and then none.
#[derive(Debug)]
pub(in crate::publication) struct Faulty<S> {
    inner: S,
    left: AtomicUsize,
    breaks: Breaks,
    /// Manifests are written when this lets them.
    pub(super) gate: Semaphore,
}

impl<S> Faulty<S> {
    pub(in crate::publication) fn new(inner: S, writes: usize, breaks: Breaks) -> Self {
        Self {
            inner,
            left: AtomicUsize::new(writes),
            breaks,
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }

    /// Writes no manifest until the gate is opened.
    pub(in crate::publication) fn gated(inner: S) -> Self {
        let mut faulty = Self::new(inner, usize::MAX, Breaks::Before);
        faulty.gate = Semaphore::new(0);
        faulty
    }
}

impl<S: Store> Store for Faulty<S> {
    fn place(&self, key: &Key) -> String {
        self.inner.place(key)
    }

    fn fences(&self) -> bool {
        self.inner.fences()
    }

    fn thrift(&self) -> Option<Thrift> {
        self.inner.thrift()
    }

    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Stored>, StoreError>> {
        self.inner.read(key)
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        bytes: &'a [u8],
        expected: Expected,
    ) -> BoxFuture<'a, Result<Version, WriteError>> {
        Box::pin(async move {
            if let Key::Manifest(_) = key {
                let _open = self.gate.acquire().await.unwrap();
            }
            let take = |left: usize| left.checked_sub(1);
            let order = Ordering::SeqCst;
            let is_left = self.left.fetch_update(order, order, take).is_ok();
            if is_left {
                return self.inner.write(key, bytes, expected).await;
            }
            if self.breaks == Breaks::After {
                self.inner.write(key, bytes, expected).await?;
            }
            Err(StoreError::failed(key, "the connection broke").into())
        })
    }

    fn scopes(&self) -> BoxFuture<'_, Result<BTreeSet<Scope>, StoreError>> {
        self.inner.scopes()
    }

    fn blobs<'a>(
        &'a self,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<BTreeSet<Digest>, StoreError>> {
        self.inner.blobs(scope)
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.remove(key)
    }
}
