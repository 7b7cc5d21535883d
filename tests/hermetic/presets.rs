//! `vectors/tokens/*.yaml`: tokens as each type of provider issues them, taken and refused rightly.

use http::{HeaderMap, HeaderName, Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use tests::files;
use tests::issuer::Issuer;
use tests::trial::{NOW, Trial};

const AUDIENCE: &str = "https://orders.example.com";

/// The claims that every token must have.
const REQUIRED: [&str; 5] = ["iss", "sub", "aud", "exp", "iat"];

/// A file; its form is described in `vectors/tokens/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shapes {
    source: String,
    provider: Value,
    algorithm: String,
    /// The type that is taken where the provider says none.
    taken: String,
    #[serde(default)]
    audience: Option<String>,
    /// The header that carries the token.
    #[serde(default)]
    header: Option<String>,
    /// Of an issuer that serves everybody: whom the rule means.
    #[serde(default)]
    whom: Map<String, Value>,
    tokens: Vec<Shape>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    title: String,
    /// The one type that it shows.
    #[serde(default)]
    is: Option<String>,
    /// Whether an actor uses it, for whom a rule that does not name him is not meant.
    #[serde(default)]
    actor: bool,
    /// Why it is refused, whatever type is taken.
    #[serde(default)]
    refused: Option<String>,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// What a rule can say of it.
    #[serde(default)]
    facts: Map<String, Value>,
    /// What a rule can say, and does not hold of it.
    #[serde(default)]
    nothing: Map<String, Value>,
}

/// A file at work: its provider's issuer, and what was otherwise than it says.
struct Desk<'f> {
    name: &'f str,
    shapes: &'f Shapes,
    issuer: Issuer,
    wrong: Vec<String>,
}

#[test]
fn tokens_are_taken_and_refused_as_each_provider_issues_them() {
    let folder = files::root().join("tests/vectors/tokens");
    let mut presets = BTreeSet::new();
    let (mut tokens, mut wrong) = (0, Vec::new());
    for (name, shapes) in read(&folder) {
        assert!(shapes.source.starts_with("https://"), "{name}");
        let preset = shapes.provider["type"].as_str().expect("a type");
        presets.insert(preset.to_owned());
        tokens += shapes.tokens.len();
        wrong.extend(Desk::new(&name, &shapes).play());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: BTreeSet<String> = countersign_policy::preset::Preset::ALL
        .iter()
        .map(|preset| preset.name.to_owned())
        .collect();
    assert_eq!(presets, all, "a type of provider without tokens");
    assert!(tokens > 25, "only {tokens} tokens");
}

fn read(folder: &Path) -> BTreeMap<String, Shapes> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let text = fs::read_to_string(&path).expect("the file can be read");
            let shapes = serde_saphyr::from_str(&text);
            let shapes = shapes.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.file_stem().and_then(|stem| stem.to_str());
            all.insert(name.unwrap_or_default().to_owned(), shapes);
        }
    }
    all
}

impl Shape {
    /// What becomes of it where that type is taken.
    fn answer(&self, taken: &str) -> String {
        match (&self.refused, &self.is) {
            (Some(reason), _) => reason.clone(),
            (None, Some(is)) if is == taken && self.actor => "NoRuleMatched".to_owned(),
            (None, Some(is)) if is == taken => "Allowed".to_owned(),
            (None, _) => "WrongTokenType".to_owned(),
        }
    }
}

impl<'f> Desk<'f> {
    fn new(name: &'f str, shapes: &'f Shapes) -> Self {
        let issuer = match shapes.algorithm.as_str() {
            "RS256" => Issuer::rsa(name),
            "ES256" => Issuer::p256(name),
            other => panic!("{name}: {other}"),
        };
        let wrong = Vec::new();
        Self {
            name,
            shapes,
            issuer,
            wrong,
        }
    }

    fn play(mut self) -> Vec<String> {
        let shapes = self.shapes;
        let types: BTreeSet<&str> = shapes
            .tokens
            .iter()
            .filter_map(|t| t.is.as_deref())
            .collect();
        let plain = self.trial(None, &self.whom());
        for shape in &shapes.tokens {
            self.expect(
                &plain,
                shape,
                &shape.claims,
                "by default",
                &shape.answer(&shapes.taken),
            );
        }
        for taken in types {
            let trial = self.trial(Some(taken), &self.whom());
            for shape in &shapes.tokens {
                self.expect(&trial, shape, &shape.claims, taken, &shape.answer(taken));
            }
        }
        for shape in shapes.tokens.iter().filter(|shape| shape.is.is_some()) {
            self.claims_are_required(&plain, shape);
            self.facts(shape);
        }
        self.wrong
    }

