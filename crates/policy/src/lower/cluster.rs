//! Policies of the cluster: what the cluster demands of every application of some namespaces.

use super::name::Placed;
use super::place::{Place, World};
use super::policy::mode;
use super::selector::Selector;
use super::{Said, Sink, rule};
use crate::diagnostic::{Code, FieldPath, ResourceId};
use crate::field::Field;
use crate::v1alpha1::{ClusterAccessPolicySpec, ClusterRule};
use countersign_ruleset::rules::{Effect, Guardrail, Rule};

const SPEC: [&str; 4] = ["boundary", "deny", "mode", "namespaceSelector"];

/// One ClusterAccessPolicy.
#[derive(Debug, Clone)]
pub(crate) struct Guarding {
    /// The namespaces.
    pub(crate) selector: Selector,
    /// What is demanded there.
    pub(crate) guardrail: Guardrail,
}

/// Lowers one. What cannot be read of it may have been a boundary, so nothing is within it.
pub(crate) fn lower(
    world: &World,
    id: &ResourceId,
    spec: &ClusterAccessPolicySpec,
    sink: &mut Sink,
) -> Option<Guarding> {
    let place = Place {
        world,
        namespace: None,
    };
    let path = FieldPath::spec();
    let misspelt = sink.unread(&path, &spec.unread, &SPEC);
    let (mode, _) = mode(&path, &spec.mode, sink);
    let selector_path = path.name("namespaceSelector");
    let selector = Selector::lower(&selector_path, &spec.namespace_selector, sink);
    let boundary = rules(
        place,
        (&path, "boundary"),
        Effect::Allow,
        &spec.boundary,
        sink,
    );
    let deny = rules(place, (&path, "deny"), Effect::Deny, &spec.deny, sink);
    if matches!((&boundary, &deny), (Said::Absent, Said::Absent)) && !misspelt {
        let message = "it demands nothing: neither `boundary` nor `deny` is written";
        sink.error(&path, Code::Missing, message, None);
    }
    let lost = misspelt || matches!(deny, Said::Unknown);
    let boundary = match boundary {
        Said::Absent if !lost => None,
        Said::Known(rules) if !lost => Some(rules),
        Said::Absent | Said::Known(_) | Said::Unknown => Some(Vec::new()),
    };
    let deny = match deny {
        Said::Known(rules) => rules,
        Said::Absent | Said::Unknown => Vec::new(),
    };
    // INVARIANT: a resource's name is a DNS name, or it would not have been read
    let policy = format!("ClusterAccessPolicy/{}", id.name).parse().ok()?;
    Some(Guarding {
        selector,
        guardrail: Guardrail {
            policy,
            mode,
            boundary,
            deny,
        },
    })
}

/// The rules of one list. An empty boundary lets nothing in; an empty `deny` is not known to be
/// meant, as of every other list.
fn rules(
    place: Place<'_>,
    (spec, name): (&FieldPath, &str),
    effect: Effect,
    written: &Field<Vec<Field<ClusterRule>>>,
    sink: &mut Sink,
) -> Said<Vec<Rule>> {
    let path = spec.name(name);
    match sink.field(&path, written) {
        Said::Absent => Said::Absent,
        Said::Unknown => Said::Unknown,
        Said::Known(rules) if rules.is_empty() && effect == Effect::Deny => {
            let message = "expected at least one rule, got an empty list";
            let help = format!("leave `{name}` out to deny nothing by it");
            sink.error(&path, Code::UnreadableValue, message, Some(help));
            Said::Unknown
        }
        Said::Known(rules) => {
            let placed = rule::cluster_rules(place, &path, effect, rules, sink);
            Said::Known(placed.into_iter().map(|Placed { rule, .. }| rule).collect())
        }
    }
}
