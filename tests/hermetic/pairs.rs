//! Holds millions of random policy × request pairs against the oracle, and counts what they came to.
//!
//! ```text
//! cargo run --profile ci -p tests --example pairs -- --pairs 10000000 --seed 1
//! ```
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program for the terminal, of the tests"
)]

use clap::Parser;
use oracle::pairs::{self, Count};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

mod oracle;

/// How many pairs, from which seed.
#[derive(Parser)]
struct Arguments {
    /// How many pairs of a set of policies and a request.
    #[arg(long, default_value_t = 100_000)]
    pairs: u64,
    /// From which the scenes are made: the same seed, the same scenes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many requests each set of policies is asked.
    #[arg(long, default_value_t = 200)]
    requests: usize,
    /// How many work at once.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// How many differences are told in full.
    #[arg(long, default_value_t = 3)]
    tell: usize,
    /// Which of them: those that say this.
    #[arg(long, default_value = "")]
    like: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let share = arguments.pairs.div_ceil(arguments.threads.max(1));
    let work = |number: u64| {
        let seed = arguments.seed.wrapping_mul(1_000).wrapping_add(number);
        let requests = arguments.requests;
        thread::spawn(move || pairs::held(seed, share, requests))
    };
    let working: Vec<_> = (0..arguments.threads).map(work).collect();
    let mut all = Count::default();
    for one in working {
        all.add(one.join().expect("it does not panic"));
    }
    for (ways, difference) in all
        .differences
        .iter()
        .filter(|(ways, _)| ways.contains(&arguments.like))
        .take(arguments.tell)
    {
        println!("{} times {ways}: {}\n", difference.times, difference.told);
    }
    for (ways, difference) in &all.differences {
        println!("{:>10}  {ways}", difference.times);
    }
    for (reason, times) in &all.reasons {
        println!("{times:>10}  {reason}");
    }
    let seconds = start.elapsed().as_secs().max(1);
    let speed = all.pairs.checked_div(seconds).unwrap_or_default();
    let (scenes, pairs, differences) = (all.scenes, all.pairs, all.differences.len());
    println!(
        "{scenes} scenes, {pairs} pairs, {differences} differences; {seconds} s, {speed} pairs a second"
    );
    if all.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
