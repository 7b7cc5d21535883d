//! What is refused: where, why, and what to write instead.

mod grammar;
mod meaning;
mod never;
mod provider;

use super::{place, read, read_beside, to};
use crate::lower::when::Beside;
use countersign_ruleset::rules::{Effect, To};
use grammar::GRAMMAR;
use meaning::MEANING;

#[test]
fn what_is_no_condition_is_refused_where_it_is_wrong() {
    for (text, expected) in GRAMMAR.iter().chain(MEANING) {
        assert_eq!(read(text).1, [*expected], "{text}");
    }
}

#[test]
fn what_is_right_is_not_warned_of() {
    for text in [
        "size(caller.groups) > 0 && caller.groups.all(g, g == 'a')",
        "caller.subject == 'a' // \u{e4}",
        "[caller.subject].all(s, s == 'a')",
        "caller.claims.package == 1 && [1, 2,].exists(n, n == caller.claims.n)",
    ] {
        assert_eq!(read(text).1, [""; 0], "{text}");
    }
}

#[test]
fn of_a_capture_that_not_every_path_has_it_is_said() {
    let said = |effect, to: &[To]| {
        let beside = Beside {
            effect,
            anyone: false,
            to,
            place: place(Some("shop")),
        };
        let (condition, found) = read_beside("path.tenant == 'a'", beside);
        assert!(condition.is_some());
        found
    };
    let help = "where it is not captured it is unknown: an Allow gives nothing, a Deny acts";
    let some = format!(
        "warning NotCaptured <path.tenant> not every path of `to` captures `tenant`; {help}"
    );
    assert_eq!(said(Effect::Allow, &to(&["/{tenant}", "/a"])), [some]);
    assert_eq!(
        said(Effect::Deny, &to(&["/{user}/{team}", "/a"])),
        ["NotCaptured <path.tenant> no path of `to` captures `tenant`; there are team, user"]
    );
    assert_eq!(
        said(Effect::Allow, &[To::default()]),
        ["NotCaptured <path.tenant> no path of `to` captures `tenant`; capture it: `/{tenant}/**`"]
    );
}

/// Under `anyone`: whether it is lowered.
fn of_anyone(text: &str) -> Result<(), String> {
    let beside = Beside {
        effect: Effect::Allow,
        anyone: true,
        to: &[],
        place: place(Some("shop")),
    };
    let (condition, found) = read_beside(text, beside);
    condition.map(drop).ok_or_else(|| found.join(" | "))
}

#[test]
fn under_anyone_it_says_by_whose_word() {
    for text in [
        "caller.provider == 'ClusterTrustProvider/okta' && 'a' in caller.groups",
        "'a' in caller.groups && ('TrustProvider/own' == caller.provider && true)",
        "caller.provider in ['ClusterTrustProvider/a', 'TrustProvider/b'] && !has(caller.email)",
        "caller.provider == 'TrustProvider/a' && caller.claims.x == 1 || caller.provider == 'TrustProvider/b' && caller.claims.y == 1",
        "!(caller.provider == 'TrustProvider/a' && caller.claims.x == 1)",
        "caller.provider == 'TrustProvider/a' && caller.subject == 'a' && has(caller['actor'])",
        "has(caller.subject) && !has(caller.actor) && has(caller[\"client\"]) && request.method == 'GET'",
    ] {
        assert_eq!(of_anyone(text), Ok(()), "{text}");
    }
    let help = "name the provider in `from`, or write `caller.provider == \"ClusterTrustProvider/NAME\" && ...` around it";
    for (text, stretch, said) in [
        ("'a' in caller.groups", "caller.groups", "caller.groups"),
        ("has(caller.email)", "caller.email", "caller.email"),
        ("caller.subject == 'a'", "caller.subject", "caller.subject"),
        (
            "has(caller.actor) && caller.actor != 'a'",
            "caller.actor",
            "caller.actor",
        ),
        (
            "caller['client'] in ['a']",
            "caller['client']",
            "caller[\"client\"]",
        ),
        (
            "!caller.subject.startsWith('a')",
            "caller.subject",
            "caller.subject",
        ),
        (
            "caller['claims'].x == 1",
            "caller['claims']",
            "caller[\"claims\"]",
        ),
        (
            "caller.provider != 'TrustProvider/a' && caller.claims.x == 1",
            "caller.claims",
            "caller.claims",
        ),
        (
            "caller.provider == 'TrustProvider/a' || caller.claims.x == 1",
            "caller.claims",
            "caller.claims",
        ),
        (
            "!(caller.provider == 'TrustProvider/a') && caller.claims.x == 1",
            "caller.claims",
            "caller.claims",
        ),
        (
            "caller.provider == 'TrustProvider/a' && true || caller.groups.exists(g, g == 'a')",
            "caller.groups",
            "caller.groups",
        ),
    ] {
        let message = format!("under `anyone`, nothing says by whose word `{said}` holds");
        let expected = format!("AnyonesWord <{stretch}> {message}; {help}");
        assert_eq!(of_anyone(text), Err(expected), "{text}");
    }
}
