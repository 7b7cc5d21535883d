//! The oracle: what a set of resources means for one request, read straight from the manifests.
//!
//! Slow and simple on purpose, and without one type or function of the crates it is held against.
//! The numbers are those of the page that defines the meaning: `docs/semantics.md`.

use super::truth::{Part, Truth, every, misspelt, part, some, text};
use super::who::{For, Place};
use super::{Answer, Asked, Token, World};
use serde_json::{Value, json};

const RULE: [&str; 8] = [
    "action", "description", "expiresAt", "from", "name", "require", "to", "when",
];
const CLUSTER_RULE: [&str; 6] = ["description", "from", "name", "require", "to", "when"];
const TO: [&str; 3] = ["hosts", "methods", "paths"];

impl World {
    /// The decision of an edge that is pinned to the target.
    pub(crate) fn decide(&self, asked: &Asked) -> Answer {
        let policies = self.policies(asked);
        // 25: the credential comes first. 11: a target admits the providers of its enforced Allows.
        if let Some(token) = &asked.token
            && !policies.iter().any(|policy| self.admits(policy, token))
        {
            return Answer::Unauthenticated;
        }
        // 25: then Deny, of any policy and of the cluster's.
        let own = policies.iter().flat_map(|policy| rules(&policy["spec"], "rules"));
        let own = own.filter(|rule| is_deny(rule)).map(|rule| self.own_rule(rule, None, asked));
        let guardrails = self.guardrails(asked);
        let cluster = guardrails.iter().flat_map(|policy| rules(&policy["spec"], "deny"));
        let cluster = cluster.map(|rule| self.cluster_rule(rule, For::Deny, asked));
        if own.chain(cluster).any(|rule| rule != Some(false)) {
            return Answer::Forbidden;
        }
        // 25: then boundary and Allow. Every boundary must hold; one Allow suffices.
        let within = guardrails.iter().all(|policy| self.is_within(&policy["spec"], asked));
        let allowed = policies.iter().any(|policy| {
            let mut allows = rules(&policy["spec"], "rules").iter().filter(|rule| !is_deny(rule));
            allows.any(|rule| self.own_rule(rule, Some(policy), asked) == Some(true))
        });
        match (within && allowed, &asked.token) {
            (true, _) => Answer::Allowed,
            // 26: no token, and no Allow or a boundary fails: 401.
            (false, None) => Answer::Unauthenticated,
            (false, Some(_)) => Answer::Forbidden,
        }
    }

    /// The enforced policies of the target. Observe takes no part.
    fn policies(&self, asked: &Asked) -> Vec<&Value> {
        let of_target = |policy: &&Value| {
            policy["metadata"]["namespace"] == asked.namespace
                && policy["spec"]["mode"] != "Observe"
                && policy["spec"]["hosts"]
                    .as_array()
                    .is_some_and(|hosts| hosts.contains(&json!(asked.application)))
        };
        self.kind("AccessPolicy").filter(of_target).collect()
    }

    /// The enforced policies of the cluster that select the namespace. 5: without a Namespace its
    /// labels are unknown, and so a cluster's policy selects it; but for the label with its name.
    fn guardrails(&self, asked: &Asked) -> Vec<&Value> {
        let selects = |policy: &&Value| {
            let labels = &policy["spec"]["namespaceSelector"]["matchLabels"];
            let name = labels.get("kubernetes.io/metadata.name");
            policy["spec"]["mode"] != "Observe"
                && name.is_none_or(|name| *name == asked.namespace)
        };
        self.kind("ClusterAccessPolicy").filter(selects).collect()
    }

    /// 2: an unknown field in the spec is a boundary that admits nothing; 1: so is `boundary: []`.
    fn is_within(&self, spec: &Value, asked: &Asked) -> bool {
        if misspelt(spec, &["boundary", "deny", "mode", "namespaceSelector"]) {
            return false;
        }
        match part(spec, "boundary") {
            Part::Absent => true,
            Part::List(rules) => {
                let hold = |rule: &Value| self.cluster_rule(rule, For::Allow, asked);
                some(rules.iter().map(hold)) == Some(true)
            }
            Part::Unknown | Part::Other(_) => false,
        }
    }

    fn cluster_rule(&self, rule: &Value, effect: For, asked: &Asked) -> Truth {
        let place = Place { world: self, namespace: None, effect };
        self.rule(rule, &CLUSTER_RULE, place, None, asked)
    }

    /// A rule of an AccessPolicy; with the policy whose audiences count, if it is an Allow.
    fn own_rule(&self, rule: &Value, allows: Option<&Value>, asked: &Asked) -> Truth {
        let effect = if allows.is_some() { For::Allow } else { For::Deny };
        let place = Place { world: self, namespace: Some(&asked.namespace), effect };
        self.rule(rule, &RULE, place, allows, asked)
    }

    fn rule(
        &self,
        rule: &Value,
        known: &[&str],
        place: Place<'_>,
        policy: Option<&Value>,
        asked: &Asked,
    ) -> Truth {
        let token = asked.token.as_ref();
        let counts = |entry: &Value| {
            // An Allow counts only for its own policy's audiences; 11: but for `anyone`.
            let heard = policy.is_none_or(|policy| {
                entry.get("anyone").is_some()
                    || token.is_none_or(|token| is_for(&audiences(policy), token))
            });
            if heard { place.entry(entry, token) } else { Some(false) }
        };
        let from = match part(rule, "from") {
            Part::List(entries) => some(entries.iter().map(counts)),
            Part::Absent | Part::Unknown | Part::Other(_) => None,
        };
        let to = match part(rule, "to") {
            Part::Absent if public(rule) && place.effect == For::Allow => None, // it needs `to`
            Part::Absent => Some(true),
            Part::List(entries) => some(entries.iter().map(|to| target(to, place.effect, asked))),
            Part::Unknown | Part::Other(_) => None,
        };
        // 2: any other unknown field makes an Allow unknown.
        let whole = if misspelt(rule, known) { None } else { Some(true) };
        every([from, to, whole])
    }

