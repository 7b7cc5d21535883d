//! Plays scenes on the real path: compiled, signed, verified, decided; and tells of one as YAML.

use super::pool::{HOST, NAMESPACE, PROVIDERS};
use super::{Answer, Asked, World};
use countersign_policy::Compilation;
use http::{HeaderMap, HeaderValue, Method, Uri};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::sync::LazyLock;
use tests::cast::{Cast, Order};
use tests::trial::{self, NOW, Outcome, Trial};

/// Every provider plays, also where a world lacks its resource.
static CAST: LazyLock<Cast> = LazyLock::new(|| {
    let mut all: Vec<Value> = PROVIDERS[..4].iter().copied().map(provider).collect();
    Cast::of(&mut all)
});

/// A provider's resource. It says all that it means, so that the oracle needs no presets.
pub(crate) fn provider(id: &str) -> Value {
    let (kind, name) = id.split_once('/').unwrap_or_default();
    let namespace = (kind == "TrustProvider").then_some(NAMESPACE);
    let issuer = format!("https://{name}.example.com");
    let mut spec = json!({
        "type": "OIDC", "issuer": issuer, "algorithms": ["EdDSA"], "tokenTypes": ["AccessToken"],
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
        "kubernetes" => {
            spec["type"] = json!("Kubernetes");
            spec.as_object_mut()
                .expect("an object")
                .remove("tokenTypes");
        }
        "own" => spec["revocations"] = json!([{"sub": "bo"}]),
        _ => {}
    }
    super::scenes::resource(kind, namespace, name, &spec)
}

/// What the real path makes of a world.
pub(crate) fn compiled(world: &World) -> Compilation {
    let mut resources = world.resources.clone();
    Cast::of(&mut resources);
    trial::compiled(&resources)
}

/// The edge in front of the application, with what a world means in force.
pub(crate) fn trial(compilation: &Compilation) -> Trial {
    Trial::from(compilation, NAMESPACE, &format!("Host/{HOST}"))
}

/// Sends a request.
pub(crate) fn ask(trial: &Trial, asked: &Asked) -> Outcome {
    let method: Method = asked.method.parse().expect("a method");
    let uri: Uri = url(asked).parse().expect("a URL");
    let mut headers = HeaderMap::new();
    if let Some(token) = &asked.token {
        let (_, name) = token.provider.split_once('/').unwrap_or_default();
        let mut order = Order {
            by: name.to_owned(),
            claims: token.claims.as_object().cloned().unwrap_or_default(),
            ..Order::default()
        };
        if name == "kubernetes" {
            order.header = Map::from_iter([("typ".to_owned(), Value::Null)]);
        }
        let value = format!("Bearer {}", CAST.token(&order, HOST, NOW));
        headers.insert(
            "authorization",
            HeaderValue::from_str(&value).expect("a token"),
        );
    }
    trial.decide(&method, &uri, &headers)
}

/// What an outcome comes to; `Err` for what no scene may come to.
pub(crate) fn answer(outcome: &Outcome) -> Result<Answer, String> {
    match outcome.status {
        200 => Ok(Answer::Allowed),
        401 => Ok(Answer::Unauthenticated),
        403 => Ok(Answer::Forbidden),
        status => Err(format!("{status} {}", outcome.reason)),
    }
}

/// A request and its world, to be read by a person and put into a file of cases.
pub(crate) fn told(world: &World, asked: &Asked) -> String {
    let mut text = format!("request: {} {}\n", asked.method, url(asked));
    if let Some(token) = &asked.token {
        let _ = writeln!(text, "token by {}: {}", token.provider, token.claims);
    }
    text + &yaml(world)
}

/// A world as manifests.
pub(crate) fn yaml(world: &World) -> String {
    let mut text = String::new();
    for resource in &world.resources {
        text.push_str("---\n");
        text.push_str(&serde_saphyr::to_string(resource).expect("it can be written"));
    }
    text
}

fn url(asked: &Asked) -> String {
    format!("https://{}{}", asked.host, asked.path)
}
