//! The page: its scene, its numbered lines, and the examples below each.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tests::cast::{Cast, Order};
use tests::files;

/// What the page is about, and for whom its callers' tokens are made out.
pub(super) const AUDIENCE: &str = "https://orders.example.com";

const VERSION: &str = "countersign.dev/v1alpha1";

pub(super) struct Page {
    pub(super) scene: Scene,
    pub(super) lines: Vec<Line>,
}

/// What stands in every example without being written there.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scene {
    /// Specs by name: of the cluster, or as `NAMESPACE/NAME` of a namespace.
    providers: BTreeMap<String, Value>,
    /// Claims by the caller's name, and `by` whom.
    pub(super) callers: BTreeMap<String, Map<String, Value>>,
}

pub(super) struct Line {
    pub(super) number: u8,
    pub(super) title: String,
    pub(super) examples: Vec<Example>,
}

/// What is said, in one fence or, one after the other, in several; and what becomes of requests.
pub(super) struct Example {
    pub(super) said: Vec<String>,
    pub(super) answers: String,
}

/// The resources of an example, and who issues its tokens.
pub(super) struct World {
    pub(super) resources: Vec<Value>,
    pub(super) cast: Cast,
}

impl Page {
    pub(super) fn read() -> Self {
        let text = text_of_the_page();
        let mut lines: Vec<Line> = Vec::new();
        let mut scene = None;
        let mut said = Vec::new();
        for part in parts(&text) {
            match part {
                Part::Line(number, title) => {
                    assert!(said.is_empty(), "before {number}: rules without answers");
                    let (title, examples) = (title.to_owned(), Vec::new());
                    lines.push(Line {
                        number,
                        title,
                        examples,
                    });
                }
                Part::Fence("yaml", text) if lines.is_empty() => {
                    let read = serde_saphyr::from_str(&text);
                    scene = Some(read.unwrap_or_else(|error| panic!("the scene: {error}")));
                }
                Part::Fence("yaml", text) => said.push(text),
                Part::Fence("text", answers) => {
                    let Some(line) = lines.last_mut().filter(|_| !said.is_empty()) else {
                        continue;
                    };
                    let said = std::mem::take(&mut said);
                    line.examples.push(Example { said, answers });
                }
                Part::Fence(..) => {}
            }
        }
        assert!(said.is_empty(), "at the end: rules without answers");
        Self {
            scene: scene.expect("the scene"),
            lines,
        }
    }
}

fn text_of_the_page() -> String {
    let path = files::root().join("docs/semantics.md");
    std::fs::read_to_string(path).expect("the page can be read")
}

/// The rows of the table that begins with that column, each by its columns' names.
pub(super) fn rows(first: &str) -> Vec<BTreeMap<String, String>> {
    let text = text_of_the_page();
    let cells = |line: &str| -> Vec<String> {
        let inside = line.trim_matches('|');
        inside
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut lines = text.lines();
    let head = lines
        .by_ref()
        .find(|line| line.starts_with(&format!("| {first} |")));
    let head = cells(head.expect("the table"));
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| head.iter().cloned().zip(cells(line)).collect())
        .collect()
}

enum Part<'t> {
    /// `### 7. Actor`
    Line(u8, &'t str),
    /// The language, and what is inside.
    Fence(&'t str, String),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            parts.push(Part::Fence(language, inside.join("\n") + "\n"));
        } else if let Some((number, title)) =
            line.strip_prefix("### ").and_then(|it| it.split_once(". "))
        {
            let number = number.parse();
            parts.push(Part::Line(number.expect("a number"), title));
        }
    }
    parts
}

impl Scene {
    /// The scene's resources and those of an example.
    pub(super) fn world(&self, said: &str) -> World {
        let mut resources = self.providers();
        let documents: Vec<Value> =
            serde_saphyr::from_multiple(said).unwrap_or_else(|error| panic!("{error}:\n{said}"));
        resources.extend(documents.into_iter().map(resource));
        let cast = Cast::of(&mut resources);
        World { resources, cast }
    }

    pub(super) fn providers(&self) -> Vec<Value> {
        let one = |(name, spec): (&String, &Value)| {
            let (kind, metadata) = match name.split_once('/') {
                None => ("ClusterTrustProvider", json!({"name": name})),
                Some((namespace, name)) => (
                    "TrustProvider",
                    json!({"name": name, "namespace": namespace}),
                ),
            };
            json!({"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": spec})
        };
        self.providers.iter().map(one).collect()
    }

    /// The token of a caller, with claims that are otherwise; null leaves one out. As `PROVIDER:CALLER`
    /// it is by another provider's word.
    pub(super) fn token(&self, caller: &str, otherwise: Map<String, Value>) -> Order {
        let (by, caller) = match caller.split_once(':') {
            Some((by, caller)) => (Some(by), caller),
            None => (None, caller),
        };
        let Some(claims) = self.callers.get(caller) else {
            panic!("nobody is called `{caller}`");
        };
        let mut claims = claims.clone();
        let own = claims.remove("by").expect("by whom");
        let by = by.unwrap_or(own.as_str().expect("a provider"));
        claims.entry("sub").or_insert_with(|| json!(caller));
        let mut without = Vec::new();
        for (name, value) in otherwise {
            if value.is_null() {
                without.push(name);
            } else {
                claims.insert(name, value);
            }
        }
        // what is usual for the type
        let header = match self.providers.get(by).map_or("", |spec| text(spec, "type")) {
            "Kubernetes" => json!({"typ": null}),
            "Google" => json!({"typ": "JWT"}),
            _ => json!({}),
        };
        // keys are called by the name alone
        let by = by.rsplit('/').next().unwrap_or_default().to_owned();
        Order {
            by,
            header: header.as_object().cloned().unwrap_or_default(),
            claims,
            without,
            ..Order::default()
        }
    }
}

/// A list is the rules of the policy `orders`; what has no `kind` is its spec.
fn resource(said: Value) -> Value {
    let mut resource = match said {
        Value::Array(rules) => policy(json!({"rules": rules})),
        spec if spec.get("kind").is_none() => policy(spec),
        resource => resource,
    };
    if resource.get("apiVersion").is_none() {
        resource["apiVersion"] = json!(VERSION);
    }
    resource
}

fn policy(mut spec: Value) -> Value {
    if spec.get("hosts").is_none() && spec.get("targetRefs").is_none() {
        spec["hosts"] = json!(["orders.example.com"]);
    }
    let metadata = json!({"name": "orders", "namespace": "shop"});
    json!({"kind": "AccessPolicy", "metadata": metadata, "spec": spec})
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
