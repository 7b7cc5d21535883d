//! `vectors/decisions/*.yaml`: resources, requests, and the decision that is expected of each.

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use tests::cast::{Cast, Order};
use tests::files;
use tests::trial::{NOW, Trial};

/// A file of cases; its form is described in `vectors/decisions/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    title: String,
    scope: String,
    target: String,
    resources: Vec<Value>,
    requests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    title: String,
    /// `METHOD URL`, the path as it is sent.
    request: String,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    scheme: Option<String>,
    #[serde(default)]
    token: Option<Order>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    reason: String,
    status: Option<u16>,
    rules: Option<Vec<String>>,
}

#[test]
fn every_case_is_decided_as_its_file_says() {
    let folder = files::root().join("tests/vectors/decisions");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    let mut wrong = Vec::new();
    let mut count = 0;
    for path in paths {
        let text = fs::read_to_string(&path).expect("the file can be read");
        let tables: Vec<Table> = serde_saphyr::from_multiple(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for table in tables {
            count += table.requests.len();
            wrong.extend(play(table));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count > 350, "only {count} cases were found");
}

fn play(mut table: Table) -> Vec<String> {
    let cast = Cast::of(&mut table.resources);
    let trial = Trial::of(&table.resources, &table.scope, &table.target);
    let mut wrong = Vec::new();
    for case in &table.requests {
        let expected = &case.expect;
        let got = decide(&trial, &cast, case);
        let same = got.reason == expected.reason
            && expected.status.is_none_or(|status| status == got.status)
            && expected
                .rules
                .as_ref()
                .is_none_or(|rules| *rules == got.rules);
        if !same {
            wrong.push(format!(
                "{}: {}: expected {} {:?} {:?}, got {} {} {:?}",
                table.title,
                case.title,
                expected.reason,
                expected.status,
                expected.rules,
                got.reason,
                got.status,
                got.rules,
            ));
        }
    }
    wrong
}

fn decide(trial: &Trial, cast: &Cast, case: &Case) -> tests::trial::Outcome {
    let (method, target) = case.request.split_once(' ').expect("METHOD URL");
    let mut headers = HeaderMap::new();
    let mut append = |name: &str, value: &str| {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.append(
            name,
            HeaderValue::from_str(value).expect("a header's value"),
        );
    };
    for (name, values) in &case.headers {
        match values {
            OneOrMany::One(value) => append(name, value),
            OneOrMany::Many(values) => values.iter().for_each(|value| append(name, value)),
        }
    }
    if let Some(order) = &case.token {
        let token = cast.token(order, "https://orders.example.com", NOW);
        append(
            "authorization",
            &format!("{} {token}", case.scheme.as_deref().unwrap_or("Bearer")),
        );
    }
    let (parts, ()) = Request::builder()
        .method(method)
        .uri(target)
        .body(())
        .unwrap_or_else(|error| panic!("{}: {error}", case.title))
        .into_parts();
    trial.decide(&parts.method, &parts.uri, &headers)
}
