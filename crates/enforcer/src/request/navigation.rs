//! What only a browser tells: that somebody navigates there, or that another site has it call.

use super::{Request, port};
use countersign_ruleset::host::Host;
use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, ORIGIN, UPGRADE};

/// What a browser says of a request, and no script in it can (W3C Fetch Metadata).
const DEST: &str = "sec-fetch-dest";
const MODE: &str = "sec-fetch-mode";
const SITE: &str = "sec-fetch-site";

/// The names of those headers begin so.
const FETCH_METADATA: &str = "sec-fetch-";

/// Said by scripts, so that they are not taken for people.
const REQUESTED_WITH: &str = "x-requested-with";

impl Request<'_> {
    /// Whether a person navigates there with a browser: then, and only then, an answer that leads to
    /// a login is of use. A script would follow it and read a page instead of a status.
    ///
    /// Never by `User-Agent`, which everybody writes as he likes; never with `Authorization`, by which
    /// somebody says that he does not log in so.
    pub(crate) fn is_navigation(&self) -> bool {
        let has = |name: &str| self.headers.contains_key(name);
        if *self.method != Method::GET || has(AUTHORIZATION.as_str()) {
            return false;
        }
        let mut names = self.headers.keys();
        if names.any(|name| name.as_str().starts_with(FETCH_METADATA)) {
            return self.header(MODE) == Ok(Some("navigate"))
                && self.header(DEST) == Ok(Some("document"));
        }
        // a browser that does not say asks for a page at least
        self.accepts_html()
            && !has(REQUESTED_WITH)
            && !has(ORIGIN.as_str())
            && !has(UPGRADE.as_str())
    }

    /// Whether `Accept` names HTML, and does not refuse it (RFC 9110 §12.5.1).
    fn accepts_html(&self) -> bool {
        let fields = self.headers.get_all(ACCEPT).iter();
        let mut ranges = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(','));
        ranges.any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let is_html = parts
                .next()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("text/html"));
            is_html && !parts.any(is_refusal)
        })
    }

    /// Whether a browser may have been made to send this by a page of somebody else (CSRF). A browser
    /// sends what it keeps of a session whoever has it call; so what may change something counts
    /// without it, unless the browser says that the page is of this very origin, or that no page had it
    /// call. One that says nothing of that names the `Origin`, scheme, host and port; one that names none
    /// is believed, for then it is no other page's (Fetch §3.2).
    ///
    /// A handshake for a WebSocket is a GET, and no rule of other origins keeps a page from it.
    pub(crate) fn may_be_forged(&self) -> bool {
        let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(self.method);
        if is_safe && !self.headers.contains_key(UPGRADE) {
            return false;
        }
        match self.header(SITE) {
            Ok(Some(site)) => !["same-origin", "none"].contains(&site),
            Err(()) => true,
            Ok(None) => match self.header(ORIGIN.as_str()) {
                Ok(None) => false,
                Ok(Some(origin)) => !self.is_own(origin),
                Err(()) => true,
            },
        }
    }

    /// Whether that is the origin that is called. `null` is nobody's; and a page that came by `http` may
    /// be anybody's who is on the way, while what a browser keeps of a session came by `https`.
    fn is_own(&self, origin: &str) -> bool {
        let authority = origin.strip_prefix("https://");
        authority.is_some_and(|authority| {
            Host::parse(authority).is_ok_and(|host| host == self.host)
                && port(authority) == self.port
        })
    }
}

/// A weight of nothing: `q=0`, `q=0.000`.
fn is_refusal(parameter: &str) -> bool {
    let weight = parameter
        .split_once('=')
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.is_some_and(|(_, weight)| weight.trim().trim_matches(['0', '.']).is_empty())
}

#[cfg(test)]
mod tests;
