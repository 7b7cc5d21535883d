//! What a policy means, line by line of the page that defines it.

use super::{Compilation, Reason, compile};
use crate::diagnostic::{Code, ResourceId, Severity};
use crate::resources::Resources;
use countersign_ruleset::rules::{Application, Effect, Entry, Matcher, Policy, Rule, Rules, To};
use serde_json::Value;
use std::collections::BTreeMap;

mod absence;
mod carried;
mod cluster;
mod limits;
mod login;
mod mcp;
mod order;
mod reading;
mod require;
mod route;
mod section;
mod settings;
mod shared;
mod target;
mod what;
mod who;
mod workload;

/// Two providers of the cluster and one of the namespace.
const PROVIDERS: &str = r#"
{apiVersion: countersign.dev/v1alpha1, kind: ClusterTrustProvider, metadata: {name: okta}, spec: {type: OIDC, issuer: "https://okta.example.com", keys: {inline: {keys: [{kty: OKP, crv: Ed25519, kid: a, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}}}}
---
{apiVersion: countersign.dev/v1alpha1, kind: ClusterTrustProvider, metadata: {name: kubernetes}, spec: {type: Kubernetes, issuer: "https://kubernetes.default.svc", keys: {inline: {keys: [{kty: OKP, crv: Ed25519, kid: a, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}}}}
---
{apiVersion: countersign.dev/v1alpha1, kind: ClusterTrustProvider, metadata: {name: google}, spec: {type: Google, keys: {inline: {keys: [{kty: OKP, crv: Ed25519, kid: a, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}}}}
---
{apiVersion: countersign.dev/v1alpha1, kind: TrustProvider, metadata: {name: own, namespace: shop}, spec: {type: OIDC, issuer: "https://own.example.com", keys: {inline: {keys: [{kty: OKP, crv: Ed25519, kid: a, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}}}}
"#;

/// Reads manifests in YAML, apart by `---`.
fn manifests(yaml: &str) -> Vec<Value> {
    let documents = yaml.split("\n---\n").filter(|text| !text.trim().is_empty());
    documents
        .map(|text| serde_saphyr::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}")))
        .collect()
}

fn compiled(manifests: &[Value]) -> Compilation {
    let resources = Resources::read(manifests).unwrap_or_else(|faults| panic!("{faults:?}"));
    compile(&resources, &BTreeMap::new())
}

/// Compiles manifests beside the providers.
fn compiled_yaml(yaml: &str) -> Compilation {
    compiled(&manifests(&format!("{PROVIDERS}\n---\n{yaml}")))
}

/// A resource of ours, by kind, perhaps a namespace, and name.
fn resource(kind: &str, name: &str, spec: &str) -> String {
    let namespace = if kind.starts_with("Cluster") {
        ""
    } else {
        ", namespace: shop"
    };
    format!(
        "\n---\napiVersion: countersign.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}{namespace}}}\nspec: {spec}\n"
    )
}

/// An AccessPolicy `orders` of `shop` for a host, with that in its spec.
fn policy(spec: &str) -> String {
    resource(
        "AccessPolicy",
        "orders",
        &format!("{{hosts: [orders.example.com], {spec}}}"),
    )
}

/// Compiles an AccessPolicy with one rule.
fn rule_of(rule: &str) -> (Rule, Vec<String>) {
    let compilation = compiled_yaml(&policy(&format!("rules: [{rule}]")));
    let mut rules = only(&compilation).rules.clone();
    assert_eq!(rules.len(), 1, "{rules:?}");
    (rules.remove(0), found(&compilation))
}

/// Compiles an Allow with that as its only entry of `from`.
fn from_of(entry: &str) -> (Vec<Entry>, Vec<String>) {
    let (rule, found) = rule_of(&format!(
        "{{name: a, from: [{entry}], to: [{{paths: [/**]}}]}}"
    ));
    (rule.from, found)
}

/// Compiles a Deny with that as its only entry of `to`.
fn to_of(entry: &str) -> (Vec<To>, Vec<String>) {
    let (rule, found) = rule_of(&format!(
        "{{name: a, action: Deny, from: [{{anyone: true}}], to: [{entry}]}}"
    ));
    (rule.to, found)
}

fn rules(compilation: &Compilation) -> &Rules {
    &compilation.rulesets[&"shop".parse().unwrap()].rules
}

fn applications(compilation: &Compilation) -> &[Application] {
    &rules(compilation).applications
}

/// The only policy of the only application.
fn only(compilation: &Compilation) -> &Policy {
    let [application] = applications(compilation) else {
        panic!("{:?}", rules(compilation))
    };
    let [policy] = application.policies.as_slice() else {
        panic!("{application:?}")
    };
    policy
}

/// The diagnostics: code and path, and whether it is only a warning.
fn found(compilation: &Compilation) -> Vec<String> {
    let text = |it: &crate::diagnostic::Diagnostic| {
        let warning = if it.severity == Severity::Warning {
            "warning "
        } else {
            ""
        };
        format!("{warning}{} {}", it.code.as_str(), it.path)
    };
    compilation.diagnostics.iter().map(text).collect()
}

fn help(compilation: &Compilation, code: Code) -> Option<&str> {
    let found = compilation.diagnostics.iter().find(|it| it.code == code);
    found
        .unwrap_or_else(|| panic!("{:?}", compilation.diagnostics))
        .help
        .as_deref()
}

fn reason(compilation: &Compilation, kind: &str, name: &str) -> (bool, Reason) {
    let namespace = if kind.starts_with("Cluster") {
        ""
    } else {
        "shop"
    };
    let id = ResourceId {
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    };
    let condition = &compilation.statuses[&id].conditions[0];
    (condition.holds, condition.reason)
}

fn identity(provider: &str, all: impl Into<Vec<Matcher>>) -> Entry {
    Entry::Identity {
        provider: provider.parse().unwrap(),
        all: all.into(),
    }
}

fn okta(all: impl Into<Vec<Matcher>>) -> Entry {
    identity("ClusterTrustProvider/okta", all)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn unknown() -> To {
    To {
        unknown: true,
        ..To::default()
    }
}

fn paths(paths: &[&str]) -> Vec<countersign_ruleset::path::PathPattern> {
    paths.iter().map(|path| path.parse().unwrap()).collect()
}

#[test]
fn the_simplest_policy_is_lowered_as_it_reads() {
    let compilation = compiled_yaml(&policy(
        "rules: [{name: support, from: [{providerRef: {name: okta}, groups: [support]}], to: [{methods: [GET], paths: [/v1/**]}]}]",
    ));
    assert_eq!(found(&compilation), Vec::<String>::new());
    let application = &applications(&compilation)[0];
    assert_eq!(application.id.as_str(), "Host/orders.example.com");
    assert_eq!(application.hosts, ["orders.example.com".parse().unwrap()]);
    let policy = only(&compilation);
    assert_eq!(policy.id.as_str(), "AccessPolicy/orders");
    assert_eq!(policy.audiences, ["https://orders.example.com"]);
    let [rule] = policy.rules.as_slice() else {
        panic!("{policy:?}")
    };
    assert_eq!(
        (rule.name.as_str(), rule.effect),
        ("support", Effect::Allow)
    );
    assert_eq!(rule.from, [okta([Matcher::Groups(texts(&["support"]))])]);
    let to = To {
        methods: Some(texts(&["GET"])),
        paths: Some(paths(&["/v1/**"])),
        ..To::default()
    };
    assert_eq!(rule.to, [to]);
    let providers = &compilation.rulesets[&"shop".parse().unwrap()]
        .keys
        .providers;
    let named: Vec<_> = providers
        .iter()
        .map(|provider| provider.id.as_str())
        .collect();
    assert_eq!(named, ["ClusterTrustProvider/okta"], "only what rules name");
    assert_eq!(
        reason(&compilation, "AccessPolicy", "orders"),
        (true, Reason::Accepted)
    );
}

#[test]
fn what_is_written_can_be_read_by_an_edge() {
    let compilation = compiled_yaml(&policy(
        "rules: [{name: a, from: [{anyone: true}], to: [{paths: [/]}]}]",
    ));
    let bytes = rules(&compilation).to_bytes().unwrap();
    assert_eq!(&Rules::from_bytes(&bytes).unwrap(), rules(&compilation));
}
