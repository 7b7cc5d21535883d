//! When who is asked, what holds meanwhile, and that nobody is kept from being asked by others.

use super::super::{Answer, Rules, Unfetched, diagnostic};
use super::{Change, Refresher};
use countersign_policy::diagnostic::{Diagnostic, ResourceId};
use countersign_policy::jwks::{FetchedKeys, Jwks};
use countersign_policy::resources::KeySource;
use countersign_ruleset::time::UnixTime;
use serde_json::json;

const NOW: UnixTime = UnixTime(1_795_521_600);

fn source(name: &str) -> KeySource {
    KeySource {
        resource: ResourceId {
            kind: "ClusterTrustProvider".into(),
            namespace: String::new(),
            name: name.into(),
        },
        issuer: format!("https://{name}.example.com"),
        jwks_url: None,
        ca_bundle: None,
        proxy_url: None,
    }
}

fn answer(kids: &[&str], at: UnixTime, max_age: Option<u64>) -> Answer {
    let keys = kids.iter();
    let keys: Vec<_> = keys
        .map(|kid| json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": "A".repeat(43)}))
        .collect();
    let keys = FetchedKeys {
        keys: Jwks::read(&json!({"keys": keys})).unwrap().keys,
        jwks_url: "https://id.example.com/keys".into(),
        fetched_at: at,
    };
    Answer { keys, max_age }
}

fn trouble(source: &KeySource) -> Diagnostic {
    let why = Unfetched::TooSlow {
        url: "https://id.example.com".into(),
    };
    diagnostic(source, &why, &Rules::default())
}

fn kids(refresher: &Refresher, source: &KeySource) -> Vec<String> {
    let keys = refresher.keys().remove(&source.resource);
    let keys = keys.into_iter().flat_map(|it| it.keys);
    keys.filter_map(|key| key.kid).collect()
}

fn started(source: &KeySource) -> Refresher {
    let mut refresher = Refresher::default();
    refresher.follow(std::slice::from_ref(source), NOW);
    assert_eq!(refresher.due(NOW), std::slice::from_ref(source));
    refresher
}

#[test]
fn asks_once_at_a_time_and_again_when_the_answer_is_old() {
    let okta = source("okta");
    for (max_age, wait) in [
        (None, 3_600),
        (Some(0), 300),
        (Some(1_000), 1_000),
        (Some(9_999), 3_600),
    ] {
        let mut refresher = started(&okta);
        assert_eq!((refresher.due(NOW), refresher.next()), (vec![], None));
        let change = refresher.fetched(&okta, Ok(answer(&["a"], NOW, max_age)), NOW, 500);
        assert_eq!(change, Change::Keys);
        assert_eq!(refresher.next(), Some(NOW.plus(wait)), "{max_age:?}");
        assert_eq!(refresher.due(NOW.plus(wait.saturating_sub(1))), []);
        assert_eq!(refresher.due(NOW.plus(wait)), std::slice::from_ref(&okta));
    }
}

#[test]
fn not_all_ask_at_once() {
    let okta = source("okta");
    for (spread, wait) in [(0, 900), (500, 1_000), (1_000, 1_100), (u64::MAX, 1_100)] {
        let mut refresher = started(&okta);
        refresher.fetched(&okta, Ok(answer(&["a"], NOW, Some(1_000))), NOW, spread);
        assert_eq!(refresher.next(), Some(NOW.plus(wait)));
    }
}

#[test]
fn a_set_is_taken_whole_so_that_a_withdrawn_key_is_gone() {
    let okta = source("okta");
    let mut refresher = started(&okta);
    let mut fetch = |kids: &[&str], at| {
        let change = refresher.fetched(&okta, Ok(answer(kids, at, None)), at, 500);
        (change, self::kids(&refresher, &okta))
    };
    assert_eq!(
        fetch(&["a", "b"], NOW),
        (Change::Keys, vec!["a".into(), "b".into()])
    );
    assert_eq!(fetch(&["b"], NOW.plus(1)), (Change::Keys, vec!["b".into()]));
    assert_eq!(fetch(&["b"], NOW.plus(2)).0, Change::Nothing);
    assert_eq!(refresher.keys()[&okta.resource].fetched_at, NOW.plus(2));
}

#[test]
fn a_provider_that_is_down_keeps_its_keys_and_their_time_and_is_asked_ever_less() {
    let okta = source("okta");
    let mut refresher = started(&okta);
    refresher.fetched(&okta, Ok(answer(&["a"], NOW, None)), NOW, 500);
    let mut at = NOW;
    let mut waits = Vec::new();
    for round in 0..8 {
        let next = refresher.next().unwrap();
        waits.push(next.0.saturating_sub(at.0));
        at = next;
        assert_eq!(refresher.due(at), std::slice::from_ref(&okta));
        let change = refresher.fetched(&okta, Err(trouble(&okta)), at, 500);
        let expected = if round == 0 {
            Change::Trouble
        } else {
            Change::Nothing
        };
        assert_eq!(change, expected);
        assert_eq!(kids(&refresher, &okta), ["a"]);
        assert_eq!(refresher.keys()[&okta.resource].fetched_at, NOW);
    }
    assert_eq!(waits, [3_600, 5, 10, 20, 40, 80, 160, 300]);
    assert_eq!(refresher.troubles().len(), 1);
    let change = refresher.fetched(&okta, Ok(answer(&["a"], at, None)), at, 500);
    assert_eq!((change, refresher.troubles().len()), (Change::Trouble, 0));
}

#[test]
fn what_is_described_otherwise_begins_with_no_keys_and_takes_no_late_answer() {
    let okta = source("okta");
    let mut refresher = started(&okta);
    refresher.fetched(&okta, Ok(answer(&["a"], NOW, None)), NOW, 500);
    let other = KeySource {
        jwks_url: Some("https://other.example.com/keys".into()),
        ..okta.clone()
    };
    refresher.follow(std::slice::from_ref(&other), NOW);
    assert!(refresher.keys().is_empty());
    assert_eq!(refresher.due(NOW), std::slice::from_ref(&other));
    let late = refresher.fetched(&okta, Ok(answer(&["a"], NOW, None)), NOW, 500);
    assert_eq!((late, refresher.keys().len()), (Change::Late, 0));
    refresher.follow(&[], NOW);
    let late = refresher.fetched(&other, Ok(answer(&["a"], NOW, None)), NOW, 500);
    assert_eq!((late, refresher.keys().len()), (Change::Late, 0));
}

#[test]
fn one_provider_s_trouble_is_its_own() {
    let [okta, entra] = ["okta", "entra"].map(source);
    let mut refresher = Refresher::default();
    refresher.follow(&[okta.clone(), entra.clone()], NOW);
    assert_eq!(refresher.due(NOW).len(), 2);
    refresher.fetched(&okta, Err(trouble(&okta)), NOW, 500);
    refresher.fetched(&entra, Ok(answer(&["e"], NOW, None)), NOW, 500);
    assert_eq!(kids(&refresher, &entra), ["e"]);
    let troubled: Vec<_> = refresher.troubles().into_keys().collect();
    assert_eq!(troubled, std::slice::from_ref(&okta.resource));
    assert_eq!(refresher.due(NOW.plus(5)), [okta]);
}

fn of_namespace(namespace: &str, number: usize) -> KeySource {
    let mut source = source(&format!("p{number:03}"));
    source.resource.kind = "TrustProvider".into();
    source.resource.namespace = namespace.into();
    source
}

/// Providers that never answer hold a few places, and never the cluster's.
#[test]
fn nobody_is_kept_from_being_asked_by_the_providers_of_others() {
    let mut refresher = Refresher::default();
    let namespaces = (0..10).map(|number| format!("evil-{number}"));
    let evil = namespaces.flat_map(|name| (0..60).map(move |it| of_namespace(&name, it)));
    let mut sources: Vec<KeySource> = evil.collect();
    refresher.follow(&sources, NOW);
    let first = refresher.due(NOW);
    assert_eq!(first.len(), 12);
    let mut names: Vec<_> = first.iter().map(|it| &*it.resource.namespace).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 10, "each gets one before any gets two");
    // none has come back, and the cluster's are asked all the same
    sources.extend((0..6).map(|number| source(&format!("okta{number}"))));
    sources.push(of_namespace("shop", 0));
    refresher.follow(&sources, NOW);
    let second = refresher.due(NOW);
    assert_eq!(second.len(), 4);
    assert!(
        second
            .iter()
            .all(|it| it.resource.kind == "ClusterTrustProvider")
    );
    assert_eq!(refresher.due(NOW), []);
    for done in &second {
        refresher.fetched(done, Ok(answer(&["a"], NOW, None)), NOW, 500);
    }
    let third = refresher.due(NOW);
    assert_eq!(
        third.len(),
        2,
        "of namespaces as many are under way as may be"
    );
    // whoever has not been asked yet is asked first
    refresher.fetched(&first[0], Err(trouble(&first[0])), NOW, 500);
    assert_eq!(refresher.due(NOW), [of_namespace("shop", 0)]);
}

