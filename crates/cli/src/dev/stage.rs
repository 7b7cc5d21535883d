//! From the folder to what is published: read, played, compiled, signed.

use super::cast::Cast;
use super::issuer::Issuer;
use super::tokens::Tokens;
use super::trust::Installation;
use crate::Clock;
use crate::finding::Finding;
use crate::manifests;
use crate::publish::Published;
use anyhow::Result;
use countersign_controller::provider_keys;
use countersign_policy::Compiled;
use countersign_policy::compile;
use countersign_ruleset::host::HostPattern;
use countersign_ruleset::names::Scope;
use countersign_ruleset::provider::Refresh;
use countersign_ruleset::rules::Rules;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a change is made into.
#[derive(Debug)]
pub(super) struct Stage {
    folder: PathBuf,
    clock: Clock,
    /// Whose tokens count.
    pub(super) issuer: Issuer,
    /// Whose signature counts.
    pub(super) installation: Installation,
    /// Where tokens lie.
    pub(super) tokens: Tokens,
}

/// What became of the folder.
#[derive(Debug)]
pub(super) enum Staged {
    /// It was published.
    Published {
        /// What is wrong all the same.
        findings: Vec<Finding>,
        /// The rulesets.
        published: Vec<Published>,
        /// The rules of each namespace that has some.
        rulesets: BTreeMap<Scope, Rules>,
    },
    /// It could not be read: what is in force stays.
    Unreadable(Vec<Finding>),
}

impl Stage {
    /// A stage for a folder.
    pub(super) fn new(folder: PathBuf, clock: Clock) -> Result<Self> {
        let installation = Installation::new(clock)?;
        Ok(Self {
            folder,
            clock,
            issuer: Issuer::new()?,
            tokens: Tokens::new(installation.tokens())?,
            installation,
        })
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes the folder as it is now.
    pub(super) fn take(&self) -> Result<Staged> {
        let manifests = match manifests::read(std::slice::from_ref(&self.folder)) {
            Ok(manifests) => manifests,
            Err(findings) => return Ok(Staged::Unreadable(findings)),
        };
        let sources = manifests.resources.key_sources();
        let played = self.issuer.plays(&sources, (self.clock.seconds)());
        let compilation = compile(&manifests.resources, &played);
        let wrong = compilation
            .diagnostics
            .iter()
            .filter(|one| !provider_keys::is_want_of_keys(one));
        let mut findings: Vec<Finding> = wrong.map(|one| manifests.finding(one)).collect();
        findings.extend(manifests.warnings.iter().cloned());
        let mut rulesets = compilation.rulesets;
        rulesets.values_mut().for_each(adapt);
        let published = self.installation.publish(&rulesets, self.clock)?;
        self.issuer.recast(Cast::of(&rulesets, self.issuer.cast()));
        Ok(Staged::Published {
            findings,
            published,
            rulesets: rulesets
                .into_iter()
                .map(|(scope, compiled)| (scope, compiled.rules))
                .collect(),
        })
    }
}

/// Makes a ruleset fit for one machine: nobody fetches the real providers' keys, and what has no host
/// of its own has one here, by which it can be called.
fn adapt(compiled: &mut Compiled) {
    for provider in &mut compiled.keys.providers {
        provider.refresh = Refresh::Never;
    }
    let scope = compiled.rules.scope.clone();
    for application in &mut compiled.rules.applications {
        let id = application.id.as_str();
        let name = id.split_once('/').map_or(id, |(_, name)| name);
        let own = format!("{name}.{scope}.localhost").parse::<HostPattern>();
        if application.hosts.is_empty()
            && let Ok(own) = own
        {
            application.hosts.push(own);
        }
    }
    compiled.rules.sort();
}
