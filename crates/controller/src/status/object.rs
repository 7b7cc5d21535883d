//! The status of one resource: what is said of it, beside what is there.

use super::condition::{self, Said, Truth};
use countersign_policy::compile::{Outcome, Reason, conditions};
use countersign_policy::diagnostic::{Diagnostic, ResourceId, Severity, Step};
use countersign_policy::v1alpha1::{AncestorStatus, Status, TargetStatusRef};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// Who writes in `status.ancestors`.
pub(crate) const CONTROLLER: &str = "countersign.dev/controller";

/// The most members of a list in a status.
const MEMBERS: usize = 256;

/// The most characters of a host and of an audience there.
const HOST: usize = 255;
const AUDIENCE: usize = 512;

/// The most routes that a policy has a word for, as Gateway API has it.
const ANCESTORS: usize = 16;

/// What is known of one resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'k> {
    /// Which it is.
    pub(crate) id: &'k ResourceId,
    /// Its manifest.
    pub(crate) manifest: &'k Value,
    /// Its generation.
    pub(crate) generation: i64,
    /// What the compiler found of it.
    pub(crate) outcome: &'k Outcome,
    /// All that the compiler found.
    pub(crate) diagnostics: &'k [Diagnostic],
    /// What is said of it.
    pub(crate) said: &'k [Said],
}

/// Its status: what was there before keeps its times.
pub(crate) fn of(known: Known<'_>, before: &Status, now: Timestamp) -> Status {
    let said = warned(known.said, &own(known).collect::<Vec<_>>());
    Status {
        observed_generation: Some(known.generation),
        conditions: condition::dated(&before.conditions, &said, known.generation, now),
        audiences: some(&known.outcome.audiences, AUDIENCE),
        hosts: some(&known.outcome.hosts, HOST),
        ancestors: ancestors(known, &before.ancestors, now),
    }
}

fn some(all: &[String], most: usize) -> Vec<String> {
    let short = all.iter().filter(|it| it.len() <= most);
    short.take(MEMBERS).cloned().collect()
}

/// One entry for each route that is a target, as Gateway API has it.
fn ancestors(known: Known<'_>, before: &[AncestorStatus], now: Timestamp) -> Vec<AncestorStatus> {
    let targets = known.manifest.pointer("/spec/targetRefs");
    let targets = targets.and_then(Value::as_array).into_iter().flatten();
    let mut ancestors: Vec<AncestorStatus> = Vec::new();
    for (n, target) in targets.enumerate() {
        let Some(ancestor_ref) = route(target) else {
            continue;
        };
        let is_there = ancestors.iter().any(|it| it.ancestor_ref == ancestor_ref);
        if is_there || ancestors.len() >= ANCESTORS {
            continue;
        }
        let there = before.iter().find(|it| it.ancestor_ref == ancestor_ref);
        let there = there.map(|it| it.conditions.as_slice()).unwrap_or_default();
        let said = at_target(known, n);
        ancestors.push(AncestorStatus {
            conditions: condition::dated(there, &said, known.generation, now),
            controller_name: CONTROLLER.to_owned(),
            ancestor_ref,
        });
    }
    ancestors
}

/// The route that a target is; `None` for any other.
fn route(target: &Value) -> Option<TargetStatusRef> {
    let text = |name: &str| target.get(name).and_then(Value::as_str);
    let kind = text("kind").filter(|it| matches!(*it, "HTTPRoute" | "GRPCRoute"))?;
    Some(TargetStatusRef {
        group: text("group")?.to_owned(),
        kind: kind.to_owned(),
        name: text("name")?.to_owned(),
        section_name: text("sectionName").map(str::to_owned),
    })
}

/// What the compiler found of it.
fn own<'k>(known: Known<'k>) -> impl Iterator<Item = &'k Diagnostic> {
    let all = known.diagnostics.iter();
    all.filter(move |it| it.resource == *known.id)
}

