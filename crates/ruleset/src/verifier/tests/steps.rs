//! The cycle without I/O: what it asks for, in which order, and what it keeps when.

use super::super::{Fetched, Step, Wanted};
use super::shop;
use super::world::World;
use crate::manifest::MAX_BYTES;
use crate::time::UnixTime;
use crate::trust;

#[test]
fn asks_for_trust_then_the_manifest_then_each_blob_and_persists_before_it_is_done() {
    let mut world = World::new();
    world.publish_trust(2, |_| {}, &[1]);
    world.start().unwrap();
    let now = UnixTime(world.now);
    let (verifier, carrier) = world.parts();
    let mut said = Vec::new();
    let mut step = verifier.begin(&shop(), now, false);
    let cycle = loop {
        step = match step {
            Step::Fetch(fetch) => {
                assert_eq!(fetch.scope(), &shop());
                let path = fetch.wanted().path(&shop());
                said.push(path.split("sha256").next().unwrap().to_owned());
                let fetched = carrier.fetch(&fetch.wanted());
                fetch.got(fetched)
            }
            Step::Persist(persist) => {
                let blobs = persist.accepted().map_or(0, |taken| taken.blobs.len());
                said.push(format!("persist, {blobs} blobs"));
                assert_ne!(serde_json::to_string(persist.state()).unwrap(), "null");
                persist.done()
            }
            Step::Done(cycle) => break cycle,
        }
    };
    assert!(cycle.outcome.is_ok() && cycle.state_changed);
    assert_eq!(
        said,
        [
            "trust/2.json",
            "persist, 0 blobs",
            "trust/3.json",
            "shop/manifest.json",
            "shop/blobs/",
            "shop/blobs/",
            "persist, 2 blobs"
        ]
    );
}

/// What is not persisted yet is not in force either: a cycle may be dropped at each of its steps.
#[test]
fn a_cycle_that_is_dropped_has_done_nothing() {
    for steps in 0..5 {
        let mut world = World::new();
        world.start().unwrap();
        let before = world.verifier().state();
        let now = UnixTime(world.now);
        let (verifier, carrier) = world.parts();
        let mut step = verifier.begin(&shop(), now, false);
        for _ in 0..steps {
            step = match step {
                Step::Fetch(fetch) => {
                    let fetched = carrier.fetch(&fetch.wanted());
                    fetch.got(fetched)
                }
                other => other,
            };
        }
        assert!(!matches!(step, Step::Done(_)));
        drop(step);
        assert_eq!(world.verifier().state(), before, "{steps} steps");
    }
}

#[test]
fn asks_for_one_byte_more_than_there_may_be() {
    let most = |wanted: Wanted| usize::try_from(wanted.most()).unwrap();
    assert_eq!(most(Wanted::Manifest), MAX_BYTES + 1);
    assert_eq!(most(Wanted::Trust(1)), trust::MAX_BYTES + 1);
    let blob = World::new().manifest.blobs[0].clone();
    assert_eq!(Wanted::Blob(blob.clone()).most(), blob.size + 1);
    let _: Fetched = Fetched::NotFound;
}
