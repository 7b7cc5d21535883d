//! The oracle's reading of logins: where browsers are sent, and which of their sessions count.

use super::aims::{aims, is_astray};
use super::facts::Caller;
use super::pool::NOW;
use super::provider::Provider;
use super::reach::SPEC;
use super::sent::Form;
use super::token::{is_revoked, is_tenant};
use super::truth::{Part, misspelt, part};
use super::who::reference;
use super::{Asked, MadeFor, World};
use serde_json::Value;
use std::rc::Rc;

/// At which provider browsers log in, as whose client, and what they ask for.
type Login = (Rc<Provider>, String, Vec<String>);

/// 45: how long a session lasts at most.
const LONGEST: i64 = 12 * 3_600;

/// How far ahead the clock may be that it was made by.
const AHEAD: i64 = -60;

impl World {
    /// 45: only a 401 becomes a login, and only where somebody navigates there with a browser; a 401 of
    /// who has a session, if the login was not strong or fresh enough.
    pub(crate) fn sent_to(&self, asked: &Asked, form: &Form, reason: &str) -> Option<String> {
        let helps = match reason {
            "NoToken" => true,
            "InsufficientUserAuthentication" => self.session(asked, form).is_some(),
            _ => false,
        };
        let sent = helps && asked.navigates();
        sent.then(|| self.login(asked))?
            .map(|(provider, ..)| provider.id.clone())
    }

    /// 45: who logged in, if the session counts: made for this application by the login that it has now,
    /// not over, and nothing of it revoked.
    pub(crate) fn session<'a>(&self, asked: &'a Asked, form: &Form) -> Option<Caller<'a>> {
        let session = asked.session.as_ref()?;
        let (provider, client, scopes) = self.login(asked)?;
        let (token, age) = (&session.id_token, NOW.saturating_sub(session.made_at));
        let its_own = session.made_for == MadeFor::ThisOne
            && session.by == provider.id
            && session.client == client
            // What was not asked for then is not among its claims.
            && scopes.iter().all(|scope| session.scopes.contains(scope));
        let caller = Caller {
            provider,
            claims: &token.claims,
            logged_in: true,
        };
        let counts = its_own
            && (AHEAD..LONGEST).contains(&age)
            && is_tenant(&caller)
            && !is_revoked(token, &caller.provider.spec, NOW.min(session.made_at))
            && !asked.may_be_forged(form);
        counts.then_some(caller)
    }

    /// 40: what the policies that decide at the target say alike. One that cannot be read, or of which it
    /// is not known for what it is, may have said otherwise.
    fn login(&self, asked: &Asked) -> Option<Login> {
        let (target, mut logins) = (self.target(), Vec::new());
        let own = self.kind("AccessPolicy").filter(|policy| {
            policy["metadata"]["namespace"] == asked.namespace
                && policy["spec"]["mode"] != "Observe"
        });
        for policy in own {
            let spec = &policy["spec"];
            // What is said of a section is not said of the whole.
            let aims = aims(policy).into_iter();
            let whole: Vec<_> = aims
                .filter(|aim| aim.target == target && aim.section().is_none())
                .collect();
            let lost = whole.is_empty();
            if lost && !is_astray(policy) {
                continue;
            }
            let counts = whole.iter().all(|aim| self.counts(aim));
            let mode = spec.get("mode").is_none_or(|mode| mode == "Enforce");
            if !counts || !mode || misspelt(spec, &SPEC) {
                return None;
            }
            logins.extend(spec.get("login").map(|login| (lost, login)));
        }
        let read = |login| self.read(login, &asked.namespace);
        let (_, login) = logins.iter().find(|(lost, _)| !lost)?;
        let login = read(login)?;
        let is_that = |other: Login| other.0.id == login.0.id;
        let mut others = logins.iter();
        others
            .all(|(_, other)| read(other).is_some_and(is_that))
            .then_some(login)
    }

    /// The provider that a `login` names, and as whose client browsers log in there.
    fn read(&self, login: &Value, namespace: &str) -> Option<Login> {
        if misspelt(login, &["providerRef"]) {
            return None;
        }
        let id = reference(login.get("providerRef")?, "ClusterTrustProvider")?;
        let provider = self.provider(&id, Some(namespace))?;
        let (client, scopes) = client(&provider)?;
        Some((provider, client, scopes))
    }

    /// 45: what browsers log in as at any provider in reach: the audience of no token.
    pub(crate) fn clients<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a str> {
        let kinds = ["ClusterTrustProvider", "TrustProvider"].into_iter();
        let providers = kinds.flat_map(|kind| self.kind(kind)).filter(move |one| {
            let own = one["metadata"].get("namespace");
            own.is_none_or(|own| own == namespace)
        });
        providers.filter_map(|one| one["spec"]["client"]["id"].as_str())
    }
}

