//! Every file is in the shape that `CONTRIBUTING.md` asks for.

use tests::files::{self, File};

/// The most lines of a Rust file: above, it does two things.
const MOST_LINES: usize = 350;

/// Names that say nothing of what is inside.
const DRAWERS: [&str; 8] = [
    "common", "helper", "helpers", "manager", "misc", "types", "util", "utils",
];

/// Verbs that say nothing of what is done; `test_` says what the attribute says already.
const EMPTY_VERBS: [&str; 5] = ["get_", "handle_", "process_", "test_", "validate_"];

/// What stands where something was left for later, or was switched off. Written in two halves, or
/// this list would be found too.
const UNFINISHED: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("#[ign", "ore"),
];

/// Absolute paths of one machine, which no other has.
const MACHINES: [&str; 4] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// What others wrote stays as they wrote it.
const OTHERS: [&str; 2] = ["tests/vectors/jose-cookbook/", "tests/vectors/wycheproof/"];

#[test]
fn every_file_is_in_shape() {
    let mut files = files::all().expect("the workspace can be read");
    files.retain(|file| !OTHERS.iter().any(|folder| file.path.starts_with(folder)));
    let faults: Vec<String> = files.iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let rust = files.iter().filter(|file| file.is_rust()).count();
    assert!(
        rust > 50,
        "only {rust} Rust files were found: the walk is broken"
    );
}

/// Each check is seen to find what it is for.
#[test]
fn each_fault_is_found() {
    let long = format!("//! Long.\n{}", "// line\n".repeat(MOST_LINES));
    let cases = [
        ("crates/a/src/x.rs", "fn a() {}\n", "`//!`"),
        ("crates/a/src/x.rs", "//!\nfn a() {}\n", "`//!`"),
        ("crates/a/src/x.rs", long.as_str(), "351 lines"),
        ("crates/a/src/x/mod.rs", "//! X.\n", "x.rs"),
        ("crates/a/src/util.rs", "//! X.\n", "`util`"),
        ("crates/util/src/lib.rs", "//! X.\n", "`util`"),
        ("crates/a/src/x.rs", "//! X.\nmod helpers {}\n", "`helpers`"),
        (
            "crates/a/src/x.rs",
            "//! X.\npub ~struct KeyManager;\n",
            "`KeyManager`",
        ),
        (
            "crates/a/src/x.rs",
            "//! X.\n    pub(crate) async ~fn handle_it() {}\n",
            "`handle_it`",
        ),
        (
            "crates/a/src/x.rs",
            "//! X.\nconst ~fn get_it() {}\n",
            "`get_it`",
        ),
        (
            "crates/a/src/x.rs",
            concat!("//! X.\n// TO", "DO later\n"),
            "left for later",
        ),
        (
            "crates/a/src/x.rs",
            concat!("//! X.\n#[ign", "ore]\nfn a() {}\n"),
            "left for later",
        ),
        ("docs/a.md", concat!("see /wo", "rk/it\n"), "one machine"),
        ("docs/a.md", "a\u{202e}b\n", "direction"),
        ("docs/a.md", "a \n", "blank at the end"),
        ("docs/a.md", "a", "end of line"),
        ("crates/a/Cargo.toml", "[package]\n", "[lints]"),
        (
            "crates/a/Cargo.toml",
            "[dependencies]\nx = \"1\"\n[lints]\nworkspace = true\n",
            "`x`",
        ),
    ];
    for (path, text, expected) in cases {
        // The mark keeps this file from being found at fault itself.
        let found = faults(&file(path, &text.replace('~', "")));
        assert!(
            found.iter().any(|fault| fault.contains(expected)),
            "{path}: {text:?}: {found:?}"
        );
    }
}

