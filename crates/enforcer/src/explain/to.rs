//! `to`, shown: each entry with the hosts, methods, paths and calls it asks for; and its `when`.

use super::part::{ENTRY, Part, one_of, shown};
use super::when;
use crate::decide::matching::{self, Alternative, Head, Setting};
use crate::index::Held;
use crate::mcp::AtHand;
use countersign_ruleset::host::HostPattern;
use countersign_ruleset::path::PathPattern;
use countersign_ruleset::rules::{Mcp, To};

/// `to`: one entry suffices.
pub(super) fn part(held: &Held, setting: &Setting<'_>, hidden: &[String]) -> Part {
    let each = held.rule.to.iter();
    let entries = each.map(|to| entry(to, held, setting, hidden));
    Part::any("to", entries.collect()).flat()
}

fn entry(to: &To, held: &Held, setting: &Setting<'_>, hidden: &[String]) -> Part {
    let mut parts = head(to, setting);
    parts.extend(paths(to, held, setting, hidden));
    if parts.is_empty() {
        parts.push(Part::leaf("everything", true));
    }
    let budget = &setting.budget.anew();
    let truth = matching::reaches(to, held, &Setting { budget, ..*setting });
    Part::all(ENTRY, parts).which_is(truth)
}

fn head(to: &To, setting: &Setting<'_>) -> Vec<Part> {
    let (head, request) = (Head::of(to, setting), setting.request);
    let mut parts = Vec::new();
    if let Some(hosts) = &to.hosts {
        let hosts: Vec<&str> = hosts.iter().map(HostPattern::as_str).collect();
        let got = if setting.foreign {
            format!("{}, which is none of the target's", request.host())
        } else {
            request.host().to_string()
        };
        parts.push(
            Part::leaf("hosts", head.hosts)
                .expected(one_of(&hosts))
                .got(got),
        );
    }
    if let Some(methods) = &to.methods {
        let part = Part::leaf("methods", head.methods).expected(one_of(methods));
        parts.push(part.got(shown(request.method().as_str())));
    }
    if to.cors_preflight {
        let expected = "OPTIONS with Origin and Access-Control-Request-Method";
        let got = if request.is_cors_preflight() {
            expected
        } else {
            "another request"
        };
        parts.push(
            Part::leaf("corsPreflight", head.preflight)
                .expected(expected)
                .got(got),
        );
    }
    if let Some(wanted) = &to.mcp {
        let part = Part::leaf("mcp", head.mcp).expected(asked(wanted));
        parts.push(part.got(called(setting.at_hand)));
    }
    if to.unknown {
        parts.push(Part::leaf("field", head.read).got("one that cannot be read"));
    }
    parts
}

fn asked(wanted: &Mcp) -> String {
    let said = |what: &str, names: &Option<Vec<String>>| {
        names
            .as_ref()
            .map(|names| format!("{what} {}", one_of(names)))
    };
    let parts = [
        said("the tool", &wanted.tools),
        said("the method", &wanted.methods),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "any call".into()
    } else {
        parts.join(" by ")
    }
}

/// A call as it is told.
pub(super) fn called(at_hand: AtHand<'_>) -> String {
    match at_hand {
        AtHand::Unseen => {
            "unknown: the body was not read, or can be read in more than one way".into()
        }
        AtHand::Nothing => "no call".into(),
        AtHand::Call(call) => match &call.tool {
            Some(tool) => format!("the tool {}", shown(tool)),
            None => format!("the method {}", shown(&call.method)),
        },
    }
}

/// Each path is an alternative with captures of its own, and so with a `when` of its own.
fn paths(to: &To, held: &Held, setting: &Setting<'_>, hidden: &[String]) -> Vec<Part> {
    let when = |path: Alternative<'_>| when::part(held, path, setting, hidden);
    let Some(patterns) = &to.paths else {
        return when(None).into_iter().collect();
    };
    let covered: Vec<(&PathPattern, &str)> = patterns
        .iter()
        .filter_map(|pattern| Some((pattern, covering(pattern, held, setting)?)))
        .collect();
    let all = path(patterns.iter(), held, setting);
    match covered.as_slice() {
        [_, _, ..] if held.rule.when.is_some() => {
            let each = covered.iter().map(|&one| {
                let own = path(std::iter::once(one.0), held, setting);
                Part::all(
                    "path",
                    std::iter::once(own).chain(when(Some(one))).collect(),
                )
            });
            vec![Part::any("paths", each.collect())]
        }
        [one, ..] => std::iter::once(all).chain(when(Some(*one))).collect(),
        [] => vec![all],
    }
}

fn covering<'r>(pattern: &PathPattern, held: &Held, setting: &Setting<'r>) -> Option<&'r str> {
    matching::covering(pattern, held.rule.effect, setting.request)
}

fn path<'p>(
    patterns: impl Iterator<Item = &'p PathPattern> + Clone,
    held: &Held,
    setting: &Setting<'_>,
) -> Part {
    let covers = |pattern| covering(pattern, held, setting).is_some();
    let covered = patterns.clone().any(covers);
    let names: Vec<&str> = patterns.map(PathPattern::as_str).collect();
    let got = shown(setting.request.path().as_str());
    Part::leaf("paths", covered)
        .expected(one_of(&names))
        .got(got)
}
