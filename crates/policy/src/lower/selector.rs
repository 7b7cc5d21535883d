//! Which namespaces a cluster's policy selects: all of which it is not known that it does not.

use super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, nearest};
use crate::v1alpha1::{LabelExpression, NamespaceSelector};
use countersign_ruleset::kleene::Kleene;
use std::collections::BTreeMap;

const SELECTOR: [&str; 2] = ["matchExpressions", "matchLabels"];
const EXPRESSION: [&str; 3] = ["key", "operator", "values"];
const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];

/// The label that every namespace has, whether its manifest is at hand or not.
const NAME: &str = "kubernetes.io/metadata.name";

/// The labels of a namespace; `None` if they are not known.
pub(crate) type Labels = BTreeMap<String, String>;

/// A selector. All its demands must hold.
#[derive(Debug, Clone)]
pub(crate) struct Selector(Vec<Demand>);

#[derive(Debug, Clone)]
enum Demand {
    In { key: String, values: Vec<String> },
    NotIn { key: String, values: Vec<String> },
    Exists(String),
    DoesNotExist(String),
    Unknown,
}

impl Selector {
    /// Reads a selector. A missing one selects every namespace: a guardrail that is lost guards
    /// nothing.
    pub(super) fn lower(
        path: &FieldPath,
        written: &Field<NamespaceSelector>,
        sink: &mut Sink,
    ) -> Self {
        let Some(selector) = sink.required(path, written) else {
            return Self(vec![Demand::Unknown]);
        };
        let mut demands = Vec::new();
        if sink.unread(path, &selector.unread, &SELECTOR) {
            demands.push(Demand::Unknown);
        }
        match sink.field(&path.name("matchLabels"), &selector.match_labels) {
            Said::Absent => {}
            Said::Unknown => demands.push(Demand::Unknown),
            Said::Known(labels) => demands.extend(labels.iter().map(|(key, value)| {
                let (key, values) = (key.clone(), vec![value.clone()]);
                Demand::In { key, values }
            })),
        }
        let path = path.name("matchExpressions");
        match sink.field(&path, &selector.match_expressions) {
            Said::Absent => {}
            Said::Unknown => demands.push(Demand::Unknown),
            Said::Known(expressions) => {
                for (n, one) in expressions.iter().enumerate() {
                    let demand = expression(&path.index(n), one, sink);
                    demands.push(demand.unwrap_or(Demand::Unknown));
                }
            }
        }
        Self(demands)
    }

    /// Whether it selects the namespace, as far as is known.
    pub(crate) fn selects(&self, namespace: &str, labels: Option<&Labels>) -> Kleene {
        // `None`: not known. `Some(None)`: known not to be there.
        let label = |key: &str| {
            if key == NAME {
                Some(Some(namespace))
            } else {
                labels.map(|labels| labels.get(key).map(String::as_str))
            }
        };
        let test = |key: &str, test: &dyn Fn(Option<&str>) -> bool| {
            label(key).map_or(Kleene::Unknown, |value| test(value).into())
        };
        let one_of = |values: &[String], value: Option<&str>| {
            value.is_some_and(|value| values.iter().any(|one| one == value))
        };
        Kleene::all(self.0.iter().map(|demand| match demand {
            Demand::In { key, values } => test(key, &|value| one_of(values, value)),
            Demand::NotIn { key, values } => test(key, &|value| !one_of(values, value)),
            Demand::Exists(key) => test(key, &|value| value.is_some()),
            Demand::DoesNotExist(key) => test(key, &|value| value.is_none()),
            Demand::Unknown => Kleene::Unknown,
        }))
    }
}

fn expression(
    path: &FieldPath,
    written: &Field<LabelExpression>,
    sink: &mut Sink,
) -> Option<Demand> {
    let written = sink.required(path, written)?;
    let misspelt = sink.unread(path, &written.unread, &EXPRESSION);
    let key = sink.required(&path.name("key"), &written.key);
    let operator = sink.required(&path.name("operator"), &written.operator);
    let values_path = path.name("values");
    let values = match sink.field(&values_path, &written.values) {
        Said::Absent => &[][..],
        Said::Known(values) => values.as_slice(),
        Said::Unknown => return None,
    };
    let (key, operator) = (key?.clone(), operator?.as_str());
    let wants_values = matches!(operator, "In" | "NotIn");
    let demand = match operator {
        "In" => Demand::In {
            key,
            values: values.to_vec(),
        },
        "NotIn" => Demand::NotIn {
            key,
            values: values.to_vec(),
        },
        "Exists" => Demand::Exists(key),
        "DoesNotExist" => Demand::DoesNotExist(key),
        other => {
            let message = format!("expected {}, got `{}`", OPERATORS.join(", "), short(other));
            let help = nearest(other, OPERATORS).map(|near| format!("did you mean `{near}`?"));
            sink.error(&path.name("operator"), Code::InvalidValue, message, help);
            return None;
        }
    };
    if wants_values == values.is_empty() {
        let (code, message) = if wants_values {
            (Code::Missing, format!("`{operator}` asks for values"))
        } else {
            (Code::Exclusive, format!("`{operator}` asks for no values"))
        };
        sink.error(&values_path, code, message, None);
        return None;
    }
    if misspelt { None } else { Some(demand) }
}
