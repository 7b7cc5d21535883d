//! The oracle's reading of what a policy is about: its target, its mode, the namespaces it selects.

use super::aims::{aims, is_astray};
use super::meaning::list;
use super::rule::{is_deny, still};
use super::sent::Form;
use super::truth::{Part, Truth, every, misspelt, part, some, text};
use super::{Asked, World};
use serde_json::Value;

pub(crate) const SPEC: [&str; 8] = [
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
    /// 22: whether it covers the request.
    pub(crate) covers: Truth,
    /// 27: whether what ends by itself has ended: to those who observe, of those who decide.
    pub(crate) ends: bool,
}

impl Bearing<'_> {
    /// Its Allows.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Value> {
        let allows = list(&self.policy["spec"], "rules")
            .iter()
            .filter(|rule| !is_deny(rule));
        let end = |rule: &Value| rule.get("expiresAt").is_some() && still(rule).is_some();
        allows.filter(move |rule| !(self.ends && end(rule)))
    }
}

impl World {
    /// Whether any policy names the target, be it only to observe it, or a route beside it.
    pub(crate) fn is_named(&self, asked: &Asked) -> bool {
        let target = self.target();
        self.targets(asked).contains(&target) || self.known(asked).contains(&target)
    }

    /// The policies that decide at the target. Observe takes no part. 1, 2: of a mode, a target or
    /// another field that cannot be read it is not known what was meant, so no Allow counts, and
    /// every Deny.
    pub(crate) fn bearing<'a>(
        &'a self,
        asked: &'a Asked,
        form: &Form,
        observed: bool,
    ) -> Vec<Bearing<'a>> {
        let target = self.target();
        let enforced = self
            .own(asked)
            .filter(|policy| observed || policy["spec"]["mode"] != "Observe");
        let bearing = enforced.flat_map(|policy| {
            let spec = &policy["spec"];
            let aims = aims(policy).into_iter();
            let aims: Vec<_> = aims.filter(|aim| aim.target == target).collect();
            let denies = is_lost(spec) || list(spec, "rules").iter().any(is_deny);
            let mode = spec
                .get("mode")
                .is_none_or(|mode| mode == "Enforce" || mode == "Observe");
            let covers = aims.iter().map(|aim| {
                let covers = self.covers(&aim.reference, asked, form);
                // 23: what is named twice counts if it does both times.
                let mut same = aims.iter().filter(|one| one.section() == aim.section());
                let counts = same.all(|one| self.counts(one));
                every([covers, counts.then_some(true)])
            });
            let named = (!aims.is_empty()).then(|| Bearing {
                policy,
                named: true,
                allows: mode && !misspelt(spec, &SPEC),
                covers: some(covers),
                ends: false,
            });
            let lost = (is_astray(policy) && denies).then_some(Bearing {
                policy,
                named: false,
                allows: false,
                covers: Some(true),
                ends: false,
            });
            named.into_iter().chain(lost)
        });
        let mut bearing: Vec<_> = bearing.collect();
        let observes = |one: &Bearing<'_>| one.policy["spec"]["mode"] == "Observe";
        if bearing.iter().any(observes) {
            for one in &mut bearing {
                one.ends = !observes(one);
            }
        }
        bearing
    }

    /// 27: whether anybody only observes what happens at the target.
    pub(crate) fn is_observed(&self, asked: &Asked, form: &Form) -> bool {
        let observes = |policy: &Value| policy["spec"]["mode"] == "Observe";
        let mut own = self.bearing(asked, form, true).into_iter();
        let mut cluster = self.guardrails(asked, true).into_iter();
        own.any(|one| observes(one.policy)) || cluster.any(observes)
    }

    pub(crate) fn own<'a>(&'a self, asked: &'a Asked) -> impl Iterator<Item = &'a Value> {
        let of_namespace = |policy: &&Value| policy["metadata"]["namespace"] == asked.namespace;
        self.kind("AccessPolicy").filter(of_namespace)
    }

    /// The enforced policies of the cluster that select the namespace, or may.
    pub(crate) fn guardrails(&self, asked: &Asked, observed: bool) -> Vec<&Value> {
        let selects = |policy: &&Value| {
            let spec = &policy["spec"];
            (observed || spec["mode"] != "Observe")
                && self.selects(spec, &asked.namespace) != Some(false)
        };
        self.kind("ClusterAccessPolicy").filter(selects).collect()
    }

    /// 5: without a Namespace its labels are unknown; but for the label with its name.
    pub(crate) fn selects(&self, spec: &Value, namespace: &str) -> Truth {
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
