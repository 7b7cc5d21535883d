//! The invariants of `crates/README.md` that a dependency or a line of source can break.

use std::collections::BTreeSet;
use std::process::Command;
use tests::files::{self, File};

/// Who may depend on whom, tests aside.
const ARROWS: [(&str, &[&str]); 7] = [
    ("countersign-ruleset", &[]),
    ("countersign-policy", &["countersign-ruleset"]),
    ("countersign-enforcer", &["countersign-ruleset"]),
    (
        "countersign-edge",
        &["countersign-enforcer", "countersign-ruleset"],
    ),
    (
        "countersign-controller",
        &[
            "countersign-enforcer",
            "countersign-policy",
            "countersign-ruleset",
        ],
    ),
    (
        "countersign",
        &[
            "countersign-controller",
            "countersign-edge",
            "countersign-enforcer",
            "countersign-policy",
            "countersign-ruleset",
        ],
    ),
    (
        "xtask",
        &[
            "countersign",
            "countersign-controller",
            "countersign-edge",
            "countersign-enforcer",
            "countersign-policy",
            "countersign-ruleset",
        ],
    ),
];

/// What runs tasks, opens sockets or watches files.
const INPUT_AND_OUTPUT: [&str; 14] = [
    "async-io",
    "async-std",
    "h2",
    "hyper",
    "hyper-util",
    "kube-client",
    "kube-runtime",
    "mio",
    "notify",
    "reqwest",
    "smol",
    "socket2",
    "tokio",
    "tower",
];

/// What knows of Kubernetes.
const KUBERNETES: [&str; 6] = [
    "k8s-openapi",
    "kube",
    "kube-client",
    "kube-core",
    "kube-derive",
    "schemars",
];

/// What reads a clock; the first two stand for a point in time, so that naming them is enough.
const CLOCKS: [&str; 5] = [
    "SystemTime",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "Utc::now",
];

/// What reaches out of a pure function.
const REACHES_OUT: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "File::",
    "OpenOptions",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
];

#[test]
fn the_arrows_between_the_crates_are_those_of_the_picture() {
    for (package, allowed) in ARROWS {
        let direct = tree(package, &["--edges", "normal", "--depth", "1"]);
        let own: BTreeSet<&str> = direct
            .iter()
            .map(String::as_str)
            .filter(|n| ours(n))
            .collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().chain([package]).collect();
        let more: Vec<_> = own.difference(&allowed).collect();
        assert!(more.is_empty(), "{package} depends on {more:?}");
    }
}

#[test]
fn what_is_promised_and_what_is_written_reach_no_runtime() {
    for package in ["countersign-ruleset", "countersign-policy"] {
        let reached = tree(package, &["--edges", "normal", "--all-features"]);
        assert_eq!(
            among(&reached, &INPUT_AND_OUTPUT),
            Vec::<&str>::new(),
            "{package}"
        );
    }
}

#[test]
fn the_enforcer_knows_nothing_of_kubernetes_and_its_core_of_no_runtime() {
    let whole = tree(
        "countersign-enforcer",
        &["--edges", "normal", "--all-features"],
    );
    assert_eq!(among(&whole, &KUBERNETES), Vec::<&str>::new());
    let core = tree(
        "countersign-enforcer",
        &["--edges", "normal", "--no-default-features"],
    );
    assert_eq!(among(&core, &INPUT_AND_OUTPUT), Vec::<&str>::new());
}

#[test]
fn the_edge_knows_nothing_of_kubernetes() {
    let reached = tree("countersign-edge", &["--edges", "normal"]);
    assert_eq!(among(&reached, &KUBERNETES), Vec::<&str>::new());
}

/// Private keys and signing are a feature of the ruleset, and an edge has no use for it.
#[test]
fn the_edge_cannot_sign() {
    let lines = cargo_tree(&[
        "--package",
        "countersign-edge",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p} [{f}]",
    ]);
    let ruleset: Vec<_> = lines
        .lines()
        .filter(|l| l.starts_with("countersign-ruleset "))
        .collect();
    assert!(!ruleset.is_empty(), "the edge reads rulesets");
    assert!(
        ruleset
            .iter()
            .all(|line| !line.contains("sign]") && !line.contains("sign,")),
        "{ruleset:?}"
    );
}

#[test]
fn there_is_one_crypto_provider() {
    let everything = cargo_tree(&["--workspace", "--edges", "normal,build", "--prefix", "none"]);
    let names = names(&everything);
    assert_eq!(
        among(&names, &["ring", "openssl-sys", "native-tls", "rsa"]),
        Vec::<&str>::new()
    );
    assert_eq!(among(&names, &["aws-lc-rs"]), ["aws-lc-rs"]);
}

