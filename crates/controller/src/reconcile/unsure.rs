//! What goes on of what was published of a namespace while it is not known what is meant.
//!
//! Nothing that is unsure widens anything; and nothing that a namespace's owner writes keeps away what
//! the cluster demands by now.

use super::Reconciler;
use super::reading::Reading;
use crate::provider_keys::{Asked, OwnIssuer};
use crate::watch::{Cluster, Doubts, Kind, Part, View};
use countersign_policy::diagnostic::ResourceId;
use std::time::{Duration, Instant};

/// How long a doubt may last before what is published is let go on without what is new: a watch that
/// broke off begins again in less.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of which part it is not known what is meant, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unsure {
    /// The namespace's own: it goes on as it was, beside the cluster's as it is now.
    Own(String),
    /// The cluster's: all goes on as it was.
    Cluster(String),
}

impl Unsure {
    /// By what was not listed, or is not heard of.
    pub(super) fn by_doubts(doubts: &Doubts) -> Option<Self> {
        let cluster = doubts.cluster.first().map(|why| Self::Cluster(why.clone()));
        cluster.or_else(|| doubts.own.first().map(|why| Self::Own(why.clone())))
    }

    /// By what cannot be read.
    pub(super) fn by_reading(reading: &Reading) -> Option<Self> {
        let all = reading.unreadable.iter();
        let said = |(id, why): (&ResourceId, &String)| format!("{id} cannot be read: {why}");
        let mut of_cluster = all.clone().filter(|(id, _)| is_of_cluster(id));
        let cluster = of_cluster.next().map(|it| Self::Cluster(said(it)));
        cluster.or_else(|| all.map(|it| Self::Own(said(it))).next())
    }

    pub(super) const fn part(&self) -> Part {
        match self {
            Self::Own(_) => Part::Own,
            Self::Cluster(_) => Part::Cluster,
        }
    }

    pub(super) fn why(&self) -> &str {
        let (Self::Own(why) | Self::Cluster(why)) = self;
        why
    }
}

fn is_of_cluster(id: &ResourceId) -> bool {
    id.namespace.is_empty() && Kind::ours(&id.kind).is_none_or(Kind::is_of_cluster)
}

impl Reconciler {
    /// What is in doubt of what is known.
    pub(super) fn doubts(&self, view: &View) -> Doubts {
        let mut doubts = view.doubts();
        if is_awaited(&self.parts.issuer.borrow(), &view.cluster) {
            let why = "the cluster's own issuer is not known yet";
            doubts.cluster.push(why.to_owned());
        }
        doubts
    }

    /// The cluster's own issuer, if it is known.
    pub(super) fn issuer(&self) -> Option<OwnIssuer> {
        self.parts.issuer.borrow().issuer().cloned()
    }
}

/// Whether somebody is meant by the cluster's own issuer, and nobody knows yet who that is. He is not one
/// of whom no token counts.
fn is_awaited(asked: &Asked, cluster: &Cluster) -> bool {
    let mut providers = cluster.of_kind_in(Kind::ClusterTrustProvider, "");
    asked.is_open() && providers.any(|it| OwnIssuer::is_meant(&it.manifest))
}

/// Whether what was published is of that namespace, and not of one before that had its name. Where no
/// UID is known, it is.
pub(super) fn is_of_it(published: &str, uid: Option<&str>) -> bool {
    published.is_empty() || uid.is_none_or(|uid| uid == published)
}

/// Since when there are doubts.
#[derive(Debug, Default)]
pub(super) struct Patience {
    since: Option<Instant>,
}

