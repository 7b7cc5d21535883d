//! What would help: by the reason, and by what keeps the nearest rule from holding.

use super::part::{list, told};
use super::{Explanation, Kind, RuleView};
use countersign_ruleset::kleene::Kleene;
use countersign_ruleset::names::ProviderId;

/// One sentence for each thing that would. `login` is where the answer sends a browser.
pub(super) fn of(explanation: &Explanation, login: Option<&ProviderId>) -> Vec<String> {
    let mut help = Vec::new();
    let nearest = explanation.rules.first().filter(|rule| rule.enforced);
    match explanation.reason {
        "NoToken" | "InsufficientUserAuthentication" if login.is_some() => {
            help.extend(login.map(|at| format!("the browser is sent to log in at {at}")));
        }
        "NoToken" => help.push(token(&explanation.admitted)),
        "AudienceMismatch" => help.push("use a token that was issued for this audience".into()),
        "InsufficientScope" => help.push("ask the provider for a token with these scopes".into()),
        "InsufficientUserAuthentication" => {
            help.push("log in again at the provider, as the rule asks".into());
        }
        "DeniedByRule" => help.extend(nearest.map(denied)),
        "NotCovered" => help.push("write an AccessPolicy that names this target".into()),
        "Allowed" => {}
        "BoundaryNotMet" | "NoRuleMatched" => help.extend(nearest.and_then(but_for)),
        _ if explanation.admitted.is_empty() => {}
        _ => help.push(format!(
            "the tokens of these providers count here: {}",
            list(&explanation.admitted)
        )),
    }
    if let Some(rule) = nearest.filter(|rule| keeps_out(rule)) {
        help.extend(rule.failing().filter_map(advice));
    }
    help
}

fn keeps_out(rule: &RuleView) -> bool {
    rule.kind != Kind::Deny && !rule.acts
}

/// What the nearest rule asks that does not hold.
fn but_for(rule: &RuleView) -> Option<String> {
    let mut names: Vec<&str> = rule.failing().map(|part| part.name.as_str()).collect();
    names.dedup();
    let names = match names.as_slice() {
        [] => return None,
        [only] => (*only).to_owned(),
        [first, second] => format!("{first} and {second}"),
        _ => list(names),
    };
    Some(format!("{} would hold but for {names}", rule.rule))
}

fn token(admitted: &[String]) -> String {
    if admitted.is_empty() {
        "no rule here takes a token: only what `anyone` may do is allowed".into()
    } else {
        format!(
            "send `Authorization: Bearer` with a token of {}",
            list(admitted)
        )
    }
}

fn denied(rule: &RuleView) -> String {
    if rule.truth == Kleene::Unknown {
        let name = &rule.rule;
        let parts = rule.failing().map(|part| part.name.as_str());
        let parts = list(parts);
        format!("{name} acts because {parts} is unknown: a Deny acts on all that is not false")
    } else {
        format!(
            "no Allow can undo a Deny: only a change of {} would",
            rule.rule
        )
    }
}

/// What to do about one part, where more can be said than what was expected.
fn advice(part: &super::Part) -> Option<String> {
    let got = part.got.as_deref().unwrap_or_default();
    let text = match part.name.as_str() {
        "groups" if got.contains("too many") => {
            "have the provider put only the groups that are needed into the token"
        }
        "actors" => "an agent inherits nothing: name it under `actors` in an entry of its own",
        "mcp" if part.truth == Kleene::Unknown => {
            "send one plain JSON-RPC message, each member once; a door that sees no body cannot tell \
             calls"
        }
        "hosts" if part.truth == Kleene::Unknown => "call the target by one of its own hosts",
        "emails" | "emailDomains" if got.contains("verified") => {
            "the provider must say that it verified the address"
        }
        _ if got.contains("no such claim") => {
            return Some(format!("map {} under the provider's `claims`", part.name));
        }
        _ => return None,
    };
    debug_assert_ne!(told(part.truth), "true", "only what fails needs advice");
    Some(text.into())
}
