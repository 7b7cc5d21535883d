//! Follows what servers and stores publish: a task for each and each scope, on one thread.

use super::gate::{Gate, Went};
use super::look::Look;
use super::pace::{Jitter, Pace};
use super::remote::{Known, Remote, Waited};
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often a server is asked that does not wait for a change.
const POLL: Duration = Duration::from_secs(15);

/// The least time between two looks: a server that answers at once must not be asked at once again.
const GAP: Duration = Duration::from_secs(1);

/// A thread that follows; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Following {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Following {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Follows all of them until it is dropped.
pub(super) fn follow(
    gate: &Arc<Gate>,
    carriers: Vec<Remote>,
    clock: fn() -> UnixTime,
    jitter: Jitter,
) -> io::Result<Following> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for carrier in carriers {
        let carrier = Arc::new(carrier);
        for scope in gate.scopes() {
            let one = One {
                gate: Arc::clone(gate),
                carrier: Arc::clone(&carrier),
                scope: scope.clone(),
                known: Known::default(),
                pace: Pace::new(jitter),
                clock,
            };
            runtime.spawn(one.follow());
        }
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new()
        .name("rulesets-net".into())
        .spawn(move || {
            // who would tell is gone, and that is the end as well
            let _ = runtime.block_on(stopped);
            // a name that is being looked up is waited for by nobody
            runtime.shutdown_background();
        })?;
    Ok(Following {
        stop: Some(stop),
        thread: Some(thread),
    })
}

/// One carrier and one scope.
struct One {
    gate: Arc<Gate>,
    carrier: Arc<Remote>,
    scope: Scope,
    known: Known,
    pace: Pace,
    clock: fn() -> UnixTime,
}

impl One {
    async fn follow(mut self) {
        loop {
            let pause = match self.look().await {
                Went::Unfetched => self.pace.failed(),
                Went::Well => self.wait().await,
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks once: the verifier is asked what it wants, and the carrier for it.
    async fn look(&mut self) -> Went {
        let mut look = Look::new(self.scope.clone());
        loop {
            let wall = (self.clock)();
            let missing = match self.gate.pass(&look, self.carrier.name(), wall) {
                Ok(went) => return went,
                Err(missing) => missing,
            };
            let mut wanted = Some(missing);
            while let Some(next) = wanted {
                let fetching = self.carrier.fetch(&self.scope, &next, &mut self.known);
                let fetched = fetching.await;
                wanted = look.bring(next, fetched);
            }
        }
    }

    /// Waits for a change as long as the server holds the request; says how long to wait beyond.
    async fn wait(&mut self) -> Duration {
        let begun = Instant::now();
        let in_force = self.gate.order(&self.scope);
        let waited = self.carrier.wait(&self.scope, &mut self.known, in_force);
        let waited = waited.await;
        if waited == Waited::Failed {
            return self.pace.failed();
        }
        self.pace.went_well();
        match waited {
            Waited::Changed => Duration::ZERO,
            Waited::Unheld => self.pace.spread(POLL),
            Waited::Failed | Waited::Held => GAP.saturating_sub(begun.elapsed()),
        }
    }
}
