//! The mistakes that people and templates make.

use proptest::option::weighted;
use proptest::prelude::{Strategy, any};
use proptest::sample::Index;
use serde_json::{Value, json};

/// Sometimes with one of the mistakes that people and templates make.
pub(crate) fn spoilt(of: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (of, weighted(0.03, (0..4_u8, any::<Index>()))).prop_map(|(mut value, mistake)| {
        let object = value.as_object_mut().filter(|object| !object.is_empty());
        if let (Some((kind, at)), Some(object)) = (mistake, object) {
            let name = object
                .keys()
                .nth(at.index(object.len()))
                .cloned()
                .unwrap_or_default();
            match kind {
                0 => drop(object.insert(name, Value::Null)),
                1 => drop(object.insert(name, json!([]))),
                2 => drop(object.insert(format!("x{name}"), json!(["blue"]))),
                _ => {
                    let taken = object.remove(&name).unwrap_or_default();
                    object.insert(format!("{name}z"), taken);
                }
            }
        }
        value
    })
}