#[test]
fn a_namespace_has_no_more_than_two_under_way_whatever_it_changes() {
    let mut refresher = Refresher::default();
    let mut sources: Vec<_> = (0..10).map(|it| of_namespace("evil", it)).collect();
    refresher.follow(&sources, NOW);
    let asked = refresher.due(NOW);
    assert_eq!(asked.len(), 2);
    for source in &mut sources {
        source.issuer.push_str("/other");
    }
    refresher.follow(&sources, NOW);
    assert_eq!(refresher.due(NOW), []);
    let late = refresher.fetched(&asked[0], Err(trouble(&asked[0])), NOW, 500);
    assert_eq!((late, refresher.due(NOW).len()), (Change::Late, 1));
}

#[test]
fn what_fails_is_asked_no_sooner_for_a_change_of_its_description() {
    let mut okta = source("okta");
    let mut refresher = started(&okta);
    let mut at = NOW;
    for round in 0..4 {
        refresher.fetched(&okta, Err(trouble(&okta)), at, 500);
        okta.issuer = format!("https://{round}.example.com");
        refresher.follow(std::slice::from_ref(&okta), at);
        assert_eq!(refresher.due(at.plus(4)), []);
        at = at.plus(5);
        assert_eq!(refresher.due(at), std::slice::from_ref(&okta));
    }
    // and waits as long as if it had always been the same
    refresher.fetched(&okta, Err(trouble(&okta)), at, 500);
    assert_eq!(refresher.next(), Some(at.plus(80)));
}

