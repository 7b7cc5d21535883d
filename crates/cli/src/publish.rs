//! Publishes rulesets into a folder that edges read: signed in memory first, then written, manifest last.

use crate::signing::{self, Terms};
use anyhow::{Context, Result, bail};
use countersign_policy::Compiled;
use countersign_ruleset::json::MAX_INTEGER;
use countersign_ruleset::names::{Cluster, Scope};
use countersign_ruleset::provider::Keys;
use countersign_ruleset::rules::Rules;
use countersign_ruleset::sign::{self, Issue, Publication, Signer, SigningKey};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::trust::Trust;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod folder;
mod keep;
mod last;
#[cfg(test)]
mod tests;

pub(crate) use folder::scopes;
pub(crate) use keep::keep;
use last::{Chain, Last};

/// What to publish, and how.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    /// The installation.
    pub(crate) cluster: &'a Cluster,
    /// The key.
    pub(crate) key: &'a SigningKey,
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

/// One namespace's ruleset, as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Published {
    /// The namespace.
    pub(crate) scope: Scope,
    /// The serial.
    pub(crate) serial: u64,
    /// The digest of the manifest.
    pub(crate) digest: String,
    /// The end of its validity.
    pub(crate) expires_at: UnixTime,
    /// How many rules it holds.
    pub(crate) rules: usize,
    /// Whether it denies everything, as its namespace is no longer among the manifests.
    pub(crate) emptied: bool,
}

/// A ruleset that is signed, but not written.
struct Signed {
    summary: Published,
    publication: Publication,
}

/// Publishes all of them, or none. A namespace that was published before and is no longer among them
/// gets an empty set, which denies; those of other keys are left alone.
pub(crate) fn publish(
    rulesets: &BTreeMap<Scope, Compiled>,
    order: &Order<'_>,
) -> Result<Vec<Published>> {
    let there = scopes(order.out)?;
    let chain = Chain::follow(order)?;
    let all: BTreeSet<&Scope> = rulesets.keys().chain(&there).collect();
    let trust = chain.latest()?;
    for scope in order.uids.keys() {
        if !all.contains(scope) {
            bail!("expected --scope-uid of a namespace that is published, got `{scope}`");
        }
    }
    let mut signed = Vec::new();
    for scope in all {
        let compiled = rulesets.get(scope);
        if compiled.is_none() && !signing::may_sign(trust, scope, order.key.public_key()) {
            continue;
        }
        let last = chain.read(scope, order)?;
        signed.push(sign_one(scope, compiled, last.as_ref(), trust, order)?);
    }
    folder::write_trust(order.out, &chain)?;
    for Signed {
        summary,
        publication,
    } in &signed
    {
        folder::write(order.out, &summary.scope, publication)
            .with_context(|| format!("{}", order.out.join(summary.scope.as_str()).display()))?;
    }
    Ok(signed.into_iter().map(|signed| signed.summary).collect())
}

impl Order<'_> {
    /// Where a namespace's ruleset is.
    fn place(&self, scope: &Scope) -> PathBuf {
        self.out.join(scope.as_str())
    }
}

fn sign_one(
    scope: &Scope,
    compiled: Option<&Compiled>,
    last: Option<&Last>,
    trust: &Trust,
    order: &Order<'_>,
) -> Result<Signed> {
    let terms = Terms {
        cluster: order.cluster,
        valid_for: order.valid_for,
        stale_for: order.stale_for,
        now: order.now,
    };
    signing::inspect(trust, scope, order.key, terms)?;
    let empty = (Rules::empty(scope.clone()), Keys::default());
    let (rules, keys) = compiled.map_or((&empty.0, &empty.1), |c| (&c.rules, &c.keys));
    // a later trust document begins the serials anew, or a thief's last would be ours
    let before = last.filter(|last| last.manifest.trust == trust.version);
    let next = before.map_or(0, |last| last.manifest.serial.saturating_add(1));
    anyhow::ensure!(
        next <= MAX_INTEGER,
        "the last serial of `{scope}` is taken: publish the next trust document, which begins them anew"
    );
    // an edge that knows the namespace's UID takes no ruleset without it
    let uid = order.uids.get(scope).cloned();
    let uid = uid.or_else(|| last.map(|last| last.manifest.scope_uid.clone()));
    let issue = Issue {
        cluster: order.cluster.clone(),
        scope: scope.clone(),
        scope_uid: uid.unwrap_or_default(),
        trust: trust.version,
        serial: order.milliseconds.max(next),
        issued_at: order.now,
        valid_for: order.valid_for,
        stale_for: order.stale_for,
        previous: last.map(|last| last.digest.clone()),
    };
    let summary = (issue.serial, issue.issued_at.plus(issue.valid_for));
    let publication = sign::publish(rules, keys, issue, &[order.key])?;
    Ok(Signed {
        summary: Published {
            scope: scope.clone(),
            serial: summary.0,
            digest: publication.digest.to_string(),
            expires_at: summary.1,
            rules: rules.rules().count(),
            emptied: compiled.is_none(),
        },
        publication,
    })
}
