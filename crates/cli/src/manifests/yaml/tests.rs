//! What YAML is read, what is refused, and within which limits.

use super::documents;
use serde_json::{Value, json};

fn value(text: &str) -> Value {
    let mut documents = documents(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0).value
}

fn broken(text: &str) -> (String, String) {
    let broken = documents(text).unwrap_err();
    let at = crate::manifests::layout::first_line(text, broken.span);
    (broken.message, text.get(at).unwrap().to_owned())
}

#[test]
fn reads_block_and_flow_and_json_alike() {
    let expected = json!({"a": [1, {"b": "x y", "c": null}], "d": true, "e": "1"});
    for text in [
        "a:\n- 1\n- b: x y\n  c:\nd: true\ne: \"1\"\n",
        "{a: [1, {b: x y, c: null}], d: true, e: '1'}",
        r#"{"a": [1, {"b": "x y", "c": null}], "d": true, "e": "1"}"#,
        "\u{feff}a: [1, {b: \"x y\", c: ~}]\nd: True\ne: !!str 1\n",
        "a: &list\n- 1\n- {b: x y, c: }\nd: true\ne: '1'\n",
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    assert_eq!(
        value("a: &x {b: 1}\nc: *x\n"),
        json!({"a": {"b": 1}, "c": {"b": 1}})
    );
    assert_eq!(
        value("a: |\n  x\n  y\nb: >-\n  x\n  y\n"),
        json!({"a": "x\ny\n", "b": "x y"})
    );
}

#[test]
fn a_file_may_hold_several_documents_and_empty_ones() {
    let documents = documents("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n").unwrap();
    let values: Vec<Value> = documents
        .into_iter()
        .map(|document| document.value)
        .collect();
    assert_eq!(values, [json!({"a": 1}), json!({"b": 2})]);
}

#[test]
fn refuses_what_two_readers_could_take_for_two_things() {
    for (text, message, at) in [
        (
            "a: 1\nb: 2\na: 3\n",
            "expected each field once, got `a` twice",
            "a",
        ),
        (
            "{a: 1, \"a\": 2}",
            "expected each field once, got `a` twice",
            "\"a\"",
        ),
        (
            "a: &x {b: 1}\nc:\n  <<: *x\n",
            "expected a field's name, got a merge",
            "<<",
        ),
        (
            "a: !env HOME\n",
            "expected a plain value, got one with the tag `!env`",
            "HOME",
        ),
        (
            "? [a]\n: 1\n",
            "expected a field's name, got something else",
            "[",
        ),
        (
            "a: &x [*x]\n",
            "expected an anchor that ends before its alias, got one around it",
            "*x",
        ),
    ] {
        assert_eq!(broken(text), (message.to_owned(), at.to_owned()), "{text}");
    }
}

#[test]
fn a_few_lines_cannot_stand_for_billions() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let list = vec![format!("*a{}", n - 1); 9].join(", ");
        bomb = format!("{bomb}a{n}: &a{n} [{list}]\n");
    }
    assert_eq!(
        broken(&bomb).0,
        "expected at most 200000 values in a file, got more"
    );
    let deep = format!("a: {}{}", "[".repeat(70), "]".repeat(70));
    assert_eq!(broken(&deep).0, "expected at most 64 levels, got more");
    let endless = "[".repeat(100_000);
    assert!(documents(&endless).is_err());
}
