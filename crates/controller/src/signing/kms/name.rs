//! The name of a version of a key, and where it is asked.

use http::Uri;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// The collections that a name goes through, each before an id.
const COLLECTIONS: [&str; 5] = [
    "projects",
    "locations",
    "keyRings",
    "cryptoKeys",
    "cryptoKeyVersions",
];

/// The longest id; Google's own are shorter.
const LONGEST: usize = 100;

/// A version of a key: `projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N`.
///
/// It becomes part of a URL, so nothing is in it but what ids are made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KmsKeyName(String);

/// A text that names no version of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N, got `{0}`: a version, \
     for another signs with another key"
)]
pub struct NotAName(String);

impl KmsKeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KmsKeyName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let mut parts = text.split('/');
        let is_id = |id: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
            // a project's id may begin with a domain; no id is a step in a path
            (1..=LONGEST).contains(&id.len()) && id.chars().all(fits) && !id.starts_with('.')
        };
        let named = COLLECTIONS
            .iter()
            .all(|collection| parts.next() == Some(collection) && parts.next().is_some_and(is_id));
        if named && parts.next().is_none() {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAName(text.to_owned()))
        }
    }
}

impl fmt::Display for KmsKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An address of this machine that stands in for Google's, over plain http: `http://127.0.0.1:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KmsEndpoint(SocketAddr);

/// A text that is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected http://127.0.0.1:PORT, got `{0}`")]
pub struct NotAnEndpoint(String);

impl KmsEndpoint {
    /// The address.
    pub const fn address(self) -> SocketAddr {
        self.0
    }
}

impl FromStr for KmsEndpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let refused = || NotAnEndpoint(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let address = uri.authority().map(http::uri::Authority::as_str);
        let address: Option<SocketAddr> = address.and_then(|it| it.parse().ok());
        let is_plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/");
        match address {
            Some(address) if is_plain && address.ip().is_loopback() => Ok(Self(address)),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KmsEndpoint, KmsKeyName};

    #[test]
    fn a_name_is_of_a_version_and_cannot_leave_its_place_in_a_url() {
        let of = |id: &str| {
            format!(
                "projects/{id}/locations/europe-west3/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
            )
        };
        for good in ["shop-prod", "example.com:shop", "p_1"] {
            let name: KmsKeyName = of(good).parse().unwrap();
            assert_eq!(name.as_str(), of(good));
        }
        for bad in ["", "..", ".", "a b", "a?b", "a#b", "a%2fb", "é"] {
            assert!(of(bad).parse::<KmsKeyName>().is_err(), "{bad}");
        }
        assert!(of(&"p".repeat(101)).parse::<KmsKeyName>().is_err());
        for bad in [
            "",
            "projects/p",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1/x",
            "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1:asymmetricDecrypt/",
            "/projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
            "projects/p/locations/l/rings/r/cryptoKeys/k/cryptoKeyVersions/1",
        ] {
            assert!(bad.parse::<KmsKeyName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_stands_in_for_google() {
        for good in ["http://127.0.0.1:8080", "http://[::1]:80/"] {
            assert!(good.parse::<KmsEndpoint>().is_ok(), "{good}");
        }
        for bad in [
            "https://127.0.0.1:8080",
            "http://10.0.0.1:80",
            "http://localhost:80",
            "http://a@127.0.0.1:80",
            "http://127.0.0.1:80/v1",
            "127.0.0.1:80",
        ] {
            assert!(bad.parse::<KmsEndpoint>().is_err(), "{bad}");
        }
    }
}
