//! Manifests on a real disk: where each field is found, and what is not read.

use super::layout::Caret;
use super::{Manifests, read, yaml};
use crate::finding::{Finding, show};
use countersign_policy::compile;
use countersign_policy::diagnostic::FieldPath;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

const POLICY: &str = "\
# who may call orders
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [orders.example.com]
  rules:
  - name: support
    from:
    - {providerRef: {name: okta}, group: [order-support]}
---
apiVersion: countersign.dev/v1alpha1
kind: ClusterTrustProvider
metadata: {name: okta}
spec:
  type: Okta
  issuer: https://dev-123.okta.com
";

struct Disk(tempfile::TempDir);

impl Disk {
    fn new(files: &[(&str, &str)]) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = disk.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        disk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self) -> Result<Manifests, Vec<Finding>> {
        read(&[self.path("")])
    }

    /// The one reason for which nothing is read: its message, file and position.
    fn refusal(&self) -> (String, String, Option<(usize, usize)>) {
        let findings = self.read().unwrap_err();
        let [finding] = findings.as_slice() else {
            panic!("{findings:?}");
        };
        let place = finding.place.as_ref().unwrap();
        let base = format!("{}/", self.0.path().display());
        let file = place.file.path.replace(&base, "");
        (finding.message.replace(&base, ""), file, place.position())
    }
}

/// What a caret is under.
fn under(text: &str, path: &FieldPath, caret: Caret) -> String {
    let document = yaml::documents(text).unwrap().remove(0);
    let span = document.layout.locate(path.steps(), caret);
    text.get(super::layout::first_line(text, span))
        .unwrap()
        .to_owned()
}

#[test]
fn finds_the_place_of_a_field() {
    let rule = FieldPath::spec().name("rules").index(0);
    let entry = rule.name("from").index(0);
    for (path, caret, expected) in [
        (entry.name("group"), Caret::Name, "group"),
        (entry.name("group"), Caret::Value, "group"),
        (entry.name("group").index(0), Caret::Value, "order-support"),
        (entry.name("providerRef").name("name"), Caret::Value, "okta"),
        (rule.name("name"), Caret::Value, "support"),
        (rule.name("name"), Caret::Name, "name"),
        (rule.clone(), Caret::Value, "name"),
        (rule.name("action"), Caret::Value, "name"),
        (FieldPath::spec().name("audiences"), Caret::Value, "spec"),
        (FieldPath::default(), Caret::Value, "apiVersion"),
    ] {
        assert_eq!(under(POLICY, &path, caret), expected, "{path}");
    }
}

#[test]
fn a_misspelt_field_is_shown_with_its_line_and_the_nearest_name() {
    let disk = Disk::new(&[("orders.yaml", POLICY)]);
    let manifests = disk.read().unwrap();
    let compilation = compile(&manifests.resources, &BTreeMap::new());
    let misspelt = compilation
        .diagnostics
        .iter()
        .find(|one| one.code.id() == "AP0001")
        .unwrap();
    let finding = manifests.finding(misspelt);
    assert_eq!(finding.place.as_ref().unwrap().position(), Some((10, 35)));
    let base = format!("{}/", disk.0.path().display());
    let shown = show(&finding, false).replace(&base, "");
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    assert_eq!(
        lines.join("\n"),
        "AP0001

  × there is no field `group` here
    ╭─[orders.yaml:10:35]
  9 │     from:
 10 │     - {providerRef: {name: okta}, group: [order-support]}
    ·                                   ──┬──
    ·                                     ╰── spec.rules[0].from[0].group
 11 │ ---
    ╰────
  help: did you mean `groups`?"
    );
}

#[test]
fn of_a_condition_the_very_stretch_is_shown() {
    let policy = |when: &str| {
        let rule = format!("  - name: support\n    when: {when}\n");
        POLICY.replace("  - name: support\n", &rule)
    };
    let wrong = "caller.subjct == path.x";
    for (when, expected) in [
        (wrong.to_owned(), (9, 18, "subjct")),
        (format!("'{wrong}'"), (9, 19, "subjct")),
        (format!("\"{wrong}\""), (9, 19, "subjct")),
        (
            format!("|\n      true &&\n      {wrong}"),
            (11, 14, "subjct"),
        ),
        // with an escape in it, the whole field
        (
            format!("\"\\x20{wrong}\""),
            (9, 11, "\"\\x20caller.subjct == path.x\""),
        ),
    ] {
        let disk = Disk::new(&[("orders.yaml", &policy(&when))]);
        let manifests = disk.read().unwrap();
        let all = compile(&manifests.resources, &BTreeMap::new()).diagnostics;
        let one = all
            .iter()
            .find(|it| it.path.to_string() == "spec.rules[0].when");
        let finding = manifests.finding(one.unwrap());
        let place = finding.place.unwrap();
        let shown = place.file.text.get(place.span.clone().unwrap()).unwrap();
        let (line, column) = place.position().unwrap();
        assert_eq!((line, column, shown), expected, "{when}");
        let end = column.checked_add(shown.chars().count());
        assert_eq!(place.end_column(), end);
    }
}