    /// Without a claim that every token has, and living longer than any of its provider's.
    fn claims_are_required(&mut self, trial: &Trial, shape: &Shape) {
        if shape.is.as_ref() != Some(&self.shapes.taken) {
            return;
        }
        for name in REQUIRED {
            let mut claims = shape.claims.clone();
            claims.remove(name);
            self.expect(
                trial,
                shape,
                &claims,
                &format!("without {name}"),
                "MissingClaim",
            );
        }
        let mut claims = shape.claims.clone();
        claims.insert("exp".to_owned(), json!(NOW.0 + 86_400));
        self.expect(
            trial,
            shape,
            &claims,
            "for a day and a minute",
            "LifetimeTooLong",
        );
    }

    /// What a rule says of a token lets it in, and what it says of another does not.
    fn facts(&mut self, shape: &Shape) {
        let is = shape.is.as_deref().unwrap_or_default();
        for (name, value) in &shape.facts {
            self.fact(shape, is, (name, value), "Allowed");
            let lacking = if name == "scopes" {
                "InsufficientScope"
            } else {
                "NoRuleMatched"
            };
            for other in others(value) {
                self.fact(shape, is, (name, &other), lacking);
            }
        }
        for (name, value) in &shape.nothing {
            self.fact(shape, is, (name, value), "NoRuleMatched");
        }
    }

    fn fact(&mut self, shape: &Shape, is: &str, (name, value): (&str, &Value), expected: &str) {
        let mut rule = self.whom();
        let entry = &mut rule["from"][0];
        match name {
            "scopes" => rule["require"] = json!({"scopes": [value]}),
            "serviceAccounts" => *entry = json!({"serviceAccounts": [value]}),
            "claims" => entry[name] = json!([{"path": value["path"], "anyOf": [value["value"]]}]),
            _ => entry[name] = json!([value]),
        }
        let trial = self.trial(Some(is), &rule);
        self.expect(
            &trial,
            shape,
            &shape.claims,
            &format!("{name}: {value}"),
            expected,
        );
    }

    /// The rule that lets in whoever has a token of the provider.
    fn whom(&self) -> Value {
        let mut entry = self.shapes.whom.clone();
        entry.insert("providerRef".to_owned(), json!({"name": self.name}));
        json!({"name": "who", "from": [entry]})
    }

    fn trial(&self, taken: Option<&str>, rule: &Value) -> Trial {
        let mut spec = self.shapes.provider.clone();
        spec["keys"] = json!({"inline": self.issuer.jwks()});
        // that of workloads cannot be asked for: who issues one issues no other
        if let Some(taken) = taken.filter(|taken| *taken != "WorkloadToken") {
            spec["tokenTypes"] = json!([taken]);
        }
        let audience = self.audience();
        let resources = [
            json!({
                "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterTrustProvider",
                "metadata": {"name": self.name}, "spec": spec,
            }),
            json!({
                "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
                "metadata": {"name": "orders", "namespace": "shop"},
                "spec": {"hosts": ["orders.example.com"], "audiences": [audience], "rules": [rule]},
            }),
        ];
        Trial::of(&resources, "shop", "Host/orders.example.com")
    }

    fn audience(&self) -> &str {
        self.shapes.audience.as_deref().unwrap_or(AUDIENCE)
    }

    fn expect(
        &mut self,
        trial: &Trial,
        shape: &Shape,
        claims: &Map<String, Value>,
        how: &str,
        expected: &str,
    ) {
        let mut header = shape.header.clone();
        header.insert("alg".to_owned(), self.issuer.algorithm().into());
        header.insert("kid".to_owned(), self.name.into());
        let claims: Map<String, Value> = claims
            .iter()
            .map(|(name, value)| {
                (
                    name.clone(),
                    tests::cast::at(value, NOW).unwrap_or_else(|| value.clone()),
                )
            })
            .collect();
        let [header, claims] = [header, claims].map(|part| Value::Object(part).to_string());
        let token = self.issuer.sign(&header, &claims);
        let mut headers = HeaderMap::new();
        match &self.shapes.header {
            None => headers.insert(
                "authorization",
                format!("Bearer {token}").parse().expect("a value"),
            ),
            Some(name) => {
                let name: HeaderName = name.parse().expect("a header's name");
                headers.insert(name, token.parse().expect("a value"))
            }
        };
        let request = Request::get("https://orders.example.com/").body(());
        let (parts, ()) = request.expect("a request").into_parts();
        let got = trial.decide(&parts.method, &parts.uri, &headers).reason;
        if got != expected {
            let Self { name, .. } = self;
            self.wrong.push(format!(
                "{name}: {}, {how}: expected {expected}, got {got}",
                shape.title
            ));
        }
    }
}

/// The same value, otherwise in one place.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => vec![json!(format!("{text}x"))],
        Value::Array(members) => members
            .iter()
            .flat_map(others)
            .map(|other| json!([other]))
            .collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| {
                others(member).into_iter().map(move |other| {
                    let mut changed = value.clone();
                    changed[name] = other;
                    changed
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}
