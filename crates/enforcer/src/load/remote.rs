//! Carriers beyond this machine: asked without holding anything, and waited for.

use super::http::Http;
#[cfg(feature = "objects")]
use super::objects::Objects;
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::{Fetched, Order, Wanted};

/// A carrier that may not answer.
#[derive(Debug)]
pub(super) enum Remote {
    Http(Box<Http>),
    #[cfg(feature = "objects")]
    Objects(Objects),
}

/// What is known of the manifest of one scope.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What the carrier calls it.
    pub(super) etag: Option<String>,
    pub(super) fetched: Option<Fetched>,
    /// Whether the carrier said so just now.
    pub(super) current: bool,
}

/// The longest name of a manifest that is kept.
const MAX_ETAG: usize = 256;

impl Known {
    /// Takes what was answered; whether it is something else than was known.
    pub(super) fn take(&mut self, etag: Option<String>, fetched: Fetched) -> bool {
        let is_other = self.fetched.as_ref() != Some(&fetched);
        *self = Self {
            etag: etag.filter(|etag| etag.len() <= MAX_ETAG),
            fetched: Some(fetched),
            current: true,
        };
        is_other
    }

    /// What is known, once: the next look asks again.
    pub(super) fn once(&mut self) -> Fetched {
        self.current = false;
        self.fetched.clone().unwrap_or(Fetched::NotFound)
    }
}

/// What came of waiting for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// There is something else than was known.
    Changed,
    /// The carrier would not or could not be asked.
    Failed,
    /// There is not, and the carrier waited as long as it was asked to, or had a reason not to.
    Held,
    /// There is not, and the carrier does not wait.
    Unheld,
}

impl Remote {
    /// Its name in reports.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Http(http) => http.name(),
            #[cfg(feature = "objects")]
            Self::Objects(objects) => objects.name(),
        }
    }

    /// What is wanted of a scope.
    pub(super) async fn fetch(&self, scope: &Scope, wanted: &Wanted, known: &mut Known) -> Fetched {
        match self {
            Self::Http(http) => http.fetch(scope, wanted, known).await,
            #[cfg(feature = "objects")]
            Self::Objects(objects) => objects.fetch(scope, wanted, known).await,
        }
    }

    /// Waits until there is another manifest than is known, and says what is in force here.
    pub(super) async fn wait(
        &self,
        scope: &Scope,
        known: &mut Known,
        in_force: Option<Order>,
    ) -> Waited {
        match self {
            Self::Http(http) => http.wait(scope, known, in_force).await,
            #[cfg(feature = "objects")]
            Self::Objects(_) => Waited::Unheld,
        }
    }
}