#[test]
fn nothing_is_read_if_something_cannot_be() {
    let twice = format!("{POLICY}---\n{POLICY}");
    for (files, message, file, at) in [
        (vec![], "expected at least one manifest, got none", "", None),
        (
            vec![("a.txt", "a: 1")],
            "expected at least one manifest, got none",
            "",
            None,
        ),
        (
            vec![("a.yaml", "# nothing\n")],
            "expected at least one manifest, got none",
            "",
            None,
        ),
        (
            vec![("a.yaml", POLICY), ("b.yaml", "kind: X\nkind: Y\n")],
            "expected each field once, got `kind` twice",
            "b.yaml",
            Some((2, 1)),
        ),
        (
            vec![("chart/Chart.yaml", "a: 1")],
            "expected manifests, got a Helm chart",
            "chart",
            None,
        ),
    ] {
        let disk = Disk::new(&files);
        let (got, got_file, got_at) = disk.refusal();
        assert_eq!((got.as_str(), got_at), (message, at));
        assert_eq!(got_file, file);
    }
    let findings = Disk::new(&[("a.yaml", &twice)]).read().unwrap_err();
    let places: Vec<_> = findings
        .iter()
        .map(|f| f.place.as_ref().unwrap().position())
        .collect();
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert!(
        places
            .iter()
            .all(|place| place.is_some_and(|(line, _)| line > 17)),
        "{places:?}"
    );
}

#[test]
fn a_syntax_error_has_its_line_and_a_template_is_recognised() {
    let disk = Disk::new(&[("a.yaml", "kind: X\nspec: [1, 2\nother: 3\n")]);
    let (message, file, at) = disk.refusal();
    assert!(message.starts_with("expected YAML: "), "{message}");
    assert_eq!(file, "a.yaml");
    assert!(at.is_some_and(|(line, _)| line >= 2), "{at:?}");

    let disk = Disk::new(&[("a.yaml", "kind: X\nmetadata:\n  name: {{ .Values.name }}\n")]);
    let findings = disk.read().unwrap_err();
    let help = findings[0].help.as_deref().unwrap();
    assert_eq!(
        help,
        "a template is no manifest yet: render it first, as by `helm template`"
    );
}

#[test]
fn what_is_too_large_or_no_text_is_not_read() {
    let large = "#".repeat((8 << 20) + 1);
    let (message, ..) = Disk::new(&[("a.yaml", &large)]).refusal();
    assert_eq!(message, "expected at most 8 MiB, got more");
    let disk = Disk::new(&[]);
    fs::write(disk.path("a.yaml"), b"a: \xff\n").unwrap();
    assert_eq!(disk.refusal().0, "expected UTF-8, got another byte at 3");
    assert!(read(&[disk.path("nowhere")]).is_err());
}

#[test]
fn links_are_followed_inside_the_folder_and_nowhere_else() {
    // as a ConfigMap is mounted
    let disk = Disk::new(&[("..2026/orders.yaml", POLICY)]);
    symlink("..2026", disk.path("..data")).unwrap();
    symlink("..data/orders.yaml", disk.path("orders.yaml")).unwrap();
    symlink("orders.yaml", disk.path("again.yaml")).unwrap();
    symlink(".", disk.path("circle")).unwrap();
    let manifests = disk.read().unwrap();
    assert_eq!((manifests.files, manifests.count()), (1, 2));

    let outside = Disk::new(&[("deny.yaml", POLICY)]);
    symlink(outside.path("deny.yaml"), disk.path("deny.yaml")).unwrap();
    let (message, file, _) = disk.refusal();
    assert!(
        message.starts_with("leads out of the folder, to "),
        "{message}"
    );
    assert_eq!(file, "deny.yaml");
}

#[test]
fn the_items_of_a_list_are_resources() {
    let item = POLICY.split("---").next().unwrap();
    let list = "apiVersion: v1\nkind: List\nitems:\n  -\n    ".to_owned();
    let list = list + &item.trim_end().replace('\n', "\n    ");
    let manifests = Disk::new(&[("list.yaml", &list)]).read().unwrap();
    assert_eq!(manifests.count(), 1);
    let compilation = compile(&manifests.resources, &BTreeMap::new());
    let misspelt = compilation
        .diagnostics
        .iter()
        .find(|one| one.code.id() == "AP0001")
        .unwrap();
    let place = manifests.finding(misspelt).place.unwrap();
    assert_eq!(place.file.text.get(place.span.unwrap()), Some("group"));
}

#[test]
fn warns_of_what_kubectl_reads_otherwise_in_our_resources_only() {
    let policy = "\
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: on, namespace: shop}
spec:
  hosts: [orders.example.com]
  rules:
  - {name: 'on', from: [{providerRef: {name: okta}, groups: [no, \"yes\", 0755]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
data: {on: yes}
";
    let manifests = Disk::new(&[("a.yaml", policy)]).read().unwrap();
    let warnings = manifests.warnings.iter();
    let said: Vec<_> = warnings
        .map(|w| (w.message.as_str(), w.place.as_ref().unwrap().position()))
        .collect();
    assert_eq!(
        said,
        [
            ("`on` is read as true by kubectl (YAML 1.1)", Some((3, 18))),
            ("`no` is read as false by kubectl (YAML 1.1)", Some((7, 62))),
            (
                "`0755` is read as an octal number by kubectl (YAML 1.1)",
                Some((7, 73))
            ),
        ]
    );
}
