//! URLs from which keys are fetched, directly or by discovery.

use countersign_ruleset::host::Host;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether what is fetched from a URL can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    /// https.
    Secure,
    /// Plain http to this machine: for development, and whoever compiles may refuse it.
    Loopback,
}

/// Looks at a URL. Plain http is taken to this machine alone: keys that came over a network without
/// TLS are whoever's sat between.
pub(super) fn channel(url: &str) -> Result<Channel, &'static str> {
    let is_plain = |c: u8| c.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&c);
    if !url.bytes().all(is_plain) {
        return Err("an https URL without blanks and fragment");
    }
    let (scheme, rest) = url.split_once("://").ok_or("an https URL")?;
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let host = Host::parse(authority).map_err(|_| "an https URL with a host and nothing beside")?;
    match scheme {
        "https" => Ok(Channel::Secure),
        "http" if is_loopback(&host) => Ok(Channel::Loopback),
        "http" => Err("https: keys over plain http could be anybody's"),
        _ => Err("an https URL"),
    }
}

fn is_loopback(host: &Host) -> bool {
    let host = host.as_str();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
        || bare
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Channel, channel};

    #[test]
    fn https_is_taken_and_http_on_this_machine_only() {
        for url in [
            "https://id.example.com",
            "https://id.example.com:8443/a?b=c",
            "https://[::1]/",
        ] {
            assert_eq!(channel(url), Ok(Channel::Secure), "{url}");
        }
        for url in [
            "http://127.0.0.1:9000/x",
            "http://localhost:1",
            "http://[::1]:2/",
            "http://127.9.9.9",
        ] {
            assert_eq!(channel(url), Ok(Channel::Loopback), "{url}");
        }
        for url in [
            "http://id.example.com",
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
        ] {
            let expected = "https: keys over plain http could be anybody's";
            assert_eq!(channel(url), Err(expected), "{url}");
        }
    }

    #[test]
    fn what_readers_of_urls_read_differently_is_refused() {
        for url in [
            "",
            "id.example.com",
            "file:///etc/passwd",
            "https:/a",
            "https://",
            "https:///a",
            "https://user@id.example.com",
            "https://id.example.com\\@evil.example",
            "https://id.example.com#a",
            "https://id.example.com /",
            "HTTPS://id.example.com",
            "https://127.1/",
            "https://id.example.com:99999",
            "https://bücher.example",
        ] {
            assert!(channel(url).is_err(), "{url}");
        }
    }
}
