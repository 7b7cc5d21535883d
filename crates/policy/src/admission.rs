//! What an API server refuses at apply, by name: a field that there is not, or that is null, where it
//! would restrict.
//!
//! A `ValidatingAdmissionPolicy` and its binding for each kind that restricts, made from the same
//! types as the definitions. The definitions keep what is null or misspelt and do not refuse it: their
//! rules cannot read the name of a field that there is not. Here the whole of a changed `spec` is
//! looked at, whatever of it was stored before, and what is wrong is named. Where these policies are
//! not installed it is stored, compiled to what gives no access, and named in the status.
//!
//! Of null one is told where it is next to a rule, or at a member of one of its lists; below that, where
//! there can be tens of thousands of values, to look at each would cost more than a server spends. There
//! it is stored, and read as unknown all the same.
//!
//! What was stored before can still be deleted, labelled and finalised: only a change of `spec` is
//! looked at. An expression that fails refuses, and so does one that costs too much.

use crate::crd;
use crate::v1alpha1::GROUP;
use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MatchResources, NamedRuleWithOperations, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBindingSpec,
    ValidatingAdmissionPolicySpec, Validation,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

#[cfg(test)]
mod tests;

/// From how many lists on, one in another, values are not looked at.
const DEEP: usize = 3;

/// Whether there is something new to look at.
const CHANGED: &str = "oldObject == null || object.spec != oldObject.spec";

/// A policy and its binding for each kind that restricts, by name.
pub fn all() -> Vec<(ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding)> {
    let definitions = crd::all();
    let named = definitions.iter().filter_map(|definition| {
        let validations: Vec<_> = levels(definition).iter().map(Level::validation).collect();
        (!validations.is_empty()).then(|| {
            let name = format!("{}.{GROUP}", definition.spec.names.plural);
            (policy(&name, definition, validations), binding(&name))
        })
    });
    named.collect()
}

fn policy(
    name: &str,
    definition: &CustomResourceDefinition,
    validations: Vec<Validation>,
) -> ValidatingAdmissionPolicy {
    let list = |text: &str| Some(vec![text.to_owned()]);
    let rule = NamedRuleWithOperations {
        api_groups: list(GROUP),
        api_versions: list("*"),
        operations: Some(vec!["CREATE".to_owned(), "UPDATE".to_owned()]),
        // not its status, which is ours
        resources: list(&definition.spec.names.plural),
        ..NamedRuleWithOperations::default()
    };
    ValidatingAdmissionPolicy {
        metadata: called(name),
        spec: Some(ValidatingAdmissionPolicySpec {
            failure_policy: Some("Fail".to_owned()),
            match_constraints: Some(MatchResources {
                resource_rules: Some(vec![rule]),
                ..MatchResources::default()
            }),
            match_conditions: Some(vec![MatchCondition {
                name: "spec-changes".to_owned(),
                expression: CHANGED.to_owned(),
            }]),
            validations: Some(validations),
            ..ValidatingAdmissionPolicySpec::default()
        }),
        ..ValidatingAdmissionPolicy::default()
    }
}

fn binding(name: &str) -> ValidatingAdmissionPolicyBinding {
    ValidatingAdmissionPolicyBinding {
        metadata: called(name),
        spec: Some(ValidatingAdmissionPolicyBindingSpec {
            policy_name: Some(name.to_owned()),
            validation_actions: Some(vec!["Deny".to_owned()]),
            ..ValidatingAdmissionPolicyBindingSpec::default()
        }),
    }
}

fn called(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}

/// A part that restricts, and the way to it from `spec`.
#[derive(Debug, Clone)]
struct Level {
    steps: Vec<Step>,
    known: Vec<String>,
}

#[derive(Debug, Clone)]
enum Step {
    Field(String),
    Member,
}

/// The parts of a definition that restrict, outermost first.
fn levels(definition: &CustomResourceDefinition) -> Vec<Level> {
    let mut levels = Vec::new();
    for version in &definition.spec.versions {
        let schema = version.schema.as_ref();
        let root = schema.and_then(|s| s.open_api_v3_schema.as_ref());
        let parts = root.and_then(|root| root.properties.as_ref());
        if let Some(spec) = parts.and_then(|parts| parts.get("spec")) {
            descend(spec, &[], &mut levels);
        }
    }
    levels
}

