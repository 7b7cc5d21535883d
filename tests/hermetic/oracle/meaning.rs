//! The oracle: what a set of resources means for one request, read straight from the manifests.
//!
//! Slow and simple on purpose, and without one type or function of the crates it is held against.
//! The numbers are those of the page that defines the meaning: `docs/semantics.md`.

use super::pool::{EARLIER, LATER};
use super::reach::{Bearing, is_lost};
use super::truth::{Part, Truth, every, misspelt, part, some};
use super::who::{For, Place, reference};
use super::{Answer, Asked, Token, World};
use serde_json::Value;

const RULE: [&str; 8] = [
    "action",
    "description",
    "expiresAt",
    "from",
    "name",
    "require",
    "to",
    "when",
];
const CLUSTER_RULE: [&str; 6] = ["description", "from", "name", "require", "to", "when"];
const TO: [&str; 3] = ["hosts", "methods", "paths"];

impl World {
    /// The decision of an edge that is pinned to the target.
    pub(crate) fn decide(&self, asked: &Asked) -> Answer {
        // What no policy names is nothing that the edge knows.
        if !self.is_named(asked) {
            return Answer::Forbidden;
        }
        let bearing = self.bearing(asked);
        // 25: the credential comes first. 11: a target admits the providers of its enforced Allows.
        if let Some(token) = &asked.token
            && !(self
                .provider(&token.provider, Some(&asked.namespace))
                .is_some()
                && bearing
                    .iter()
                    .any(|one| one.named && self.admits(one.policy, token)))
        {
            return Answer::Unauthenticated;
        }
        if asked
            .token
            .as_ref()
            .is_some_and(|token| self.is_revoked(token, asked))
        {
            return Answer::Unauthenticated;
        }
        // 25: then Deny, of any policy and of the cluster's. 27: nothing but Observe covers nothing.
        if self.is_denied(&bearing, asked) || bearing.is_empty() {
            return Answer::Forbidden;
        }
        // 25: then boundary and Allow. Every boundary must hold; one Allow suffices.
        let within = self
            .guardrails(asked)
            .iter()
            .all(|policy| self.is_within(&policy["spec"], asked));
        let allowed = |heard: bool| {
            bearing.iter().filter(|one| one.allows).any(|one| {
                let allows = rules(&one.policy["spec"], "rules")
                    .iter()
                    .filter(|rule| !is_deny(rule));
                let audience = Some(one.policy).filter(|_| heard);
                allows
                    .into_iter()
                    .any(|rule| self.allows(rule, audience, asked) == Some(true))
            })
        };
        if within && allowed(true) {
            return Answer::Allowed;
        }
        // 26: no token, and no Allow or a boundary fails: 401; so too a token for another audience.
        if asked.token.is_none() || (!allowed(true) && allowed(false)) {
            return Answer::Unauthenticated;
        }
        Answer::Forbidden
    }

    /// The scenes revoke by subject alone.
    fn is_revoked(&self, token: &Token, asked: &Asked) -> bool {
        let provider = self.provider(&token.provider, Some(&asked.namespace));
        let all = provider.map_or(&[][..], |provider| rules(&provider["spec"], "revocations"));
        all.iter().any(|one| one["sub"] == token.claims["sub"])
    }

