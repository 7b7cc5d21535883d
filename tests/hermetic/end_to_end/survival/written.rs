//! Manifests that cannot be read: nothing is published, and it is said which file and why.

use super::Town;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A file, and what is said of it.
const BROKEN: [(&str, &str, &str); 5] = [
    ("bad syntax", "kind: [AccessPolicy\n", "expected YAML"),
    (
        "a key twice",
        "kind: AccessPolicy\nkind: AccessPolicy\n",
        "expected each field once, got `kind` twice",
    ),
    (
        "a template",
        "kind: X\nmetadata:\n  name: {{ .Values.name }}\n",
        "render it first",
    ),
    (
        "a name that is none",
        "apiVersion: countersign.dev/v1alpha1\nkind: AccessRole\nmetadata: {name: A_B, namespace: shop}\nspec: {}\n",
        "A_B",
    ),
    (
        "a merge",
        "a: &x {b: 1}\nc:\n  <<: *x\n",
        "expected a field's name, got a merge",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_publishes_nothing_and_is_told() -> Result<()> {
    let town = Town::new().await?;
    let at = town.ground.path("manifests/broken.yaml");
    for (what, text, said) in BROKEN {
        fs::write(&at, text)?;
        refused(&town, what, said).await?;
    }
    // two documents of one name
    fs::copy(town.ground.path("manifests/all.yaml"), &at)?;
    refused(&town, "a name twice", "ClusterTrustProvider/okta").await?;
    // larger than what anybody writes, and small but standing for much
    fs::write(&at, format!("a: \"{}\"\n", "x".repeat(50 << 20)))?;
    refused(&town, "50 MB", "expected at most 8 MiB, got more").await?;
    fs::write(&at, bomb())?;
    refused(&town, "a YAML bomb", "expected at most 200000 values").await?;
    fs::write(&at, format!("a: {}{}\n", "[".repeat(70), "]".repeat(70)))?;
    refused(&town, "a deep file", "expected at most 64 levels").await?;
    // what this machine cannot read at all
    fs::write(&at, b"a: \xff\n")?;
    refused(&town, "bytes that are no text", "expected UTF-8").await?;
    fs::remove_file(&at)?;
    symlink("nowhere.yaml", &at)?;
    refused(&town, "a file that is not there", "broken.yaml").await?;
    fs::remove_file(&at)?;
    // and once it is mended, it is published
    let compiled = town.ground.compile().await?;
    assert_eq!(compiled.code, Some(0), "{compiled:?}");
    town.stands("what was mended").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_folder_is_taken_for_a_wrong_one() -> Result<()> {
    let town = Town::new().await?;
    fs::remove_file(town.ground.path("manifests/all.yaml"))?;
    refused(
        &town,
        "an empty folder",
        "expected at least one manifest, got none",
    )
    .await?;
    fs::remove_dir(town.ground.path("manifests"))?;
    refused(&town, "no folder", "manifests").await
}

/// YAML 1.1, which kubectl reads, takes `no` for false and `010` for eight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_kubectl_reads_otherwise_is_read_by_yaml_1_2_and_told() -> Result<()> {
    let town = Town::new().await?;
    let path = town.ground.path("manifests/all.yaml");
    let text = fs::read_to_string(&path)?;
    let member = text.lines().find(|line| line.ends_with("- support"));
    let member = member.context("the group")?;
    for (written, reading) in [("no", "read as false"), ("010", "read as an octal number")] {
        let another = member.replace("support", written);
        fs::write(&path, text.replace(member, &format!("{member}\n{another}")))?;
        let compiled = town.ground.compile().await?;
        let said = compiled.text();
        assert_eq!(compiled.code, Some(0), "{written}: {said}");
        let told = format!("`{written}` is {reading} by kubectl (YAML 1.1)");
        assert!(said.contains(&told), "{written}: {said}");
        assert!(said.contains("all.yaml:"), "{written}: {said}");
    }
    town.stands("another YAML").await
}

/// Compiles what is there, and expects that nothing of it is published.
async fn refused(town: &Town, what: &str, why: &str) -> Result<()> {
    let published = town.ground.path("published");
    let before = bytes(&published)?;
    let compiled = town.ground.compile().await?;
    let said = compiled.text();
    assert_eq!(compiled.code, Some(1), "{what}: {said}");
    assert!(said.contains(why), "{what}: expected {why}, got {said}");
    assert!(said.contains("nothing was published"), "{what}: {said}");
    assert!(
        before == bytes(&published)?,
        "{what}: something was published"
    );
    town.stands(what).await
}

/// Every file below a folder, with its bytes.
fn bytes(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            all.extend(bytes(&path)?);
        } else {
            all.push((path.display().to_string(), fs::read(&path)?));
        }
    }
    Ok(all)
}

fn bomb() -> String {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let list = vec![format!("*a{}", n - 1); 9].join(", ");
        bomb = format!("{bomb}a{n}: &a{n} [{list}]\n");
    }
    bomb
}
