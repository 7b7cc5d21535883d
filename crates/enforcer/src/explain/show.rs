//! An explanation for people: the verdict, the nearest rule with all its parts, the others in a line.

use super::part::{Part, told};
use super::{Explanation, Kind, RuleView};
use countersign_ruleset::kleene::Kleene;
use std::fmt::{Display, Formatter, Result};

/// How many of the other rules are listed.
const MOST: usize = 12;

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let verdict = if self.allowed { "allowed" } else { "denied" };
        let status = self.status;
        write!(f, "{verdict}: {status} {}: {}", self.reason, self.because)?;
        if let Some(asked) = &self.request {
            write!(
                f,
                "\n  request  {} {}{}",
                asked.method, asked.host, asked.path
            )?;
            if let Some(call) = &asked.call {
                write!(f, "\n  call     {call}")?;
            }
        }
        if let Some(application) = &self.application {
            write!(f, "\n  target   {application}")?;
        }
        if self.request.is_some() {
            let caller = self.caller.as_deref().unwrap_or("none verified");
            write!(f, "\n  token    {caller}")?;
        }
        for rule in &self.decided_by {
            write!(f, "\n  rule     {rule}")?;
        }
        if let Some(would) = &self.would {
            let verdict = if would.allowed { "allowed" } else { "denied" };
            write!(f, "\n  observed would be {verdict}: {}", would.reason)?;
        }
        if let [nearest, others @ ..] = self.rules.as_slice() {
            write!(f, "\n\n{}", Whole(nearest))?;
            write_others(f, others)?;
        }
        if !self.help.is_empty() {
            writeln!(f)?;
        }
        for help in &self.help {
            write!(f, "\nhelp: {help}")?;
        }
        Ok(())
    }
}

fn write_others(f: &mut Formatter<'_>, others: &[RuleView]) -> Result {
    if others.is_empty() {
        return Ok(());
    }
    write!(f, "\n\nother rules:")?;
    for rule in others.iter().take(MOST) {
        write!(f, "\n  {}", Line(rule))?;
    }
    match others.len().saturating_sub(MOST) {
        0 => Ok(()),
        more => write!(f, "\n  … and {more} more, all of them in --output json"),
    }
}

/// `AccessPolicy/orders/callers, an Allow, lets it in`
struct Head<'r>(&'r RuleView);

impl Display for Head<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let rule = self.0;
        let (kind, does) = match (rule.kind, rule.acts) {
            (Kind::Allow, true) => ("an Allow", "lets it in"),
            (Kind::Allow, false) => ("an Allow", "does not let it in"),
            (Kind::Boundary, true) => ("a boundary", "holds"),
            (Kind::Boundary, false) => ("a boundary", "does not hold"),
            (Kind::Deny, true) => ("a Deny", "keeps it out"),
            (Kind::Deny, false) => ("a Deny", "does not act"),
        };
        let observed = if rule.enforced { "" } else { ", only observed" };
        write!(f, "{}, {kind}{observed}, {does}", rule.rule)
    }
}

/// A rule with all its parts.
struct Whole<'r>(&'r RuleView);

impl Display for Whole<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}:", Head(self.0))?;
        self.0
            .parts
            .iter()
            .try_for_each(|part| write_part(f, part, 1))
    }
}

fn write_part(f: &mut Formatter<'_>, part: &Part, level: usize) -> Result {
    write!(
        f,
        "\n{:width$}{} {}",
        "",
        mark(part.truth),
        part.name,
        width = level.saturating_mul(2)
    )?;
    write_asked(f, part)?;
    let deeper = level.saturating_add(1);
    part.parts
        .iter()
        .try_for_each(|part| write_part(f, part, deeper))
}

/// `: expected one of [staff], got [guests]`, and of what holds only what there is.
fn write_asked(f: &mut Formatter<'_>, part: &Part) -> Result {
    match (&part.expected, &part.got) {
        (Some(expected), Some(got)) if part.truth != Kleene::True => {
            write!(f, ": expected {expected}, got {got}")
        }
        (Some(expected), None) => write!(f, ": {expected}"),
        (_, Some(got)) => write!(f, ": {got}"),
        (None, None) => Ok(()),
    }
}

const fn mark(truth: Kleene) -> char {
    match truth {
        Kleene::False => '✗',
        Kleene::Unknown => '?',
        Kleene::True => '✓',
    }
}

/// A rule in a line: the first part that keeps it from holding, of those that are false if any is.
struct Line<'r>(&'r RuleView);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", Head(self.0))?;
        let Some(part) = self.0.failing().min_by_key(|part| part.truth) else {
            return Ok(());
        };
        write!(f, ": {}", part.name)?;
        match (&part.expected, &part.got) {
            (None, None) => write!(f, " is {}", told(part.truth)),
            _ => write_asked(f, part),
        }
    }
}
