//! The whole way in one process, but for the sockets: a folder, its rulesets, people, decisions.

use super::cast::Cast;
use super::stage::{Stage, Staged};
use super::tries::{self, Scene, Try};
use crate::Clock;
use countersign_enforcer::load::{Loader, Sources};
use countersign_enforcer::store::{Enforcer, Target};
use countersign_ruleset::names::Scope;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Options;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod presets;

const NOW: UnixTime = UnixTime(1_795_521_600);
const CLOCK: Clock = Clock {
    seconds: || NOW,
    milliseconds: || NOW.0 * 1_000,
};

struct World {
    folder: tempfile::TempDir,
    stage: Stage,
}

impl World {
    fn new(manifests: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("all.yaml"), manifests).unwrap();
        let stage = Stage::new(folder.path().to_path_buf(), CLOCK).unwrap();
        Self { folder, stage }
    }

    fn write(&self, manifests: &str) {
        fs::write(self.folder.path().join("all.yaml"), manifests).unwrap();
    }

    fn take(&self) -> (BTreeMap<Scope, Rules>, Vec<String>) {
        taken(&self.stage)
    }

    fn tries(&self) -> Vec<Try> {
        let (rulesets, _) = self.take();
        let all = played(&self.stage, &rulesets);
        all.into_values().flatten().collect()
    }
}

fn taken(stage: &Stage) -> (BTreeMap<Scope, Rules>, Vec<String>) {
    match stage.take().unwrap() {
        Staged::Published {
            findings, rulesets, ..
        } => (
            rulesets,
            findings
                .into_iter()
                .map(|finding| finding.message)
                .collect(),
        ),
        Staged::Unreadable(findings) => panic!("{findings:?}"),
    }
}

/// What there is to try, by the engine that holds what was published.
fn played(stage: &Stage, rulesets: &BTreeMap<Scope, Rules>) -> BTreeMap<String, Vec<Try>> {
    let scopes: Vec<Scope> = stage.installation.scopes().unwrap().into_iter().collect();
    let enforcer = Arc::new(Enforcer::new(Target::ByClaimedHost, scopes.clone()));
    let sources = Sources {
        trust_root: stage.installation.trust().to_vec(),
        options: Options::new(stage.installation.cluster().clone()),
        scopes,
        places: vec![stage.installation.published().into()],
        state: None,
    };
    let observer = Arc::new(|_: &countersign_enforcer::load::Report| {});
    let mut loader = Loader::start(sources, Arc::clone(&enforcer), observer, NOW).unwrap();
    loader.cycle(NOW);
    assert!(enforcer.is_ready(NOW), "what is published is in force");
    let cast: Cast = stage.issuer.cast();
    let scene = Scene {
        enforcer: &enforcer,
        issuer: &stage.issuer,
        cast: &cast,
        now: NOW,
    };
    tries::all(rulesets, &scene)
}

