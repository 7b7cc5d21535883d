//! What may be otherwise than it is known: what was not listed, and what is not heard of for now.

use super::kind::Part;
use super::{Kind, View};

/// Why a part of what is meant may not be what is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Of the cluster's part of every namespace.
    pub cluster: Vec<String>,
    /// Of the namespaces' own.
    pub own: Vec<String>,
}

impl Doubts {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.cluster.is_empty() && self.own.is_empty()
    }
}

impl View {
    /// What is in doubt. An object that is not heard of may be a Deny that is new, or one that is left
    /// of a namespace whose deletion is not heard of either.
    pub fn doubts(&self) -> Doubts {
        let unlisted = self.cluster.unknown().into_iter();
        let unlisted = unlisted.map(|kind| (kind.to_string(), "has not been listed".to_owned()));
        let unread = self.expected.iter();
        let unread = unread.filter(|it| !self.definitions.contains_key(*it));
        let unread =
            unread.map(|name| (name.clone(), "has no definition that was read".to_owned()));
        let unfit = self.definitions.iter();
        let unfit = unfit.filter_map(|(name, it)| Some((name.clone(), it.as_ref()?.to_string())));
        let broken = self.broken.iter().map(|(what, why)| {
            let kind = what.rsplit(' ').next().unwrap_or_default();
            (kind.to_owned(), format!("cannot be watched: {why}"))
        });
        let mut doubts = Doubts::default();
        for (name, why) in unlisted.chain(unread).chain(unfit).chain(broken) {
            let mut kinds = Kind::ALL.into_iter();
            let kind = kinds.find(|kind| kind.to_string() == name);
            match kind.map(Kind::part) {
                Some(Some(Part::Own)) => doubts.own.push(format!("{name} {why}")),
                Some(None) => {}
                Some(Some(Part::Cluster)) | None => doubts.cluster.push(format!("{name} {why}")),
            }
        }
        doubts
    }
}