fn descend(schema: &JSONSchemaProps, steps: &[Step], levels: &mut Vec<Level>) {
    if crd::restricts(schema) {
        levels.push(Level {
            steps: steps.to_vec(),
            known: schema
                .properties
                .iter()
                .flatten()
                .map(|(name, _)| name.clone())
                .collect(),
        });
    }
    let below = |step| [steps, &[step]].concat();
    for (name, field) in schema.properties.iter().flatten() {
        descend(field, &below(Step::Field(name.clone())), levels);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(member)) = schema.items.as_ref() {
        descend(member, &below(Step::Member), levels);
    }
}

impl Level {
    fn validation(&self) -> Validation {
        let path = self.path();
        let there_are = format!("there are {}", self.known.join(", "));
        let at_fault = at_fault("object.spec", &self.steps, &|at| self.is_at_fault(at));
        let what = if self.looks_at_values() {
            "null or misspelt"
        } else {
            "misspelt"
        };
        Validation {
            expression: holds("object.spec", &self.steps, &|at| self.is_fine(at)),
            // where the other cannot be said: names of many lines, or too many
            message: Some(format!("{path}: a field is {what}: {there_are}")),
            message_expression: Some(format!("'{path}: {what}: ' + {at_fault} + '; {there_are}'")),
            reason: Some("Invalid".to_owned()),
        }
    }

    fn looks_at_values(&self) -> bool {
        let lists = self.steps.iter().filter(|it| matches!(it, Step::Member));
        lists.count() < DEEP
    }

    /// Whether the field `k` of the object at a place may be there, in CEL.
    fn is_fine(&self, at: &str) -> String {
        let known = self.listed();
        if self.looks_at_values() {
            format!("k in {known} && {at}[k] != null")
        } else {
            format!("k in {known}")
        }
    }

    /// Whether it may not.
    fn is_at_fault(&self, at: &str) -> String {
        let known = self.listed();
        if self.looks_at_values() {
            format!("!(k in {known}) || {at}[k] == null")
        } else {
            format!("!(k in {known})")
        }
    }

    /// As in `spec.rules[].from[]`.
    fn path(&self) -> String {
        let steps = self.steps.iter().map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Member => "[]".to_owned(),
        });
        format!("spec{}", steps.collect::<String>())
    }

    /// The names as a list in CEL.
    fn listed(&self) -> String {
        format!("['{}']", self.known.join("', '"))
    }
}

/// Whether every field below `place` is `fine`, in CEL. It ends at the first that is not.
fn holds(place: &str, steps: &[Step], fine: &dyn Fn(&str) -> String) -> String {
    match steps {
        [] => format!("{place}.all(k, {})", fine(place)),
        [Step::Field(name), rest @ ..] => {
            let below = holds(&format!("{place}.{name}"), rest, fine);
            format!("(!has({place}.{name}) || {below})")
        }
        [Step::Member, rest @ ..] => {
            let member = member(rest);
            format!("{place}.all({member}, {})", holds(&member, rest, fine))
        }
    }
}

/// The names of the fields that are at `fault`, in CEL.
fn at_fault(place: &str, steps: &[Step], fault: &dyn Fn(&str) -> String) -> String {
    match steps {
        [] => format!("{place}.filter(k, {}).join(', ')", fault(place)),
        [Step::Field(name), rest @ ..] => {
            let below = at_fault(&format!("{place}.{name}"), rest, fault);
            format!("(has({place}.{name}) ? {below} : '')")
        }
        [Step::Member, rest @ ..] => {
            let member = member(rest);
            let below = at_fault(&member, rest, fault);
            format!("{place}.map({member}, {below}).filter(s, s != '').join(', ')")
        }
    }
}

/// A name for the members of a list: no other on the same way has as many steps below.
fn member(rest: &[Step]) -> String {
    format!("m{}", rest.len())
}
