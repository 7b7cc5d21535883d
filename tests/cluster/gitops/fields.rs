//! Every field that restricts, as the definitions have them, and a manifest in which it is misspelt.

use serde_json::{Map, Value, json};

/// A field of one kind, and the way to the object that it stands in.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) kind: String,
    way: Vec<Step>,
    name: String,
    spec: Value,
    schema: Value,
}

#[derive(Debug, Clone)]
enum Step {
    Name(String),
    Member,
}

/// What is exactly one, or at most one, of these.
const EXCLUSIVE: [&[&str]; 4] = [
    &["google", "github", "aws", "spiffe"],
    &["jwksURL", "inline"],
    &["sub", "sid", "jti", "key"],
    &["targetRefs", "hosts"],
];

/// What stands alone in its entry.
const ALONE: [&str; 3] = ["anyone", "roleRefs", "serviceAccounts"];

/// What may not be written there at all.
const ELSEWHERE: [&str; 3] = [
    "spec.deny[].require",
    "spec.members[].roleRefs",
    "spec.members[].anyone",
];

/// All of them, by kind.
pub(super) fn all() -> Vec<Field> {
    let mut all = Vec::new();
    for definition in countersign_policy::crd::all() {
        let kind = definition.spec.names.kind.clone();
        let written = serde_json::to_value(&definition).expect("JSON");
        let root = &written["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let spec = &root["properties"]["spec"];
        let mut found = Vec::new();
        walk(spec, &[], &mut found);
        all.extend(found.into_iter().map(|(way, name, schema)| Field {
            kind: kind.clone(),
            way,
            name,
            spec: spec.clone(),
            schema,
        }));
    }
    all.retain(|field| !ELSEWHERE.iter().any(|it| field.around().starts_with(it)));
    all
}

type Found = (Vec<Step>, String, Value);

fn walk(schema: &Value, way: &[Step], found: &mut Vec<Found>) {
    // a key set has a use for members of any name
    let is_key_set = matches!(way.last(), Some(Step::Name(name)) if name == "inline");
    let keeps = schema["x-kubernetes-preserve-unknown-fields"] == true && !is_key_set;
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if keeps {
            found.push((way.to_vec(), name.clone(), field.clone()));
        }
        walk(field, &[way, &[Step::Name(name.clone())]].concat(), found);
    }
    if let Some(member) = schema.get("items") {
        walk(member, &[way, &[Step::Member]].concat(), found);
    }
}

impl Field {
    /// The object that it stands in, as in `spec.rules[].from[]`.
    pub(super) fn around(&self) -> String {
        let steps = self.way.iter().map(|step| match step {
            Step::Name(name) => format!(".{name}"),
            Step::Member => "[]".to_owned(),
        });
        format!("spec{}", steps.collect::<String>())
    }

    /// As somebody in haste writes it: no field of that object.
    pub(super) fn misspelt(&self) -> String {
        let mut letters: Vec<char> = self.name.chars().collect();
        let last = letters.len().saturating_sub(1);
        if letters.len() > 2 && letters[last] != letters[last - 1] {
            letters.swap(last, last - 1);
        } else {
            letters.push('x');
        }
        letters.into_iter().collect()
    }

    /// A `spec` without mistake, in which there is such an object.
    pub(super) fn good(&self, n: usize) -> Value {
        let mut spec = base(&self.kind, n);
        self.reach(&mut spec);
        spec
    }

    /// The same, with the misspelt field beside what is there.
    pub(super) fn wrong(&self, n: usize) -> Value {
        let mut spec = self.good(n);
        let value = least(&self.name, &self.schema, &self.kind);
        self.reach(&mut spec)[self.misspelt()] = value;
        spec
    }

    /// Makes the object, where it is not there yet.
    fn reach<'s>(&self, spec: &'s mut Value) -> &'s mut Value {
        let (mut at, mut schema) = (spec, &self.spec);
        for (n, step) in self.way.iter().enumerate() {
            match step {
                Step::Name(name) => {
                    schema = &schema["properties"][name];
                    if at.get(name).is_none() {
                        room(at, name);
                        at[name] = least(name, schema, &self.kind);
                        if name == "workloads" {
                            vouched(at, self.way.get(n + 2));
                        }
                        if name == "targetRefs" {
                            // a Service has no URL of its own
                            at["audiences"] = json!(["https://web.example.com"]);
                        }
                    }
                    at = &mut at[name];
                }
                Step::Member => {
                    schema = &schema["items"];
                    at = &mut at[0];
                }
            }
        }
        at
    }
}

