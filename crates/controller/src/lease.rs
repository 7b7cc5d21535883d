//! Leader election by a Lease: of several replicas one publishes and writes statuses.
//!
//! It keeps two from doing the same work, not from doing harm: what is published is written on the
//! condition that it is still what was read, so that a leader which does not know yet that it is none
//! overwrites nothing.

use crate::Clock;
use crate::publication::said;
use election::{DURATION, Election, PERIOD, RENEW_WITHIN, Step};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

mod election;

/// The name of the Lease.
const NAME: &str = "countersign-controller";

/// How long an API server may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// Until when this replica leads; `None` if it does not.
pub(crate) type Leading = Option<Instant>;

/// A candidate.
#[derive(Debug)]
pub(crate) struct Candidate {
    api: Api<Lease>,
    election: Election,
    clock: Clock,
    /// Until when it leads, unless it renews the lease.
    until: Leading,
}

impl Candidate {
    /// A candidate of that name; a name is never used by two.
    pub(crate) fn new(client: Client, namespace: &str, identity: String, clock: Clock) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            election: Election::new(identity),
            clock,
            until: None,
        }
    }

    /// Stands for election until it is told to stop, and then gives up what it holds.
    pub(crate) async fn run(
        mut self,
        leading: watch::Sender<Leading>,
        stop: impl Future<Output = ()>,
    ) {
        let mut stop = pin!(stop);
        loop {
            let wait = tokio::select! {
                () = &mut stop => break,
                wait = self.turn() => wait,
            };
            let was = leading.send_replace(self.until);
            announce(was.is_some(), self.until.is_some());
            tokio::select! {
                () = &mut stop => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        leading.send_replace(None);
        if self.until.is_some() {
            let released = timeout(ANSWER, self.release()).await;
            complain(
                released,
                "the lease was not given up: others wait until it is over",
            );
        }
    }

    /// Looks at the lease once; how long until the next time.
    async fn turn(&mut self) -> Duration {
        let now = (self.clock.monotonic)();
        let left = self.until.map(|it| it.saturating_duration_since(now));
        let answer = left.map_or(ANSWER, |left| left.min(ANSWER));
        let attempt = timeout(answer, self.attempt(now)).await;
        match complain(attempt, "the lease could not be looked at") {
            // the time before it was asked is what counts: nobody saw it renewed earlier
            Some(true) => self.until = now.checked_add(RENEW_WITHIN),
            Some(false) => self.until = None,
            None => {}
        }
        let now = (self.clock.monotonic)();
        self.until = self.until.filter(|until| *until > now);
        let left = self.until.map(|it| it.saturating_duration_since(now));
        left.map_or(PERIOD, |left| left.min(PERIOD))
    }

    /// Whether it leads now.
    async fn attempt(&mut self, now: Instant) -> Result<bool, Error> {
        let there = self.api.get_opt(NAME).await?;
        let spec = there.as_ref().map(|it| it.spec.clone().unwrap_or_default());
        let wall = wall(self.clock);
        let written = match self.election.step(spec.as_ref(), now, wall) {
            Step::Wait => return Ok(false),
            Step::Create(spec) => {
                let metadata = ObjectMeta {
                    name: Some(NAME.to_owned()),
                    ..ObjectMeta::default()
                };
                let spec = Some(spec);
                let lease = Lease { metadata, spec };
                self.api.create(&PostParams::default(), &lease).await
            }
            Step::Replace(spec) => self.replace(there.unwrap_or_default(), spec).await,
        };
        match written {
            Ok(_) => Ok(true),
            // another was first
            Err(Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn release(&self) -> Result<(), Error> {
        let Some(there) = self.api.get_opt(NAME).await? else {
            return Ok(());
        };
        let released = self
            .election
            .released(&there.spec.clone().unwrap_or_default());
        if let Some(spec) = released {
            self.replace(there, spec).await?;
        }
        Ok(())
    }

    /// Replaces the lease, if it is still what was looked at.
    async fn replace(
        &self,
        mut there: Lease,
        spec: k8s_openapi::api::coordination::v1::LeaseSpec,
    ) -> Result<Lease, Error> {
        there.spec = Some(spec);
        self.api.replace(NAME, &PostParams::default(), &there).await
    }
}

fn announce(led: bool, leads: bool) {
    if led != leads {
        let what = if leads { "leads" } else { "leads no longer" };
        tracing::info!("this replica {what}");
    }
}

/// What came of it; if nothing did, the log says why.
fn complain<T>(outcome: Result<Result<T, Error>, Elapsed>, what: &str) -> Option<T> {
    let why = match outcome {
        Ok(Ok(value)) => return Some(value),
        Ok(Err(error)) => said(&error),
        Err(elapsed) => elapsed.to_string(),
    };
    tracing::warn!(why, "{what}");
    None
}

/// What is written for people; nobody judges by it.
fn wall(clock: Clock) -> Timestamp {
    let milliseconds = i64::try_from((clock.milliseconds)()).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Whoever cannot renew stops before anybody else may begin.
const _: () = assert!(RENEW_WITHIN.as_secs() < DURATION.as_secs());
