//! Watches what lies on this machine, and looks now and then in any case; follows what does not.

use super::Loader;
use super::gate::Gate;
use super::look::{Local, Look};
use countersign_ruleset::time::UnixTime;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
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
    local: Vec<Watching>,
    #[cfg(feature = "http")]
    remote: Option<super::follow::Following>,
}

/// One carrier that is watched, by a thread of its own: a disk that hangs holds up no other.
#[derive(Debug)]
struct Watching {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        for watching in &self.local {
            let _ = watching.signals.send(Signal::Stop);
        }
        #[cfg(feature = "http")]
        drop(self.remote.take());
        for watching in &mut self.local {
            if let Some(thread) = watching.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// Looks at once, at every change, and every `poll`: what a file system does not tell is seen then.
/// Servers are asked to tell of a change, and asked anew where they do not.
///
/// # Errors
/// If no thread can be had.
pub fn watch(loader: Loader, clock: fn() -> UnixTime, poll: Duration) -> io::Result<Watch> {
    let mut watch = Watch {
        local: Vec::new(),
        #[cfg(feature = "http")]
        remote: None,
    };
    for carrier in loader.local {
        let gate = Arc::clone(&loader.gate);
        watch.local.push(watch_one(gate, carrier, clock, poll)?);
    }
    #[cfg(feature = "http")]
    if !loader.remote.is_empty() {
        let following =
            super::follow::follow(&loader.gate, loader.remote, clock, super::pace::random);
        watch.remote = Some(following?);
    }
    Ok(watch)
}

fn watch_one(
    gate: Arc<Gate>,
    mut carrier: Local,
    clock: fn() -> UnixTime,
    poll: Duration,
) -> io::Result<Watching> {
    let (signals, received) = channel();
    let own = signals.clone();
    let thread = std::thread::Builder::new()
        .name("rulesets".into())
        .spawn(move || {
            let mut eye = Eye::new(carrier.path().to_path_buf(), own);
            loop {
                // the watch is set before the look, so that no change falls between
                eye.open();
                gate.look_at(&mut carrier, clock(), Look::new);
                if !changed(&received, poll) {
                    return;
                }
            }
        })?;
    Ok(Watching {
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

/// The watcher of a folder, which may not be there yet.
struct Eye {
    watcher: Option<RecommendedWatcher>,
    path: PathBuf,
    is_open: bool,
}

impl Eye {
    fn new(path: PathBuf, signals: Sender<Signal>) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let reads = matches!(&event, Ok(event) if event.kind.is_access());
            if !reads {
                let _ = signals.send(Signal::Changed);
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "changes of files are not told here: they are looked for instead");
        }
        Self {
            watcher: watcher.ok(),
            path,
            is_open: false,
        }
    }

    /// A folder that is not there yet is tried again at the next look.
    fn open(&mut self) {
        if let (Some(watcher), false) = (&mut self.watcher, self.is_open) {
            let watched = watcher.watch(&self.path, RecursiveMode::Recursive);
            self.is_open = watched.is_ok();
        }
    }
}
