//! A blob in parts: the first is written last and says how many there are, so half of one is never taken for it.

use super::{ConfigMaps, LABEL, SCOPE, bytes_of, labelled, member_of};
use crate::publication::store::{Key, StoreError, Stored, Version};
use countersign_ruleset::digest::Digest;
use countersign_ruleset::manifest::MAX_BLOB;
use countersign_ruleset::names::Scope;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use std::collections::BTreeSet;
use std::io::{self, Read, Write};

/// On a blob's first part: how many there are.
const PARTS: &str = "countersign.dev/parts";

/// The member that holds a part.
pub(super) const MEMBER: &str = "part";

/// The most bytes of a part: a ConfigMap holds 1 MiB.
const MAX_PART: usize = 900 << 10;

/// The most parts: what the largest blob comes to if nothing can be compressed.
const MAX_PARTS: usize = 80;

pub(in crate::publication) fn name(scope: &Scope, digest: &Digest, part: usize) -> String {
    format!("ruleset-{scope}.{digest}.{part}")
}

/// How many parts a blob's first part says that there are.
fn count(first: &ConfigMap) -> Option<usize> {
    let count = first.annotations().get(PARTS)?.parse().ok()?;
    (1..=MAX_PARTS).contains(&count).then_some(count)
}

/// A blob out of its parts, of which `part` gives each; `None` if they are not all there, or not it.
pub(in crate::publication) fn joined<'m>(
    digest: &Digest,
    mut part: impl FnMut(usize) -> Option<&'m ConfigMap>,
) -> Option<Vec<u8>> {
    let count = count(part(0)?)?;
    let mut packed = Vec::new();
    for number in 0..count {
        packed.extend_from_slice(bytes_of(part(number)?, MEMBER)?);
    }
    let bytes = unpacked(&packed).ok()?;
    (Digest::of(&bytes) == *digest).then_some(bytes)
}

/// Compression here is a means of transport: what is named by the digest is what was compressed.
pub(in crate::publication) fn packed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// What is too much is cut off, and is no longer what the digest names.
fn unpacked(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = MAX_BLOB.saturating_add(1);
    GzDecoder::new(packed).take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl ConfigMaps {
    pub(super) async fn read_blob(&self, key: &Key) -> Result<Option<Stored>, StoreError> {
        let Key::Blob(scope, digest) = key else {
            return Ok(None);
        };
        let Some(first) = self.find(&name(scope, digest, 0)).await? else {
            return Ok(None);
        };
        let Some(count) = count(&first) else {
            return Ok(None);
        };
        let mut parts = vec![first];
        for number in 1..count {
            match self.find(&name(scope, digest, number)).await? {
                Some(part) => parts.push(part),
                None => return Ok(None),
            }
        }
        let bytes = joined(digest, |number| parts.get(number));
        let version = Version::new(digest.as_str());
        Ok(bytes.and_then(|bytes| key.found(bytes, version)))
    }

    /// Writes the parts, the first of them last.
    pub(super) async fn put_blob(
        &self,
        scope: &Scope,
        digest: &Digest,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let packed = packed(bytes).map_err(|error| StoreError::failed(digest, error))?;
        let parts: Vec<&[u8]> = packed.chunks(MAX_PART).collect();
        let count = parts.len();
        for (number, part) in parts.into_iter().enumerate().rev() {
            let name = name(scope, digest, number);
            let mut map = labelled(&name, "blob", Some(scope));
            map.binary_data = Some(member_of(MEMBER, part));
            if number == 0 {
                let annotations = map.metadata.annotations.get_or_insert_default();
                annotations.insert(PARTS.to_owned(), count.to_string());
            }
            // what is left of an earlier attempt is written over
            if self.create(&name, &map).await?.is_none()
                && self.replace(&name, &map).await?.is_none()
            {
                self.create(&name, &map).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn list_blobs(&self, scope: &Scope) -> Result<BTreeSet<Digest>, StoreError> {
        let names = self.names(&format!("{LABEL}=blob,{SCOPE}={scope}")).await?;
        Ok(names.iter().filter_map(|name| parsed(name)).collect())
    }

    /// Takes its first part away, which makes it no blob, and then the others.
    pub(super) async fn delete_blob(
        &self,
        scope: &Scope,
        digest: &Digest,
    ) -> Result<(), StoreError> {
        self.delete(&name(scope, digest, 0)).await?;
        let names = self.names(&format!("{LABEL}=blob,{SCOPE}={scope}")).await?;
        for name in names {
            if parsed(&name).is_some_and(|found| found == *digest) {
                self.delete(&name).await?;
            }
        }
        Ok(())
    }
}

/// The digest in a part's name.
fn parsed(name: &str) -> Option<Digest> {
    name.split('.').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{packed, unpacked};
    use countersign_ruleset::manifest::MAX_BLOB;

    #[test]
    fn what_unfolds_to_more_than_a_blob_is_cut_off() {
        let zeros = vec![0; usize::try_from(MAX_BLOB).unwrap() + 1_000_000];
        let bomb = packed(&zeros).unwrap();
        assert!(bomb.len() < 100_000);
        let cut = unpacked(&bomb).unwrap();
        assert_eq!(u64::try_from(cut.len()).unwrap(), MAX_BLOB + 1);
        assert!(unpacked(b"rules").is_err());
    }
}
