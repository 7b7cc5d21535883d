//! What is generated is as the code would have it: the same functions as `cargo xtask generate`.

use xtask::generated::{self, Generated};

#[test]
fn generated_files_are_up_to_date() {
    let files = generated::all().expect("every file can be made");
    let differing = generated::differing(&files).expect("every file can be read");
    assert!(differing.is_empty(), "{}", generated::outdated(&differing));
}

#[test]
fn a_missing_and_a_changed_file_are_found() {
    let mut files = generated::all().expect("every file can be made");
    let first = files.first_mut().expect("there are generated files");
    first.text.push('#');
    let changed = first.path.clone();
    let missing = "docs/nobody-wrote-this.md".to_owned();
    files.push(Generated {
        path: missing.clone(),
        text: String::new(),
    });
    let differing = generated::differing(&files).expect("every file can be read");
    assert!(differing.contains(&changed) && differing.contains(&missing));
    let told = generated::outdated(&differing);
    assert!(told.contains(&changed) && told.ends_with("run `cargo xtask generate`"));
}

#[test]
fn a_file_that_is_made_no_longer_is_found() {
    let files = generated::all().expect("every file can be made");
    let without = files.get(1..).expect("there are generated files");
    let first = files.first().expect("there are generated files");
    let differing = generated::differing(without).expect("every file can be read");
    assert!(differing.contains(&first.path));
}
