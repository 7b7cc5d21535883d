//! The oracle's reading of `from`: who is meant.

use super::World;
use super::facts::{Caller, Fact};
use super::truth::{Part, Truth, every, misspelt, part, some, text};
use serde_json::{Value, json};

const ENTRY: [&str; 12] = [
    "actors",
    "anyone",
    "claims",
    "clients",
    "emailDomains",
    "emails",
    "groups",
    "providerRef",
    "roleRefs",
    "serviceAccounts",
    "subjects",
    "workloads",
];

/// For which kind of rule an entry is read: an agent inherits nothing by silence, and escapes nothing.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum For {
    Allow,
    Deny,
}

/// What surrounds an entry: the resources, the namespace (`None` for a cluster's policy), the effect.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) world: &'a World,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) effect: For,
}

impl Place<'_> {
    /// Whether an entry of `from` means the caller; `None` is the anonymous.
    pub(crate) fn entry(self, entry: &Value, caller: Option<&Caller<'_>>) -> Truth {
        // 8: an entry with an unknown field is unknown for everyone; 1: so is `{}`.
        let members = entry.as_object().map_or(0, serde_json::Map::len);
        if members == 0 || misspelt(entry, &ENTRY) {
            return None;
        }
        let alone = members == 1;
        if let Some(anyone) = entry.get("anyone") {
            // 7: anyone matches agents too.
            return if alone && anyone == true {
                Some(true)
            } else {
                None
            };
        }
        // 4: roleRefs and serviceAccounts stand alone in their entry.
        match (part(entry, "roleRefs"), part(entry, "serviceAccounts")) {
            (Part::Absent, Part::Absent) => self.of_provider(entry, caller),
            (Part::List(roles), Part::Absent) if alone => {
                some(roles.iter().map(|role| self.role(role, caller)))
            }
            (Part::Absent, Part::List(accounts)) if alone => self.accounts(accounts, caller),
            _ => None,
        }
    }

    /// 4: the members of a role: or. 9: one that is missing is unknown for any verified caller.
    fn role(self, role: &Value, caller: Option<&Caller<'_>>) -> Truth {
        let Some(role) = self.world.role(self.namespace, role) else {
            return missing(caller);
        };
        // A cluster's role takes the word of the cluster's providers only.
        let namespace = self.namespace.filter(|_| role["kind"] == "AccessRole");
        let place = Place { namespace, ..self };
        // 8: beside a field that there is not, it is unknown for everyone who its members are.
        match part(&role["spec"], "members") {
            _ if misspelt(&role["spec"], &["members"]) => None,
            Part::List(members) => some(members.iter().map(|member| place.entry(member, caller))),
            _ => None,
        }
    }

    /// 14: the provider `kubernetes`; `"*"` stands only for a whole value.
    fn accounts(self, accounts: &[Value], caller: Option<&Caller<'_>>) -> Truth {
        let provider = "ClusterTrustProvider/kubernetes";
        if self.world.provider(provider, None).is_none() {
            return missing(caller);
        }
        let Some(caller) = caller.filter(|caller| caller.provider.id == provider) else {
            return Some(false);
        };
        let Some(rest) = text(caller.claims, "sub").strip_prefix("system:serviceaccount:") else {
            return Some(false);
        };
        let Some((namespace, name)) = rest.split_once(':') else {
            return Some(false);
        };
        let named = some(accounts.iter().map(|account| {
            let is = |field, value| {
                let wanted = text(account, field);
                Some(wanted == "*" || wanted == value)
            };
            every([is("namespace", namespace), is("name", name)])
        }));
        every([named, self.actor(None, caller)])
    }

    fn of_provider(self, entry: &Value, caller: Option<&Caller<'_>>) -> Truth {
        // Without it there are matchers, and nobody whose word they take; 1: null is unknown.
        let id = reference(entry.get("providerRef")?, "ClusterTrustProvider")?;
        let Some(provider) = self.world.provider(&id, self.namespace) else {
            return missing(caller);
        };
        // 8, 10: false for the anonymous, and for every other provider's tokens.
        let Some(caller) = caller.filter(|caller| caller.provider.id == id) else {
            return Some(false);
        };
        let open = self.effect == For::Allow && is_open(entry, &provider.spec);
        let exact: Same = |a, b| a == b;
        let domain = &provider.spec["claims"]["email"]["domain"];
        let vouched = || match domain.get("path") {
            None => Some(true),
            Some(path) => any_of(
                entry,
                "emailDomains",
                || caller.claim(path).text(),
                str::eq_ignore_ascii_case,
            ),
        };
        let of_claim = |item: &Value| {
            any_of(
                item,
                "anyOf",
                || caller.claim(&item["path"]).one_or_more(),
                exact,
            )
        };
        every([
            self.actor(entry.get("actors"), caller),
            (!open || entry.get("workloads").is_some()).then_some(true),
            any_of(entry, "groups", || caller.fact("groups").texts(), exact),
            any_of(
                entry,
                "emails",
                || caller.fact("email").text(),
                str::eq_ignore_ascii_case,
            ),
            // 13: the domain of the address, and, where the provider maps one, the domain claim too.
            any_of(
                entry,
                "emailDomains",
                || domain_of(caller),
                str::eq_ignore_ascii_case,
            ),
            vouched(),
            any_of(entry, "subjects", || caller.fact("subject").text(), exact),
            any_of(entry, "clients", || caller.fact("client").text(), exact),
            match part(entry, "claims") {
                Part::Absent => Some(true),
                Part::List(items) => every(items.iter().map(of_claim)),
                Part::Unknown | Part::Other => None,
            },
            match part(entry, "workloads") {
                Part::Absent => Some(true),
                Part::List(all) => some(all.iter().map(|one| workload(one, caller, open))),
                Part::Unknown | Part::Other => None,
            },
        ])
    }

    /// 7: in Allows and boundaries a token with an actor matches only where `actors` is named; a Deny
    /// ignores the actor unless it is.
    fn actor(self, named: Option<&Value>, caller: &Caller<'_>) -> Truth {
        let actor = caller.fact("actor");
        match (named, self.effect) {
            (None, For::Deny) => Some(true),
            (None, For::Allow) => Some(actor == Fact::Absent),
            (Some(Value::Array(any_of)), _) if !any_of.is_empty() => match actor {
                Fact::Absent => Some(false),
                Fact::Said(actor) => Some(any_of.contains(&actor)),
                Fact::Unknown => None,
            },
            (Some(_), _) => None,
        }
    }
}

