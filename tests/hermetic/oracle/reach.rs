//! The oracle's reading of what a policy is about: its target, its mode, the namespaces it selects.

use super::meaning::{is_deny, rules};
use super::truth::{Part, Truth, every, misspelt, part, text};
use super::{Asked, World};
use serde_json::{Value, json};

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

/// The label that every namespace has.
const NAME: &str = "kubernetes.io/metadata.name";

/// How a policy bears on a target.
pub(crate) struct Bearing<'a> {
    pub(crate) policy: &'a Value,
    /// Whether it names the target; otherwise it only cannot be read what it names.
    pub(crate) named: bool,
    /// Whether its Allows count; its Denies do in any case.
    pub(crate) allows: bool,
}

impl World {
    /// Whether any policy names the target, be it only to observe it.
    pub(crate) fn is_named(&self, asked: &Asked) -> bool {
        self.own(asked).any(|policy| names(policy, asked))
    }

    /// The policies that decide at the target. Observe takes no part. 1, 2: of a mode, a target or
    /// another field that cannot be read it is not known what was meant, so no Allow counts, and
    /// every Deny.
    pub(crate) fn bearing<'a>(&'a self, asked: &'a Asked) -> Vec<Bearing<'a>> {
        let enforced = self
            .own(asked)
            .filter(|policy| policy["spec"]["mode"] != "Observe");
        let bearing = enforced.filter_map(|policy| {
            let spec = &policy["spec"];
            let named = names(policy, asked);
            let lost = matches!(
                part(spec, "hosts"),
                Part::Unknown | Part::Other | Part::Absent
            );
            let denies = is_lost(spec) || rules(spec, "rules").iter().any(is_deny);
            let mode = spec.get("mode").is_none_or(|mode| mode == "Enforce");
            let allows = named && mode && !misspelt(spec, &SPEC);
            (named || (lost && denies)).then_some(Bearing {
                policy,
                named,
                allows,
            })
        });
        bearing.collect()
    }

    fn own<'a>(&'a self, asked: &'a Asked) -> impl Iterator<Item = &'a Value> {
        let of_namespace = |policy: &&Value| policy["metadata"]["namespace"] == asked.namespace;
        self.kind("AccessPolicy").filter(of_namespace)
    }

    /// The enforced policies of the cluster that select the namespace, or may.
    pub(crate) fn guardrails(&self, asked: &Asked) -> Vec<&Value> {
        let selects = |policy: &&Value| {
            let spec = &policy["spec"];
            spec["mode"] != "Observe" && self.selects(spec, &asked.namespace) != Some(false)
        };
        self.kind("ClusterAccessPolicy").filter(selects).collect()
    }

    /// 5: without a Namespace its labels are unknown; but for the label with its name.
    fn selects(&self, spec: &Value, namespace: &str) -> Truth {
        let selector = &spec["namespaceSelector"];
        if !selector.is_object() {
            return None;
        }
        let manifest = self.named("Namespace", namespace, None);
        // Unknown, or known to be there or not.
        let label = |key: &str| match (key, manifest) {
            (NAME, _) => Some(Some(namespace)),
            (_, None) => None,
            (_, Some(one)) => Some(one["metadata"]["labels"].get(key).and_then(Value::as_str)),
        };
        let labels =
            match selector.get("matchLabels") {
                None => Some(true),
                Some(Value::Object(labels)) => every(labels.iter().map(|(key, value)| {
                    label(key).map(|got| got.is_some() && got == value.as_str())
                })),
                Some(_) => None,
            };
        let expressions = match part(selector, "matchExpressions") {
            Part::Absent => Some(true),
            Part::List(all) => every(all.iter().map(|one| {
                let got = label(text(one, "key"))?;
                let listed = || Some(one["values"].as_array()?.iter().any(|v| v.as_str() == got));
                match text(one, "operator") {
                    "In" => listed(),
                    "NotIn" => listed().map(|listed| !listed),
                    "Exists" => Some(got.is_some()),
                    "DoesNotExist" => Some(got.is_none()),
                    _ => None,
                }
            })),
            Part::Unknown | Part::Other => None,
        };
        let whole = (!misspelt(selector, &["matchExpressions", "matchLabels"])).then_some(true);
        every([labels, expressions, whole])
    }
}

/// 1: what is no list of rules may have held a Deny of everything.
pub(crate) fn is_lost(spec: &Value) -> bool {
    matches!(part(spec, "rules"), Part::Unknown | Part::Other) || spec.get("rulse").is_some()
}

fn names(policy: &Value, asked: &Asked) -> bool {
    let hosts = policy["spec"]["hosts"].as_array();
    hosts.is_some_and(|hosts| hosts.contains(&json!(asked.application)))
}
