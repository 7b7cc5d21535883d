//! The same functions from a terminal: what people write, compiled, signed and tried out.
//!
//! ```text
//! check    manifests ─► diagnostics, each with its file, line and column
//! compile  manifests ─► rulesets, signed, in a folder that edges read
//! explain  manifests and a request ─► why it would be allowed or denied, rule by rule
//! verify   such a folder ─► what an edge would put in force, or why it would not
//! keys     the keys and the trust document that all this stands on
//! dev      all of it at once, before a sample service, with people to try it as
//! ```
//!
//! The binary `countersign` is this library with a clock. Every command gives an answer as a value,
//! and `report` alone prints.

use countersign_ruleset::time::UnixTime;
use report::{Answer, Report};
use std::process::ExitCode;

pub mod args;
mod check;
mod compile;
mod dev;
mod explain;
mod finding;
mod keys;
mod manifests;
mod publish;
mod report;
mod signing;
mod verify;

use args::{Args, Command, KeysCommand, Output};

/// Says what time it is.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// In whole seconds.
    pub seconds: fn() -> UnixTime,
    /// In milliseconds since the Unix epoch, which serials are made of.
    pub milliseconds: fn() -> u64,
}

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is well.
    Fine,
    /// The answer is no: a request would be denied.
    Denied,
    /// Something was found or refused.
    Found,
    /// The command was not one that can be carried out.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::Denied | Exit::Found => 1,
            Exit::Usage => 2,
        })
    }
}

/// A command that cannot be carried out as it was given.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misused(pub(crate) String);

/// Carries out a command, and prints its answer.
pub fn run(args: Args, clock: Clock) -> Exit {
    let report = Report::terminal(args.output);
    let for_checks = matches!(args.output, Output::Sarif | Output::Junit);
    if for_checks && !matches!(args.command, Command::Check(_)) {
        let misused =
            Misused("expected --output text or json: the others are for `check`".to_owned());
        return Report::terminal(Output::Text).answer(Answer::failure(&misused.into()));
    }
    let answer = match args.command {
        Command::Check(check) => Ok(check::run(&check)),
        Command::Compile(compile) => compile::run(&compile, clock),
        Command::Explain(explain) => explain::run(&explain, clock),
        Command::Dev(dev) => return dev::run(&dev, clock, &report),
        Command::Keys(command) => match command {
            KeysCommand::Adopt(adopt) => keys::adopt(&adopt, clock),
            KeysCommand::Generate(generate) => keys::generate(&generate, (clock.seconds)()),
            KeysCommand::Rotate(rotate) => keys::rotate(&rotate, clock),
            KeysCommand::Withdraw(withdraw) => keys::withdraw(&withdraw, clock),
        },
        Command::Verify(verify) => verify::run(&verify, (clock.seconds)()),
    };
    report.answer(answer.unwrap_or_else(|error| Answer::failure(&error)))
}
