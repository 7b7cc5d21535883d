//! What is in force: none, one, the next one whole, none again; and by host, of several scopes.

use super::{Enforcer, Target};
use crate::decision::Reason;
use crate::token::mint::NOW;
use crate::trial::{Trial, policy, rule, rules, told, verified};
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::verifier::Standing;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn open_to_all(name: &str) -> Rules {
    let anyone = rule(name, "Allow", json!("anyone"), &json!({}));
    rules(&json!([policy("orders", &json!([anyone]))]), &json!([]))
}

fn empty(scope: &str) -> Rules {
    Rules::empty(scope.parse().unwrap())
}

#[test]
fn nothing_in_force_is_unavailable_and_not_ready() {
    let target = Target::Application("Service/orders".parse().unwrap());
    let trial = Trial(Enforcer::new(target, vec!["shop".parse().unwrap()]));
    assert_eq!(told(&trial.get("/")), (503, "NoRuleset", vec![]));
    assert!(!trial.0.is_ready(NOW));
    let status = trial.0.status(NOW);
    assert_eq!(status.len(), 1);
    assert_eq!(status[0].in_force, None);
}

#[test]
fn what_is_withdrawn_is_unavailable_at_once() {
    let trial = Trial::ruling(&open_to_all("r1"), vec![]);
    assert_eq!(told(&trial.get("/")), (200, "Allowed", vec!["r1"]));
    assert!(trial.0.is_ready(NOW));
    trial.0.withdraw(&"other".parse().unwrap());
    assert_eq!(trial.get("/").status(), 200);
    trial.0.withdraw(&"shop".parse().unwrap());
    assert_eq!(told(&trial.get("/")), (503, "NoRuleset", vec![]));
    assert!(!trial.0.is_ready(NOW));
}

#[test]
fn what_is_stale_is_served_and_what_has_expired_is_not() {
    let trial = Trial::ruling(&open_to_all("r1"), vec![]);
    for (after, standing, expected) in [
        (3_599, Standing::Fresh, (200, "Allowed", vec!["r1"])),
        (3_600, Standing::Stale, (200, "Allowed", vec!["r1"])),
        (5_399, Standing::Stale, (200, "Allowed", vec!["r1"])),
        (5_400, Standing::Expired, (503, "RulesetExpired", vec![])),
    ] {
        let now = NOW.plus(after);
        let decision = trial.at("GET", "/", &[], now);
        assert_eq!(told(&decision), expected, "{after}");
        assert_eq!(decision.ruleset.as_ref().unwrap().serial, 1);
        let (_, _, stands) = trial.0.status(now)[0].in_force.clone().unwrap();
        assert_eq!(stands, standing);
        assert_eq!(trial.0.is_ready(now), standing != Standing::Expired);
    }
}

/// The rule that decided and the ruleset that is named are always of one and the same set.
#[test]
fn a_swap_is_whole() {
    let trial = Trial::ruling(&open_to_all("r1"), vec![]);
    let keys = Keys::default();
    let done = AtomicBool::new(false);
    let sets: Vec<_> = (2..=40)
        .map(|serial| verified(&open_to_all(&format!("r{serial}")), &keys, serial))
        .collect();
    std::thread::scope(|threads| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                threads.spawn(|| {
                    let mut last = 0;
                    while !done.load(Ordering::Acquire) {
                        let decision = trial.get("/");
                        let serial = decision.ruleset.as_ref().unwrap().serial;
                        assert_eq!(decision.rules[0].rule.as_str(), format!("r{serial}"));
                        assert!(serial >= last, "never back");
                        last = serial;
                    }
                })
            })
            .collect();
        for set in sets {
            trial.0.install(set);
        }
        done.store(true, Ordering::Release);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert_eq!(trial.get("/").ruleset.unwrap().serial, 40);
}

fn by_host(scopes: &[&str], sets: &[Rules]) -> Trial {
    let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    let enforcer = Enforcer::new(Target::ByHost, scopes);
    for set in sets {
        enforcer.install(verified(set, &Keys::default(), 1));
    }
    Trial(enforcer)
}

/// The same application in another namespace.
fn in_scope(scope: &str, host: &str) -> Rules {
    let mut rules = open_to_all("r1");
    rules.scope = scope.parse().unwrap();
    rules.applications[0].hosts = vec![host.parse().unwrap()];
    rules.applications[0].accepted = true;
    rules
}

