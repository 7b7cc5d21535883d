//! One AccessPolicy: its targets, its rules, and what it says beside.

use super::name::Placed;
use super::place::{Place, World};
use super::target::Targets;
use super::{Said, Sink, login, rule, short};
use crate::diagnostic::{Code, FieldPath, ResourceId};
use crate::field::{Field, List, nearest};
use crate::resources::Resources;
use crate::v1alpha1::AccessPolicySpec;
use countersign_ruleset::names::{PolicyId, ProviderId};
use countersign_ruleset::rules::{Disclose, Effect, Entry, Forward, Mode};
use serde_json::Value;
use std::collections::BTreeSet;

const SPEC: [&str; 8] = [
    "audiences",
    "disclose",
    "forward",
    "hosts",
    "login",
    "mode",
    "rules",
    "targetRefs",
];

const FORWARDS: [(&str, Forward); 5] = [
    ("Assertion", Forward::Assertion),
    ("Email", Forward::Email),
    ("Groups", Forward::Groups),
    ("Token", Forward::Token),
    ("User", Forward::User),
];

/// One AccessPolicy.
#[derive(Debug)]
pub(crate) struct Lowered {
    pub(crate) id: PolicyId,
    pub(crate) targets: Targets,
    pub(crate) mode: Mode,
    /// Whether each of its fields is one that there is, and it is known whether it decides.
    pub(crate) whole: bool,
    pub(crate) rules: Vec<Placed>,
    /// The audiences that are written; where they cannot be read, no token is for it.
    pub(crate) audiences: Said<Vec<String>>,
    /// Where browsers log in.
    pub(crate) login: Said<ProviderId>,
    pub(crate) forward: Said<BTreeSet<Forward>>,
    pub(crate) disclose: Said<Disclose>,
}

/// Lowers one.
pub(crate) fn lower(
    (resources, world): (&Resources, &World),
    id: &ResourceId,
    spec: &AccessPolicySpec,
    sink: &mut Sink,
) -> Option<Lowered> {
    let place = Place {
        world,
        namespace: Some(&id.namespace),
    };
    let path = FieldPath::spec();
    let misspelt = sink.unread(&path, &spec.unread, &SPEC);
    let (mode, mode_known) = mode(&path, &spec.mode, sink);
    let mut targets = Targets::lower(resources, &id.namespace, spec, sink);
    let whole = !misspelt && mode_known;
    if !whole {
        // it may have said that less is allowed, or nothing yet
        targets
            .these
            .values_mut()
            .for_each(|target| target.usable = false);
    }
    let rules_path = path.name("rules");
    let written = sink.required(&rules_path, &spec.rules);
    let all_rules = !matches!(spec.rules, Field::Unknown(_))
        && !spec
            .unread
            .iter()
            .any(|(name, value)| may_be_rules(name, value));
    let rules = rule::rules(place, &rules_path, (written, all_rules), sink);
    // INVARIANT: a resource's name is a DNS name, or it would not have been read
    let id = format!("AccessPolicy/{}", id.name).parse().ok()?;
    Some(Lowered {
        id,
        targets,
        mode,
        whole,
        rules,
        audiences: audiences(&path, &spec.audiences, sink),
        login: login::login(place, &path.name("login"), &spec.login, sink),
        forward: forward(&path, &spec.forward, sink),
        disclose: disclose(&path, &spec.disclose, sink),
    })
}

impl Lowered {
    /// Whether an Allow of it asks for a token, and so for an audience.
    pub(crate) fn asks_for_a_token(&self) -> bool {
        let mut rules = self.rules.iter().map(|placed| &placed.rule);
        rules.any(|rule| {
            let names = || rule.from.iter().any(|entry| *entry != Entry::Anyone);
            rule.effect == Effect::Allow && (names() || rule.asks_of_token())
        })
    }
}

/// Whether a field that there is not may have held rules, and so a Deny.
fn may_be_rules(name: &str, value: &Value) -> bool {
    let is_list = |value: &Value| {
        value
            .as_array()
            .is_some_and(|it| it.iter().any(Value::is_object))
    };
    nearest(name, SPEC).map_or_else(|| is_list(value), |near| near == "rules")
}

/// The mode, and whether it is known. One that is not known is enforced: its Denies act.
pub(super) fn mode(path: &FieldPath, written: &Field<String>, sink: &mut Sink) -> (Mode, bool) {
    let path = path.name("mode");
    let mode = match sink.field(&path, written) {
        Said::Absent => return (Mode::Enforce, true),
        Said::Unknown => return (Mode::Enforce, false),
        Said::Known(mode) => mode,
    };
    match mode.as_str() {
        "Enforce" => (Mode::Enforce, true),
        "Observe" => (Mode::Observe, true),
        other => {
            report(&path, other, &["Enforce", "Observe"], sink);
            (Mode::Enforce, false)
        }
    }
}

fn audiences(
    path: &FieldPath,
    written: &Field<List<String>>,
    sink: &mut Sink,
) -> Said<Vec<String>> {
    let path = path.name("audiences");
    let list = match sink.field(&path, written) {
        Said::Absent => return Said::Absent,
        Said::Unknown => return Said::Unknown,
        Said::Known(list) => list,
    };
    let mut known = BTreeSet::new();
    for (n, audience) in list.iter().enumerate() {
        if audience.is_empty() {
            let message = "expected an audience, got an empty text";
            sink.error(&path.index(n), Code::InvalidValue, message, None);
        } else {
            known.insert(audience.clone());
        }
    }
    Said::Known(known.into_iter().collect())
}

fn forward(
    path: &FieldPath,
    written: &Field<List<String>>,
    sink: &mut Sink,
) -> Said<BTreeSet<Forward>> {
    let path = path.name("forward");
    let list = match sink.field(&path, written) {
        Said::Absent => return Said::Absent,
        Said::Unknown => return Said::Unknown,
        Said::Known(list) => list,
    };
    let mut known = BTreeSet::new();
    for (n, text) in list.iter().enumerate() {
        let path = path.index(n);
        match FORWARDS.iter().find(|(name, _)| name == text) {
            Some((_, forward)) => {
                if *forward == Forward::Assertion {
                    let message = "edges of this version sign no assertion: the upstream gets none";
                    let help = "until they do, it must not let in a request without one".to_owned();
                    sink.warning(&path, Code::NotSupported, message, Some(help));
                }
                known.insert(*forward);
            }
            None => report(&path, text, &FORWARDS.map(|(name, _)| name), sink),
        }
    }
    Said::Known(known)
}

fn disclose(path: &FieldPath, written: &Field<String>, sink: &mut Sink) -> Said<Disclose> {
    let path = path.name("disclose");
    match sink.field(&path, written) {
        Said::Absent => Said::Absent,
        Said::Unknown => Said::Unknown,
        Said::Known(text) => match text.as_str() {
            "Code" => Said::Known(Disclose::Code),
            "Reason" => Said::Known(Disclose::Reason),
            other => {
                report(&path, other, &["Code", "Reason"], sink);
                Said::Unknown
            }
        },
    }
}

/// Reports a word that is none of those that can be.
fn report(path: &FieldPath, got: &str, known: &[&str], sink: &mut Sink) {
    let message = format!("expected {}, got `{}`", known.join(" or "), short(got));
    let near = nearest(got, known.iter().copied());
    let help = near.map(|near| format!("did you mean `{near}`?"));
    sink.error(path, Code::InvalidValue, message, help);
}
