//! Whatever is changed on the way: nothing is taken but what was signed.

use super::super::Outcome;
use super::world::World;
use proptest::prelude::*;

/// One of the three files that are published.
fn published(world: &mut World, which: usize) -> &mut Vec<u8> {
    let manifest = world.carrier.manifest.iter_mut();
    let mut files = manifest.chain(world.carrier.blobs.values_mut());
    files.nth(which).unwrap()
}

proptest! {
    #[test]
    fn no_bit_of_what_is_published_can_be_flipped(
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        which in 0..3_usize,
    ) {
        let mut world = World::new();
        let bytes = published(&mut world, which);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let intact = World::new();
        if let Ok(Outcome::InForce(taken)) = world.cycle().outcome {
            // only what nobody signs can differ: the key id, or a member's name that is ignored
            prop_assert_eq!(which, 0);
            prop_assert_eq!(&taken.ruleset.manifest, &intact.manifest);
        }
    }

    #[test]
    fn no_end_of_what_is_published_can_be_cut_off(
        at in any::<prop::sample::Index>(),
        which in 0..3_usize,
    ) {
        let mut world = World::new();
        let bytes = published(&mut world, which);
        bytes.truncate(at.index(bytes.len()));
        prop_assert!(world.cycle().outcome.is_err());
    }
}
