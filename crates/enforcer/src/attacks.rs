//! Holds `attacks.md` to the tests: each one that it names is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names of all test functions below a folder, each as `module::…::name`.
fn tests(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let inner = match stem {
            "lib" => module.to_owned(),
            _ => format!("{module}::{stem}"),
        };
        if path.is_dir() {
            tests(&path, &inner, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut own = inner;
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            if line == "mod tests {" {
                own.push_str("::tests");
            }
            marked |= line == "#[test]";
            if let Some(name) = line.strip_prefix("fn ")
                && marked
            {
                let end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                found.insert(format!("{own}::{}", name.split(end).next().unwrap()));
                marked = false;
            }
        }
    }
}

/// The last column of each row, between backticks.
fn named(page: &str) -> Vec<&str> {
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    last.flat_map(|column| column.split('`').skip(1).step_by(2))
        .collect()
}

#[test]
fn every_attack_names_tests_that_are_there() {
    let mut found = BTreeSet::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests(&sources.join("src"), "", &mut found);
    tests(&sources.join("../ruleset/src"), "", &mut found);
    assert!(found.len() > 200, "only {} tests were found", found.len());
    let page = include_str!("../attacks.md");
    let named = named(page);
    assert!(named.len() > 50, "only {} tests are named", named.len());
    for name in named
        .into_iter()
        .filter(|name| name.contains('_') && *name != "compile_fail")
    {
        let end = format!("::{name}");
        let is_there = found.iter().any(|test| {
            // `key::x` is `token::tests::key::x`: the folder of the tests may be left out
            test.ends_with(&end) || test.replace("::tests", "").ends_with(&end)
        });
        assert!(is_there, "`attacks.md` names `{name}`, which is no test");
    }
}