/// The id of its client, and the scopes. Nobody logs in at what speaks for jobs and workloads.
fn client(provider: &Provider) -> Option<(String, Vec<String>)> {
    let spec = &provider.spec;
    let of_jobs = ["GitHubActions", "GoogleIAP"].contains(&spec["type"].as_str()?);
    let mut forms = spec["forms"].as_array()?.iter();
    let speaks_for_people = !of_jobs && forms.any(|form| form[0] == "IDToken");
    let client = spec.get("client").filter(|_| speaks_for_people)?;
    let text = |one: &Value| one.as_str().map(str::to_owned);
    // Without the scope `openid` there is no ID token.
    let scopes = match part(client, "scopes") {
        Part::Absent => vec!["openid".to_owned()],
        Part::List(all) if all.iter().any(|one| one == "openid") => {
            all.iter().map(text).collect::<Option<_>>()?
        }
        Part::List(_) | Part::Unknown | Part::Other => return None,
    };
    let id = client["id"].as_str().filter(|id| !id.is_empty())?;
    let whole = !misspelt(client, &["id", "scopes"]);
    whole.then(|| (id.to_owned(), scopes))
}

impl Asked {
    /// 45: whether somebody navigates there with a browser, by what it says of itself.
    fn navigates(&self) -> bool {
        let there = |name| !self.headers(name).is_empty();
        // Where nobody reads the header that it is in, a token is none.
        let borne = self.token.iter().any(|token| token.header.is_none());
        if self.method != "GET" || borne || there("authorization") {
            return false;
        }
        if self
            .headers
            .iter()
            .any(|(name, _)| name.starts_with("sec-fetch-"))
        {
            return self.headers("sec-fetch-mode") == ["navigate"]
                && self.headers("sec-fetch-dest") == ["document"];
        }
        let accepted = self.headers("accept").join(",").replace(' ', "");
        let html = |range: &str| range == "text/html" || range.starts_with("text/html;");
        let refused = |range: &str| range.ends_with(";q=0");
        let is_page = accepted.split(',').any(|one| html(one) && !refused(one));
        is_page
            && !["origin", "upgrade", "x-requested-with"]
                .into_iter()
                .any(there)
    }

    /// 45: whether another page may have had the browser send it.
    fn may_be_forged(&self, form: &Form) -> bool {
        let begins = !self.headers("upgrade").is_empty();
        let safe = ["GET", "HEAD", "OPTIONS"].contains(&&*self.method) && !begins;
        let (sites, origins) = (self.headers("sec-fetch-site"), self.headers("origin"));
        let port = self.host.split_once(':').map_or("443", |(_, port)| port);
        !safe
            && match (&*sites, &*origins) {
                ([], []) => false,
                ([], [origin]) => place(origin) != Some((&*form.host, port)),
                ([one], _) => !["same-origin", "none"].contains(one),
                _ => true,
            }
    }
}

/// The host and the port of an origin by TLS; `null` is the origin of nobody.
fn place(origin: &str) -> Option<(&str, &str)> {
    let authority = origin.strip_prefix("https://")?;
    Some(authority.split_once(':').unwrap_or((authority, "443")))
}
