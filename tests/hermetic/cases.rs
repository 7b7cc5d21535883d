//! `vectors/decisions/` and `vectors/policies/`: resources, requests, and the decision expected of each.

use countersign_ruleset::time::UnixTime;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tests::case::Case;
use tests::cast::Cast;
use tests::files;
use tests::program;
use tests::trial::{self, NOW, Trial};

/// The policies that people copy.
const EXAMPLES: &str = "examples/policies";

/// A file of cases; its form is described in `vectors/decisions/README.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    title: String,
    scope: String,
    target: String,
    /// A folder of manifests, from the workspace's root.
    #[serde(default)]
    folder: Option<String>,
    #[serde(default)]
    resources: Vec<Value>,
    /// The audience of tokens that name none.
    #[serde(default)]
    audience: Option<String>,
    /// What time it is, in RFC 3339.
    #[serde(default)]
    now: Option<jiff::Timestamp>,
    requests: Vec<Case>,
}

#[test]
fn every_case_is_decided_as_its_file_says() {
    let count = play(&tables("tests/vectors/decisions"));
    assert!(count > 700, "only {count} cases were found");
}

/// Each policy of the examples has a table of its name, and each table goes both ways.
#[test]
fn every_policy_of_the_examples_is_decided_as_its_table_says() {
    let tables = tables("tests/vectors/policies");
    let mut policies = names(&yaml(EXAMPLES));
    policies.retain(|name| !["providers", "targets"].contains(&name.as_str()));
    let shown: Vec<&String> = tables.keys().collect();
    assert_eq!(shown, policies.iter().collect::<Vec<_>>());
    for (file, tables) in &tables {
        let requests: Vec<&Case> = tables.iter().flat_map(|table| &table.requests).collect();
        let (allowed, denied): (Vec<&Case>, Vec<&Case>) = requests
            .iter()
            .partition(|case| case.expect.reason == "Allowed");
        assert!(requests.len() >= 6, "{file}: too few requests");
        assert!(!denied.is_empty(), "{file}: nobody is denied");
        assert!(!allowed.is_empty(), "{file}: nobody is let in");
        let named = |case: &&Case| case.expect.rules.is_some();
        assert!(allowed.iter().all(named), "{file}: an Allow names no rule");
    }
    // the letters by which the documentation speaks of them
    let titles = tables.values().flatten().map(|table| table.title.as_str());
    let letters: BTreeSet<char> = titles.filter_map(|title| title.chars().nth(1)).collect();
    assert_eq!(letters, ('a'..='n').collect());
    play(&tables);
}

/// All of them in one cluster: nothing is wrong, and nothing is warned of.
#[tokio::test]
async fn the_policies_of_the_examples_stand_in_one_cluster() -> anyhow::Result<()> {
    let checked = program::run("countersign", &["check", EXAMPLES], &files::root()).await?;
    assert_eq!(checked.code, Some(0), "{}", checked.text());
    assert!(
        checked.text().contains("nothing is wrong"),
        "{}",
        checked.text()
    );
    Ok(())
}

/// Plays tables; how many cases there were.
fn play(tables: &BTreeMap<String, Vec<Table>>) -> usize {
    let all = tables.values().flatten();
    let count = all.clone().map(|table| table.requests.len()).sum();
    let wrong: Vec<String> = all.flat_map(faults).collect();
    assert!(
        wrong.is_empty(),
        "{} of {count} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    count
}

fn faults(table: &Table) -> Vec<String> {
    let mut resources = table.folder.as_deref().map(manifests).unwrap_or_default();
    resources.extend(table.resources.iter().cloned());
    let cast = Cast::of(&mut resources);
    let second = table.now.map(jiff::Timestamp::as_second);
    let now = second.map_or(NOW, |at| UnixTime(at.try_into().expect("after 1970")));
    let compilation = trial::compiled(&resources);
    let trial = Trial::at(&compilation, &table.scope, &table.target, now).with_logins(&compilation);
    let audience = table.audience.as_deref();
    let audience = audience.unwrap_or("https://orders.example.com");
    let cases = table.requests.iter();
    cases
        .filter_map(|case| case.fault(&trial, &cast, audience))
        .map(|fault| format!("{}: {fault}", table.title))
        .collect()
}

/// The tables of a folder, by the names of their files.
fn tables(folder: &str) -> BTreeMap<String, Vec<Table>> {
    let paths = yaml(folder);
    let read = |path: &PathBuf| documents(path);
    names(&paths)
        .into_iter()
        .zip(paths.iter().map(read))
        .collect()
}

/// The manifests of a folder.
fn manifests(folder: &str) -> Vec<Value> {
    yaml(folder)
        .iter()
        .flat_map(|path| documents(path))
        .collect()
}

fn documents<T: for<'de> Deserialize<'de>>(path: &Path) -> Vec<T> {
    let text = fs::read_to_string(path).expect("the file can be read");
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder that end in `.yaml`, in order.
fn yaml(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(files::root().join(folder)).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .collect();
    paths.sort();
    paths
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    let stem = |path: &PathBuf| Some(path.file_stem()?.to_string_lossy().into_owned());
    paths.iter().filter_map(stem).collect()
}
