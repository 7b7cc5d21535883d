//! `docs/semantics.md`: each numbered line has examples, and each example is what happens.

use countersign_policy::Compilation;
use countersign_policy::preset::Preset;
use countersign_ruleset::provider::TokenType;
use std::collections::{BTreeMap, BTreeSet};
use tests::case::{Case, Expect};
use tests::trial::{self, Trial};

mod answers;
mod page;
mod publication;

use answers::Step;
use page::{Example, Line, Page, Scene};
use publication::Published;

/// The lines that a policy's author needs; those left out are of rulesets and trust.
const NUMBERS: [u8; 38] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 34, 36, 38, 40, 41, 42, 43, 44, 45, 46,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_has_an_example_and_every_example_is_what_happens() {
    let page = Page::read();
    let numbers: Vec<u8> = page.lines.iter().map(|line| line.number).collect();
    assert_eq!(numbers, NUMBERS);
    let mut wrong = Vec::new();
    for line in &page.lines {
        wrong.extend(faults(line, &page.scene).await);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The test above can fail: what does not happen is found, with the line that says it.
#[tokio::test]
async fn an_example_that_is_wrong_names_its_line() {
    let scene = Page::read().scene;
    let said = "- name: staff\n  from: [{providerRef: {name: okta}, groups: [staff]}]\n";
    let cases = [
        ("GET /  ana  → Allowed by staff", None),
        (
            "GET /  ana  → 403 NoRuleMatched",
            Some("expected 403 NoRuleMatched, got 200 Allowed"),
        ),
        ("GET /  ana  → Allowed by editors", Some("by editors")),
        (
            "GET /  ana  → Allowed, would be NoToken",
            Some("would be NoToken"),
        ),
        ("check → AP0001 UnknownField", Some("AP0001 UnknownField")),
        ("check → nothing", None),
    ];
    for (answers, expected) in cases {
        let line = Line {
            number: 7,
            title: "Actor".to_owned(),
            examples: vec![Example {
                said: vec![said.to_owned()],
                answers: format!("{answers}\n"),
            }],
        };
        let found = faults(&line, &scene).await;
        match expected {
            None => assert_eq!(found, Vec::<String>::new()),
            Some(expected) => {
                assert_eq!(found.len(), 1, "{found:?}");
                let fault = &found[0];
                assert!(fault.starts_with("7. Actor: "), "{fault}");
                assert!(fault.contains(expected), "{fault}");
            }
        }
    }
}

/// Line 38 has a table; what it says of each type is what the code has.
#[test]
fn the_table_of_presets_is_that_of_the_code() {
    let rows = page::rows("type");
    let names: Vec<&str> = rows.iter().map(|row| row["type"].as_str()).collect();
    let known: Vec<&str> = Preset::ALL.iter().map(|preset| preset.name).collect();
    assert_eq!(names, known);
    for (row, preset) in rows.iter().zip(Preset::ALL) {
        let tokens = preset.token_types.iter().map(|it| match it {
            TokenType::AccessToken => "access",
            TokenType::IDToken => "ID",
            TokenType::WorkloadToken => "workload",
        });
        let tokens: Vec<&str> = tokens.collect();
        let (hours, minutes) = (
            preset.max_lifetime / 3_600,
            preset.max_lifetime % 3_600 / 60,
        );
        let at_most = if hours > 0 {
            format!("{hours} h")
        } else {
            format!("{minutes} min")
        };
        let groups = preset.groups.into_iter().collect::<Vec<_>>();
        let says = |column: &str, value: &str| assert_eq!(row[column], value, "{}", preset.name);
        says("tokens", &tokens.join(", "));
        says("groups", &claims(&groups));
        says("client", &claims(preset.client));
        says("tenant", &claims(preset.tenant));
        says("at most", &at_most);
    }
}

/// Claims as the table names them.
fn claims(paths: &[&[&str]]) -> String {
    let names: Vec<String> = paths
        .iter()
        .map(|path| format!("`{}`", path.join(".")))
        .collect();
    if names.is_empty() {
        "–".to_owned()
    } else {
        names.join(", ")
    }
}

/// What is wrong with a line of the page.
async fn faults(line: &Line, scene: &Scene) -> Vec<String> {
    let mut faults = Vec::new();
    if line.examples.is_empty() {
        faults.push("it has no example".to_owned());
    }
    for example in &line.examples {
        let steps = answers::read(&example.answers, scene);
        match example.said.as_slice() {
            [said] => faults.extend(decided(said, &steps, scene)),
            several => {
                let published = Published::of(several, scene).await;
                let published = published.expect("it is published");
                let trial = |scope: &str, target: &str| published.trial(scope, target);
                faults.extend(played(&steps, &trial, &published.scene, &BTreeSet::new()));
            }
        }
    }
    let at = |fault| format!("{}. {}: {fault}", line.number, line.title);
    faults.into_iter().map(at).collect()
}

/// An example of one set of resources: in memory.
fn decided(said: &str, steps: &[Step], scene: &Scene) -> Vec<String> {
    let world = scene.world(said);
    let compilation = trial::compiled(&world.resources);
    let trial = |scope: &str, target: &str| Trial::from(&compilation, scope, target);
    played(steps, &trial, &world, &diagnostics(&compilation))
}

/// The diagnostics, as `AP0001 UnknownField`.
fn diagnostics(compilation: &Compilation) -> BTreeSet<String> {
    let found = compilation.diagnostics.iter();
    found
        .map(|one| format!("{} {}", one.code.id(), one.code.as_str()))
        .collect()
}

fn played(
    steps: &[Step],
    trial: &dyn Fn(&str, &str) -> Trial,
    world: &page::World,
    diagnostics: &BTreeSet<String>,
) -> Vec<String> {
    let mut trials: BTreeMap<(&str, &str), Trial> = BTreeMap::new();
    let (mut scope, mut target) = ("shop", "Host/orders.example.com");
    let mut faults = Vec::new();
    for step in steps {
        match step {
            Step::At { namespace, called } => (scope, target) = (namespace, called),
            Step::Check(expected) => {
                if expected != diagnostics {
                    faults.push(format!("check: expected {expected:?}, got {diagnostics:?}"));
                }
            }
            Step::Ask(case) => {
                let trial = trials
                    .entry((scope, target))
                    .or_insert_with(|| trial(scope, target));
                faults.extend(asked(case, trial, world));
            }
        }
    }
    faults
}

fn asked(case: &Case, trial: &Trial, world: &page::World) -> Option<String> {
    let mut got = Expect::from(case.play(trial, &world.cast, page::AUDIENCE));
    // the page names rules by their own names
    got.rules = got
        .rules
        .map(|rules| rules.iter().map(|rule| name(rule)).collect());
    let expected = &case.expect;
    (expected.beside(&got) != got)
        .then(|| format!("{}: expected {expected}, got {got}", case.title))
}

/// A rule's own name.
fn name(rule: &str) -> String {
    rule.rsplit('/').next().unwrap_or(rule).to_owned()
}