    /// 11: the providers of the enforced Allows, roles expanded; of a token that one of those
    /// policies is meant to hear.
    fn admits(&self, policy: &Value, token: &Token) -> bool {
        let namespace = policy["metadata"]["namespace"].as_str();
        let names = |entry: &Value| self.names(entry, namespace, token);
        let mut allows = rules(&policy["spec"], "rules").iter().filter(|rule| !is_deny(rule));
        allows.any(|rule| rules(rule, "from").iter().any(names))
    }

    fn names(&self, entry: &Value, namespace: Option<&str>, token: &Token) -> bool {
        if entry.get("serviceAccounts").is_some() {
            return token.provider == "ClusterTrustProvider/kubernetes";
        }
        if let Some(named) = entry.get("providerRef") {
            let kind = named.get("kind").and_then(Value::as_str).unwrap_or("ClusterTrustProvider");
            return token.provider == format!("{kind}/{}", text(named, "name"));
        }
        rules(entry, "roleRefs").iter().any(|role| {
            let role = self.role(namespace, role);
            role.is_some_and(|role| {
                rules(&role["spec"], "members").iter().any(|m| self.names(m, namespace, token))
            })
        })
    }
}

/// 2: any `action` but Allow is a Deny; so is an unknown field with the value `deny`, or one whose
/// nearest name is `action`.
fn is_deny(rule: &Value) -> bool {
    let members = rule.as_object().into_iter().flatten();
    members.into_iter().any(|(name, value)| match name.as_str() {
        "action" => value != "Allow",
        known if RULE.contains(&known) => false,
        unknown => {
            let deny = value.as_str().is_some_and(|value| value.eq_ignore_ascii_case("deny"));
            deny || ["acton", "actoin", "Action", "actions"].contains(&unknown)
        }
    })
}

fn public(rule: &Value) -> bool {
    rules(rule, "from").iter().any(|entry| entry.get("anyone").is_some())
}

/// 4: an entry of `to` is the and of its fields; `{}` is unknown.
fn target(to: &Value, effect: For, asked: &Asked) -> Truth {
    if to.as_object().is_none_or(serde_json::Map::is_empty) {
        return None;
    }
    let field = |name: &str, fits: &dyn Fn(&str) -> bool| match part(to, name) {
        Part::Absent => Some(true),
        Part::List(any_of) => some(any_of.iter().map(|one| one.as_str().map(fits))),
        Part::Unknown | Part::Other(_) => None,
    };
    // A foreign authority matches no Allow with `hosts` and every Deny with `hosts`.
    let foreign = asked.host != asked.application;
    let host = |pattern: &str| if foreign { effect == For::Deny } else { is_host(pattern, &asked.host) };
    every([
        field("hosts", &host),
        field("methods", &|method| method == asked.method),
        field("paths", &|pattern| is_path(pattern, &asked.path, effect)),
        if misspelt(to, &TO) { None } else { Some(true) },
    ])
}

/// 20: exact, or `*.` as in Gateway API.
fn is_host(pattern: &str, host: &str) -> bool {
    pattern.strip_prefix('*').map_or(pattern == host, |suffix| {
        host.strip_suffix(suffix).is_some_and(|label| !label.is_empty())
    })
}

/// 18: `*` and `{x}` are one segment that is not empty; `/a/**` is `/a`, `/a/` and all below; in a
/// Deny one trailing slash of the request is ignored.
fn is_path(pattern: &str, path: &str, effect: For) -> bool {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let fits = |path: &str| {
        let path: Vec<&str> = path.split('/').collect();
        let (pattern, long) = match pattern.split_last() {
            Some((&"**", base)) => (base, path.len() >= base.len()),
            _ => (&*pattern, path.len() == pattern.len()),
        };
        let segment = |(pattern, segment): (&&str, &&str)| {
            let any = *pattern == "*" || pattern.starts_with('{');
            if any { !segment.is_empty() } else { pattern == segment }
        };
        long && pattern.iter().zip(&path).all(segment)
    };
    let short = path.strip_suffix('/').filter(|_| effect == For::Deny);
    fits(path) || short.is_some_and(|short| !short.is_empty() && fits(short))
}

/// 24: the audiences that are written; by default `https://HOST` for each host.
fn audiences(policy: &Value) -> Vec<String> {
    let strings = |name: &str| {
        let list = policy["spec"][name].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    if policy["spec"].get("audiences").is_some() {
        return strings("audiences");
    }
    strings("hosts").iter().map(|host| format!("https://{host}")).collect()
}

fn is_for(audiences: &[String], token: &Token) -> bool {
    match &token.claims["aud"] {
        Value::String(one) => audiences.contains(one),
        Value::Array(many) => many.iter().any(|one| audiences.iter().any(|a| one == a)),
        _ => false,
    }
}

/// The members of a list; none if it is no list.
fn rules<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
