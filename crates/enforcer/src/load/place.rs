//! Where rulesets are published, as an operator writes it.

#[cfg(feature = "http")]
use ::http::Uri;
use std::path::PathBuf;
use std::str::FromStr;

/// A place where rulesets are published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A mounted ConfigMap: `configmap:DIR`.
    ConfigMap(PathBuf),
    /// A directory with `trust/`, `SCOPE/manifest.json` and `SCOPE/blobs/`.
    Directory(PathBuf),
    /// The same below a URL.
    #[cfg(feature = "http")]
    Https(Endpoint),
    /// The same in a bucket: `gs://BUCKET/PREFIX`, `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`.
    #[cfg(feature = "objects")]
    Objects(Bucket),
}

/// A text that names no place that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAPlace {
    /// There is nothing after the colon.
    #[error("expected a path after `{0}`, got none")]
    Empty(&'static str),
    /// It is of a kind that is not read.
    #[error("expected a directory, `configmap:DIR`{more}, got `{got}`", more = ALSO)]
    Kind {
        /// The text.
        got: String,
    },
    /// Plain http.
    #[error(
        "expected https, got http in `{0}`: it is taken only from an address of this machine, such as \
         127.0.0.1, and only with --danger-allow-http-rulesets"
    )]
    Http(String),
    /// A bucket that cannot be one.
    #[error("expected a bucket and perhaps a prefix, such as gs://BUCKET/PREFIX, got `{0}`")]
    Bucket(String),
    /// A URL that cannot be one of this kind.
    #[error(
        "expected https://HOST[:PORT]/[PATH/] with nothing before the host and no query, got `{0}`"
    )]
    Url(String),
}

#[cfg(feature = "objects")]
const ALSO: &str = ", `https://HOST/`, or a bucket at `gs://`, `s3://` or `az://`";
#[cfg(all(feature = "http", not(feature = "objects")))]
const ALSO: &str = " or `https://HOST/` (this edge is built without the object stores of clouds)";
#[cfg(not(feature = "http"))]
const ALSO: &str = "";

impl Place {
    /// Whether it lies beyond this machine.
    pub const fn is_remote(&self) -> bool {
        match self {
            Self::ConfigMap(_) | Self::Directory(_) => false,
            #[cfg(feature = "http")]
            Self::Https(_) => true,
            #[cfg(feature = "objects")]
            Self::Objects(_) => true,
        }
    }
}

impl From<PathBuf> for Place {
    fn from(path: PathBuf) -> Self {
        Self::Directory(path)
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        if let Some(path) = text.strip_prefix("configmap:") {
            if path.is_empty() {
                return Err(NotAPlace::Empty("configmap:"));
            }
            return Ok(Self::ConfigMap(path.into()));
        }
        #[cfg(feature = "http")]
        if text.starts_with("https://") || text.starts_with("http://") {
            return Ok(Self::Https(text.parse()?));
        }
        #[cfg(feature = "objects")]
        if BUCKETS.iter().any(|scheme| text.starts_with(scheme)) {
            return Ok(Self::Objects(text.parse()?));
        }
        if let Some(path) = text
            .strip_prefix("file://")
            .filter(|path| path.starts_with('/'))
        {
            return Ok(Self::Directory(path.into()));
        }
        if text.contains("://") {
            let got = text.chars().take(120).collect();
            return Err(NotAPlace::Kind { got });
        }
        Ok(Self::Directory(text.into()))
    }
}

/// A server that publishes rulesets, and what it is asked with.
#[cfg(feature = "http")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    root: String,
    /// Whether it is plain http.
    pub(super) plain: bool,
    /// The file with the token that is sent to it, and to nobody else.
    pub token: Option<PathBuf>,
    /// The file with the certificates, in PEM, of whoever vouches for it; without it, the web's.
    pub ca: Option<PathBuf>,
}

#[cfg(feature = "http")]
impl Endpoint {
    /// The URL of something that is published.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// The URL below which everything lies.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Plain http is taken from this machine alone, and only if the danger was asked for.
    ///
    /// # Errors
    /// If it is plain http, and was not asked for.
    pub fn permit(&self, http_on_loopback: bool) -> Result<(), NotAPlace> {
        if self.plain && !http_on_loopback {
            return Err(NotAPlace::Http(self.root.clone()));
        }
        Ok(())
    }
}