#[test]
fn a_tidy_file_has_no_fault() {
    let rust = "//! Decides.\n\n/// Forgets it.\npub fn forget(process_id: u8) {}\n";
    let cargo = "[lints]\nworkspace = true\n\n[dependencies]\nx.workspace = true\n";
    assert_eq!(
        faults(&file("crates/a/src/decide.rs", rust)),
        Vec::<String>::new()
    );
    assert_eq!(
        faults(&file("crates/a/Cargo.toml", cargo)),
        Vec::<String>::new()
    );
}

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn faults(file: &File) -> Vec<String> {
    let mut faults = text_faults(file);
    if file.is_rust() {
        faults.extend(rust_faults(file));
    } else if file.path.ends_with("/Cargo.toml") {
        faults.extend(package_faults(file));
    }
    let at = |fault| format!("{}: {fault}", file.path);
    faults.into_iter().map(at).collect()
}

fn text_faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    let text = file.text.as_str();
    if MACHINES.iter().any(|place| text.contains(place)) {
        faults.push("names a place of one machine".to_owned());
    }
    // A reviewer must see what the compiler sees: CVE-2021-42574.
    if text.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
        faults.push("changes the direction of its text".to_owned());
    }
    if !text.is_empty() && !text.ends_with('\n') {
        faults.push("lacks its last end of line".to_owned());
    }
    let generated = file.path.starts_with("crds/");
    if !generated && text.lines().any(|line| line.ends_with([' ', '\t'])) {
        faults.push("has a blank at the end of a line".to_owned());
    }
    faults
}

fn rust_faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    let first = file.text.lines().next().unwrap_or_default();
    if first
        .strip_prefix("//! ")
        .is_none_or(|says| says.trim().is_empty())
    {
        faults.push("does not say in its first line, after `//!`, what it is for".to_owned());
    }
    let lines = file.text.lines().count();
    if lines > MOST_LINES {
        faults.push(format!("has {lines} lines; {MOST_LINES} are the most"));
    }
    if file.stem() == "mod" {
        faults.push("should be x.rs beside x/".to_owned());
    }
    if UNFINISHED.iter().any(|mark| file.text.contains(mark)) {
        faults.push("has something left for later, or switched off".to_owned());
    }
    for folder in file.path.split(['/', '.']) {
        faults.extend(drawer(folder));
    }
    for line in file.text.lines().map(str::trim_start) {
        if !line.starts_with("//") {
            faults.extend(line_faults(line));
        }
    }
    faults
}

fn line_faults(line: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let words: Vec<&str> = line.split_whitespace().collect();
    for pair in words.windows(2) {
        let [keyword, name] = pair else { continue };
        let end = |c: char| !c.is_alphanumeric() && c != '_';
        let name = name.split(end).next().unwrap_or_default();
        match *keyword {
            "mod" => faults.extend(drawer(name)),
            "fn" if EMPTY_VERBS.iter().any(|verb| name.starts_with(verb)) => {
                faults.push(format!("`{name}` begins with a verb that says nothing"));
            }
            "enum" | "struct" | "trait" | "type"
                if name.ends_with("Manager") || name.ends_with("Helper") =>
            {
                faults.push(format!("`{name}` does not say what it is"));
            }
            _ => {}
        }
    }
    faults
}

fn drawer(name: &str) -> Option<String> {
    DRAWERS
        .contains(&name)
        .then(|| format!("`{name}` is a drawer, not a name"))
}

/// A package without the workspace's lints is one that nobody looks at.
fn package_faults(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    if !file.text.contains("[lints]\nworkspace = true") {
        faults.push("lacks `[lints] workspace = true`".to_owned());
    }
    let mut dependencies = false;
    for line in file.text.lines() {
        if line.starts_with('[') {
            dependencies = line.ends_with("dependencies]");
        } else if dependencies && line.contains('=') && !line.contains("workspace = true") {
            let name = line.split([' ', '.', '=']).next().unwrap_or_default();
            faults.push(format!("takes `{name}` not from the workspace"));
        }
    }
    faults
}
