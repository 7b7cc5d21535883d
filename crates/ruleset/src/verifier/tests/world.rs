//! A small world: keys, one trust document, one manifest, a carrier in memory.

use crate::key::PublicKey;
use crate::manifest::{BlobName, BlobRef, Digest, Manifest, PAYLOAD_TYPE};
use crate::names::Scope;
use crate::provider::Keys;
use crate::refusal::Refusal;
use crate::rules::Rules;
use crate::sign::{Issue, Signer, SigningKey, envelope, publish, trust};
use crate::time::UnixTime;
use crate::trust::{DEFAULT_VALIDITY, Delegation, Root, Trust};
use crate::verifier::{Carrier, Cycle, Fetched, Options, State, Verifier, Wanted};
use std::collections::BTreeMap;

pub(super) const NOW: u64 = 1_800_000_000;

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

pub(super) fn public(seeds: &[u8]) -> Vec<PublicKey> {
    seeds
        .iter()
        .map(|&seed| key(seed).public_key().clone())
        .collect()
}

fn signers(keys: &[SigningKey]) -> Vec<&dyn Signer> {
    keys.iter().map(|key| -> &dyn Signer { key }).collect()
}

/// Answers for trust documents of any version.
type Endless = Box<dyn FnMut(u64) -> Fetched>;

#[derive(Default)]
pub(super) struct Memory {
    pub(super) trust: BTreeMap<u64, Vec<u8>>,
    pub(super) manifest: Option<Vec<u8>>,
    pub(super) blobs: BTreeMap<Digest, Vec<u8>>,
    /// What cannot be had at the moment.
    pub(super) failing: Option<&'static str>,
    pub(super) endless: Option<Endless>,
}

impl Memory {
    pub(super) fn fetch(&mut self, wanted: &Wanted) -> Fetched {
        let scope = "shop".parse().unwrap();
        match wanted {
            Wanted::Blob(blob) => self.blob(&scope, blob),
            Wanted::Manifest => self.manifest(&scope),
            Wanted::Trust(version) => Carrier::trust(self, *version),
        }
    }

    fn answer(&self, what: &str, bytes: Option<&Vec<u8>>) -> Fetched {
        if self.failing == Some(what) {
            return Fetched::Failed("connection reset".into());
        }
        bytes.cloned().map_or(Fetched::NotFound, Fetched::Bytes)
    }
}

impl Carrier for Memory {
    fn trust(&mut self, version: u64) -> Fetched {
        if let Some(endless) = &mut self.endless {
            return endless(version);
        }
        self.answer("the next trust document", self.trust.get(&version))
    }

    fn manifest(&mut self, _: &Scope) -> Fetched {
        self.answer("the manifest", self.manifest.as_ref())
    }

    fn blob(&mut self, _: &Scope, blob: &BlobRef) -> Fetched {
        self.answer("the blob", self.blobs.get(&blob.digest))
    }
}

/// Root key 1, signing key 2, cluster `prod`, scope `shop`, serial 1, one day.
pub(super) struct World {
    pub(super) document: Trust,
    pub(super) options: Options,
    pub(super) carrier: Memory,
    pub(super) manifest: Manifest,
    pub(super) now: u64,
    pub(super) signing: Vec<u8>,
    pub(super) restart: bool,
    verifier: Option<Verifier>,
}

impl World {
    pub(super) fn new() -> Self {
        let document = Trust {
            cluster: "prod".parse().unwrap(),
            version: 1,
            expires_at: UnixTime(NOW + 400 * 86_400),
            root: Root {
                keys: public(&[1]),
                threshold: 1,
            },
            rulesets: vec![Delegation {
                scopes: vec!["*".into()],
                keys: public(&[2]),
                threshold: 1,
                max_validity: DEFAULT_VALIDITY,
            }],
        };
        let issue = Issue {
            cluster: "prod".parse().unwrap(),
            scope: "shop".parse().unwrap(),
            scope_uid: String::new(),
            trust: 1,
            serial: 1,
            issued_at: UnixTime(NOW),
            valid_for: 86_400,
            stale_for: 0,
            previous: None,
        };
        let rules = Rules::empty("shop".parse().unwrap());
        let published = publish(&rules, &Keys::default(), issue, &[&key(2)]).unwrap();
        let manifest = crate::envelope::open(
            &published.manifest,
            PAYLOAD_TYPE,
            document.rulesets[0].signers(),
            4096,
            &std::collections::BTreeSet::new(),
        );
        let manifest = serde_json::from_slice(&manifest.unwrap()).unwrap();
        let carrier = Memory {
            manifest: Some(published.manifest),
            blobs: published.blobs.into_iter().collect(),
            ..Memory::default()
        };
        let options = Options::new("prod".parse().unwrap());
        let (now, signing) = (NOW, vec![2]);
        Self {
            document,
            options,
            carrier,
            manifest,
            now,
            signing,
            restart: false,
            verifier: None,
        }
    }

