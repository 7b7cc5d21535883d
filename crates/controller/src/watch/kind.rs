//! The kinds that are watched, and what of each has a part in a policy.

use kube::core::discovery::ApiResource;
use std::fmt;

/// A kind that is watched. Their order is that in which they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Ours: what no team can undo.
    ClusterAccessPolicy,
    /// Ours.
    ClusterAccessRole,
    /// Ours.
    ClusterTrustProvider,
    /// Ours.
    AccessPolicy,
    /// Ours.
    AccessRole,
    /// Ours.
    TrustProvider,
    /// Ours: written, and watched so that one that is deleted is written again.
    Ruleset,
    /// Their labels decide which cluster policies hold in them.
    Namespace,
    /// A target.
    Service,
    /// A target, of Knative.
    KnativeService,
    /// What routes attach to.
    Gateway,
    /// A target, of Gateway API.
    GrpcRoute,
    /// A target, of Gateway API.
    HttpRoute,
    /// The pods behind a Service: where an edge is expected.
    EndpointSlice,
}

/// A part of what a namespace means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the cluster demands of it, and which namespace it is.
    Cluster,
    /// What it says itself, and of what.
    Own,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ClusterAccessPolicy,
        Self::ClusterAccessRole,
        Self::ClusterTrustProvider,
        Self::AccessPolicy,
        Self::AccessRole,
        Self::TrustProvider,
        Self::Ruleset,
        Self::Namespace,
        Self::Service,
        Self::KnativeService,
        Self::Gateway,
        Self::GrpcRoute,
        Self::HttpRoute,
        Self::EndpointSlice,
    ];

    /// Group, version, kind and plural.
    const fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
        const OURS: (&str, &str) = (countersign_policy::v1alpha1::GROUP, "v1alpha1");
        const GATEWAY: (&str, &str) = ("gateway.networking.k8s.io", "v1");
        let ((group, version), kind, plural) = match self {
            Self::ClusterAccessPolicy => (OURS, "ClusterAccessPolicy", "clusteraccesspolicies"),
            Self::ClusterAccessRole => (OURS, "ClusterAccessRole", "clusteraccessroles"),
            Self::ClusterTrustProvider => (OURS, "ClusterTrustProvider", "clustertrustproviders"),
            Self::AccessPolicy => (OURS, "AccessPolicy", "accesspolicies"),
            Self::AccessRole => (OURS, "AccessRole", "accessroles"),
            Self::TrustProvider => (OURS, "TrustProvider", "trustproviders"),
            Self::Ruleset => (OURS, "Ruleset", "rulesets"),
            Self::Namespace => (("", "v1"), "Namespace", "namespaces"),
            Self::Service => (("", "v1"), "Service", "services"),
            Self::KnativeService => (("serving.knative.dev", "v1"), "Service", "services"),
            Self::Gateway => (GATEWAY, "Gateway", "gateways"),
            Self::GrpcRoute => (GATEWAY, "GRPCRoute", "grpcroutes"),
            Self::HttpRoute => (GATEWAY, "HTTPRoute", "httproutes"),
            Self::EndpointSlice => (
                ("discovery.k8s.io", "v1"),
                "EndpointSlice",
                "endpointslices",
            ),
        };
        (group, version, kind, plural)
    }

    /// How an API server is asked for it.
    pub fn resource(self) -> ApiResource {
        let (group, version, kind, plural) = self.names();
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: self.api_version(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        }
    }

    /// Its group and version, as a manifest writes them.
    pub fn api_version(self) -> String {
        match self.names() {
            ("", version, ..) => version.to_owned(),
            (group, version, ..) => format!("{group}/{version}"),
        }
    }

    /// Its name in a manifest.
    pub const fn as_str(self) -> &'static str {
        self.names().2
    }

    /// The kind of ours with that name.
    pub fn ours(name: &str) -> Option<Self> {
        let mut ours = Self::ALL.into_iter().filter(|kind| kind.is_ours());
        ours.find(|kind| kind.as_str() == name)
    }

    /// Whether it is one of our kinds.
    pub const fn is_ours(self) -> bool {
        matches!(
            self,
            Self::ClusterAccessPolicy
                | Self::ClusterAccessRole
                | Self::ClusterTrustProvider
                | Self::AccessPolicy
                | Self::AccessRole
                | Self::TrustProvider
                | Self::Ruleset
        )
    }

    /// Whether it is one of ours for the whole cluster.
    pub const fn is_of_cluster(self) -> bool {
        matches!(
            self,
            Self::ClusterAccessPolicy | Self::ClusterAccessRole | Self::ClusterTrustProvider
        )
    }

    /// Whose part of a meaning its objects have a word in; `None` for what only tells.
    pub const fn part(self) -> Option<Part> {
        match self {
            Self::ClusterAccessPolicy
            | Self::ClusterAccessRole
            | Self::ClusterTrustProvider
            | Self::Namespace => Some(Part::Cluster),
            Self::Ruleset | Self::EndpointSlice => None,
            Self::AccessPolicy
            | Self::AccessRole
            | Self::TrustProvider
            | Self::Service
            | Self::KnativeService
            | Self::Gateway
            | Self::GrpcRoute
            | Self::HttpRoute => Some(Part::Own),
        }
    }

    /// Whether a cluster may do without it: it is somebody else's, and may be installed later.
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::KnativeService | Self::Gateway | Self::GrpcRoute | Self::HttpRoute
        )
    }

    /// What is kept of an object beside its name: the members that have a part in a policy.
    pub(super) const fn members(self) -> &'static [&'static str] {
        match self {
            Self::ClusterAccessPolicy
            | Self::ClusterAccessRole
            | Self::ClusterTrustProvider
            | Self::AccessPolicy
            | Self::AccessRole
            | Self::TrustProvider => &["spec"],
            Self::Ruleset | Self::Namespace | Self::Service => &[],
            Self::EndpointSlice => &["endpoints"],
            Self::KnativeService => &["status.url"],
            Self::Gateway => &["spec.listeners"],
            Self::GrpcRoute | Self::HttpRoute => &["spec", "status.parents"],
        }
    }
}

impl fmt::Display for Kind {
    /// As `kubectl` takes it: `httproutes.gateway.networking.k8s.io`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            ("", _, _, plural) => f.write_str(plural),
            (group, _, _, plural) => write!(f, "{plural}.{group}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn each_kind_is_named_as_an_api_server_has_it() {
        assert_eq!(Kind::Namespace.to_string(), "namespaces");
        assert_eq!(
            Kind::KnativeService.to_string(),
            "services.serving.knative.dev"
        );
        assert_eq!(Kind::Service.api_version(), "v1");
        assert_eq!(
            Kind::HttpRoute.api_version(),
            "gateway.networking.k8s.io/v1"
        );
        assert_eq!(Kind::ours("AccessRole"), Some(Kind::AccessRole));
        assert_eq!(Kind::ours("Service"), None);
    }

    /// The definitions that are shipped name our kinds as they are asked for.
    #[test]
    fn our_kinds_are_those_of_the_definitions() {
        let mut shipped: Vec<String> = countersign_policy::crd::all()
            .into_iter()
            .filter_map(|it| it.metadata.name)
            .collect();
        shipped.sort();
        let ours = Kind::ALL.into_iter().filter(|kind| kind.is_ours());
        let mut ours: Vec<String> = ours.map(|kind| kind.to_string()).collect();
        ours.sort();
        assert_eq!(ours, shipped);
    }
}
