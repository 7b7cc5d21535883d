//! The cgroup that everything of a node is in, so that nothing of it is left and nothing else is touched.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Its name below each hierarchy's root.
pub(super) const NAME: &str = "countersign";

const ROOT: &str = "/sys/fs/cgroup";

/// Why no cgroup can be made; nothing, if one can.
pub(super) fn obstacle() -> Option<String> {
    let all = hierarchies();
    let has = |name: &str| all.iter().any(|place| place.ends_with(name));
    let usable = is_unified() || ["cpu", "memory", "pids"].iter().all(|name| has(name));
    let writable = all.iter().all(|place| {
        let probe = place.join(format!("{NAME}-probe"));
        fs::create_dir(&probe)
            .and_then(|()| fs::remove_dir(&probe))
            .is_ok()
    });
    (!usable || !writable).then(|| "a node needs cgroups that it may write".to_owned())
}

/// Makes it in every hierarchy.
pub(super) fn make() -> Result<()> {
    for hierarchy in hierarchies() {
        let ours = hierarchy.join(NAME);
        fs::create_dir_all(&ours).with_context(|| ours.display().to_string())?;
        for file in ["cpuset.cpus", "cpuset.mems"] {
            // Version 1 gives a new cpuset nothing at all.
            if !is_unified() && ours.join(file).is_file() {
                fs::write(ours.join(file), fs::read(hierarchy.join(file))?).context(file)?;
            }
        }
        if is_unified() {
            delegate(&hierarchy);
            delegate(&ours);
        }
    }
    Ok(())
}

/// Removes it; whatever was in it ends first. What does not is left.
pub(super) fn remove() {
    for hierarchy in hierarchies() {
        let ours = hierarchy.join(NAME);
        for _ in 0..100 {
            remove_below(&ours);
            if !ours.exists() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn remove_below(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_below(&entry.path());
        }
    }
    // Refused as long as a process is in it.
    let _ = fs::remove_dir(group);
}

/// Version 2 gives a group only the controllers that the one above hands down.
fn delegate(group: &Path) {
    let controllers = fs::read_to_string(group.join("cgroup.controllers")).unwrap_or_default();
    for controller in controllers.split_whitespace() {
        let _ = fs::write(
            group.join("cgroup.subtree_control"),
            format!("+{controller}"),
        );
    }
}

/// One in version 2; one for each controller in version 1, where some have two names.
fn hierarchies() -> Vec<PathBuf> {
    if is_unified() {
        return vec![PathBuf::from(ROOT)];
    }
    let entries = fs::read_dir(ROOT).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let places = folders.map(|entry| entry.path());
    places
        .filter(|place| place.join("cgroup.procs").is_file())
        .collect()
}

fn is_unified() -> bool {
    Path::new(ROOT).join("cgroup.controllers").is_file()
}
