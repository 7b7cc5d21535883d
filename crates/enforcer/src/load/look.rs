//! One look at one carrier for one scope: what it has brought until now.

use super::{ConfigMap, Directory};
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::{Carrier, Fetched, MAX_TRUST_STEPS, Wanted};

/// What a carrier has brought for a scope. The verifier is asked what is wanted, the carrier for it,
/// and the verifier again: so it is never held while somebody waits for bytes.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) scope: Scope,
    pub(super) restart: bool,
    brought: Vec<(Wanted, Fetched)>,
}

impl Look {
    /// A look at a carrier.
    pub(super) const fn new(scope: Scope) -> Self {
        Self {
            scope,
            restart: false,
            brought: Vec::new(),
        }
    }

    /// A look at this edge's own state directory.
    pub(super) const fn restart(scope: Scope) -> Self {
        Self {
            scope,
            restart: true,
            brought: Vec::new(),
        }
    }

    /// What the carrier has brought of it.
    pub(super) fn brought(&self, wanted: &Wanted) -> Option<&Fetched> {
        let mut all = self.brought.iter();
        all.find_map(|(what, fetched)| (what == wanted).then_some(fetched))
    }

    /// Keeps what was brought, and says what is sure to be wanted next: one trust document leads to
    /// the one after it.
    pub(super) fn bring(&mut self, wanted: Wanted, fetched: Fetched) -> Option<Wanted> {
        let next = match (&wanted, &fetched) {
            (Wanted::Trust(version), Fetched::Bytes(_)) if self.brought.len() < MAX_TRUST_STEPS => {
                Some(Wanted::Trust(version.saturating_add(1)))
            }
            _ => None,
        };
        self.brought.push((wanted, fetched));
        next
    }

    /// Whether it may lead to other trust: then what is in force must hold under it in the same cycle.
    pub(super) fn leads_on(&self) -> bool {
        let document = |(what, fetched): &(Wanted, Fetched)| {
            matches!((what, fetched), (Wanted::Trust(_), Fetched::Bytes(_)))
        };
        self.brought.iter().any(document)
    }
}

/// A carrier that lies on this machine, and answers at once if its disk does.
#[derive(Debug)]
pub(super) enum Local {
    ConfigMap(ConfigMap),
    Directory(Directory),
}

impl Local {
    pub(super) fn path(&self) -> &std::path::Path {
        match self {
            Self::ConfigMap(mounted) => mounted.path(),
            Self::Directory(directory) => directory.path(),
        }
    }

    /// Its name in reports.
    pub(super) fn name(&self) -> String {
        match self {
            Self::ConfigMap(mounted) => format!("configmap:{}", mounted.path().display()),
            Self::Directory(directory) => directory.path().display().to_string(),
        }
    }

    /// A look begins.
    pub(super) fn begin(&mut self) {
        match self {
            Self::ConfigMap(mounted) => mounted.pin(),
            Self::Directory(_) => {}
        }
    }

    pub(super) fn fetch(&mut self, scope: &Scope, wanted: &Wanted) -> Fetched {
        let carrier: &mut dyn Carrier = match self {
            Self::ConfigMap(mounted) => mounted,
            Self::Directory(directory) => directory,
        };
        match wanted {
            Wanted::Blob(blob) => carrier.blob(scope, blob),
            Wanted::Manifest => carrier.manifest(scope),
            Wanted::Trust(version) => carrier.trust(*version),
        }
    }
}
