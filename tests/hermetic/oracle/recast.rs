//! Scenes whose providers are of other types, in rules and tokens alike, with what is wrong with providers.

use super::entries::workload;
use super::faults::{Change, changes};
use super::pool::{BEFORE, NAMESPACE, PROVIDERS, issuer};
use super::scenes::resource;
use super::shapes::{Bearer, SHAPES, Shapes, bearer};
use super::token::thumbprint;
use super::{Asked, World, callers, scenes};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use tests::issuer::Issuer;

/// A scene in which `okta` is a provider of any type, and sometimes two others are too.
pub(crate) fn scene(requests: usize) -> impl Strategy<Value = (World, Vec<Asked>)> {
    let parts = vec((any::<Index>(), changes(), vec(said(), 5)), 3).boxed();
    let asked = vec((callers::asked(), bearer()).boxed(), requests);
    let world = scenes::world().boxed();
    let others = (
        weighted(0.5, select(vec![()])),
        weighted(0.3, select(vec![()])),
    );
    let rival = weighted(0.15, select(RIVALS.to_vec()));
    (world, parts, others, rival, asked).prop_map(
        |(mut world, parts, (second, third), rival, asked)| {
            let played = [true, second.is_some(), third.is_some()];
            let ids = [PROVIDERS[0], PROVIDERS[1], PROVIDERS[3]];
            let parts = ids.into_iter().zip(parts).zip(played);
            let parts = parts
                .filter(|(_, plays)| *plays)
                .map(|((id, part), _)| Part {
                    id,
                    shapes: part.0.get(&SHAPES),
                    changes: part.1,
                    workloads: part.2,
                });
            let parts: Vec<Part> = parts.collect();
            for part in &parts {
                part.play(&mut world);
            }
            if let (Some(rival), Some(first)) = (rival, parts.first()) {
                world.resources.push(first.rival(rival));
            }
            let asked = asked
                .into_iter()
                .map(|(asked, bearer)| recast(&parts, asked, &bearer));
            (world, asked.collect())
        },
    )
}

/// The request with a token in the shape of its provider's.
fn recast(parts: &[Part], mut asked: Asked, bearer: &Bearer) -> Asked {
    // Logins are played elsewhere, at providers as they are there.
    asked.session = None;
    if let Some(token) = &asked.token {
        let mut own = parts.iter();
        let own = own.find(|part| token.claims["iss"] == issuer(part.name()));
        if let Some(part) = own {
            let mut token = bearer.shaped(token, part.shapes);
            // By another of its names.
            let name = part.other_name().filter(|_| bearer.keeps);
            if let (Some(name), true) = (name, token.claims["iss"].is_string()) {
                token.claims["iss"] = name;
            }
            asked.token = Some(token);
        }
    }
    asked
}

/// What a provider of the scene plays.
struct Part {
    id: &'static str,
    shapes: &'static Shapes,
    changes: Vec<Change>,
    workloads: Vec<Option<Value>>,
}

