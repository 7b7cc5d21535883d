//! Where a request comes from: the rightmost hop that is not one of our own proxies, or nobody knows.
//!
//! Only `X-Forwarded-For` is read. A proxy that sets it lets a caller's `Forwarded` through, and the
//! other way round, so reading whichever is there would be reading the caller's.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// The proxies in front of this edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedProxies {
    /// Nothing is known of them, and so nothing of where a request comes from: the peer may be a
    /// load balancer, and taking its address for the caller's would let everybody in or nobody.
    Unknown,
    /// The proxies are in these networks, and nowhere else. Of none, there is no proxy.
    Networks(Vec<IpNet>),
}

/// A text that names no networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected `none`, or networks such as `10.0.0.0/8,fd00::/8`, got `{0}`")]
pub struct NotNetworks(String);

impl FromStr for TrustedProxies {
    type Err = NotNetworks;

    fn from_str(text: &str) -> Result<Self, NotNetworks> {
        if text == "none" {
            return Ok(Self::Networks(Vec::new()));
        }
        let network = |part: &str| {
            let part = part.trim();
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            part.parse::<IpNet>()
                .or_else(|_| address())
                .map_err(|_| NotNetworks(part.chars().take(80).collect()))
        };
        text.split(',')
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self::Networks)
    }
}

impl TrustedProxies {
    /// Whether what the peer forwards is to be believed; `None` if nobody said.
    pub(crate) fn trusts(&self, peer: IpAddr) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Networks(networks) => Some(holds(networks, peer)),
        }
    }

    /// The caller's address, if it is established.
    pub(crate) fn source(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let Self::Networks(networks) = self else {
            return None;
        };
        let mut hop = peer.to_canonical();
        let fields = headers.get_all("x-forwarded-for").iter().rev();
        let mut before = fields.flat_map(|field| field.as_bytes().rsplit(|&c| c == b','));
        while holds(networks, hop) {
            // a proxy that says nothing, or nothing that can be read, leaves it unknown
            hop = address(before.next()?)?;
        }
        Some(hop)
    }
}

fn holds(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// One hop: an address; some proxies add the port, and then put IPv6 in brackets.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim_matches([' ', '\t']);
    let bare = hop
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(hop);
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    bare.parse::<IpAddr>()
        .or_else(|_| with_port())
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::TrustedProxies;
    use http::{HeaderMap, HeaderValue};
    use std::net::IpAddr;

    fn source(proxies: &str, peer: &str, fields: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append("x-forwarded-for", HeaderValue::from_str(field).unwrap());
        }
        headers.insert("forwarded", HeaderValue::from_static("for=192.0.2.66"));
        let proxies: TrustedProxies = proxies.parse().unwrap();
        let peer: IpAddr = peer.parse().unwrap();
        proxies.source(peer, &headers).map(|ip| ip.to_string())
    }

    #[test]
    fn is_the_rightmost_hop_that_is_no_proxy_of_ours() {
        for (peer, fields, expected) in [
            ("198.51.100.7", &[][..], Some("198.51.100.7")),
            ("198.51.100.7", &["10.9.9.9"], Some("198.51.100.7")),
            (
                "10.0.0.1",
                &["192.0.2.1, 198.51.100.7"],
                Some("198.51.100.7"),
            ),
            (
                "10.0.0.1",
                &["192.0.2.1", "198.51.100.7, 10.0.0.2"],
                Some("198.51.100.7"),
            ),
            (
                "::ffff:10.0.0.1",
                &["198.51.100.7:4711"],
                Some("198.51.100.7"),
            ),
            ("10.0.0.1", &["[2001:db8::1]:80"], Some("2001:db8::1")),
            ("10.0.0.1", &["[2001:db8::1]"], Some("2001:db8::1")),
            ("10.0.0.1", &["::ffff:198.51.100.7"], Some("198.51.100.7")),
        ] {
            assert_eq!(
                source("10.0.0.0/8", peer, fields).as_deref(),
                expected,
                "{peer} {fields:?}"
            );
        }
    }

    #[test]
    fn is_unknown_where_a_proxy_of_ours_does_not_say() {
        for fields in [
            &[][..],
            &[""],
            &["unknown"],
            &["10.0.0.2"],
            &["198.51.100.7,"],
            &["_x, 10.0.0.2"],
        ] {
            assert_eq!(source("10.0.0.0/8", "10.0.0.1", fields), None, "{fields:?}");
        }
    }

    #[test]
    fn without_proxies_it_is_the_peer_and_with_unknown_ones_nobody() {
        assert_eq!(
            source("none", "10.0.0.1", &["192.0.2.1"]).as_deref(),
            Some("10.0.0.1")
        );
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(
            TrustedProxies::Unknown.source(peer, &HeaderMap::new()),
            None
        );
    }

    #[test]
    fn reads_networks_and_single_addresses() {
        assert_eq!(
            source("10.0.0.1, fd00::/8", "10.0.0.1", &["192.0.2.1"]).as_deref(),
            Some("192.0.2.1")
        );
        for bad in ["", "10.0.0.0/33", "10.0.0.0/8,", "all", "0"] {
            assert!(bad.parse::<TrustedProxies>().is_err(), "{bad}");
        }
    }
}
