//! Claims by their path of keys, and the few types in which they are read.

use super::fact::{Fact, Why};
use countersign_ruleset::provider::ClaimPath;
use serde_json::{Map, Value};

/// The claim at `path`. A path leads through objects only; `null` is a value of the wrong type.
pub(crate) fn at<'a>(members: &'a Map<String, Value>, path: &[String]) -> Fact<&'a Value> {
    let Some((last, before)) = path.split_last() else {
        return Fact::Unknown(Why::NotMapped);
    };
    let mut object = members;
    for key in before {
        match object.get(key) {
            None => return Fact::Absent,
            Some(Value::Object(inner)) => object = inner,
            Some(_) => return Fact::Unknown(Why::WrongType),
        }
    }
    match object.get(last) {
        None => Fact::Absent,
        Some(Value::Null) => Fact::Unknown(Why::WrongType),
        Some(value) => Fact::Known(value),
    }
}

/// The first of these claims of which the token says anything.
pub(crate) fn first<'a>(members: &'a Map<String, Value>, paths: &[ClaimPath]) -> Fact<&'a Value> {
    if paths.is_empty() {
        return Fact::Unknown(Why::NotMapped);
    }
    let mut facts = paths.iter().map(|path| at(members, path));
    facts
        .find(|fact| !matches!(fact, Fact::Absent))
        .unwrap_or(Fact::Absent)
}

/// A string with something in it.
pub(crate) fn text(value: &Value) -> Fact<&str> {
    match value {
        Value::String(text) if !text.is_empty() => Fact::Known(text),
        _ => Fact::Unknown(Why::WrongType),
    }
}

/// A string, or an array of strings and nothing else: of a list that is partly something else it
/// cannot be said what is not in it.
pub(crate) fn texts(value: &Value) -> Fact<Vec<&str>> {
    let list = match value {
        Value::String(one) => return Fact::Known(vec![one]),
        Value::Array(list) => list,
        _ => return Fact::Unknown(Why::WrongType),
    };
    let texts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
    texts.map_or(Fact::Unknown(Why::WrongType), Fact::Known)
}

/// An array of strings, and nothing else: where a list is expected, one string may as well be several
/// in some other notation.
pub(crate) fn list(value: &Value) -> Fact<Vec<&str>> {
    if value.is_array() {
        texts(value)
    } else {
        Fact::Unknown(Why::WrongType)
    }
}

#[cfg(test)]
mod tests {
    use super::{at, first, list, text, texts};
    use crate::claims::fact::{Fact, Why};
    use serde_json::{Map, Value, json};

    fn members(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn path(keys: &[&str]) -> Vec<String> {
        keys.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_path_is_a_list_of_keys_so_dots_and_urls_are_no_trouble() {
        let claims = members(&json!({
            "realm_access": {"roles": ["a"]}, "https://example.com/roles": "b", "x.y": 1, "n": null
        }));
        assert_eq!(
            at(&claims, &path(&["realm_access", "roles"])),
            Fact::Known(&json!(["a"]))
        );
        assert_eq!(
            at(&claims, &path(&["https://example.com/roles"])),
            Fact::Known(&json!("b"))
        );
        assert_eq!(at(&claims, &path(&["x.y"])), Fact::Known(&json!(1)));
        assert_eq!(at(&claims, &path(&["x", "y"])), Fact::Absent);
        assert_eq!(at(&claims, &path(&["realm_access", "other"])), Fact::Absent);
        assert_eq!(
            at(&claims, &path(&["x.y", "z"])),
            Fact::Unknown(Why::WrongType)
        );
        assert_eq!(at(&claims, &path(&["n"])), Fact::Unknown(Why::WrongType));
        assert_eq!(at(&claims, &[]), Fact::Unknown(Why::NotMapped));
    }

    #[test]
    fn the_first_claim_that_is_there_counts_even_if_it_is_of_no_use() {
        let claims = members(&json!({"azp": null, "client_id": "c"}));
        let paths = [path(&["azp"]), path(&["client_id"])];
        assert_eq!(first(&claims, &paths), Fact::Unknown(Why::WrongType));
        assert_eq!(first(&claims, &paths[1..]), Fact::Known(&json!("c")));
        assert_eq!(first(&claims, &[path(&["cid"])]), Fact::Absent);
        assert_eq!(first(&claims, &[]), Fact::Unknown(Why::NotMapped));
    }

    #[test]
    fn a_list_that_is_partly_something_else_is_no_list_of_texts() {
        assert_eq!(texts(&json!("a")), Fact::Known(vec!["a"]));
        assert_eq!(texts(&json!(["a", "b"])), Fact::Known(vec!["a", "b"]));
        assert_eq!(texts(&json!([])), Fact::Known(vec![]));
        for other in [
            json!(["a", 1]),
            json!([["a"]]),
            json!({"a": "b"}),
            json!(true),
            json!(7),
        ] {
            assert_eq!(texts(&other), Fact::Unknown(Why::WrongType), "{other}");
        }
        assert_eq!(text(&json!("")), Fact::Unknown(Why::WrongType));
        assert_eq!(list(&json!(["a"])), Fact::Known(vec!["a"]));
        assert_eq!(list(&json!("a")), Fact::Unknown(Why::WrongType));
    }
}