/// Takes out what may not stand beside it.
fn room(object: &mut Value, name: &str) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    if ALONE.contains(&name) {
        fields.clear();
    }
    for others in EXCLUSIVE.iter().filter(|it| it.contains(&name)) {
        fields.retain(|it, _| !others.contains(&it.as_str()));
    }
}

/// A workload is named by the word of its own platform.
fn vouched(entry: &mut Value, platform: Option<&Step>) {
    if let Some(Step::Name(platform)) = platform {
        *entry = json!({"providerRef": {"name": platform}, "workloads": [{}]});
    }
}

/// A `spec` that is the only one of its host and of its issuer.
pub(super) fn base(kind: &str, n: usize) -> Value {
    let from = json!([{"providerRef": {"name": "okta"}, "groups": ["staff"]}]);
    let to = json!([{"methods": ["GET"], "paths": ["/v1/**"]}]);
    let rules = json!([{"name": "staff", "from": from, "to": to}]);
    match kind {
        "AccessPolicy" => json!({"hosts": [host(n)], "rules": rules}),
        "ClusterAccessPolicy" => json!({"namespaceSelector": {"matchLabels": {"env": "nowhere"}},
            "boundary": rules, "deny": rules}),
        "AccessRole" | "ClusterAccessRole" => json!({"members": from}),
        _ => {
            json!({"type": "OIDC", "issuer": format!("https://i{n}.example.com"), "algorithms": ["EdDSA"],
            "keys": {"inline": tests::issuer::Issuer::ed25519("okta").jwks()}})
        }
    }
}

/// The host of a policy.
pub(super) fn host(n: usize) -> String {
    format!("h{n}.example.com")
}

/// The least that may be written there.
fn least(name: &str, schema: &Value, kind: &str) -> Value {
    if let Some(value) = known(name, kind) {
        return value;
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.first().cloned().unwrap_or_default();
    }
    match schema["type"].as_str().unwrap_or_default() {
        "array" => json!([least("", &schema["items"], kind)]),
        "boolean" => json!(true),
        "integer" => json!(1),
        "string" => json!("a"),
        _ => {
            let mut fields = Map::new();
            let needed = schema["required"].as_array().into_iter().flatten();
            let mut needed: Vec<&str> = needed.filter_map(Value::as_str).collect();
            let first = schema["properties"].as_object();
            let first = first.and_then(|it| it.keys().next());
            if needed.is_empty() && schema["minProperties"].as_u64().unwrap_or(0) > 0 {
                needed.extend(first.map(String::as_str));
            }
            for name in needed {
                let field = &schema["properties"][name];
                fields.insert(name.to_owned(), least(name, field, kind));
            }
            Value::Object(fields)
        }
    }
}

/// What has a form of its own, or must be there.
fn known(name: &str, kind: &str) -> Option<Value> {
    let role = if kind.starts_with("Cluster") {
        json!({"kind": "ClusterAccessRole", "name": "staff"})
    } else {
        json!({"name": "staff"})
    };
    Some(match name {
        "from" | "members" => json!([{"providerRef": {"name": "okta"}}]),
        "providerRef" => json!({"name": "okta"}),
        "roleRefs" => json!([role]),
        "serviceAccounts" => json!([{"namespace": "shop", "name": "checkout"}]),
        "targetRefs" => json!([{"group": "", "kind": "Service", "name": "web"}]),
        "paths" => json!(["/v1/**"]),
        "methods" => json!(["GET"]),
        "hosts" => json!(["a.example.com"]),
        "repository" => json!("example/platform"),
        "serviceAccount" => json!("a@p.iam.gserviceaccount.com"),
        "roleARN" => json!("arn:aws:iam::123456789012:role/checkout"),
        "id" => json!("spiffe://example.org/checkout"),
        "uniqueID" => json!("117110110110110110110"),
        "issuer" | "jwksURL" | "proxyURL" => json!("https://a.example.com"),
        "issuerAliases" | "audiences" => json!(["https://a.example.com"]),
        "expiresAt" | "until" | "issuedBefore" => json!("2090-01-01T00:00:00Z"),
        "maxAuthAge" | "maxLifetime" | "clockSkew" => json!("30s"),
        "matchExpressions" => json!([{"key": "env", "operator": "Exists"}]),
        "matchLabels" => json!({"env": "nowhere"}),
        "revocations" => json!([{"sub": "ana", "until": "2090-01-01T00:00:00Z"}]),
        "when" => json!("request.method == \"GET\""),
        "inline" => tests::issuer::Issuer::ed25519("okta").jwks(),
        _ => return None,
    })
}
