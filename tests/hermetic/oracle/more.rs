//! What never widens when it is added beside the rest: something broken, and a demand.

use super::World;
use super::entries::require;
use super::pool::{HOST, NAMESPACE};
use super::rule::is_deny;
use super::scenes::resource;
use proptest::prelude::{Strategy, any};
use proptest::sample::Index;
use serde_json::{Value, json};

/// A place of a world, and what is put there.
#[derive(Debug, Clone)]
pub(crate) struct More {
    place: Index,
    at: Index,
    which: Index,
    demand: Value,
}

pub(crate) fn one() -> impl Strategy<Value = More> {
    let indices = (any::<Index>(), any::<Index>(), any::<Index>());
    (indices, require()).prop_map(|((place, at, which), demand)| More {
        place,
        at,
        which,
        demand,
    })
}

impl More {
    /// The world with a rule, an entry or a resource more that says nothing right; and where.
    pub(crate) fn broken(&self, world: &World) -> (World, String) {
        let mut world = world.clone();
        let lists = lists(&world);
        let place = self.place.index(lists.len().saturating_add(1));
        let Some((number, pointer)) = lists.get(place) else {
            let broken = resources();
            let broken = self.which.get(&broken).clone();
            let what = broken.to_string();
            world.resources.push(broken);
            return (world, what);
        };
        let broken = match pointer.rsplit('/').next() {
            Some("rules" | "boundary" | "deny") => rules(),
            Some("from" | "members") => entries(),
            _ => alternatives(),
        };
        let broken = self.which.get(&broken).clone();
        let what = format!("{broken} in {number}{pointer}");
        let list = world.resources[*number].pointer_mut(pointer);
        if let Some(list) = list.and_then(Value::as_array_mut) {
            list.insert(self.at.index(list.len().saturating_add(1)), broken);
        }
        (world, what)
    }

    /// The world where one Allow, or one rule of a boundary, asks more beside; and which.
    pub(crate) fn demanded(&self, world: &World) -> Option<(World, String)> {
        let mut world = world.clone();
        let rules = letting(&world);
        if rules.is_empty() {
            return None;
        }
        let (number, pointer) = self.place.get(&rules);
        let rule = world.resources[*number].pointer_mut(pointer)?;
        match rule.get_mut("require") {
            None => rule["require"] = self.demand.clone(),
            // What is asked already stays; `{}` asks what nobody can do, and would be mended.
            Some(asked) => {
                let asked = asked.as_object_mut().filter(|asked| !asked.is_empty())?;
                for (name, value) in self.demand.as_object()? {
                    asked.entry(name.clone()).or_insert(value.clone());
                }
            }
        }
        Some((world, format!("{} in {number}{pointer}", self.demand)))
    }
}

/// The lists of rules, entries and alternatives, as the resource's number and a JSON pointer.
fn lists(world: &World) -> Vec<(usize, String)> {
    let mut lists = Vec::new();
    for (number, one) in ours(world) {
        walk(number, "/spec", &one["spec"], &mut lists);
    }
    lists
}

fn walk(number: usize, at: &str, value: &Value, lists: &mut Vec<(usize, String)>) {
    const LISTS: [&str; 6] = ["boundary", "deny", "from", "members", "rules", "to"];
    for (name, member) in value.as_object().into_iter().flatten() {
        if !LISTS.contains(&name.as_str()) {
            continue;
        }
        let at = format!("{at}/{name}");
        let items = member.as_array().into_iter().flatten().enumerate();
        items.for_each(|(item, one)| walk(number, &format!("{at}/{item}"), one, lists));
        // A list with nothing in it is unknown, and of rules that denies: whatever is put into it says
        // something where nobody knew what was said, and so may deny less.
        if member.as_array().is_some_and(|items| !items.is_empty()) {
            lists.push((number, at));
        }
    }
}

/// Every rule that may let in.
fn letting(world: &World) -> Vec<(usize, String)> {
    let of_list = |(number, one): (usize, &Value), name: &str| {
        let rules = super::meaning::list(&one["spec"], name).iter().enumerate();
        let letting = rules.filter(|(_, rule)| rule.is_object() && !is_deny(rule));
        let places: Vec<_> = letting
            .map(|(place, _)| (number, format!("/spec/{name}/{place}")))
            .collect();
        places
    };
    let each = |one| [of_list(one, "rules"), of_list(one, "boundary")].concat();
    ours(world).flat_map(each).collect()
}

fn ours(world: &World) -> impl Iterator<Item = (usize, &Value)> {
    let all = world.resources.iter().enumerate();
    all.filter(|(_, one)| one["apiVersion"] == "countersign.dev/v1alpha1")
}

