//! What people and templates do to manifests: other orders, and mistakes in any part that restricts.

use super::World;
use super::pool::AUDIENCES;
use proptest::prelude::{Strategy, any};
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

/// A mistake at some place of a world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mistake {
    place: Index,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A template's value that was not set.
    Null,
    /// The same, of a list or a text.
    Empty,
    /// Two letters in the wrong order.
    Misspelt,
    /// A field that nobody knows, beside it.
    Beside,
    /// A value of another type.
    Other,
    /// A line that is left out.
    Gone,
}

/// What may be left out and says less then: not to restrict is no mistake that can be seen. Whatever else
/// is left out takes access away, if it changes anything.
const OPTIONAL: [&str; 52] = [
    // of a policy
    "action",
    "audiences",
    "boundary",
    "deny",
    "description",
    "expiresAt",
    "login",
    "mode",
    "require",
    "to",
    "when",
    // of an entry of `from`
    "actors",
    "claims",
    "clients",
    "emailDomains",
    "emails",
    "groups",
    "subjects",
    "workloads",
    "kind",
    // of a workload
    "environment",
    "events",
    "ref",
    "repository",
    "repositoryID",
    "serviceAccount",
    "uniqueID",
    "workflow",
    // of an entry of `to`
    "corsPreflight",
    "hosts",
    "mcp",
    "methods",
    "paths",
    "sectionName",
    "tools",
    // of a demand
    "acrValues",
    "amr",
    "maxAuthAge",
    "proofOfPossession",
    "scopes",
    // of a provider; what else it does not say, its type says
    "actor",
    "algorithms",
    "clockSkew",
    "email",
    "issuer",
    "maxLifetime",
    "tokenTypes",
    "verifiedBy",
    "client",
    "domain",
    "revocations",
    "tenants",
];

const KINDS: [Kind; 6] = [
    Kind::Null,
    Kind::Empty,
    Kind::Misspelt,
    Kind::Beside,
    Kind::Other,
    Kind::Gone,
];

/// A member of an object: the resource, a JSON pointer to the object, the member's name.
#[derive(Debug, Clone)]
struct Place {
    resource: usize,
    object: String,
    name: String,
}

/// One mistake, anywhere.
pub(crate) fn one() -> impl Strategy<Value = Mistake> {
    (any::<Index>(), select(&KINDS[..])).prop_map(|(place, kind)| Mistake { place, kind })
}

impl Mistake {
    /// The world with the mistake, and what it is.
    pub(crate) fn made(self, world: &World) -> (World, String) {
        let places = places(world);
        made(world, self.place.get(&places), self.kind)
    }
}

/// The world with each mistake that can be made in it, and what it is.
pub(crate) fn all(world: &World) -> impl Iterator<Item = (World, String)> {
    those(world, |_| true)
}

/// The same, in some of its resources.
pub(crate) fn those(
    world: &World,
    which: impl Fn(&Value) -> bool,
) -> impl Iterator<Item = (World, String)> {
    let kinds = |place| KINDS.into_iter().map(move |kind| (place, kind));
    let mut places = places(world);
    places.retain(|place| which(&world.resources[place.resource]));
    let all: Vec<_> = places
        .iter()
        .flat_map(kinds)
        .map(|(at, kind)| made(world, at, kind))
        .collect();
    all.into_iter()
}

fn made(world: &World, place: &Place, kind: Kind) -> (World, String) {
    let mut world = world.clone();
    let what = format!("{kind:?} at {}/{}", place.object, place.name);
    let object = world.resources[place.resource].pointer_mut(&place.object);
    if let Some(object) = object.and_then(Value::as_object_mut) {
        spoil(object, place, kind);
    }
    (world, what)
}