#[test]
fn a_host_leads_to_its_application_and_no_other_host_anywhere() {
    let trial = by_host(&["shop"], &[in_scope("shop", "orders.example.com")]);
    assert_eq!(told(&trial.get("/")), (200, "Allowed", vec!["r1"]));
    let other = trial.call("GET", "/", &[("host", "other.example.com")]);
    assert_eq!(told(&other), (403, "NotCovered", vec![]));
    assert_eq!(other.application, None);
}

#[test]
fn of_two_that_claim_a_host_neither_gets_it() {
    let sets = [
        in_scope("ops", "orders.example.com"),
        in_scope("shop", "orders.example.com"),
    ];
    let trial = by_host(&["ops", "shop"], &sets);
    assert_eq!(told(&trial.get("/")), (503, "HostAmbiguous", vec![]));
    let mut both = in_scope("shop", "orders.example.com");
    let mut second = both.applications[0].clone();
    second.id = "Service/payments".parse().unwrap();
    both.applications.push(second);
    let trial = by_host(&["shop"], &[both]);
    assert_eq!(told(&trial.get("/")), (503, "HostAmbiguous", vec![]));
}

/// A namespace must not take a host from another's wildcard, and from the Deny that stands there.
#[test]
fn of_two_scopes_whose_patterns_overlap_the_more_specific_does_not_win() {
    let deny = rule("no", "Deny", json!("anyone"), &json!({}));
    let mut shop = rules(&json!([policy("orders", &json!([deny]))]), &json!([]));
    shop.applications[0].hosts = vec!["*.example.com".parse().unwrap()];
    shop.applications[0].accepted = true;
    let evil = in_scope("evil", "payroll.example.com");
    let trial = by_host(&["evil", "shop"], &[evil.clone(), shop.clone()]);
    let ask = |trial: &Trial, host| trial.call("GET", "/", &[("host", host)]);
    let decision = ask(&trial, "payroll.example.com");
    assert_eq!(told(&decision), (503, "HostAmbiguous", vec![]));
    let decision = ask(&trial, "other.example.com");
    assert_eq!(told(&decision), (403, "DeniedByRule", vec!["no"]));
    let longer = in_scope("evil", "*.b.example.com");
    let trial = by_host(&["evil", "shop"], &[longer, shop.clone()]);
    let decision = ask(&trial, "a.b.example.com");
    assert_eq!(told(&decision), (503, "HostAmbiguous", vec![]));
    // within one namespace it is its owner who says so
    let mut own = evil.applications[0].clone();
    own.id = "Service/payroll".parse().unwrap();
    shop.applications.push(own);
    let trial = by_host(&["shop"], &[shop]);
    let decision = ask(&trial, "payroll.example.com");
    assert_eq!(told(&decision), (200, "Allowed", vec!["r1"]));
}

/// Or a namespace could write any host at all into a policy, and so have it.
#[test]
fn an_edge_of_several_scopes_takes_only_hosts_that_a_gateway_accepted() {
    let mut claimed = in_scope("shop", "orders.example.com");
    claimed.applications[0].accepted = false;
    let shared = by_host(&["ops", "shop"], &[claimed.clone(), empty("ops")]);
    assert_eq!(told(&shared.get("/")), (403, "NotCovered", vec![]));
    let scopes = ["ops", "shop"].map(|scope| scope.parse().unwrap()).to_vec();
    let own = Trial(Enforcer::new(Target::ByClaimedHost, scopes));
    for set in [&claimed, &empty("ops")] {
        own.0.install(verified(set, &Keys::default(), 1));
    }
    assert_eq!(told(&own.get("/")), (200, "Allowed", vec!["r1"]));
    let pinned = by_host(&["shop"], &[claimed.clone()]);
    assert_eq!(told(&pinned.get("/")), (200, "Allowed", vec!["r1"]));
    // nor does the claim take anything from who has it
    let owner = in_scope("ops", "orders.example.com");
    let shared = by_host(&["ops", "shop"], &[claimed.clone(), owner]);
    let decision = shared.get("/");
    assert_eq!(told(&decision), (200, "Allowed", vec!["r1"]));
    assert_eq!(decision.ruleset.unwrap().scope.as_str(), "ops");
    // nor within its own namespace
    let mut accepted = claimed.applications[0].clone();
    accepted.id = "Service/payments".parse().unwrap();
    accepted.accepted = true;
    claimed.applications.push(accepted);
    let shared = by_host(&["ops", "shop"], &[claimed, empty("ops")]);
    let application = shared.get("/").application.unwrap();
    assert_eq!(application.as_str(), "Service/payments");
}

