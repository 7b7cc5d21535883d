//! Plays scenes on the real path: compiled, signed, verified, decided; and tells of one as YAML.

use super::pool::{BEFORE, CLIENTS, EARLIER, HOST, LATER, NAMESPACE, PROVIDERS, issuer};
use super::token::thumbprint;
use super::{Answer, Asked, Token, World, sessions};
use countersign_policy::Compilation;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::sync::LazyLock;
use tests::cast::{Cast, Order};
use tests::trial::{self, NOW, Outcome, Sent, Trial};

/// Every provider plays, also where a world lacks its resource.
static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let mut all: Vec<Value> = PROVIDERS.iter().copied().map(provider).collect();
    for one in &mut all {
        if let Some(spec) = one["spec"].as_object_mut() {
            spec.remove("keys");
        }
    }
    Cast::of(&mut all)
});

/// A provider's resource.
pub(crate) fn provider(id: &str) -> Value {
    let (kind, name) = id.split_once('/').unwrap_or_default();
    let namespace = (kind == "TrustProvider").then_some(NAMESPACE);
    let mut spec = json!({
        "type": "OIDC", "issuer": issuer(name), "algorithms": ["EdDSA"],
        "claims": {
            "groups": {"path": ["groups"], "whenAbsent": "Unknown"},
            "email": {"path": ["email"], "verifiedBy": {"path": ["email_verified"]}},
            "client": {"path": ["azp"]},
            "actor": {"path": ["act", "sub"]},
        },
    });
    match name {
        "entra" => {
            spec["claims"]["groups"]["whenAbsent"] = json!("Empty");
            spec["claims"]["email"]["domain"] = json!({"path": ["hd"]});
        }
        "google" => spec = json!({"type": "Google", "algorithms": ["EdDSA"]}),
        "github" => spec = json!({"type": "GitHubActions", "algorithms": ["EdDSA"]}),
        "azure" => {
            spec = json!({"type": "Entra", "issuer": issuer(name), "algorithms": ["EdDSA"], "tenants": [TENANT]});
        }
        "kubernetes" => {
            spec = json!({"type": "Kubernetes", "issuer": issuer(name), "algorithms": ["EdDSA"]});
        }
        "own" => {
            spec["revocations"] = json!([
                {"sub": "bo"}, {"sid": "session-1", "issuedBefore": BEFORE}, {"sid": "session-2", "issuedBefore": LATER},
                {"jti": "id-1", "until": EARLIER}, {"jti": "id-2", "until": LATER},
            ]);
        }
        "keyless" => {
            spec = json!({"type": "OIDC", "issuer": issuer(name), "algorithms": ["EdDSA"]});
        }
        _ => {}
    }
    if !["github", "kubernetes"].contains(&name) {
        spec["client"] = json!({"id": CLIENTS[0]});
    }
    if name != "keyless" {
        spec["keys"] = json!({"inline": tests::issuer::Issuer::ed25519(name).jwks()});
    }
    if name == "entra" {
        let key = thumbprint(&spec["keys"]["inline"]["keys"][0]);
        spec["revocations"] = json!([{"key": key, "issuedBefore": BEFORE}]);
    }
    super::scenes::resource(kind, namespace, name, &spec)
}

/// A customer of an issuer that serves many.
const TENANT: &str = "0b5c3c1e-0000-4000-8000-000000000001";

/// What the real path makes of a world.
pub(crate) fn compiled(world: &World) -> Compilation {
    trial::compiled(&world.resources)
}

/// The same, of what may be unreadable.
#[cfg(test)]
pub(crate) fn readable(world: &World) -> Option<Compilation> {
    let resources = countersign_policy::Resources::read(&world.resources).ok()?;
    Some(countersign_policy::compile(
        &resources,
        &std::collections::BTreeMap::new(),
    ))
}

/// The edge in front of the application, with what a world means in force.
pub(crate) fn trial(world: &World, compilation: &Compilation) -> Trial {
    match &world.edge {
        Some(target) => Trial::from(compilation, NAMESPACE, target),
        None => Trial::by_host(compilation, NAMESPACE),
    }
}

