//! The compiler tells of the same fields: what the one lets in, the other knows.

use super::{levels, written_at};
use crate::compile::compile;
use crate::crd;
use crate::diagnostic::Code;
use crate::resources::Resources;
use serde_json::json;
use std::collections::BTreeMap;

/// No field, and near the name of none.
const MISSPELT: &str = "0";

/// What may not be written there at all, whatever is in it.
const REFUSED: [&str; 2] = ["spec.members[].roleRefs[]", "spec.deny[].require"];

#[test]
fn the_compiler_names_the_fields_that_admission_lets_in() {
    let mut named = 0;
    for definition in crd::all() {
        let kind = definition.spec.names.kind.as_str();
        for level in levels(&definition) {
            let path = level.path();
            let help = help(kind, &path);
            if REFUSED.contains(&&*path) {
                assert_eq!(help, None, "{kind} {path}");
                continue;
            }
            let listed = format!("the fields here are {}", level.known.join(", "));
            assert_eq!(help, Some(listed), "{kind} {path}");
            named += 1;
        }
    }
    assert!(named > 90, "the walk is broken: {named}");
}

/// What the compiler says of a field that there is not.
fn help(kind: &str, path: &str) -> Option<String> {
    let mut resource = written_at(path, &json!({ MISSPELT: "x" }));
    resource["apiVersion"] = json!("countersign.dev/v1alpha1");
    resource["kind"] = json!(kind);
    resource["metadata"] = json!({"name": "a"});
    if !kind.starts_with("Cluster") {
        resource["metadata"]["namespace"] = json!("shop");
    }
    if kind.ends_with("TrustProvider") {
        resource["spec"]["type"] = json!("OIDC");
    }
    let resources = Resources::read(&[resource]).unwrap();
    let compilation = compile(&resources, &BTreeMap::new());
    let mut found = compilation.diagnostics.into_iter();
    found.find(|it| it.code == Code::UnknownField)?.help
}