#[cfg(feature = "http")]
impl FromStr for Endpoint {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let bad = || NotAPlace::Url(text.chars().take(120).collect());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?;
        if authority.as_str().contains('@') || authority.host().is_empty() || uri.query().is_some()
        {
            return Err(bad());
        }
        let plain = match uri.scheme_str() {
            Some("https") => false,
            Some("http") if is_this_machine(authority.host()) => true,
            Some("http") => return Err(NotAPlace::Http(text.chars().take(120).collect())),
            _ => return Err(bad()),
        };
        // a bare host is a controller's endpoint, and this is the version that is spoken here
        let path = match uri.path() {
            "" | "/" => "/v1/".to_owned(),
            path if path.ends_with('/') => path.to_owned(),
            path => format!("{path}/"),
        };
        let scheme = if plain { "http" } else { "https" };
        Ok(Self {
            root: format!("{scheme}://{authority}{path}"),
            plain,
            token: None,
            ca: None,
        })
    }
}

/// The schemes of the stores that are read.
#[cfg(feature = "objects")]
const BUCKETS: [&str; 3] = ["az://", "gs://", "s3://"];

/// A bucket, or what lies below a prefix of it.
#[cfg(feature = "objects")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    url: String,
    prefix: String,
    /// Whether a stand-in for a store on this machine may be asked by plain http.
    pub http_on_loopback: bool,
}

#[cfg(feature = "objects")]
impl Bucket {
    /// As it was written.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// What all names begin with: nothing, or something that ends with `/`.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

#[cfg(feature = "objects")]
impl FromStr for Bucket {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        let bad = || NotAPlace::Bucket(text.chars().take(120).collect());
        let (_, rest) = text.split_once("://").ok_or_else(bad)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_name = |c: u8| c.is_ascii_alphanumeric() || b"-_.".contains(&c);
        let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_name);
        if !is_part(bucket) || !(prefix.is_empty() || prefix.split('/').all(is_part)) {
            return Err(bad());
        }
        let slash = if prefix.is_empty() { "" } else { "/" };
        Ok(Self {
            url: text.to_owned(),
            prefix: format!("{prefix}{slash}"),
            http_on_loopback: false,
        })
    }
}

/// Whether a URL is one of this machine by plain http, or by https of anyone.
#[cfg(feature = "objects")]
pub(super) fn is_plain_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    uri.scheme_str() == Some("https") || uri.host().is_some_and(is_this_machine)
}

/// By its address: what a name leads to, others may say.
#[cfg(feature = "http")]
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{NotAPlace, Place};

    #[test]
    fn a_path_is_a_directory_and_a_mounted_one_says_so() {
        assert_eq!("pub".parse(), Ok(Place::Directory("pub".into())));
        assert_eq!("configmap:/c".parse(), Ok(Place::ConfigMap("/c".into())));
        assert_eq!(
            "configmap:".parse::<Place>(),
            Err(NotAPlace::Empty("configmap:"))
        );
        let ftp = "ftp://a/".parse::<Place>();
        assert!(matches!(ftp, Err(NotAPlace::Kind { got }) if got == "ftp://a/"));
    }

    #[cfg(feature = "http")]
    #[test]
    fn a_url_is_read_once() {
        let root = |text: &str| text.parse::<super::Endpoint>().map(|it| it.root);
        let v1 = || Ok("https://c:8443/v1/".to_owned());
        assert_eq!(root("https://c:8443"), v1());
        assert_eq!(root("https://c:8443/"), v1());
        assert_eq!(root("https://c/r"), Ok("https://c/r/".to_owned()));
        for bad in ["https://", "https://u:p@c/", "https://c/?a", "https://c d/"] {
            assert!(matches!(root(bad), Err(NotAPlace::Url(_))), "{bad}");
        }
    }

    /// A token must not go over a wire that others read.
    #[cfg(feature = "http")]
    #[test]
    fn plain_http_is_of_this_machine_and_only_if_asked_for() {
        let read = |text: &str| text.parse::<super::Endpoint>();
        for own in ["http://127.0.0.1:8080/", "http://[::1]:8080/"] {
            assert!(matches!(
                read(own).unwrap().permit(false),
                Err(NotAPlace::Http(_))
            ));
            assert_eq!(read(own).unwrap().permit(true), Ok(()));
        }
        for other in [
            "http://localhost/",
            "http://10.0.0.1/",
            "http://127.0.0.1.nip.io/",
        ] {
            assert!(matches!(read(other), Err(NotAPlace::Http(_))), "{other}");
        }
        assert_eq!(read("https://10.0.0.1/").unwrap().permit(false), Ok(()));
    }
}