    fn is_denied(&self, bearing: &[Bearing<'_>], asked: &Asked) -> bool {
        let own = bearing.iter().any(|one| {
            let spec = &one.policy["spec"];
            let mut denies = rules(spec, "rules").iter().filter(|rule| is_deny(rule));
            is_lost(spec) || denies.any(|rule| self.denies(rule, asked) != Some(false))
        });
        let cluster = || {
            self.guardrails(asked).iter().any(|policy| {
                let mut denies = rules(&policy["spec"], "deny").iter();
                denies.any(|rule| self.cluster_rule(rule, For::Deny, asked) != Some(false))
            })
        };
        own || cluster()
    }

    /// 2: an unknown field in the spec is a boundary that admits nothing; 1: so is `boundary: []`, and
    /// a `deny` that cannot be read.
    fn is_within(&self, spec: &Value, asked: &Asked) -> bool {
        let lost = matches!(part(spec, "deny"), Part::Unknown | Part::Other);
        if lost || misspelt(spec, &["boundary", "deny", "mode", "namespaceSelector"]) {
            return false;
        }
        match part(spec, "boundary") {
            Part::Absent => true,
            Part::List(rules) => {
                let hold = |rule: &Value| self.cluster_rule(rule, For::Allow, asked);
                some(rules.iter().map(hold)) == Some(true)
            }
            Part::Unknown | Part::Other => false,
        }
    }

    fn cluster_rule(&self, rule: &Value, effect: For, asked: &Asked) -> Truth {
        let place = Place {
            world: self,
            namespace: None,
            effect,
        };
        one_rule(rule, &CLUSTER_RULE, place, None, asked)
    }

    /// A Deny of an AccessPolicy.
    fn denies(&self, rule: &Value, asked: &Asked) -> Truth {
        let place = Place {
            world: self,
            namespace: Some(&asked.namespace),
            effect: For::Deny,
        };
        one_rule(rule, &RULE, place, None, asked)
    }

    /// An Allow of an AccessPolicy; with the policy whose audiences count, if they do.
    fn allows(&self, rule: &Value, heard: Option<&Value>, asked: &Asked) -> Truth {
        let place = Place {
            world: self,
            namespace: Some(&asked.namespace),
            effect: For::Allow,
        };
        every([one_rule(rule, &RULE, place, heard, asked), still(rule)])
    }

    /// 11: the providers of the enforced Allows, roles expanded. The audience comes later.
    fn admits(&self, policy: &Value, token: &Token) -> bool {
        let namespace = policy["metadata"]["namespace"].as_str();
        let names = |entry: &Value| self.names(entry, namespace, token);
        let mut allows = rules(&policy["spec"], "rules")
            .iter()
            .filter(|rule| !is_deny(rule));
        allows.any(|rule| rules(rule, "from").iter().any(names))
    }

    fn names(&self, entry: &Value, namespace: Option<&str>, token: &Token) -> bool {
        if entry.get("serviceAccounts").is_some() {
            return token.provider == "ClusterTrustProvider/kubernetes";
        }
        if let Some(named) = entry.get("providerRef") {
            // A cluster's role takes the word of the cluster's providers only.
            let own = token.provider.starts_with("TrustProvider/");
            return reference(named, "ClusterTrustProvider").is_some_and(|id| id == token.provider)
                && (namespace.is_some() || !own);
        }
        rules(entry, "roleRefs").iter().any(|role| {
            let role = self.role(namespace, role);
            role.is_some_and(|role| {
                let namespace = namespace.filter(|_| role["kind"] == "AccessRole");
                rules(&role["spec"], "members")
                    .iter()
                    .any(|m| self.names(m, namespace, token))
            })
        })
    }
}

/// 4: the and of `from`, `to`, and that nothing else is said.
fn one_rule(
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
        // An Allow for anyone says for what.
        let open = entry.get("anyone").is_some() && place.effect == For::Allow;
        match heard {
            true if open && rule.get("to").is_none() => None,
            true => place.entry(entry, token),
            false => Some(false),
        }
    };
    let from = match part(rule, "from") {
        Part::List(entries) => some(entries.iter().map(counts)),
        Part::Absent | Part::Unknown | Part::Other => None,
    };
    let to = match part(rule, "to") {
        Part::Absent => Some(true),
        Part::List(entries) => some(entries.iter().map(|to| target(to, place.effect, asked))),
        Part::Unknown | Part::Other => None,
    };
    // 2: any other unknown field makes an Allow unknown.
    let whole = if misspelt(rule, known) {
        None
    } else {
        Some(true)
    };
    every([from, to, whole])
}

/// Whether an Allow has not ended. The scenes know one time before now, and one after.
fn still(rule: &Value) -> Truth {
    match rule.get("expiresAt").map(|end| end.as_str()) {
        None | Some(Some(LATER)) => Some(true),
        Some(Some(EARLIER)) => Some(false),
        Some(_) => None,
    }
}

/// 2: any `action` but Allow is a Deny; so is an unknown field with the value `deny`, or one whose
/// nearest name is `action`.
pub(crate) fn is_deny(rule: &Value) -> bool {
    let members = rule.as_object().into_iter().flatten();
    members
        .into_iter()
        .any(|(name, value)| match name.as_str() {
            "action" => value != "Allow",
            known if RULE.contains(&known) => false,
            unknown => {
                let deny = value
                    .as_str()
                    .is_some_and(|value| value.eq_ignore_ascii_case("deny"));
                deny || ["acton", "actoin", "Action", "actions"].contains(&unknown)
            }
        })
}

/// 4: an entry of `to` is the and of its fields; `{}` is unknown.
fn target(to: &Value, effect: For, asked: &Asked) -> Truth {
    if to.as_object().is_none_or(serde_json::Map::is_empty) {
        return None;
    }
    let field = |name: &str, fits: &dyn Fn(&str) -> bool| match part(to, name) {
        Part::Absent => Some(true),
        Part::List(any_of) => some(any_of.iter().map(|one| one.as_str().map(fits))),
        Part::Unknown | Part::Other => None,
    };
    // A foreign authority matches no Allow with `hosts` and every Deny with `hosts`.
    let foreign = asked.host != asked.application;
    let host = |pattern: &str| {
        if foreign {
            effect == For::Deny
        } else {
            is_host(pattern, &asked.host)
        }
    };
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
        host.strip_suffix(suffix)
            .is_some_and(|label| !label.is_empty())
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
            if any {
                !segment.is_empty()
            } else {
                pattern == segment
            }
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
        list.filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    if policy["spec"].get("audiences").is_some() {
        return strings("audiences");
    }
    strings("hosts")
        .iter()
        .map(|host| format!("https://{host}"))
        .collect()
}

fn is_for(audiences: &[String], token: &Token) -> bool {
    match &token.claims["aud"] {
        Value::String(one) => audiences.contains(one),
        Value::Array(many) => many.iter().any(|one| audiences.iter().any(|a| one == a)),
        _ => false,
    }
}

/// The members of a list; none if it is no list.
pub(crate) fn rules<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
