//! Carriers that answer at once, as a directory does: the whole cycle in one call.

use super::step::{Fetched, Step, Wanted};
use super::{Cycle, Verifier};
use crate::manifest::BlobRef;
use crate::names::Scope;
use crate::time::UnixTime;

/// Where a ruleset comes from. It needs no trust at all.
pub trait Carrier {
    /// The envelope of `trust/VERSION.json`.
    fn trust(&mut self, version: u64) -> Fetched;
    /// The envelope of `SCOPE/manifest.json`.
    fn manifest(&mut self, scope: &Scope) -> Fetched;
    /// The blob's stored bytes, of which no more than `size + 1` are asked for.
    fn blob(&mut self, scope: &Scope, blob: &BlobRef) -> Fetched;
}

impl Verifier {
    /// Looks at what a carrier has for a scope, from [`Verifier::begin`] to the end.
    ///
    /// The state is persisted after the cycle, if [`Cycle::state_changed`]: the carrier answers at
    /// once, so nothing can be made to wait between a trust document and what it signs.
    pub fn accept(
        &mut self,
        scope: &Scope,
        carrier: &mut dyn Carrier,
        wall: UnixTime,
        restart: bool,
    ) -> Cycle {
        let mut step = self.begin(scope, wall, restart);
        loop {
            step = match step {
                Step::Fetch(fetch) => {
                    let fetched = match fetch.wanted() {
                        Wanted::Blob(blob) => carrier.blob(scope, &blob),
                        Wanted::Manifest => carrier.manifest(scope),
                        Wanted::Trust(version) => carrier.trust(version),
                    };
                    fetch.got(fetched)
                }
                Step::Persist(persist) => persist.done(),
                Step::Done(cycle) => return cycle,
            }
        }
    }
}
