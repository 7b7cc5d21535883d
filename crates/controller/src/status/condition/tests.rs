//! What follows from what is known.

use super::{
    InForce, Programmed, Said, Truth, dated, of_policy, of_referred, of_ruleset, of_unreadable,
};
use countersign_policy::compile::{Condition, ConditionType, Outcome, Reason};
use k8s_openapi::jiff::Timestamp;

fn outcome(accepted: (bool, Reason), refs: (bool, Reason)) -> Outcome {
    let condition = |kind, (holds, reason)| Condition {
        kind,
        holds,
        reason,
        message: format!("{kind:?}"),
    };
    Outcome {
        conditions: vec![
            condition(ConditionType::Accepted, accepted),
            condition(ConditionType::ResolvedRefs, refs),
        ],
        ..Outcome::default()
    }
}

fn good() -> Outcome {
    outcome((true, Reason::Accepted), (true, Reason::ResolvedRefs))
}

fn ready(all: &[Said]) -> (Truth, &'static str) {
    let ready = all.iter().find(|it| it.kind == "Ready").unwrap();
    (ready.truth, ready.reason)
}

#[test]
fn ready_is_what_nothing_holds_back() {
    let of = |in_force| ready(&of_policy(&good(), &Programmed::Yes, Some(in_force)));
    assert_eq!(of(InForce::Everywhere), (Truth::True, "InForce"));
    assert_eq!(of(InForce::NoEdges), (Truth::True, "Programmed"));
    assert_eq!(of(InForce::NotReporting), (Truth::True, "Programmed"));
    assert_eq!(of(InForce::Waiting), (Truth::False, "Waiting"));
}

#[test]
fn the_first_that_holds_back_says_why() {
    let of = |outcome: &Outcome, programmed: &Programmed| {
        ready(&of_policy(outcome, programmed, Some(InForce::Waiting)))
    };
    let awaiting = Programmed::AwaitingTrust("adopt it".to_owned());
    let partial = outcome(
        (true, Reason::PartiallyInvalid),
        (true, Reason::ResolvedRefs),
    );
    assert_eq!(of(&partial, &awaiting), (Truth::False, "PartiallyInvalid"));
    let unresolved = outcome((true, Reason::Accepted), (false, Reason::RoleNotFound));
    assert_eq!(of(&unresolved, &awaiting), (Truth::False, "RoleNotFound"));
    assert_eq!(of(&good(), &awaiting), (Truth::False, "AwaitingTrust"));
    let unreadable = Programmed::Unreadable("over a limit".to_owned());
    assert_eq!(of(&good(), &unreadable), (Truth::False, "Unreadable"));
    let failed = Programmed::NotPublished("no disk".to_owned());
    assert_eq!(of(&good(), &failed), (Truth::False, "NotPublished"));
}

#[test]
fn a_provider_without_keys_is_not_ready_and_says_so_itself() {
    let all = of_referred(&good(), Some("spec.issuer: refused"));
    assert_eq!(ready(&all), (Truth::False, "KeysUnavailable"));
    assert_eq!(
        ready(&of_referred(&good(), None)),
        (Truth::True, "Accepted")
    );
    let conflicted = outcome((false, Reason::Conflicted), (true, Reason::ResolvedRefs));
    let all = of_referred(&conflicted, Some("refused"));
    assert_eq!(ready(&all), (Truth::False, "Conflicted"));
}

#[test]
fn what_cannot_be_read_is_not_accepted() {
    let all = of_unreadable("spec.rules: expected at most 64 members, got 65");
    assert_eq!(ready(&all), (Truth::False, "Unreadable"));
    assert_eq!(stalled(&all), Some("Unreadable"));
    assert_eq!(all.len(), 3);
}

fn stalled(all: &[Said]) -> Option<&'static str> {
    let it = all.iter().find(|it| it.kind == "Stalled")?;
    assert_eq!(it.truth, Truth::True);
    Some(it.reason)
}

/// Who deploys several at once must not be told that it is in vain while the next is on its way.
#[test]
fn only_what_nothing_else_mends_is_stalled() {
    let of = |accepted, refs| {
        let outcome = outcome(accepted, refs);
        let policy = of_policy(&outcome, &Programmed::Yes, Some(InForce::NoEdges));
        let referred = of_referred(&outcome, None);
        assert_eq!(stalled(&policy), stalled(&referred));
        stalled(&policy)
    };
    let resolved = (true, Reason::ResolvedRefs);
    let own = [(false, Reason::Invalid), (true, Reason::PartiallyInvalid)];
    for accepted in own {
        assert_eq!(of(accepted, resolved), Some(accepted.1.as_str()));
        for missing in [Reason::RoleNotFound, Reason::TargetNotFound] {
            assert_eq!(of(accepted, (false, missing)), None);
        }
    }
    for others in [
        (true, Reason::Accepted),
        (false, Reason::AudienceRequired),
        (false, Reason::Conflicted),
        (false, Reason::ProviderNotFound),
    ] {
        assert_eq!(of(others, resolved), None);
    }
    let trust = Programmed::AwaitingTrust("adopt it".to_owned());
    assert_eq!(stalled(&of_policy(&good(), &trust, None)), None);
}

#[test]
fn a_time_changes_only_with_the_truth() {
    let at = |seconds| Timestamp::from_second(seconds).unwrap();
    let waiting = of_policy(&good(), &Programmed::Yes, Some(InForce::Waiting));
    let first = dated(&[], &waiting, 1, at(100));
    assert!(first.iter().all(|it| it.last_transition_time.0 == at(100)));
    let in_force = of_policy(&good(), &Programmed::Yes, Some(InForce::Everywhere));
    let second = dated(&first, &in_force, 2, at(200));
    let time = |kind: &str| {
        let condition = second.iter().find(|it| it.type_ == kind).unwrap();
        assert_eq!(condition.observed_generation, Some(2));
        condition.last_transition_time.0
    };
    assert_eq!((time("Accepted"), time("Programmed")), (at(100), at(100)));
    assert_eq!((time("InForce"), time("Ready")), (at(200), at(200)));
    assert_eq!(dated(&second, &in_force, 2, at(300)), second);
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let long = "ä".repeat(2000);
    let all = of_unreadable(&long);
    assert_eq!(all[0].message.chars().count(), 1024);
    assert!(all[0].message.ends_with("ä…"));
}

/// A bucket that cannot be written holds up nobody who reads elsewhere.
#[test]
fn a_mirror_that_fails_is_said_and_holds_nothing_back() {
    let failing = ["s3://rulesets: refused".to_owned()];
    let all = of_ruleset(&Programmed::Yes, InForce::NoEdges, Some(&failing));
    assert_eq!(ready(&all), (Truth::True, "Programmed"));
    let mirrored = all.iter().find(|it| it.kind == "Mirrored").unwrap();
    assert_eq!(
        (mirrored.truth, mirrored.reason),
        (Truth::False, "MirrorFailing")
    );
    assert_eq!(mirrored.message, "s3://rulesets: refused");
    let none = of_ruleset(&Programmed::Yes, InForce::NoEdges, None);
    assert!(none.iter().all(|it| it.kind != "Mirrored"));
}
