//! Publishes rulesets into a folder that edges read, as a controller publishes them.

use anyhow::{Context, Result, bail};
use countersign_controller::publication::{
    self, Authority, ClockRule, Directory, Document, Moment, NotPublished, Publisher, Terms, Unfit,
};
use countersign_controller::signing::{Keyring, SigningService};
use countersign_policy::Compiled;
use countersign_policy::diagnostic::ResourceId;
use countersign_ruleset::manifest::MAX_STALE;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::sign::SigningKey;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use futures::executor::block_on;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

#[cfg(test)]
mod tests;

pub(crate) use countersign_controller::publication::Published;

/// What to publish, and how.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    /// The installation.
    pub(crate) cluster: &'a Cluster,
    /// The key.
    pub(crate) key: &'a Arc<SigningKey>,
    /// The pinned trust document, as it came.
    pub(crate) trust: &'a [u8],
    /// Where its later versions are looked for.
    pub(crate) trust_folder: Option<&'a Path>,
    /// Where to.
    pub(crate) out: &'a Path,
    /// Namespaces' UIDs.
    pub(crate) uids: &'a BTreeMap<Scope, String>,
    /// For how many seconds the rulesets hold.
    pub(crate) valid_for: u64,
    /// For how many seconds edges may serve them on.
    pub(crate) stale_for: u64,
    /// Now.
    pub(crate) now: UnixTime,
    /// Now, in milliseconds: the serial, unless one that is no smaller is published.
    pub(crate) milliseconds: u64,
}

/// The namespaces that a folder has a ruleset of; none if there is no folder.
pub(crate) fn scopes(folder: &Path) -> Result<BTreeSet<Scope>> {
    Ok(Directory::new(folder.to_path_buf()).list()?)
}

/// Publishes all of them, or none. A namespace that was published before and is no longer among them
/// gets an empty set, which denies; those of other keys are left alone.
pub(crate) fn publish(
    rulesets: &BTreeMap<Scope, Compiled>,
    order: &Order<'_>,
) -> Result<Vec<Published>> {
    let there = scopes(order.out)?;
    for scope in order.uids.keys() {
        if !there.contains(scope) && !rulesets.contains_key(scope) {
            bail!("expected --scope-uid of a namespace that is published, got `{scope}`");
        }
    }
    let publisher = order.publisher()?;
    block_on(publisher.publish_all(rulesets, order.uids, order.moment())).map_err(advised)
}

/// Gives each provider whose fetch failed the keys that it was last published with, and says until
/// when they are good.
pub(crate) fn keep(
    rulesets: &mut BTreeMap<Scope, Compiled>,
    failed: &BTreeSet<ResourceId>,
    order: &Order<'_>,
) -> Result<BTreeMap<ResourceId, UnixTime>> {
    if failed.is_empty() {
        return Ok(BTreeMap::new());
    }
    let publisher = order.publisher()?;
    block_on(publication::keep(
        rulesets,
        failed,
        &publisher,
        order.moment(),
    ))
    .map_err(advised)
}

impl Order<'_> {
    fn publisher(&self) -> Result<Publisher> {
        let store = Arc::new(Directory::new(self.out.to_path_buf()));
        let key: Arc<dyn SigningService> = Arc::<SigningKey>::clone(self.key);
        let authority = Authority {
            cluster: self.cluster.clone(),
            trust: self.documents()?,
            keyring: Keyring::new(vec![key]),
        };
        let terms = Terms {
            valid_for: self.valid_for,
            stale_for: self.stale_for,
            smallest_age: self.valid_for,
            // whoever runs a command sees the serials that it says
            clock: ClockRule::Lenient,
        };
        Ok(Publisher::new(store, authority, terms))
    }

    const fn moment(&self) -> Moment {
        Moment {
            now: self.now,
            milliseconds: self.milliseconds,
        }
    }

    /// The pinned document, and the later ones beside it.
    fn documents(&self) -> Result<Vec<Document>> {
        let place = "the document given by --trust";
        let pinned = Trust::open_pinned(self.trust).context(place)?;
        let mut documents = vec![Document {
            place: place.to_owned(),
            bytes: self.trust.to_vec(),
        }];
        let mut version = pinned.version;
        while let Some(folder) = self.trust_folder {
            version = version.saturating_add(1);
            let path = folder.join(format!("{version}.json"));
            if !path.exists() {
                break;
            }
            documents.push(Document {
                place: path.display().to_string(),
                bytes: crate::signing::read_trust(&path)?,
            });
        }
        Ok(documents)
    }
}

/// Why it was not published, and by which flag that is mended.
fn advised(error: NotPublished) -> anyhow::Error {
    let advice = match &error {
        NotPublished::OtherTrust { .. } => {
            " by --trust: publish to another folder, or name that document".to_owned()
        }
        NotPublished::Unverifiable { .. } => {
            ". Look at who wrote it; to begin anew, take the folder away".to_owned()
        }
        NotPublished::Unfit(Unfit::OtherKey { .. }) => {
            ": name that key with --sign-with".to_owned()
        }
        NotPublished::Unfit(Unfit::Stale(got)) => {
            return anyhow::anyhow!("expected --stale-for up to {MAX_STALE} s, got {got} s");
        }
        NotPublished::Unfit(Unfit::Validity { version, most, got }) => {
            return anyhow::anyhow!(
                "expected --valid-for of 1 to {most} s, as trust document {version} allows, got {got} s"
            );
        }
        NotPublished::Unfit(Unfit::WrongCluster { got, .. }) => {
            format!(": say --cluster {got}, or name another document with --trust")
        }
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}{advice}")
}
