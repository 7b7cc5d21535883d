//! Hosts: one canonical form of a request's authority, and the patterns that policies write.

use crate::names::{Misnamed, is_dns_label};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

mod claimants;

pub use claimants::Claimants;

/// A host in lower case, without port and trailing dot; so neither can lose a rule.
///
/// ```
/// use countersign_ruleset::host::Host;
/// assert_eq!(Host::parse("Orders.Example.COM.:8443").unwrap().as_str(), "orders.example.com");
/// assert!(Host::parse("orders.example.com@evil.example").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// The canonical form of an authority (RFC 9110 §7.2): a name or an address, perhaps a port.
    ///
    /// # Errors
    /// User information, an empty or ill-formed name, a port that is no number below 65,536.
    pub fn parse(authority: &str) -> Result<Self, Misnamed> {
        let refused = || Misnamed::new("a host, perhaps with a port", authority);
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']').ok_or_else(refused)?;
            let address: Ipv6Addr = address.parse().map_err(|_| refused())?;
            let port = if port.is_empty() {
                Some("0")
            } else {
                port.strip_prefix(':')
            };
            port.filter(|port| is_port(port)).ok_or_else(refused)?;
            return Ok(Self(format!("[{address}]").into()));
        }
        let (name, port) = authority.split_once(':').unwrap_or((authority, "0"));
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if is_port(port) && is_host_name(&name) {
            Ok(Self(name.into()))
        } else {
            Err(refused())
        }
    }

    /// The host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Labels of letters, digits and hyphens; what looks like a number is an IPv4 address in full, for
/// `127.1` and `0x7f.1` are read as addresses by some and as names by others.
fn is_host_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.starts_with(|c: char| c.is_ascii_digit())
        && last.bytes().all(|c| c.is_ascii_hexdigit() || c == b'x')
    {
        return name.parse::<Ipv4Addr>().is_ok();
    }
    // an underscore is no host's, but Compose and some meshes name services so
    let label = |label: &str| is_dns_label(&label.replace('_', "a"));
    name.len() <= 253 && name.split('.').all(label)
}

/// A host as policies write it: exact, or `*.` for one or more labels before the rest, as in
/// Gateway API.
///
/// ```
/// use countersign_ruleset::host::{Host, HostPattern};
/// let pattern: HostPattern = "*.example.com".parse().unwrap();
/// assert!(pattern.matches(&Host::parse("a.b.example.com").unwrap()));
/// assert!(!pattern.matches(&Host::parse("example.com").unwrap()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(Box<str>);

impl HostPattern {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What follows `*.`, if it is a wildcard.
    pub fn wildcard(&self) -> Option<&str> {
        self.0.strip_prefix("*.")
    }

    /// Whether a host could be one of both: then one of the two is the wider.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Whether every host of `narrow` is one of these.
    pub fn covers(&self, narrow: &Self) -> bool {
        let Some(suffix) = self.wildcard() else {
            return self == narrow;
        };
        let rest = narrow.0.strip_suffix(suffix);
        rest.is_some_and(|rest| rest.ends_with('.') && rest != ".")
    }

    /// Whether `host` is one of these.
    pub fn matches(&self, host: &Host) -> bool {
        self.wildcard().map_or_else(
            || *self.0 == *host.0,
            |suffix| {
                host.0
                    .strip_suffix(suffix)
                    .and_then(|rest| rest.strip_suffix('.'))
                    .is_some_and(|rest| !rest.is_empty())
            },
        )
    }
}

impl FromStr for HostPattern {
    type Err = Misnamed;

    /// Takes only the canonical form: lower case, no port, no trailing dot.
    fn from_str(text: &str) -> Result<Self, Misnamed> {
        let name = text.strip_prefix("*.").unwrap_or(text);
        match Host::parse(name) {
            Ok(host) if host.as_str() == name => Ok(Self(text.into())),
            _ => Err(Misnamed::new(
                "a host in lower case without a port, perhaps after `*.`",
                text,
            )),
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = Misnamed;

    fn try_from(text: String) -> Result<Self, Misnamed> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.0.into()
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, HostPattern};

    #[test]
    fn port_dot_and_case_do_not_make_another_host() {
        for authority in [
            "a.example",
            "A.EXAMPLE",
            "a.example.",
            "a.example:443",
            "a.Example.:80",
        ] {
            assert_eq!(
                Host::parse(authority).unwrap().as_str(),
                "a.example",
                "{authority}"
            );
        }
        assert_eq!(Host::parse("[::1]:80").unwrap().as_str(), "[::1]");
        assert_eq!(Host::parse("[0:0::1]").unwrap().as_str(), "[::1]");
        assert_eq!(Host::parse("127.0.0.1:8080").unwrap().as_str(), "127.0.0.1");
        assert_eq!(Host::parse("my_service:1").unwrap().as_str(), "my_service");
    }

    #[test]
    fn refuses_what_two_readers_take_for_two_hosts() {
        for authority in [
            "",
            ".",
            ":80",
            "a..b",
            "user@a.example",
            "a.example:",
            "a.example:http",
            "a.example:1:2",
            "a.example:65536",
            "a.example:+80",
            "a/b",
            "a b",
            "é.example",
            "a%2eb",
            "-a",
            "127.1",
            "0x7f.1",
            "1.2.3.4.5",
            "[::1",
            "[::1]x",
            "[::1]:",
            "::1",
            "[127.0.0.1]",
            "a.example..",
        ] {
            assert!(Host::parse(authority).is_err(), "{authority}");
        }
    }

    #[test]
    fn a_wildcard_is_one_or_more_labels() {
        let pattern: HostPattern = "*.example.com".parse().unwrap();
        for (host, matches) in [
            ("a.example.com", true),
            ("a.b.example.com", true),
            ("example.com", false),
            ("aexample.com", false),
            ("a.example.com.evil.example", false),
        ] {
            assert_eq!(
                pattern.matches(&Host::parse(host).unwrap()),
                matches,
                "{host}"
            );
        }
    }

    #[test]
    fn two_patterns_overlap_if_one_host_could_be_both() {
        for (one, other, expected) in [
            ("a.example.com", "a.example.com", true),
            ("a.example.com", "b.example.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "*.example.com", true),
            ("*.example.com", "*.b.example.com", true),
            ("*.a.example.com", "*.b.example.com", false),
            ("*.example.com", "badexample.com", false),
        ] {
            let (a, b): (HostPattern, HostPattern) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(a.overlaps(&b), expected, "{one} {other}");
            assert_eq!(b.overlaps(&a), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_pattern_is_written_canonically() {
        for bad in [
            "A.example",
            "a.example:80",
            "a.example.",
            "*",
            "*.",
            "a.*.b",
            "*a.b",
            "**.b",
            "",
        ] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
        assert!("orders.example.com".parse::<HostPattern>().is_ok());
    }
}
