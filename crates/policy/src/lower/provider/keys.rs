//! A provider's keys: written in its resource, or fetched before.

use super::super::{Said, Sink};
use super::origin::{Origin, expect_channel};
use super::url::{Channel, channel};
use crate::diagnostic::{Code, FieldPath};
use crate::jwks::{FetchedKeys, Jwks};
use crate::v1alpha1::{KeysSpec, ProviderSpec};
use countersign_ruleset::provider::{PublicJwk, Refresh};
use countersign_ruleset::time::UnixTime;
use serde_json::Value;

const FIELDS: [&str; 4] = ["caBundle", "inline", "jwksURL", "proxyURL"];

/// Keys, and whether an edge may fetch others.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) jwks_url: Option<String>,
    pub(super) discovered: bool,
    pub(super) refresh: Refresh,
    pub(super) fetched_at: Option<UnixTime>,
    pub(super) usable: Vec<PublicJwk>,
}

/// The keys; `None` if it cannot be told which. That they could not be had is no fault of the
/// provider: it stays, and its tokens are answered 503.
pub(super) fn read(
    spec: &ProviderSpec,
    cluster_kind: bool,
    origin: Option<&Origin>,
    fetched: Option<&FetchedKeys>,
    sink: &mut Sink,
) -> Option<Keys> {
    let path = FieldPath::spec().name("keys");
    let absent = KeysSpec::default();
    let written = match sink.field(&path, &spec.keys) {
        Said::Absent => &absent,
        Said::Known(written) => written,
        Said::Unknown => return None,
    };
    let is_whole = !sink.unread(&path, &written.unread, &FIELDS);
    let means = means(&path, written, cluster_kind, sink);
    let inline = sink.field(&path.name("inline"), &written.inline);
    let jwks_url = sink.field(&path.name("jwksURL"), &written.jwks_url);
    if !written.inline.is_absent() && !written.jwks_url.is_absent() {
        let message = "`inline` and `jwksURL` exclude each other";
        sink.error(&path, Code::Exclusive, message, None);
        return None;
    }
    if let Said::Known(url) = jwks_url {
        expect_channel(&path.name("jwksURL"), url, sink)?;
    }
    let own_means = means?;
    match (inline, jwks_url) {
        (Said::Unknown, _) | (_, Said::Unknown) => None,
        (Said::Known(keys), _) => is_whole.then(|| inline_keys(&path, keys.document(), sink)),
        (Said::Absent, _) => {
            let published = origin?.jwks_url.as_deref();
            is_whole.then(|| fetched_keys(&path, published, own_means, fetched, sink))
        }
    }
}

/// A CA and a proxy of one's own: whether there is either. A namespace must not choose from where
/// the cluster's parts reach into networks.
fn means(
    path: &FieldPath,
    written: &KeysSpec,
    cluster_kind: bool,
    sink: &mut Sink,
) -> Option<bool> {
    let mut used = Some(false);
    for (name, field) in [
        ("caBundle", &written.ca_bundle),
        ("proxyURL", &written.proxy_url),
    ] {
        let path = path.name(name);
        match sink.field(&path, field) {
            Said::Absent => {}
            Said::Known(_) if cluster_kind => used = used.map(|_| true),
            Said::Known(_) => {
                let message = format!("`{name}` is for ClusterTrustProviders only");
                sink.error(&path, Code::InvalidValue, message, None);
                used = None;
            }
            Said::Unknown => used = None,
        }
    }
    used
}

fn inline_keys(path: &FieldPath, document: &Value, sink: &mut Sink) -> Keys {
    let path = path.name("inline");
    let jwks = Jwks::read(document).unwrap_or_else(|why| {
        sink.error(&path, Code::Keys, why, None);
        Jwks::default()
    });
    for (n, why) in &jwks.skipped {
        sink.error(&path.name("keys").index(*n), Code::Keys, why.as_str(), None);
    }
    for (n, why) in &jwks.repeated {
        sink.warning(&path.name("keys").index(*n), Code::Keys, why.as_str(), None);
    }
    if jwks.keys.is_empty() && jwks.skipped.is_empty() {
        sink.error(
            &path,
            Code::Keys,
            "there is no key: its tokens are answered 503",
            None,
        );
    }
    Keys {
        jwks_url: None,
        discovered: false,
        refresh: Refresh::Never,
        fetched_at: None,
        usable: jwks.keys,
    }
}

/// An edge has neither the CA nor the proxy, and without them it would believe another server; nor
/// is plain http good enough for one, whoever takes it to compile.
fn fetched_keys(
    path: &FieldPath,
    published: Option<&str>,
    own_means: bool,
    fetched: Option<&FetchedKeys>,
    sink: &mut Sink,
) -> Keys {
    let fetched = fetched.filter(|keys| published.is_none_or(|url| keys.jwks_url == url));
    if fetched.is_none_or(|fetched| fetched.keys.is_empty()) {
        let message = "no keys could be had: its tokens are answered 503";
        sink.warning(path, Code::Keys, message, None);
    }
    let jwks_url = published
        .map(Into::into)
        .or_else(|| fetched.map(|it| it.jwks_url.clone()));
    let is_secure = |url: &String| channel(url) == Ok(Channel::Secure);
    // where discovery failed the place is not known, but who may fetch from there is
    let for_edges = !own_means && jwks_url.as_ref().is_none_or(is_secure);
    Keys {
        discovered: published.is_none(),
        refresh: if for_edges {
            Refresh::Edge
        } else {
            Refresh::Never
        },
        jwks_url,
        fetched_at: fetched.map(|it| it.fetched_at),
        usable: fetched.map(|it| it.keys.clone()).unwrap_or_default(),
    }
}
