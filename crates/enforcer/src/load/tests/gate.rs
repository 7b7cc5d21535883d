//! The gate: one verifier for all carriers, which nobody holds while he waits for bytes.

use super::super::look::{Local, Look};
use super::super::{ConfigMap, Directory};
use super::{Disk, NOW};
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::sign::{Signer, SigningKey, trust};
use countersign_ruleset::verifier::Wanted;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;

/// Brings a look all that it lacks, and says what that was.
fn bring(disk: &Disk, loader: &super::Loader, look: &mut Look) -> Vec<String> {
    let mut carrier = Local::Directory(Directory::new(disk.folder.path().join("published")));
    let mut asked = Vec::new();
    while let Err(missing) = loader.gate.pass(look, "test", NOW) {
        let mut wanted = Some(missing);
        while let Some(next) = wanted {
            let fetched = carrier.fetch(&look.scope, &next);
            asked.push(match &next {
                Wanted::Blob(blob) => blob.name.to_string(),
                Wanted::Manifest => "manifest".to_owned(),
                Wanted::Trust(version) => format!("trust {version}"),
            });
            wanted = look.bring(next, fetched);
        }
    }
    asked
}

/// While one carrier's bytes are waited for, another's ruleset comes into force.
#[test]
fn a_look_that_waits_holds_up_no_other() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let (mut loader, enforcer) = disk.start(NOW);
    let waiting = Look::new("shop".parse().unwrap());
    let lacks = loader.gate.pass(&waiting, "slow", NOW).unwrap_err();
    assert_eq!(lacks, Wanted::Trust(2));
    loader.cycle(NOW);
    assert!(enforcer.is_ready(NOW));
}

/// H6 without a gap: the key is removed, and what the next one signed comes in the same look. Between
/// the two, nothing may be followed: another carrier's look would take out of force what is.
#[test]
fn new_trust_is_followed_only_with_what_it_signs_at_hand() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let (mut loader, enforcer) = disk.start(NOW);
    loader.cycle(NOW);
    let old = disk.folder.path().join("old");
    fs::rename(disk.folder.path().join("published"), &old).unwrap();
    let mut next = disk.document.clone();
    next.version = 2;
    let other = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap();
    next.rulesets[0].keys = vec![other.public_key().clone()];
    disk.publish_as(&other, (2, 0), "r2");
    let folder = disk.folder.path().join("published/trust");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("2.json"), trust(&next, &[&disk.root]).unwrap()).unwrap();
    disk.told();
    let mut look = Look::new("shop".parse().unwrap());
    let mut carrier = Local::Directory(Directory::new(disk.folder.path().join("published")));
    let mut stale = Local::Directory(Directory::new(old));
    let mut asked = Vec::new();
    while let Err(missing) = loader.gate.pass(&look, "new", NOW) {
        // the other carrier, at every moment between
        loader.gate.look_at(&mut stale, NOW, Look::new);
        assert!(enforcer.is_ready(NOW), "after {asked:?}");
        let mut wanted = Some(missing);
        while let Some(next) = wanted {
            asked.push(format!("{next:?}"));
            let fetched = carrier.fetch(&look.scope, &next);
            wanted = look.bring(next, fetched);
        }
    }
    assert!(asked.len() > 3, "{asked:?}");
    let told = disk.told();
    assert_eq!(told.last().map(String::as_str), Some("2"));
    assert!(enforcer.is_ready(NOW));
}

#[test]
fn what_is_asked_for_comes_in_order_and_once() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let (loader, _) = disk.start(NOW);
    let mut look = Look::new("shop".parse().unwrap());
    let asked = bring(&disk, &loader, &mut look);
    assert_eq!(asked, ["trust 2", "manifest", "keys", "rules"]);
}

/// A kubelet writes a change into a folder of its own and moves the link: a look that has begun stays
/// with the one that it began with.
#[test]
fn a_mounted_config_map_is_never_half_of_one_and_half_of_another() {
    let disk = Disk::new();
    disk.publish(1, 0);
    let (loader, enforcer) = disk.start(NOW);
    let mounted = disk.folder.path().join("mounted");
    mount(&disk, &mounted, "..1");
    disk.publish_of(2, 0, "r2");
    let mut carrier = Local::ConfigMap(ConfigMap::new(mounted.clone()));
    carrier.begin();
    let manifest = carrier.fetch(&"shop".parse().unwrap(), &Wanted::Manifest);
    mount(&disk, &mounted, "..2");
    let again = carrier.fetch(&"shop".parse().unwrap(), &Wanted::Manifest);
    assert_eq!(manifest, again, "a look that has begun");
    disk.told();
    loader.gate.look_at(&mut carrier, NOW, Look::new);
    assert_eq!(disk.told(), ["2"]);
    assert!(enforcer.is_ready(NOW));
}

/// As the controller writes it: what is large is packed, and unpacked up to what was signed.
fn mount(disk: &Disk, mounted: &std::path::Path, version: &str) {
    let (data, scope) = (
        mounted.join(version),
        disk.folder.path().join("published/shop"),
    );
    fs::create_dir_all(&data).unwrap();
    fs::copy(scope.join("manifest.json"), data.join("shop.manifest.json")).unwrap();
    for (n, blob) in fs::read_dir(scope.join("blobs/sha256"))
        .unwrap()
        .enumerate()
    {
        let blob = blob.unwrap();
        let name = format!("shop.sha256.{}", blob.file_name().to_str().unwrap());
        let bytes = fs::read(blob.path()).unwrap();
        if n % 2 == 0 {
            fs::write(data.join(name), bytes).unwrap();
            continue;
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&bytes).unwrap();
        fs::write(data.join(format!("{name}.gz")), packed.finish().unwrap()).unwrap();
    }
    symlink(version, mounted.join("..tmp")).unwrap();
    fs::rename(mounted.join("..tmp"), mounted.join("..data")).unwrap();
}
