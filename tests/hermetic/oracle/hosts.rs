//! The oracle's reading of hosts: for which a target answers, and who takes what is asked of one.

use super::gateways::{Heard, heard};
use super::pool::NAMESPACE;
use super::sent::Form;
use super::truth::text;
use super::what::is_host;
use super::{Asked, World};
use serde_json::Value;

const GATEWAY: &str = "gateway.networking.k8s.io";

/// How specific a hostname is: an exact one more than any wildcard, and the longer one.
pub(crate) type Named = (bool, usize);

/// How a route claims a host.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    /// Nothing, where it is not known by which of its hostnames.
    pub(crate) named: Option<Named>,
    pub(crate) surely: bool,
}

impl World {
    pub(crate) fn routes(&self, namespace: &str) -> impl Iterator<Item = &Value> {
        let kinds = ["HTTPRoute", "GRPCRoute"];
        let own = move |one: &&Value| {
            kinds.contains(&text(one, "kind")) && one["metadata"]["namespace"] == namespace
        };
        self.resources.iter().filter(own)
    }

    /// The route of that name, if it is one's: `KIND.GROUP/NAME`.
    pub(crate) fn route(&self, target: &str) -> Option<&Value> {
        let (kind, name) = target.split_once(".gateway.networking.k8s.io/")?;
        self.named(kind, name, Some(NAMESPACE))
    }

    /// 24: the hosts for which a target answers.
    pub(crate) fn hosts_of(&self, target: &str) -> Vec<String> {
        let (kind, name) = target.split_once('/').unwrap_or_default();
        match (kind, self.route(target)) {
            (_, Some(route)) => self.hosts(route),
            ("Host", _) => vec![name.to_owned()],
            _ if !self.is_there(target) => Vec::new(),
            ("Service", _) => {
                let ends = ["", ".shop", ".shop.svc", ".shop.svc.cluster.local"];
                ends.map(|end| format!("{name}{end}")).to_vec()
            }
            _ => self.url(name).and_then(host_of).into_iter().collect(),
        }
    }

    /// 24: `https://HOST` of each that is no wildcard; of a Knative Service its URL, and of a Service none.
    pub(crate) fn urls_of(&self, target: &str) -> Vec<(String, String)> {
        let (kind, name) = target.split_once('/').unwrap_or_default();
        let hosts = self.hosts_of(target).into_iter();
        let hosts = hosts.filter(|host| !host.starts_with('*'));
        let url = |host: &String| match kind {
            "Service" => None,
            "Service.serving.knative.dev" => self.url(name).map(str::to_owned),
            _ => Some(format!("https://{host}")),
        };
        let urls = hosts.filter_map(|host| Some((host.clone(), url(&host)?)));
        urls.filter(|(_, url)| url.starts_with("https://"))
            .collect()
    }

    /// Of a Knative Service its URL.
    fn url(&self, name: &str) -> Option<&str> {
        let mut all = self.resources.iter();
        let service = all.find(|one| {
            one["apiVersion"] == "serving.knative.dev/v1" && one["metadata"]["name"] == name
        });
        service?["status"]["url"].as_str()
    }

    /// How a route claims a host of another, or its own; nothing if it does not.
    pub(crate) fn claim(&self, own: &Value, route: &Value, host: &str) -> Option<Claim> {
        let (mine, theirs, perhaps) = (self.hosts(own), self.hosts(route), self.perhaps(route));
        let is_mine = best(&mine, host);
        if route == own {
            // Alone, it is not held against other hosts.
            let named = Some(is_mine.unwrap_or_default());
            return Some(Claim {
                named,
                surely: true,
            });
        }
        if heard(route) == Heard::Refused {
            return None;
        }
        let unknown = Claim {
            named: None,
            surely: false,
        };
        let (Some(_), Some(perhaps)) = (is_mine, &perhaps) else {
            let shares = |one: &String| {
                let mut others = theirs.iter().chain(perhaps.iter().flatten());
                others.any(|other| both(one, other).is_some())
            };
            let any = mine.is_empty() || perhaps.is_none() || mine.iter().any(shares);
            return any.then_some(unknown);
        };
        let (surely, perhaps) = (best(&theirs, host), best(perhaps, host));
        let named = surely.max(perhaps);
        named?;
        Some(Claim {
            named,
            surely: surely >= perhaps,
        })
    }