/// 12: whether an issuer that serves everybody may mean anybody: neither does the entry say who, nor the
/// provider whose customers.
fn is_open(entry: &Value, provider: &Value) -> bool {
    let names = |name: &&str| entry.get(name).is_some();
    let who = ["subjects", "emails"].iter().any(names)
        || (names(&"emailDomains") && provider["claims"]["email"].get("domain").is_some());
    provider["shared"] == true && provider.get("tenants").is_none() && !who
}

/// How two values are compared.
type Same = fn(&str, &str) -> bool;

/// What may be said of a workload of a platform, and the claim that it is about.
fn fields(platform: &str) -> &'static [(&'static str, &'static str)] {
    match platform {
        "google" => &[("serviceAccount", "email"), ("uniqueID", "sub")],
        "github" => &[
            ("repository", "repository"),
            ("repositoryID", "repository_id"),
            ("ref", "ref"),
            ("environment", "environment"),
            ("workflow", "job_workflow_ref"),
            ("events", "event_name"),
        ],
        "aws" => &[("roleARN", "sub")],
        _ => &[("id", "sub")],
    }
}

/// 42: what no token of the platform can hold is unknown.
fn can_be(field: &str, wanted: &str) -> bool {
    let digits = !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match field {
        "serviceAccount" => wanted.ends_with(".gserviceaccount.com"),
        "uniqueID" | "repositoryID" => digits,
        "repository" => wanted.split('/').count() == 2,
        "ref" => wanted.starts_with("refs/"),
        "roleARN" => wanted.starts_with("arn:aws:iam::") && wanted.contains(":role/"),
        "id" => wanted
            .strip_prefix("spiffe://")
            .is_some_and(|rest| rest.contains('/')),
        _ => true,
    };
    fits && !wanted.is_empty() && !wanted.contains(['*', ' '])
}