/// The checks above can fail: what they look for is found where it is.
#[test]
fn a_runtime_is_found_where_there_is_one() {
    let edge = tree("countersign-edge", &["--edges", "normal"]);
    assert!(!among(&edge, &INPUT_AND_OUTPUT).is_empty());
    let policy = tree("countersign-policy", &["--edges", "normal"]);
    assert!(!among(&policy, &KUBERNETES).is_empty());
}

#[test]
fn pure_crates_name_no_clock_file_socket_or_variable() {
    for folder in ["crates/ruleset/src/", "crates/policy/src/"] {
        let words = [&CLOCKS[..], &REACHES_OUT[..]].concat();
        assert_eq!(mentions(&sources(folder), &words), Vec::<String>::new());
    }
}

#[test]
fn time_is_an_argument() {
    let mut files = sources("crates/");
    files.retain(|file| !may_read_the_clock(&file.path));
    assert!(files.len() > 30, "only {} files were read", files.len());
    assert_eq!(mentions(&files, &CLOCKS), Vec::<String>::new());
}

/// What is held against something must not be made of it.
#[test]
fn the_oracle_shares_nothing_with_what_it_is_held_against() {
    let mut files = files::rust("tests/hermetic/oracle/").expect("the workspace can be read");
    files.retain(|file| ["meaning", "reach", "truth", "who"].contains(&file.stem()));
    assert_eq!(files.len(), 4);
    let words = ["countersign_", "tests::", "super::play"];
    assert_eq!(mentions(&files, &words), Vec::<String>::new());
}

#[test]
fn a_mention_is_found_in_code_and_not_in_prose_or_tests() {
    let file = |text: &str| File {
        path: "crates/a/src/a.rs".to_owned(),
        text: text.to_owned(),
    };
    let found = |text| mentions(&[production(file(text))], &CLOCKS).len();
    assert_eq!(found("//! Reads.\nlet now = SystemTime::now();\n"), 1);
    assert_eq!(found("//! Never `SystemTime`.\n/// Nor SystemTime.\n"), 0);
    assert_eq!(
        found("//! Reads.\n#[cfg(test)]\nmod tests {\n SystemTime::now() }\n"),
        0
    );
    assert!(may_read_the_clock("crates/edge/src/main.rs"));
    assert!(may_read_the_clock("crates/enforcer/src/load/directory.rs"));
    assert!(!may_read_the_clock("crates/enforcer/src/token.rs"));
}

/// Time is an argument everywhere but where a process meets the world.
fn may_read_the_clock(path: &str) -> bool {
    // Nothing that is decided or signed is in what measures, or in what waits for a cluster of the tests.
    let measures = path.contains("/examples/") || path.starts_with("crates/xtask/src/cluster");
    path.ends_with("/main.rs") || path.ends_with("/load.rs") || path.contains("/load/") || measures
}

/// The sources under a folder without their tests.
fn sources(folder: &str) -> Vec<File> {
    let files = files::rust(folder).expect("the workspace can be read");
    let ours = files
        .into_iter()
        .filter(|file| !file.path.contains("/tests"));
    ours.map(production).collect()
}

fn production(mut file: File) -> File {
    if let Some(tests) = file.text.find("#[cfg(test)]\nmod ") {
        file.text.truncate(tests);
    }
    file
}

fn mentions(files: &[File], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = words.iter().find(|word| code.contains(**word)) {
                found.push(format!("{}:{}: `{word}`", file.path, number + 1));
            }
        }
    }
    found
}

fn ours(name: &str) -> bool {
    name.starts_with("countersign") || name == "xtask" || name == "tests"
}

fn among<'a>(reached: &BTreeSet<String>, names: &[&'a str]) -> Vec<&'a str> {
    names
        .iter()
        .copied()
        .filter(|name| reached.contains(*name))
        .collect()
}

/// The names of the packages that a package reaches, itself included.
fn tree(package: &str, arguments: &[&str]) -> BTreeSet<String> {
    let all = [&["--package", package, "--prefix", "none"], arguments].concat();
    let reached = names(&cargo_tree(&all));
    assert!(reached.contains(package), "{package}: {reached:?}");
    reached
}

fn names(tree: &str) -> BTreeSet<String> {
    let firsts = tree
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    firsts.map(str::to_owned).collect()
}

fn cargo_tree(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(files::root())
        .args(["tree", "--locked", "--offline"])
        .args(arguments)
        .output()
        .expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo tree {arguments:?}: {errors}"
    );
    String::from_utf8(output.stdout).expect("cargo writes UTF-8")
}