impl Patience {
    /// Until when nothing is begun; `None` if something may be.
    pub(super) fn until(&mut self, is_in_doubt: bool, now: Instant) -> Option<Instant> {
        if !is_in_doubt {
            self.since = None;
            return None;
        }
        let until = self.since.get_or_insert(now).checked_add(PATIENCE)?;
        (until > now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE, Patience, Unsure, is_awaited, is_of_it};
    use crate::provider_keys::Asked;
    use crate::reconcile::reading::Reading;
    use crate::watch::{Cluster, Doubts, Kind, Object};
    use countersign_policy::diagnostic::ResourceId;
    use serde_json::json;
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    fn unreadable(ids: &[(&str, &str)]) -> Reading {
        let ids = ids.iter().map(|(kind, namespace)| ResourceId {
            kind: (*kind).to_owned(),
            namespace: (*namespace).to_owned(),
            name: "a".to_owned(),
        });
        let unreadable: BTreeMap<_, _> = ids.map(|id| (id, "too large".to_owned())).collect();
        Reading {
            unreadable,
            ..Reading::default()
        }
    }

    /// Or what a team writes would keep the cluster's demands away, and the other way round.
    #[test]
    fn what_of_the_cluster_is_unsure_weighs_more() {
        let own = unreadable(&[("AccessPolicy", "shop")]);
        let own = Unsure::by_reading(&own).unwrap();
        let why = "AccessPolicy/a in shop cannot be read: too large".to_owned();
        assert_eq!(own, Unsure::Own(why));
        for kind in ["ClusterAccessPolicy", "Namespace"] {
            let both = unreadable(&[("AccessPolicy", "shop"), (kind, "")]);
            let why = format!("{kind}/a cannot be read: too large");
            assert_eq!(Unsure::by_reading(&both), Some(Unsure::Cluster(why)));
        }
        assert_eq!(Unsure::by_reading(&Reading::default()), None);
        let mut doubts = Doubts::default();
        assert_eq!(Unsure::by_doubts(&doubts), None);
        doubts.own.push("own".to_owned());
        assert_eq!(
            Unsure::by_doubts(&doubts),
            Some(Unsure::Own("own".to_owned()))
        );
        doubts.cluster.push("cluster".to_owned());
        let cluster = Unsure::Cluster("cluster".to_owned());
        assert_eq!(Unsure::by_doubts(&doubts), Some(cluster));
    }

    /// Or every service account would lose its access while an API server has too much to do.
    #[test]
    fn the_clusters_own_issuer_is_waited_for_where_it_is_meant() {
        let mut cluster = Cluster::default();
        let mut put = |spec| {
            let written = json!({"metadata": {"name": "kubernetes"}, "spec": spec});
            let written = serde_json::from_value(written).unwrap();
            cluster.put(Object::of(Kind::ClusterTrustProvider, written).unwrap());
            let all = [Asked::NotYet, Asked::NotSaid];
            all.map(|asked| is_awaited(&asked, &cluster))
        };
        assert_eq!(put(json!({"type": "Kubernetes"})), [true, false]);
        let named = json!({"type": "Kubernetes", "issuer": "https://a.example.com"});
        assert_eq!(put(named), [false, false]);
        assert_eq!(put(json!({"type": "OIDC"})), [false, false]);
    }

    /// Who makes a namespace anew is another than who had it, and gets none of his rules.
    #[test]
    fn what_another_had_is_not_let_go_on() {
        assert!(is_of_it("u-1", Some("u-1")));
        assert!(!is_of_it("u-1", Some("u-2")));
        assert!(is_of_it("u-1", None), "it goes on as what it was");
        assert!(
            is_of_it("", Some("u-2")),
            "it was compiled without a cluster"
        );
    }

    /// Rulesets that nobody signs anew run out, and with them all access.
    #[test]
    fn a_doubt_that_lasts_holds_up_what_is_new_and_no_longer_all() {
        let (mut patience, start) = (Patience::default(), Instant::now());
        assert_eq!(patience.until(false, start), None);
        let until = Some(start + PATIENCE);
        assert_eq!(patience.until(true, start), until);
        let later = start + Duration::from_secs(9);
        assert_eq!(patience.until(true, later), until);
        assert_eq!(patience.until(true, start + PATIENCE), None);
        assert_eq!(patience.until(false, start + PATIENCE), None);
        let again = start + PATIENCE * 2;
        assert_eq!(patience.until(true, again), Some(again + PATIENCE));
    }
}