/// 42: a workload: exactly one platform, by the word of its own type of provider, and all that is said.
/// 12: where the issuer serves everybody, it says whose it is.
fn workload(workload: &Value, caller: &Caller<'_>, whose: bool) -> Truth {
    let members: Vec<_> = workload.as_object()?.iter().collect();
    let [(platform, says)] = &*members else {
        return None;
    };
    let owner: &[&str] = match platform.as_str() {
        "aws" => &["roleARN"],
        "google" => &["serviceAccount", "uniqueID"],
        "github" => &["repository", "repositoryID"],
        "spiffe" => &["id"],
        _ => return None,
    };
    let fields = fields(platform);
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let speaks = caller.provider.platform() == *platform;
    if says.as_object()?.is_empty() || misspelt(says, &names) || !speaks {
        return None;
    }
    let said = says.as_object()?.iter().map(|(name, wanted)| {
        let (_, claim) = fields.iter().find(|(field, _)| field == name)?;
        let facts = || match *claim {
            "email" => caller.fact("email").text(),
            claim => caller.claim(&json!([claim])).text(),
        };
        let same: Same = if *claim == "email" {
            str::eq_ignore_ascii_case
        } else {
            |a, b| a == b
        };
        let all = if name == "events" {
            wanted.clone()
        } else {
            json!([wanted])
        };
        let fit = |one: &Value| {
            one.as_str()
                .is_none_or(|one| can_be(name, one))
                .then(|| one.clone())
        };
        let all: Vec<Value> = all
            .as_array()?
            .iter()
            .map(|one| fit(one).unwrap_or_default())
            .collect();
        any_of(&json!({"anyOf": all}), "anyOf", facts, same)
    });
    let owned = !whose || owner.iter().any(|name| says.get(name).is_some());
    every(said.chain([owned.then_some(true)]))
}

/// `KIND/NAME`; nothing if it cannot be read.
pub(crate) fn reference(named: &Value, kind: &'static str) -> Option<String> {
    let kind = named.get("kind").map_or(Some(kind), Value::as_str)?;
    let name = named.get("name")?.as_str()?;
    (!misspelt(named, &["kind", "name"])).then(|| format!("{kind}/{name}"))
}

/// 8, 9: what is missing is false for the anonymous, and unknown for whoever has a token.
fn missing(caller: Option<&Caller<'_>>) -> Truth {
    if caller.is_some() { None } else { Some(false) }
}

/// 4: lists inside a matcher: or; a member that cannot be read is an alternative that is unknown. What
/// the token does not settle is unknown.
fn any_of(entry: &Value, name: &str, facts: impl Fn() -> Option<Vec<String>>, same: Same) -> Truth {
    match part(entry, name) {
        Part::Absent => Some(true),
        Part::List(wanted) => {
            let facts = facts()?;
            let is = |one: &Value| {
                let one = one.as_str()?;
                Some(facts.iter().any(|fact| same(one, fact)))
            };
            some(wanted.iter().map(is))
        }
        Part::Unknown | Part::Other => None,
    }
}

/// 13: the domain of the address.
fn domain_of(caller: &Caller<'_>) -> Option<Vec<String>> {
    let address = caller.fact("email").text()?.pop()?;
    let (_, domain) = address.split_once('@')?;
    Some(vec![domain.to_owned()])
}
