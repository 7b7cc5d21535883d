//! Watches the directories, and looks now and then in any case.

use super::Loader;
use countersign_ruleset::time::UnixTime;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Changes of one publication come together: they are waited for this long.
const SETTLE: Duration = Duration::from_millis(20);

enum Signal {
    Changed,
    Stop,
}

/// A running watch; it ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Looks at once, at every change, and every `poll`: what a file system does not tell is seen then.
///
/// # Errors
/// If no thread can be had.
pub fn watch(mut loader: Loader, clock: fn() -> UnixTime, poll: Duration) -> io::Result<Watch> {
    let (signals, received) = channel();
    let own = signals.clone();
    let thread = std::thread::Builder::new()
        .name("rulesets".into())
        .spawn(move || {
            let mut eyes = Eyes::new(&loader, own);
            loop {
                // the watch is set before the look, so that no change falls between
                eyes.open();
                loader.cycle(clock());
                if !changed(&received, poll) {
                    return;
                }
            }
        })?;
    Ok(Watch {
        signals,
        thread: Some(thread),
    })
}

/// Waits for a change or the time to look again; false is the end.
fn changed(received: &Receiver<Signal>, poll: Duration) -> bool {
    match received.recv_timeout(poll) {
        Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        Err(RecvTimeoutError::Timeout) => return true,
        Ok(Signal::Changed) => {}
    }
    loop {
        match received.recv_timeout(SETTLE) {
            Ok(Signal::Changed) => {}
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => return true,
        }
    }
}

/// The watcher, and the directories that it does not watch yet.
struct Eyes {
    watcher: Option<RecommendedWatcher>,
    closed: Vec<PathBuf>,
}

impl Eyes {
    fn new(loader: &Loader, signals: Sender<Signal>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let reads = matches!(&event, Ok(event) if event.kind.is_access());
            if !reads {
                let _ = signals.send(Signal::Changed);
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "changes of files are not told here: they are looked for instead");
        }
        let closed = loader
            .directories()
            .map(std::path::Path::to_path_buf)
            .collect();
        Self {
            watcher: watcher.ok(),
            closed,
        }
    }

    /// A directory that is not there yet is tried again at the next look.
    fn open(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        self.closed
            .retain(|path| watcher.watch(path, RecursiveMode::Recursive).is_err());
    }
}