    pub(super) fn start(&mut self) -> Result<&Verifier, Refusal> {
        let state = self
            .verifier
            .as_ref()
            .map_or_else(State::default, Verifier::state);
        let verifier = Verifier::start(&self.pinned(), self.options.clone(), state)?;
        Ok(self.verifier.insert(verifier))
    }

    /// Starts from another state than its own.
    pub(super) fn resume(&mut self, state: State) {
        let verifier = Verifier::start(&self.pinned(), self.options.clone(), state).unwrap();
        self.verifier = Some(verifier);
    }

    pub(super) fn pinned(&self) -> Vec<u8> {
        Self::sign_document(&self.document, &[1])
    }

    pub(super) fn sign_document(document: &Trust, by: &[u8]) -> Vec<u8> {
        let keys: Vec<SigningKey> = by.iter().map(|&seed| key(seed)).collect();
        trust(document, &signers(&keys)).unwrap()
    }

    /// The verifier, and what it fetches from.
    pub(super) fn parts(&mut self) -> (&mut Verifier, &mut Memory) {
        (self.verifier.as_mut().unwrap(), &mut self.carrier)
    }

    pub(super) fn verifier(&self) -> &Verifier {
        self.verifier.as_ref().unwrap()
    }

    pub(super) fn cycle(&mut self) -> Cycle {
        if self.verifier.is_none() {
            self.start().unwrap();
        }
        let verifier = self.verifier.as_mut().unwrap();
        let wall = UnixTime(self.now);
        verifier.accept(
            &"shop".parse().unwrap(),
            &mut self.carrier,
            wall,
            self.restart,
        )
    }

    /// Changes the manifest and signs it anew.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Manifest)) {
        change(&mut self.manifest);
        self.sign_text(str::to_owned);
    }

    /// The same with the next serial; the change is not kept.
    pub(super) fn next(&mut self, change: impl FnOnce(&mut Manifest)) {
        self.manifest.serial = self.manifest.serial.checked_add(1).unwrap();
        let kept = self.manifest.clone();
        self.change(change);
        let uid = self.manifest.scope_uid.clone();
        self.manifest = Manifest {
            scope_uid: uid,
            ..kept
        };
    }

    pub(super) fn sign_text(&mut self, change: impl FnOnce(&str) -> String) {
        let payload = change(&serde_json::to_string(&self.manifest).unwrap());
        let signed = Self::signed_payload(PAYLOAD_TYPE, payload.as_bytes(), &self.signing);
        self.carrier.manifest = Some(signed);
    }

    pub(super) fn signed_payload(payload_type: &str, payload: &[u8], by: &[u8]) -> Vec<u8> {
        let keys: Vec<SigningKey> = by.iter().map(|&seed| key(seed)).collect();
        envelope(payload_type, payload, &signers(&keys)).unwrap()
    }

    /// Publishes the next trust document, signed by these roots.
    pub(super) fn publish_trust(
        &mut self,
        version: u64,
        change: impl FnOnce(&mut Trust),
        by: &[u8],
    ) {
        let mut next = Trust {
            version,
            ..self.document.clone()
        };
        change(&mut next);
        let signed = Self::sign_document(&next, by);
        self.carrier.trust.insert(version, signed);
    }

    pub(super) fn rules_text(&self) -> String {
        let rules = self
            .manifest
            .blobs
            .iter()
            .find(|b| b.name == BlobName::Rules)
            .unwrap();
        String::from_utf8(self.carrier.blobs[&rules.digest].clone()).unwrap()
    }

    /// Puts a blob in the place of another, signed as it is.
    pub(super) fn put(&mut self, name: BlobName, bytes: Vec<u8>) {
        let digest = Digest::of(&bytes);
        let size = u64::try_from(bytes.len()).unwrap();
        self.carrier.blobs.insert(digest.clone(), bytes);
        self.change(|m| {
            let mut blobs = m.blobs.iter_mut();
            let blob = blobs.find(|blob| blob.name == name).unwrap();
            *blob = BlobRef {
                digest,
                size,
                decoded_size: size,
                ..blob.clone()
            };
        });
    }
}
