//! Opens what was sealed as an edge would, before any of it is written: what none would take is not published.

use super::Chain;
use crate::publication::published::NotPublished;
use countersign_ruleset::manifest::{BlobRef, Manifest};
use countersign_ruleset::names::Scope;
use countersign_ruleset::refusal::Refusal;
use countersign_ruleset::sign::Publication;
use countersign_ruleset::verifier::{Carrier, Fetched, Options, State, Verifier};

impl Chain {
    /// Whether an edge that starts now would take it.
    pub(in crate::publication) fn prove(
        &self,
        manifest: &Manifest,
        publication: &Publication,
    ) -> Result<(), NotPublished> {
        let scope = &manifest.scope;
        self.open_sealed(manifest, publication)
            .map_err(|because| NotPublished::Refused {
                scope: scope.clone(),
                because: Box::new(because),
            })
    }

    fn open_sealed(&self, manifest: &Manifest, publication: &Publication) -> Result<(), Refusal> {
        let options = Options::new(self.cluster.clone());
        let pinned = self.documents.first().map_or(&[][..], |it| &it.bytes);
        let mut verifier = Verifier::start(pinned, options, State::default())?;
        let mut sealed = Sealed {
            chain: self,
            publication,
        };
        let cycle = verifier.accept(&manifest.scope, &mut sealed, manifest.issued_at, false);
        cycle.outcome.map(drop)
    }
}

/// What was sealed, as if it were published.
struct Sealed<'s> {
    chain: &'s Chain,
    publication: &'s Publication,
}

impl Carrier for Sealed<'_> {
    fn trust(&mut self, version: u64) -> Fetched {
        let mut documents = self.chain.documents();
        let found = documents.find(|(number, _)| *number == version);
        found.map_or(Fetched::NotFound, |(_, it)| Fetched::Bytes(it.to_vec()))
    }

    fn manifest(&mut self, _: &Scope) -> Fetched {
        Fetched::Bytes(self.publication.manifest.clone())
    }

    fn blob(&mut self, _: &Scope, blob: &BlobRef) -> Fetched {
        let mut blobs = self.publication.blobs.iter();
        let found = blobs.find(|(digest, _)| *digest == blob.digest);
        found.map_or(Fetched::NotFound, |(_, it)| Fetched::Bytes(it.clone()))
    }
}
