//! The names a ruleset uses, each parsed once, at the border.
//!
//! A decision takes several of them along, so that a copy is a count and no allocation.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A text that is not such a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got `{got}`")]
pub struct Misnamed {
    expected: &'static str,
    got: String,
}

impl Misnamed {
    pub(crate) fn new(expected: &'static str, got: &str) -> Self {
        Self {
            expected,
            got: got.chars().take(80).collect(),
        }
    }
}

/// Whether `text` is a DNS label (RFC 1123): the only names that may become part of a path or URL.
pub fn is_dns_label(text: &str) -> bool {
    let edge = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|&c| edge(c) || c == b'-')
        && bytes.first().is_some_and(|&c| edge(c))
        && bytes.last().is_some_and(|&c| edge(c))
}

/// Whether `text` is a DNS subdomain (RFC 1123): how Kubernetes names most objects.
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Misnamed;

            fn from_str(text: &str) -> Result<Self, Misnamed> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(Misnamed::new($expected, text)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Misnamed;

            fn try_from(text: String) -> Result<Self, Misnamed> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                Self::from(&*name.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// What one ruleset covers: a namespace. A DNS label, checked before it becomes part of a path.
    Scope, "a scope (a DNS label, at most 63 characters)", is_dns_label
}
name! {
    /// The installation a ruleset belongs to, bound by its trust documents.
    Cluster, "a cluster's name (a DNS subdomain, at most 253 characters)", is_dns_subdomain
}
name! {
    /// A provider of identities: `ClusterTrustProvider/okta`, or `TrustProvider/okta` for one of
    /// the ruleset's own namespace. Every fact about a caller is a pair of this and a value.
    ProviderId, "`ClusterTrustProvider/NAME` or `TrustProvider/NAME`",
    |t| kind_and_name(t, &["ClusterTrustProvider", "TrustProvider"])
}
name! {
    /// A role: `ClusterAccessRole/NAME` or `AccessRole/NAME`.
    RoleId, "`ClusterAccessRole/NAME` or `AccessRole/NAME`",
    |t| kind_and_name(t, &["ClusterAccessRole", "AccessRole"])
}
name! {
    /// What a policy protects: `KIND[.GROUP]/NAME`, as in `Service/ledger`,
    /// `Service.serving.knative.dev/orders`, `HTTPRoute.gateway.networking.k8s.io/shop`, or
    /// `Host/orders.example.com` or `Host/*.example.com` for a service outside the cluster.
    ApplicationId, "`KIND[.GROUP]/NAME`",
    |t| t.split_once('/').is_some_and(|(kind, name)| {
        let (kind, group) = kind.split_once('.').map_or((kind, None), |(k, g)| (k, Some(g)));
        let host = (kind, group) == ("Host", None);
        let name = name.strip_prefix("*.").filter(|_| host).unwrap_or(name);
        kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.len() <= 63
            && kind.bytes().all(|c| c.is_ascii_alphanumeric())
            && group.is_none_or(is_dns_subdomain)
            && is_dns_subdomain(name)
    })
}
name! {
    /// A policy: `AccessPolicy/NAME` of the ruleset's namespace, or `ClusterAccessPolicy/NAME`.
    PolicyId, "`AccessPolicy/NAME` or `ClusterAccessPolicy/NAME`",
    |t| kind_and_name(t, &["AccessPolicy", "ClusterAccessPolicy"])
}
name! {
    /// A rule's name, unique in its policy: 1 to 80 characters of `A–Z a–z 0–9 . _ - #`.
    RuleName, "a rule's name (1 to 80 of A-Z a-z 0-9 . _ - #)",
    |t| (1..=80).contains(&t.len())
        && t.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-#".contains(&c))
}

fn kind_and_name(text: &str, kinds: &[&str]) -> bool {
    text.split_once('/')
        .is_some_and(|(kind, name)| kinds.contains(&kind) && is_dns_subdomain(name))
}

#[cfg(test)]
mod tests {
    use super::{ApplicationId, Cluster, PolicyId, ProviderId, RoleId, RuleName, Scope};

    #[test]
    fn a_scope_cannot_climb_out_of_its_folder() {
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "A",
            "a.b",
            "-a",
            "a-",
            "é",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
        assert_eq!("shop-2".parse::<Scope>().unwrap().as_str(), "shop-2");
    }

    #[test]
    fn names_carry_their_kind() {
        assert!("ClusterTrustProvider/okta".parse::<ProviderId>().is_ok());
        assert!("okta".parse::<ProviderId>().is_err());
        assert!("AccessRole/okta".parse::<ProviderId>().is_err());
        assert!("AccessRole/order-admin".parse::<RoleId>().is_ok());
        assert!("AccessPolicy/orders".parse::<PolicyId>().is_ok());
        assert!("eu.prod".parse::<Cluster>().is_ok());
        assert!("a b".parse::<RuleName>().is_err());
    }

    #[test]
    fn an_application_names_kind_group_and_name() {
        for good in [
            "Service/ledger",
            "Service.serving.knative.dev/orders",
            "Host/orders.example.com",
            "Host/*.example.com",
        ] {
            assert!(good.parse::<ApplicationId>().is_ok(), "{good}");
        }
        for bad in [
            "ledger",
            "service/ledger",
            "Service/",
            "Service./x",
            "Service/../x",
            "Service/*.x",
            "Host/*",
        ] {
            assert!(bad.parse::<ApplicationId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        let refusal = "A B".parse::<Scope>().unwrap_err().to_string();
        assert_eq!(
            refusal,
            "expected a scope (a DNS label, at most 63 characters), got `A B`"
        );
    }
}
