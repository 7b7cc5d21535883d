//! Watches the folder: says that something changed, when nothing has for a moment.

use anyhow::{Context, Result};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};

/// Editors write a file in several steps: they are waited for this long.
const SETTLE: Duration = Duration::from_millis(20);

/// The watch.
pub(super) struct Eyes {
    /// It watches until it is dropped.
    _watcher: RecommendedWatcher,
    changes: Receiver<()>,
}

impl std::fmt::Debug for Eyes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Eyes")
    }
}

impl Eyes {
    /// Watches a folder, or a file.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let (tell, changes) = channel(1);
        let mut watcher =
            notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
                let reads = matches!(&event, Ok(event) if event.kind.is_access());
                if !reads {
                    // One that waits already says as much as two.
                    let _ = tell.try_send(());
                }
            })?;
        // of a file its folder: editors put another file in its place
        let parent = folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let (place, mode) = if folder.is_file() {
            (
                parent.unwrap_or(Path::new(".")),
                RecursiveMode::NonRecursive,
            )
        } else {
            (folder, RecursiveMode::Recursive)
        };
        let watched = watcher.watch(place, mode);
        watched.with_context(|| place.display().to_string())?;
        Ok(Self {
            _watcher: watcher,
            changes,
        })
    }

    /// Waits for a change, and until it is over.
    pub(super) async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            // the watcher has gone: there is nothing to see any longer
            return std::future::pending().await;
        }
        while let Ok(Some(())) = tokio::time::timeout(SETTLE, self.changes.recv()).await {}
    }
}