    /// Whether a route that no policy names may take a part of what is sent to one that is named.
    fn is_beside(&self, route: &Value, named: &[String]) -> bool {
        let mut named = named.iter().filter_map(|target| self.route(target));
        heard(route) != Heard::Refused && named.any(|own| self.claim(own, route, "").is_some())
    }

    /// What an edge knows: what policies name, and the routes beside that.
    pub(crate) fn known(&self, asked: &Asked) -> Vec<String> {
        let named = self.targets(asked);
        let beside = self
            .routes(&asked.namespace)
            .filter(|route| !named.contains(&id(route)) && self.is_beside(route, &named));
        let beside: Vec<_> = beside.map(id).collect();
        [named, beside].concat()
    }

    /// Where an edge goes by the host that is called: the target of the most specific hostname, and of
    /// several routes the one that takes the request.
    pub(crate) fn by_host(&self, asked: &Asked, form: &Form) -> Result<String, &'static str> {
        let named = |target: &String| best(&self.hosts_of(target), &form.host);
        let known = self.known(asked);
        let most = known.iter().filter_map(named).max().ok_or("NotCovered")?;
        let those: Vec<_> = known
            .into_iter()
            .filter(|one| named(one) == Some(most))
            .collect();
        let routes: Vec<_> = those.iter().filter_map(|one| self.route(one)).collect();
        if routes.len() < those.len() {
            let [only] = <[String; 1]>::try_from(those).map_err(|_| "HostAmbiguous")?;
            return Ok(only);
        }
        let takes = |route: &&&Value| self.takes(route, None, asked, form) == Some(true);
        if let Some(route) = routes.iter().find(takes) {
            return Ok(id(route));
        }
        if routes
            .iter()
            .any(|route| self.is_contested(route, asked, form))
        {
            return Err("HostAmbiguous");
        }
        // Alone, it is asked whatever its matches are.
        let [only] = <[&Value; 1]>::try_from(routes).map_err(|_| "NotCovered")?;
        Ok(id(only))
    }
}

impl Asked {
    /// Sessions are made for an application: they are played where the edge is pinned to one.
    pub(crate) fn without_session(&self) -> Self {
        Self {
            session: None,
            ..self.clone()
        }
    }
}

fn id(route: &Value) -> String {
    let [kind, name] = [text(route, "kind"), text(&route["metadata"], "name")];
    format!("{kind}.{GATEWAY}/{name}")
}

/// How specific the best of some hostnames is for a host.
fn best(names: &[String], host: &str) -> Option<Named> {
    let matching = names.iter().filter(|name| is_host(name, host));
    matching
        .map(|name| (!name.starts_with('*'), name.len()))
        .max()
}

/// Of two hostnames that have hosts in common, the narrower.
pub(crate) fn both(one: &str, other: &str) -> Option<String> {
    let within = |narrow: &str, wide: &str| {
        let below = narrow
            .strip_prefix('*')
            .map_or(narrow.to_owned(), |rest| format!("x{rest}"));
        narrow == wide
            || is_host(wide, &below) && (narrow.len() > wide.len() || !narrow.starts_with('*'))
    };
    match () {
        () if within(one, other) => Some(one.to_owned()),
        () if within(other, one) => Some(other.to_owned()),
        () => None,
    }
}

fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().and_then(host)
}

/// A host in the one spelling that a request has; nothing if it is none.
pub(crate) fn host(written: &str) -> Option<String> {
    let name = written.to_lowercase();
    let name = name.split_once(':').map_or(&*name, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    (!name.is_empty() && name.chars().all(plain)).then(|| name.to_owned())
}