#[test]
fn of_a_namespace_the_first_sixty_four_are_asked_and_stay() {
    let mut refresher = Refresher::default();
    let mut sources: Vec<_> = (100..165).map(|it| of_namespace("shop", it)).collect();
    refresher.follow(&sources, NOW);
    let beyond = |refresher: &Refresher| refresher.troubles().into_iter().collect::<Vec<_>>();
    let [(id, said)] = &*beyond(&refresher) else {
        panic!("{:?}", refresher.troubles());
    };
    assert_eq!((&*id.name, said.code.id()), ("p164", "AP0016"));
    // one that comes before by its name takes nobody's place
    sources.insert(0, of_namespace("shop", 0));
    sources.extend((0..70).map(|number| source(&format!("okta{number}"))));
    refresher.follow(&sources, NOW);
    let names: Vec<_> = beyond(&refresher).into_iter().map(|it| it.0.name).collect();
    assert_eq!(names, ["p000", "p164"]);
}

#[test]
fn a_clock_that_was_ahead_puts_nothing_off() {
    let okta = source("okta");
    let mut refresher = Refresher::default();
    let ahead = NOW.plus(86_400);
    refresher.follow(std::slice::from_ref(&okta), ahead);
    assert_eq!(refresher.due(ahead).len(), 1);
    refresher.fetched(&okta, Ok(answer(&["a"], ahead, None)), ahead, 1_000);
    assert_eq!(refresher.due(ahead), []);
    assert_eq!(refresher.due(NOW), [okta]);
}
