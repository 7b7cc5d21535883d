//! The folder of whoever holds the root key: root.pem, and every trust document that it signed.

use super::create;
use crate::signing;
use anyhow::{Context, Result};
use countersign_controller::publication::{Chain, Document, Key, Store};
use countersign_ruleset::key::KeyAlgorithm;
use countersign_ruleset::sign::{self, Signer, SigningKey};
use countersign_ruleset::trust::Trust;
use std::fs;
use std::path::PathBuf;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// Where a version is.
    pub(super) fn document(&self, version: u64) -> PathBuf {
        self.0.join("trust").join(format!("{version}.json"))
    }

    /// The root key.
    pub(super) fn root(&self) -> Result<SigningKey> {
        signing::read_key(&self.0.join("root.pem"))
    }

    /// The root key, which is made if there is none: for the first document.
    pub(super) fn root_or_new(&self) -> Result<SigningKey> {
        let path = self.0.join("root.pem");
        if fs::symlink_metadata(&path).is_ok() {
            return self.root();
        }
        fs::create_dir_all(&self.0).with_context(|| self.0.display().to_string())?;
        let root = SigningKey::generate(KeyAlgorithm::Ed25519)?;
        create(&path, root.to_pem()?.as_bytes(), 0o600)?;
        Ok(root)
    }

    fn documents(&self) -> Result<Vec<Document>> {
        let mut documents = Vec::new();
        for version in 1.. {
            let path = self.document(version);
            if fs::symlink_metadata(&path).is_err() {
                break;
            }
            documents.push(Document {
                place: path.display().to_string(),
                bytes: signing::read_trust(&path)?,
            });
        }
        Ok(documents)
    }
}

/// The documents that there are: those of the folder, and later ones that are published.
pub(super) struct Trusted(Option<Chain>);

impl Trusted {
    /// Reads them. What is published counts only as far as it follows on the folder's own: else the
    /// root key would vouch for a document that somebody else put there.
    pub(super) async fn read(folder: &Folder, store: Option<&dyn Store>) -> Result<Self> {
        let own = folder.documents()?;
        let Some(first) = own.first() else {
            let published = match store {
                Some(store) => store.read(&Key::Trust(1)).await?,
                None => None,
            };
            anyhow::ensure!(
                published.is_none(),
                "expected the trust documents that are published in {} too, got none: fetch them from \
                 whoever signed them, or name that folder with --keys",
                folder.0.display()
            );
            return Ok(Self(None));
        };
        let trust = Trust::open_pinned(&first.bytes).with_context(|| first.place.clone())?;
        let mut chain = Chain::pinned(trust.cluster.clone(), first.clone())?;
        for document in own.iter().skip(1) {
            chain.push(document.clone())?;
        }
        if let Some(store) = store {
            chain.follow(store).await?;
        }
        Ok(Self(Some(chain)))
    }

    /// The latest.
    pub(super) fn latest(&self) -> Option<&Trust> {
        self.0.as_ref().map(Chain::latest)
    }

    /// The latest, which must be.
    pub(super) fn expect_latest(&self) -> Result<&Trust> {
        self.latest().context(
            "expected a trust document, got none: `countersign keys adopt` makes the first",
        )
    }

    /// Signs the next document.
    pub(super) fn issue(&mut self, next: &Trust, root: &SigningKey) -> Result<()> {
        anyhow::ensure!(
            next.root.keys.contains(root.public_key()),
            "expected a root key of the trust document, got {}: name its folder with --keys",
            root.public_key().id()
        );
        let document = Document {
            place: "the next trust document".to_owned(),
            bytes: sign::trust(next, &[root])?,
        };
        match &mut self.0 {
            Some(chain) => chain.push(document)?,
            None => self.0 = Some(Chain::pinned(next.cluster.clone(), document)?),
        }
        Ok(())
    }

    /// Writes what is missing, in the folder first: what is published is never ahead of its owner.
    pub(super) async fn write(&self, folder: &Folder, store: Option<&dyn Store>) -> Result<()> {
        let Some(chain) = &self.0 else { return Ok(()) };
        for (version, bytes) in chain.documents() {
            let path = folder.document(version);
            if fs::symlink_metadata(&path).is_err() {
                let parent = folder.0.join("trust");
                fs::create_dir_all(&parent).with_context(|| parent.display().to_string())?;
                create(&path, bytes, 0o644)?;
            }
        }
        if let Some(store) = store {
            chain.write(store).await?;
        }
        Ok(())
    }
}