/// Sends a request.
pub(crate) fn ask(trial: &Trial, asked: &Asked) -> Outcome {
    let method: Method = asked.method.parse().expect("a method");
    let uri: Uri = url(asked).parse().expect("a URL");
    let mut headers = HeaderMap::new();
    let text = |value: &str| HeaderValue::from_str(value).expect("a header's value");
    for (name, value) in &asked.headers {
        headers.append(
            name.parse::<HeaderName>().expect("a header's name"),
            text(value),
        );
    }
    if let Some(token) = &asked.token {
        let (name, value) = match token.header {
            Some(own) => (own, signed(token)),
            None => ("authorization", format!("Bearer {}", signed(token))),
        };
        headers.append(name, text(&value));
    }
    let source = asked
        .source
        .as_ref()
        .map(|one| one.parse().expect("an address"));
    // Sessions are played where the edge is pinned to their application.
    let session = asked.session.as_ref().zip(trial.place());
    let session = session.map(|(one, (_, application))| sessions::made(one, application.as_str()));
    trial.answer(&Sent {
        method: &method,
        uri: &uri,
        headers: &headers,
        source,
        session: session.as_ref(),
        body: asked.body.as_deref().map(str::as_bytes),
    })
}

pub(crate) fn signed(token: &Token) -> String {
    let without = ["iss", "sub", "aud", "exp", "iat"].into_iter();
    let order = Order {
        by: token.key.clone(),
        header: Map::from_iter([("typ".to_owned(), json!(token.typ))]),
        claims: token.claims.as_object().cloned().unwrap_or_default(),
        without: without
            .filter(|name| token.claims.get(name).is_none())
            .map(str::to_owned)
            .collect(),
        ..Order::default()
    };
    CAST.token(&order, HOST, NOW)
}

/// Whether the edge answers as the oracle does: the reason, and rules that decided.
pub(crate) fn is_same(expected: &Answer, outcome: &Outcome) -> bool {
    // A rule without a name is named by its place.
    let name = |rule: &String| {
        let place = rule.rsplit_once('#');
        place.map_or_else(|| rule.clone(), |(policy, _)| policy.to_owned())
    };
    let named = outcome
        .rules
        .iter()
        .all(|rule| expected.rules.contains(&name(rule)));
    let some = expected.rules.is_empty() == outcome.rules.is_empty();
    let decided = !["Allowed", "DeniedByRule"].contains(&expected.reason) || (named && some);
    let would = outcome.would.as_ref().map(|would| &*would.reason);
    let answered = outcome.reason == expected.reason && outcome.login == expected.login;
    answered && decided && would == expected.would
}

/// A request and its world, to be read by a person and put into a file of cases.
pub(crate) fn told(world: &World, asked: &Asked) -> String {
    let mut text = format!("request: {} {}\n", asked.method, url(asked));
    let (headers, body, source) = (&asked.headers, &asked.body, &asked.source);
    let _ = writeln!(
        text,
        "headers: {headers:?}, body: {body:?}, source: {source:?}, edge: {:?}",
        world.edge
    );
    if let Some(token) = &asked.token {
        let _ = writeln!(
            text,
            "token by {} ({:?}, {:?}): {}",
            token.key, token.typ, token.header, token.claims
        );
    }
    if let Some(session) = &asked.session {
        let _ = writeln!(text, "{session:?}");
    }
    // Providers are the same everywhere.
    let (providers, others): (Vec<_>, _) = world.resources.iter().cloned().partition(|one| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let [kind, name] = [&one["kind"], &one["metadata"]["name"]].map(text);
        *one == provider(&format!("{kind}/{name}"))
    });
    let names: Vec<_> = providers
        .iter()
        .map(|one| one["metadata"]["name"].as_str())
        .collect();
    let _ = writeln!(text, "providers: {names:?}");
    text + &written(&others)
}

/// A world as manifests.
#[cfg(test)]
pub(crate) fn yaml(world: &World) -> String {
    written(&world.resources)
}

fn written(resources: &[Value]) -> String {
    let mut text = String::new();
    for resource in resources {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(resource).expect("it can be written"));
    }
    text
}

fn url(asked: &Asked) -> String {
    format!("https://{}{}", asked.host, asked.path)
}