impl Part {
    fn name(&self) -> &'static str {
        self.id.split_once('/').map_or("", |(_, name)| name)
    }

    /// Gives the provider, where it is there, its type; and rules workloads that it can speak for.
    fn play(&self, world: &mut World) {
        let mut workloads = self.workloads.iter().cycle();
        for one in &mut world.resources {
            let kind = one["kind"].as_str().unwrap_or_default();
            if kind.ends_with("TrustProvider") && one["metadata"]["name"] == self.name() {
                one["spec"] = self.spec();
            } else if one["apiVersion"] == "countersign.dev/v1alpha1" {
                entries(&mut one["spec"], self.name(), &mut || {
                    workloads
                        .next()
                        .cloned()
                        .flatten()
                        .map(|one| self.apt(&one))
                });
            }
        }
    }

    /// The issuer that it says in place of its own, or the first of its other names.
    fn other_name(&self) -> Option<Value> {
        let said = self.changes.iter().find_map(|(name, value)| match *name {
            "issuer" => value.clone(),
            "issuerAliases" => value.as_ref().map(|all| all[0].clone()),
            _ => None,
        });
        said.filter(Value::is_string)
    }

    fn spec(&self) -> Value {
        let mut spec = self.shapes.provider.clone();
        let keys = Issuer::ed25519(self.name()).jwks();
        spec["algorithms"] = json!(["EdDSA"]);
        for (name, value) in &self.changes {
            let own = thumbprint(&keys["keys"][0]);
            match value {
                None => drop(spec.as_object_mut().and_then(|all| all.remove(*name))),
                Some(value) if *value == "own key" => {
                    spec[*name] = json!([{"key": own, "issuedBefore": BEFORE}, {"key": own, "until": BEFORE}]);
                }
                Some(value) if *value == "own key for ever" => spec[*name] = json!([{"key": own}]),
                Some(value) => spec[*name] = value.clone(),
            }
        }
        if self.changes.iter().all(|(name, _)| *name != "keys") {
            spec["keys"] = json!({"inline": keys});
        }
        spec
    }

    /// Mostly the workload of which the provider has tokens.
    fn apt(&self, said: &Value) -> Value {
        let provider = &self.shapes.provider;
        let subject = &self.shapes.tokens[0]["claims"]["sub"];
        let is = |name: &str| provider["type"] == name && *said == "apt";
        match () {
            () if is("SPIFFE") => json!([{"spiffe": {"id": subject}}]),
            () if is("OIDC") => json!([{"aws": {"roleARN": subject}}]),
            () if is("GitHubActions") => json!([{"github": {"repository": "example/platform"}}]),
            () if is("Google") => json!([{"google": {"uniqueID": "1084"}}]),
            () if *said == "apt" => json!([{"spiffe": {"id": "spiffe://example.org/other"}}]),
            () => said.clone(),
        }
    }

    /// Another provider that claims to be the same issuer, or would like to.
    fn rival(&self, rival: Rival) -> Value {
        let spec = self.spec();
        let issuer = self.shapes.tokens[0]["claims"]["iss"].clone();
        let mut other = json!({"type": "OIDC", "issuer": issuer, "algorithms": ["EdDSA"]});
        let (kind, namespace) = match rival {
            Rival::Cluster | Rival::Alias | Rival::Broken => ("ClusterTrustProvider", None),
            Rival::Namespace => ("TrustProvider", Some(NAMESPACE)),
            Rival::Elsewhere => ("TrustProvider", Some("ops")),
        };
        if rival == Rival::Alias {
            other["issuer"] = json!("https://rival.example.com");
            let aliases = [
                &issuer,
                &spec["issuer"],
                &json!("https://alias.example.com"),
            ];
            let texts: Vec<&Value> = aliases.into_iter().filter(|one| one.is_string()).collect();
            other["issuerAliases"] = json!(texts);
        }
        if rival == Rival::Broken {
            other["algorithms"] = json!(["none"]);
            other["tenants"] = json!(null);
        }
        resource(kind, namespace, "rival", &other)
    }
}

/// Who would be the same issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rival {
    Cluster,
    Alias,
    /// One that is wrong by itself.
    Broken,
    Namespace,
    Elsewhere,
}

const RIVALS: [Rival; 5] = [
    Rival::Cluster,
    Rival::Alias,
    Rival::Broken,
    Rival::Namespace,
    Rival::Elsewhere,
];

/// Each entry that names the provider perhaps says workloads.
fn entries(value: &mut Value, name: &str, said: &mut impl FnMut() -> Option<Value>) {
    if value["providerRef"]["name"] == name
        && let Some(workloads) = said()
    {
        value["workloads"] = workloads;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| entries(item, name, said)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|one| entries(one, name, said)),
        _ => {}
    }
}

/// Workloads that an entry says, if any.
fn said() -> impl Strategy<Value = Option<Value>> {
    let apt = select(vec![json!("apt")]);
    let odd = select(vec![
        json!(null),
        json!([{"aws": {"roleARN": "arn:aws:iam::123456789012:role/*"}}]),
        json!([{"aws": {"roleARN": null}}, {"spiffe": {"id": "spiffe://example.org"}}]),
        json!([{"aws": {}}]),
        json!([{"aws": {"role": "checkout"}}]),
        json!([{"spiffe": {"id": ""}}]),
        json!([{"spiffe": {"id": "spiffe://example.org/a"}, "aws": {"roleARN": "arn:aws:iam::123456789012:role/a"}}]),
    ]);
    let other = vec(workload(), 1..3).prop_map(Value::Array);
    weighted(0.2, prop_oneof![4 => apt, 1 => odd, 1 => other])
}