/// What is said of the policy at one of its targets: what is wrong with another of them is nothing to
/// it.
fn at_target(known: Known<'_>, n: usize) -> Vec<Said> {
    let here: Vec<&Diagnostic> = own(known).filter(|it| !is_of_other(it, n)).collect();
    let found: Vec<Diagnostic> = here.iter().map(|it| (*it).clone()).collect();
    let whole = known.said.iter().find(|it| it.kind == "Accepted");
    let is_void = whole.is_some_and(|it| it.reason == Reason::Invalid.as_str());
    let mut said = condition::compiled(&conditions(&found, is_void));
    let missing = said
        .iter()
        .find(|it| it.kind == "Accepted" && it.reason == Reason::TargetNotFound.as_str());
    let programmed = known.said.iter().find(|it| it.kind == "Programmed");
    // for a route that is not there, nothing is published
    let programmed = programmed.map(|it| match missing {
        Some(missing) if it.truth == Truth::True => Said {
            kind: it.kind,
            ..missing.clone()
        },
        Some(_) | None => it.clone(),
    });
    said.extend(programmed);
    warned(&said, &here)
}

/// Whether it speaks of another target than this one.
fn is_of_other(diagnostic: &Diagnostic, n: usize) -> bool {
    match diagnostic.path.steps() {
        [Step::Name(spec), Step::Name(targets), Step::Index(m), ..] => {
            spec == "spec" && targets == "targetRefs" && *m != n
        }
        _ => false,
    }
}