/// One provider and one rule that takes its word.
fn manifests(provider: &str, entry: &str) -> String {
    format!(
        "apiVersion: countersign.dev/v1alpha1
kind: ClusterTrustProvider
metadata: {{name: {name}}}
spec: {provider}
---
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {{name: orders, namespace: shop}}
spec:
  hosts: [orders.example.com]
  rules:
  - name: rule
    from: [{entry}]
    to: [{{methods: [GET], paths: [/v1/**]}}]
",
        name = if provider.contains("Kubernetes") {
            "kubernetes"
        } else {
            "idp"
        },
    )
}

#[test]
fn whoever_holds_nothing_has_a_good_token_and_is_let_in_nowhere() {
    let everyone = "{type: Okta, issuer: 'https://example.okta.com'}";
    let world = World::new(&manifests(
        everyone,
        "{providerRef: {name: idp}, groups: [staff]}",
    ));
    world.take();
    let cast = world.stage.issuer.cast();
    let names: Vec<&str> = cast
        .people
        .iter()
        .map(|person| person.name.as_str())
        .collect();
    assert_eq!(names, ["ana", "zoe"]);
    // and where a rule lets in every caller of the provider, she is one
    let world = World::new(&manifests(everyone, "{providerRef: {name: idp}}"));
    let tries = world.tries();
    assert!(
        tries.iter().any(|one| one.reason == "Allowed"),
        "{tries:#?}"
    );
}

#[test]
fn people_are_called_as_before_when_a_rule_changes() {
    let okta = "{type: Okta, issuer: 'https://example.okta.com'}";
    let two = "{providerRef: {name: idp}, groups: [a]}, {providerRef: {name: idp}, groups: [b]}";
    let good = manifests(okta, two);
    let world = World::new(&good);
    world.take();
    let about = |name: &str| {
        world
            .stage
            .issuer
            .cast()
            .find(name, None)
            .map(|p| p.about.clone())
    };
    assert_eq!(about("bo").as_deref(), Some("group b"));
    world.write(&good.replace("groups: [a]", "groups: [c]"));
    world.take();
    assert_eq!(about("bo").as_deref(), Some("group b"));
    assert_eq!(
        about("ana").as_deref(),
        Some("group a"),
        "she can still be called as"
    );
    assert_eq!(about("carol").as_deref(), Some("group c"));
}

#[test]
fn keys_that_are_written_in_the_manifests_are_not_played() {
    let inline = "{type: OIDC, issuer: 'https://id.example.com', keys: {inline: {keys: [{kty: EC, crv: P-256, \
        kid: '1', x: MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4, y: 4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM}]}}}";
    let world = World::new(&manifests(inline, "{providerRef: {name: idp}}"));
    let tries = world.tries();
    assert!(
        tries.iter().all(|one| one.reason != "Allowed"),
        "{tries:#?}"
    );
}

#[test]
fn a_broken_line_takes_away_what_it_gave_and_an_unreadable_file_nothing() {
    let okta = "{type: Okta, issuer: 'https://example.okta.com'}";
    let good = manifests(okta, "{providerRef: {name: idp}, groups: [staff]}");
    let world = World::new(&good);
    let allows = |tries: Vec<Try>| tries.iter().any(|one| one.reason == "Allowed");
    assert!(allows(world.tries()));
    world.write(&good.replace("groups:", "group:"));
    let (_, wrong) = world.take();
    assert_eq!(wrong, ["there is no field `group` here"]);
    assert!(!allows(world.tries()));
    world.write(&good);
    let (rulesets, _) = world.take();
    world.write("kind: [");
    assert!(matches!(world.stage.take().unwrap(), Staged::Unreadable(_)));
    let all = played(&world.stage, &rulesets);
    assert!(
        all.iter().any(|(_, tries)| allows(tries.clone())),
        "what was published stays"
    );
}

#[test]
fn a_namespace_that_is_gone_denies() {
    let okta = "{type: Okta, issuer: 'https://example.okta.com'}";
    let good = manifests(okta, "{providerRef: {name: idp}, groups: [staff]}");
    let world = World::new(&good);
    let (rulesets, _) = world.take();
    world.write(&good.replace("namespace: shop", "namespace: ops"));
    world.take();
    assert_eq!(world.stage.installation.scopes().unwrap().len(), 2);
    let tries = played(&world.stage, &rulesets);
    let shop = tries
        .iter()
        .find(|(title, _)| title.ends_with(" in shop"))
        .unwrap();
    // the host is the other namespace's now, whose rule lets in the same people
    assert!(shop.1.iter().any(|one| one.status == 200));
    world.write(
        &good
            .replace("namespace: shop", "namespace: ops")
            .replace("orders.", "other."),
    );
    world.take();
    let tries = played(&world.stage, &rulesets);
    let shop = tries
        .iter()
        .find(|(title, _)| title.ends_with(" in shop"))
        .unwrap();
    assert!(
        shop.1.iter().all(|one| one.reason == "NotCovered"),
        "{:#?}",
        shop.1
    );
}

#[test]
fn what_has_no_host_has_one_here() {
    let policy = "apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: finance}
---
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ledger, namespace: finance}
spec:
  targetRefs: [{group: '', kind: Service, name: ledger}]
  audiences: [ledger]
  rules: [{name: all, from: [{anyone: true}], to: [{methods: [GET], paths: [/healthz]}]}]
";
    let world = World::new(policy);
    let tries = world.tries();
    let allowed = tries.iter().find(|one| one.reason == "Allowed").unwrap();
    assert_eq!(allowed.path, "/healthz");
    assert!(allowed.host.contains("ledger"), "{}", allowed.host);
    assert_eq!(
        allowed.curl("127.0.0.1:8080".parse().unwrap(), &world.stage.tokens),
        format!(
            "curl -H 'Host: {}' 'http://127.0.0.1:8080/healthz'",
            allowed.host
        )
    );
}

#[test]
fn the_quickstart_shows_each_kind_of_decision() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/quickstart");
    let stage = Stage::new(PathBuf::from(&folder), CLOCK).unwrap();
    let (rulesets, wrong) = taken(&stage);
    assert_eq!(wrong, Vec::<String>::new());
    let all = played(&stage, &rulesets);
    let tries: Vec<&Try> = all.values().flatten().collect();
    for reason in [
        "Allowed",
        "NoToken",
        "NoRuleMatched",
        "DeniedByRule",
        "BoundaryNotMet",
    ] {
        assert!(
            tries.iter().any(|one| one.reason == reason),
            "{reason}: {tries:#?}"
        );
    }
    for rule in ["support", "admins", "catalogue", "health", "nobody-deletes"] {
        let name = format!("AccessPolicy/orders/{rule}");
        assert!(
            tries.iter().any(|one| one.rules.contains(&name)),
            "{rule}: {tries:#?}"
        );
    }
    let contractor = "ClusterAccessPolicy/production/contractors".to_owned();
    assert!(
        tries.iter().any(|one| one.rules.contains(&contractor)),
        "{tries:#?}"
    );
}