fn rules() -> Vec<Value> {
    let from = json!([{"anyone": true}]);
    let to = json!([{"paths": ["/**"]}]);
    let with = |name: &str, value: Value| {
        let mut rule = json!({"name": "broken", "from": from, "to": to});
        rule[name] = value;
        rule
    };
    let mut all = vec![json!(null), json!(7), json!("rule"), json!([]), json!({})];
    all.push(json!({"name": "broken", "from": from}));
    all.extend([
        with("from", json!(null)),
        with("from", json!([])),
        with("from", json!([null, {"anyone": false}])),
        with("from", json!({"anyone": true})),
        with("to", json!(null)),
        with("to", json!([])),
        with("to", json!([{}])),
        with("to", json!([{"paths": []}])),
        with("to", json!("/**")),
        with("ot", to.clone()),
        with("colour", json!("blue")),
        with("action", json!("allow")),
        with("acton", json!("Allow")),
        with("when", json!("caller.subject ==")),
        with("when", json!(null)),
        with("require", json!({})),
        with("require", json!(null)),
        with("expiresAt", json!(null)),
        with("expiresAt", json!("soon")),
    ]);
    all
}

fn entries() -> Vec<Value> {
    vec![
        json!(null),
        json!(7),
        json!("anyone"),
        json!([]),
        json!({}),
        json!({"anyone": null}),
        json!({"anyone": false}),
        json!({"anyone": true, "groups": ["staff"]}),
        json!({"providerRef": null}),
        json!({"providerRef": {"name": "nobody"}}),
        json!({"providerRef": {"name": "okta"}, "groups": null}),
        json!({"providerRef": {"name": "okta"}, "groups": []}),
        json!({"providerRef": {"name": "okta"}, "grousp": ["staff"]}),
        json!({"providerRef": {"name": "okta", "kind": "provider"}}),
        json!({"groups": ["staff"]}),
        json!({"roleRefs": []}),
        json!({"roleRefs": [{"name": "nobody"}]}),
        json!({"serviceAccounts": null}),
        json!({"colour": "blue"}),
    ]
}

fn alternatives() -> Vec<Value> {
    vec![
        json!(null),
        json!(7),
        json!("/**"),
        json!([]),
        json!({}),
        json!({"paths": null}),
        json!({"paths": []}),
        json!({"paths": ["a"]}),
        json!({"paths": ["/**"], "methods": []}),
        json!({"paths": ["/**"], "hosts": null}),
        json!({"paths": ["/**"], "mcp": {}}),
        json!({"paths": ["/**"], "colour": "blue"}),
        json!({"pahts": ["/**"]}),
        json!({"methods": ["get"]}),
        json!({"corsPreflight": false}),
    ]
}

/// Policies, guardrails and roles; none of them only observes.
fn resources() -> Vec<Value> {
    let rules = json!([{"name": "broken", "from": [{"anyone": true}], "to": [{"paths": ["/**"]}]}]);
    let policy = |spec| resource("AccessPolicy", Some(NAMESPACE), "broken", &spec);
    let guardrail = |spec| resource("ClusterAccessPolicy", None, "broken", &spec);
    let role = |spec| resource("AccessRole", Some(NAMESPACE), "broken", &spec);
    vec![
        policy(json!({})),
        policy(json!({"hosts": [HOST]})),
        policy(json!({"hosts": [HOST], "rules": null})),
        policy(json!({"hosts": [HOST], "rules": []})),
        policy(json!({"hosts": [HOST], "rules": [null]})),
        policy(json!({"hosts": [HOST], "rulse": rules})),
        policy(json!({"hosts": [HOST], "rules": rules, "colour": "blue"})),
        policy(json!({"hosts": [HOST], "audiences": null, "rules": {}})),
        policy(json!({"hosts": null, "rules": rules})),
        policy(json!({"hosts": [], "rules": rules})),
        policy(json!({"targetRefs": [null], "rules": rules})),
        policy(json!({"rules": rules})),
        guardrail(json!({})),
        guardrail(json!({"namespaceSelector": null, "boundary": rules})),
        guardrail(json!({"namespaceSelector": {}, "boundary": []})),
        guardrail(json!({"namespaceSelector": {}, "boundary": null})),
        guardrail(json!({"namespaceSelector": {}, "deny": null})),
        guardrail(json!({"namespaceSelector": {}, "colour": "blue"})),
        role(json!({})),
        role(json!({"members": []})),
        role(json!({"members": [null]})),
    ]
}