/// What is accepted with a warning says so; what has an error says that alone.
fn warned(said: &[Said], found: &[&Diagnostic]) -> Vec<Said> {
    let warnings = found.iter().filter(|it| it.severity == Severity::Warning);
    let warnings: Vec<String> = warnings
        .map(|it| format!("warning: {}: {}", it.path, it.message))
        .collect();
    let of = |it: &Said| {
        let mut said = it.clone();
        if said.kind == "Accepted" && said.truth == Truth::True && said.message.is_empty() {
            said.message = condition::cut(&warnings.join("; "));
        }
        said
    };
    said.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::{CONTROLLER, Known, of};
    use crate::status::condition::{InForce, Programmed, of_policy};
    use countersign_policy::compile::{Condition, ConditionType, Outcome, Reason};
    use countersign_policy::diagnostic::{Code, Diagnostic, FieldPath, ResourceId, Severity};
    use countersign_policy::v1alpha1::Status;
    use countersign_policy::{Resources, compile};
    use k8s_openapi::jiff::Timestamp;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    /// The status of a policy with these targets, beside a route `shop`.
    fn status(targets: &Value) -> Status {
        let policy = json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
            "metadata": {"namespace": "shop", "name": "orders"},
            "spec": {"targetRefs": targets, "rules": [
                {"name": "open", "from": [{"anyone": true}], "to": [{"paths": ["/"]}]}]},
        });
        let route = json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"namespace": "shop", "name": "shop"},
            "spec": {"hostnames": ["shop.example.com"]},
        });
        let resources = Resources::read([&policy, &route]).unwrap();
        let compilation = compile(&resources, &BTreeMap::new());
        let id = resources.id_of(0).unwrap();
        let outcome = compilation.statuses.get(id).unwrap();
        let said = of_policy(outcome, &Programmed::Yes, Some(InForce::NoEdges));
        let known = Known {
            id,
            manifest: &policy,
            generation: 3,
            outcome,
            diagnostics: &compilation.diagnostics,
            said: &said,
        };
        of(known, &Status::default(), Timestamp::UNIX_EPOCH)
    }

    fn condition(status: &Status, ancestor: usize, kind: &str) -> (String, String) {
        let all = &status.ancestors[ancestor].conditions;
        let it = all.iter().find(|it| it.type_ == kind).unwrap();
        (it.status.clone(), it.reason.clone())
    }

    #[test]
    fn each_route_has_its_own_word() {
        let of = |name: &str| json!({"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name});
        let status = status(&json!([of("shop"), of("gone")]));
        assert_eq!(status.observed_generation, Some(3));
        assert_eq!(status.ancestors.len(), 2);
        let yes = ("True".to_owned(), "Accepted".to_owned());
        let no = ("False".to_owned(), "TargetNotFound".to_owned());
        assert_eq!(condition(&status, 0, "Accepted"), yes);
        for kind in ["Accepted", "ResolvedRefs", "Programmed"] {
            assert_eq!(condition(&status, 0, kind).0, "True", "{kind}");
            assert_eq!(condition(&status, 1, kind), no, "{kind}");
        }
        assert_eq!(status.ancestors[1].conditions.len(), 3);
        assert_eq!(status.ancestors[1].controller_name, CONTROLLER);
        let whole = status.conditions.iter().find(|it| it.type_ == "Accepted");
        assert_eq!(whole.unwrap().reason, "TargetNotFound");
        assert_eq!(status.hosts, ["shop.example.com"]);
    }

    #[test]
    fn a_mistake_at_one_route_is_nothing_to_another_and_one_in_a_rule_is_to_both() {
        let group = "gateway.networking.k8s.io";
        let good = json!({"group": group, "kind": "HTTPRoute", "name": "shop"});
        let misspelt = json!({"group": group, "kind": "HTTPRoute", "name": "shop",
            "sectionName": "gone"});
        let status = status(&json!([good, misspelt]));
        assert_eq!(condition(&status, 0, "Accepted").1, "Accepted");
        assert_eq!(condition(&status, 1, "Accepted").1, "TargetNotFound");
        assert_eq!(condition(&status, 1, "Programmed").1, "TargetNotFound");
        assert_eq!(
            status.ancestors[1].ancestor_ref.section_name.as_deref(),
            Some("gone")
        );
    }

    /// It is accepted, and whoever looks sees why it does not do what was meant.
    #[test]
    fn a_warning_is_told_where_it_is_accepted() {
        let target = json!({"group": "", "kind": "Service", "name": "web"});
        let mut policy = json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
            "metadata": {"namespace": "shop", "name": "orders"},
            "spec": {"targetRefs": [target]},
        });
        let id = ResourceId {
            kind: "AccessPolicy".to_owned(),
            namespace: "shop".to_owned(),
            name: "orders".to_owned(),
        };
        let warning = Diagnostic {
            resource: id.clone(),
            path: FieldPath::spec().name("rules").index(0),
            span: None,
            code: Code::Vacuous,
            severity: Severity::Warning,
            message: "it never holds".to_owned(),
            help: None,
        };
        let others = Diagnostic {
            resource: ResourceId {
                name: "bills".to_owned(),
                ..id.clone()
            },
            message: "of another".to_owned(),
            ..warning.clone()
        };
        policy["spec"]["rules"] = json!([]);
        let accepted = Condition {
            kind: ConditionType::Accepted,
            holds: true,
            reason: Reason::Accepted,
            message: String::new(),
        };
        let outcome = Outcome {
            conditions: vec![accepted],
            ..Outcome::default()
        };
        let said = of_policy(&outcome, &Programmed::Yes, None);
        let known = Known {
            id: &id,
            manifest: &policy,
            generation: 1,
            outcome: &outcome,
            diagnostics: &[others, warning],
            said: &said,
        };
        let status = of(known, &Status::default(), Timestamp::UNIX_EPOCH);
        let told: Vec<&str> = status.conditions.iter().map(|it| &*it.message).collect();
        assert_eq!(told[0], "warning: spec.rules[0]: it never holds");
        assert!(
            !told[1..].iter().any(|it| it.contains("warning")),
            "{told:?}"
        );
    }

    #[test]
    fn a_service_is_no_ancestor() {
        let status = status(&json!([{"group": "", "kind": "Service", "name": "web"}]));
        assert!(status.ancestors.is_empty());
    }
}