#[test]
fn routes_of_one_host_each_take_what_precedence_sends_them() {
    let sections = |path: &str| {
        let matches = json!([{"matches": [{"path": path, "unknown": false}]}]);
        serde_json::from_value::<Vec<_>>(matches).unwrap()
    };
    let mut split = in_scope("shop", "orders.example.com");
    split.applications[0].sections = sections("/**");
    let mut admin = split.applications[0].clone();
    admin.id = "HTTPRoute.gateway.networking.k8s.io/admin".parse().unwrap();
    admin.sections = sections("/admin/**");
    admin.policies.clear();
    split.applications.push(admin.clone());
    let trial = by_host(&["shop"], &[split.clone()]);
    assert_eq!(told(&trial.get("/")), (200, "Allowed", vec!["r1"]));
    let uncovered = trial.get("/admin/users");
    assert_eq!(told(&uncovered), (403, "NotCovered", vec![]));
    assert_eq!(uncovered.application.unwrap(), admin.id);
    // equally specific: which is older stands in no manifest
    split.applications[1].sections = sections("/**");
    let trial = by_host(&["shop"], &[split.clone()]);
    assert_eq!(told(&trial.get("/")), (503, "HostAmbiguous", vec![]));
    // nobody takes it
    split.applications[0].sections = sections("/v1/**");
    split.applications[1].sections = sections("/v2/**");
    let trial = by_host(&["shop"], &[split.clone()]);
    assert_eq!(told(&trial.get("/")), (403, "NotCovered", vec![]));
    assert_eq!(told(&trial.get("/v1")), (200, "Allowed", vec!["r1"]));
    // one that is alone is asked for whatever comes, but for what may be sent to a route whose hosts
    // are not known
    split.applications[1].hosts.clear();
    let trial = by_host(&["shop"], &[split]);
    assert_eq!(told(&trial.get("/")), (200, "Allowed", vec!["r1"]));
    assert_eq!(told(&trial.get("/v1")), (200, "Allowed", vec!["r1"]));
    assert_eq!(told(&trial.get("/v2")), (503, "HostAmbiguous", vec![]));
}

/// While a scope is missing it is not known whether it claims the host too.
#[test]
fn by_host_every_scope_must_be_in_force() {
    let trial = by_host(&["ops", "shop"], &[in_scope("shop", "orders.example.com")]);
    assert_eq!(told(&trial.get("/")), (503, "NoRuleset", vec![]));
    assert!(!trial.0.is_ready(NOW));
    let ops = verified(&empty("ops"), &Keys::default(), 1);
    trial.0.install(ops);
    assert_eq!(trial.get("/").status(), 200);
    assert!(trial.0.is_ready(NOW));
}

#[test]
fn an_application_that_is_not_there_is_covered_by_nothing() {
    let target = Target::Application("Service/other".parse().unwrap());
    let trial = Trial(Enforcer::new(target, vec!["shop".parse().unwrap()]));
    trial
        .0
        .install(verified(&open_to_all("r1"), &Keys::default(), 1));
    assert_eq!(told(&trial.get("/")), (403, "NotCovered", vec![]));
}

#[test]
fn a_request_that_cannot_be_read_is_refused_whatever_is_in_force() {
    let trial = Trial::ruling(&open_to_all("r1"), vec![]);
    let decision = trial.get("/a%2fb");
    assert_eq!(told(&decision), (400, "PathMalformed", vec![]));
    assert!(matches!(decision.reason, Reason::MalformedRequest(_)));
}

#[test]
fn an_enforcer_is_shared() {
    fn shared<T: Send + Sync>(_: &Arc<T>) {}
    shared(&Arc::new(Trial::ruling(&open_to_all("r1"), vec![]).0));
}
