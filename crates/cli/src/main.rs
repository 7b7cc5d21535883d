//! The program `countersign`: reads its arguments and the clock, and leaves the rest to the library.

use clap::Parser;
use countersign::args::Args;
use countersign::{Clock, run};
use countersign_ruleset::time::UnixTime;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

fn main() -> ExitCode {
    let clock = Clock {
        seconds: || UnixTime(since_the_epoch().as_secs()),
        milliseconds: || u64::try_from(since_the_epoch().as_millis()).unwrap_or(u64::MAX),
    };
    run(Args::parse(), clock).into()
}

/// A clock before the epoch stands at it: then nothing that was signed is accepted.
fn since_the_epoch() -> Duration {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
}