fn spoil(object: &mut Map<String, Value>, place: &Place, kind: Kind) {
    // The keys of a map are the user's own words: another word is no mistake that can be seen.
    let free = place.object.ends_with("/matchLabels");
    let Some(value) = object.get_mut(&place.name) else {
        return;
    };
    match (kind, &*value) {
        (Kind::Null, _) => *value = Value::Null,
        (Kind::Empty, Value::Array(_)) => *value = json!([]),
        (Kind::Empty, Value::String(_)) if !free => *value = json!(""),
        (Kind::Other, _) => *value = json!(7),
        (Kind::Misspelt, _) if !free => {
            let value = value.take();
            object.remove(&place.name);
            object.insert(misspelt(&place.name), value);
        }
        (Kind::Gone, _) if !free && !is_optional(place) => drop(object.remove(&place.name)),
        (Kind::Beside, _) if !free => drop(object.insert("colour".to_owned(), json!(["blue"]))),
        _ => {}
    }
}

fn is_optional(place: &Place) -> bool {
    // The hosts of a policy are its target.
    let target = place.object == "/spec" && place.name == "hosts";
    // Where a claim of a provider is, its type says too.
    let claim = place.object.starts_with("/spec/claims/") && place.name == "path";
    (OPTIONAL.contains(&&*place.name) || claim) && !target
}

/// `groups` is `grousp`, `to` is `ot`.
fn misspelt(name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let last = letters.len().saturating_sub(1);
    letters.swap(last.saturating_sub(1), last);
    letters.into_iter().collect()
}

/// Every member of every spec.
fn places(world: &World) -> Vec<Place> {
    let mut places = Vec::new();
    for (resource, value) in world.resources.iter().enumerate() {
        // What others define is theirs.
        if value["apiVersion"] == "countersign.dev/v1alpha1" {
            walk(resource, "/spec", &value["spec"], &mut places);
        }
    }
    places
}

fn walk(resource: usize, at: &str, value: &Value, places: &mut Vec<Place>) {
    match value {
        Value::Object(members) => {
            let whole = |(name, member): &(&String, &Value)| {
                !is_mistake(name) && !is_an_audience(at, name, member)
            };
            for (name, member) in members.iter().filter(whole) {
                let object = at.to_owned();
                places.push(Place {
                    resource,
                    object,
                    name: name.clone(),
                });
                let name = name.replace('~', "~0").replace('/', "~1");
                walk(resource, &format!("{at}/{name}"), member, places);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                walk(resource, &format!("{at}/{number}"), item, places);
            }
        }
        _ => {}
    }
}

/// Fields that the scenes have misspelt already. What nobody reads can be told by its value alone
/// (`effect: DENY`): a second mistake there may lose what the first one left.
fn is_mistake(name: &str) -> bool {
    ["acton", "colour", "effect", "rulse"].contains(&name)
        || name.starts_with('x')
        || name.ends_with('z')
}

/// A client whose id somebody took for an audience: that is refused as long as the id can be read, and
/// where it cannot, nobody knows that it is one.
fn is_an_audience(at: &str, name: &str, member: &Value) -> bool {
    let id = member["id"].as_str().unwrap_or_default();
    at == "/spec" && name == "client" && AUDIENCES.contains(&id)
}

/// Puts lists into another order, where order means nothing.
#[derive(Debug)]
pub(crate) struct Shuffle(u64);

impl Shuffle {
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// The same world: the manifests in another order, and each list in them.
    pub(crate) fn world(&mut self, world: &World) -> World {
        let mut resources = world.resources.clone();
        self.list(&mut resources);
        for resource in &mut resources {
            // Of the rules of a route the first of several that are alike takes a request.
            if resource["apiVersion"] == "countersign.dev/v1alpha1" {
                self.lists(&mut resource["spec"]);
            }
        }
        World {
            resources,
            edge: world.edge.clone(),
        }
    }

    fn lists(&mut self, value: &mut Value) {
        match value {
            Value::Array(items) => {
                self.list(items);
                for item in items {
                    self.lists(item);
                }
            }
            // A claim's path is the one list whose order is its meaning.
            Value::Object(members) => {
                let members = members.iter_mut().filter(|(name, _)| *name != "path");
                members.for_each(|(_, member)| self.lists(member));
            }
            _ => {}
        }
    }

    fn list<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            // xorshift64: any order will do.
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let other =
                usize::try_from(self.0 % 1_000_003).unwrap_or_default() % end.saturating_add(1);
            items.swap(end, other);
        }
    }
}
