//! What is published and spoilt: refused by name, while what was in force stays in force.

use super::Town;
use crate::end_to_end::changes::{answers, copy};
use crate::end_to_end::manifests;
use anyhow::{Context, Result, ensure};
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{self, Issue, SigningKey};
use std::fs;
use std::path::PathBuf;
use tests::ground;

/// The folder `published/shop`, as it should be and as a fault leaves it.
struct Shelf<'t> {
    town: &'t Town,
    /// What is in force.
    good: PathBuf,
    /// What would be in force next.
    next: PathBuf,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_published_folder_that_is_spoilt_is_refused_by_name() -> Result<()> {
    let town = Town::new().await?;
    let shelf = Shelf::of(&town).await?;
    let manifest = fs::read(shelf.next.join("manifest.json"))?;
    let half = manifest.len() / 2;

    shelf.put_manifest(manifest.get(..half).context("a half")?)?;
    shelf.refused("a truncated manifest", "Malformed").await?;

    shelf.put_manifest(&manifest)?;
    shelf
        .refused("a manifest whose blobs are not there yet", "BlobMissing")
        .await?;

    shelf.put_next(|bytes| bytes.truncate(bytes.len() / 2))?;
    shelf.refused("a truncated blob", "BlobSize").await?;

    shelf.put_next(|bytes| bytes.iter_mut().take(1).for_each(|byte| *byte ^= 1))?;
    shelf.refused("a changed blob", "BlobDigest").await?;

    shelf.put_manifest(&b"{".repeat(20 << 10))?;
    shelf.refused("more than a manifest", "TooLarge").await?;

    copy(&shelf.stolen("tests").await?, &shelf.place())?;
    shelf
        .refused("what another key signed", "UnknownKey")
        .await?;

    copy(&town.ground.path("first/shop"), &shelf.place())?;
    shelf.refused("an older one", "RolledBack").await?;

    shelf.signed_wrongly().await?;
    // none of it raised the floor: the next honest one is taken
    town.ground.publish(&manifests("admins")).await?;
    answers(&town.edge, &town.token, 403).await
}

impl<'t> Shelf<'t> {
    /// What the true key signed, and should not have.
    async fn signed_wrongly(&self) -> Result<()> {
        let now = ground::now()?;
        let day = 86_400;
        let honest = Issue {
            cluster: ground::CLUSTER.parse()?,
            scope: "shop".parse()?,
            scope_uid: String::new(),
            trust: 1,
            serial: now.0.saturating_mul(2_000),
            issued_at: now,
            valid_for: 3_600,
            stale_for: 0,
            previous: None,
        };
        let past = now.minus(day);
        for (what, reason, issue) in [
            (
                "another cluster's",
                "WrongCluster",
                Issue {
                    cluster: "other".parse()?,
                    ..honest.clone()
                },
            ),
            (
                "another namespace's",
                "WrongScope",
                Issue {
                    scope: "ops".parse()?,
                    ..honest.clone()
                },
            ),
            (
                "an expired one",
                "Expired",
                Issue {
                    issued_at: past,
                    ..honest.clone()
                },
            ),
            (
                "one of tomorrow",
                "FromTheFuture",
                Issue {
                    issued_at: now.plus(day),
                    ..honest.clone()
                },
            ),
            (
                "one of trust that there is not",
                "TrustUnknown",
                Issue {
                    trust: 7,
                    ..honest.clone()
                },
            ),
        ] {
            self.put_signed(issue)?;
            self.refused(what, reason).await?;
        }
        Ok(())
    }

    /// Publishes twice, so that there is an older one; and once more elsewhere, for the next.
    async fn of(town: &'t Town) -> Result<Self> {
        copy(&town.ground.path("published"), &town.ground.path("first"))?;
        town.ground.publish(&manifests("support")).await?;
        let shelf = Self {
            town,
            good: town.ground.path("good"),
            next: town.ground.path("next/shop"),
        };
        copy(&shelf.place(), &shelf.good)?;
        copy(&town.ground.path("published"), &town.ground.path("next"))?;
        town.ground.write(&manifests("admins"))?;
        let flags = "--sign-with keys/signing.pem --trust keys/trust/1.json --out next";
        let compiled = town
            .ground
            .run(&format!("compile manifests --cluster tests {flags}"))
            .await?;
        ensure!(compiled.code == Some(0), "{compiled:?}");
        Ok(shelf)
    }

    fn place(&self) -> PathBuf {
        self.town.ground.path("published/shop")
    }

    fn put_manifest(&self, bytes: &[u8]) -> Result<()> {
        Ok(fs::write(self.place().join("manifest.json"), bytes)?)
    }

    /// The next one, each of its blobs spoilt.
    fn put_next(&self, spoil: fn(&mut Vec<u8>)) -> Result<()> {
        let blobs = self.place().join("blobs/sha256");
        for entry in fs::read_dir(self.next.join("blobs/sha256"))? {
            let entry = entry?;
            let mut bytes = fs::read(entry.path())?;
            let place = blobs.join(entry.file_name());
            if !place.exists() {
                spoil(&mut bytes);
                fs::write(place, bytes)?;
            }
        }
        self.put_manifest(&fs::read(self.next.join("manifest.json"))?)
    }

    /// What somebody with keys of his own publishes.
    async fn stolen(&self, cluster: &str) -> Result<PathBuf> {
        let ground = &self.town.ground;
        let made = ground
            .run(&format!("keys generate --cluster {cluster} --out thief"))
            .await?;
        ensure!(made.code == Some(0), "{made:?}");
        let flags = "--sign-with thief/signing.pem --trust thief/trust/1.json --out stolen";
        let compiled = ground
            .run(&format!("compile manifests --cluster {cluster} {flags}"))
            .await?;
        ensure!(compiled.code == Some(0), "{compiled:?}");
        Ok(ground.path("stolen/shop"))
    }

    /// What the true key signed, and should not have.
    fn put_signed(&self, issue: Issue) -> Result<()> {
        let pem = fs::read_to_string(self.town.ground.path("keys/signing.pem"))?;
        let key = SigningKey::from_pem(&pem)?;
        let scope: Scope = issue.scope.clone();
        let signed = sign::publish(&Rules::empty(scope), &Keys::default(), issue, &[&key])?;
        for (digest, bytes) in &signed.blobs {
            let blobs = self.place().join("blobs/sha256");
            let (_, name) = digest
                .as_str()
                .split_once(':')
                .unwrap_or(("", digest.as_str()));
            fs::write(blobs.join(name), bytes)?;
        }
        self.put_manifest(&signed.manifest)
    }

    /// Expects that the edge says why, and lets in whom it let in before; then puts things right.
    async fn refused(&self, what: &str, reason: &str) -> Result<()> {
        let says = |text: &str| text.contains(reason).then_some(());
        self.town.edge.program.says(what, says).await?;
        self.town.stands(what).await?;
        fs::remove_dir_all(self.place().join("blobs"))?;
        copy(&self.good, &self.place())
    }
}
