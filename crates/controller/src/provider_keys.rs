//! Providers' keys over the network: discovery, then the key set; one provider's failure is its own.

use countersign_policy::diagnostic::{Code, Diagnostic, FieldPath, ResourceId, Severity};
use countersign_policy::jwks::{FetchedKeys, Jwks};
use countersign_policy::resources::KeySource;
use countersign_ruleset::json::{self, Limits};
use countersign_ruleset::time::UnixTime;
use futures::StreamExt;
use ipnet::IpNet;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

mod address;
mod busy;
mod get;
mod own;
mod proxy;
mod refresher;
mod service;
#[cfg(test)]
mod tests;

use busy::Busy;
use get::{Client, Reach};

pub use get::Unread;
pub use own::{Asked, NoIssuer, OwnIssuer};
pub use refresher::{Change, Refresher};
pub use service::{Known, World, serve};

/// The longest that all requests for one provider may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// How many providers are asked at a time.
const AT_A_TIME: usize = 16;

/// What a key set or a discovery document may cost.
const LIMITS: Limits = Limits {
    bytes: get::MAX_BYTES,
    depth: 16,
    exact_integers: false,
};

/// Where keys may be fetched from, and what is told of it.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Whether plain http is taken, from this machine alone.
    pub http_on_loopback: bool,
    /// Networks in which the providers of namespaces may be, too.
    pub allowed: Vec<IpNet>,
    /// Whether those who may write a namespace's resources read what is said. They are not told what
    /// is to be found behind an address, or resources would scan the cluster's network for them.
    pub discreet: bool,
}

/// The keys of one provider, and for how long they may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The keys.
    pub keys: FetchedKeys,
    /// For how many seconds, if its server says so.
    pub max_age: Option<u64>,
}

/// What was fetched.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The keys that were, by provider.
    pub keys: BTreeMap<ResourceId, FetchedKeys>,
    /// Why others were not: one for each.
    pub diagnostics: Vec<Diagnostic>,
}

impl Fetched {
    /// The providers whose keys were not fetched.
    pub fn failed(&self) -> BTreeSet<ResourceId> {
        let all = self.diagnostics.iter();
        all.map(|one| one.resource.clone()).collect()
    }
}

/// Why a provider's keys were not fetched.
#[derive(Debug, thiserror::Error)]
pub enum Unfetched {
    /// A request failed.
    #[error("{url}: {because}")]
    Unread {
        /// Of what.
        url: String,
        /// Why.
        because: Unread,
    },
    /// A document is not what it should be.
    #[error("{url}: {because}")]
    Unfit {
        /// Which.
        url: String,
        /// What was expected and what was got.
        because: String,
    },
    /// Whoever answers is not the issuer (OpenID Connect Discovery §4.3).
    #[error("{url}: expected the issuer `{expected}`, got `{got}`")]
    OtherIssuer {
        /// Of what.
        url: String,
        /// The provider's.
        expected: String,
        /// The document's.
        got: String,
    },
    /// The API server does not give its own issuer's keys.
    #[error(transparent)]
    Own(#[from] NoIssuer),
    /// It took too long.
    #[error("{url}: expected an answer within {} s, got none", DEADLINE.as_secs())]
    TooSlow {
        /// Of what.
        url: String,
    },
}

/// Fetches the keys of all providers that have none inline.
///
/// # Errors
/// If this machine cannot fetch at all. A provider that does not answer is a diagnostic.
pub fn all(sources: &[KeySource], rules: &Rules, now: UnixTime) -> anyhow::Result<Fetched> {
    if sources.is_empty() {
        return Ok(Fetched::default());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(fetch_all(sources, rules, now)))
}

async fn fetch_all(sources: &[KeySource], rules: &Rules, now: UnixTime) -> Fetched {
    let each = futures::stream::iter(sources)
        .map(|source| async move { (source, fetch(source, rules, now).await) });
    let mut all = Fetched::default();
    let mut each = each.buffered(AT_A_TIME);
    while let Some((source, fetched)) = each.next().await {
        match fetched {
            Ok(answer) => {
                all.keys.insert(source.resource.clone(), answer.keys);
            }
            Err(why) => all.diagnostics.push(diagnostic(source, &why, rules)),
        }
    }
    all
}

/// Fetches one provider's keys, within one deadline; a look-up of a name may hold it up for longer.
///
/// # Errors
/// If they cannot be had, or may not.
pub async fn fetch(source: &KeySource, rules: &Rules, now: UnixTime) -> Result<Answer, Unfetched> {
    let asked = |busy| async move {
        let asking = ask(source, rules, now, &busy);
        tokio::time::timeout(DEADLINE, asking).await
    };
    let fetched = busy::over(asked).await;
    fetched.unwrap_or_else(|_| Err(Unfetched::TooSlow { url: begin(source) }))
}

/// The first URL that is asked.
fn begin(source: &KeySource) -> String {
    match &source.jwks_url {
        Some(url) => url.clone(),
        // OpenID Connect Discovery §4: after any terminating "/" is removed
        None => format!(
            "{}/.well-known/openid-configuration",
            source.issuer.strip_suffix('/').unwrap_or(&source.issuer)
        ),
    }
}

async fn ask(
    source: &KeySource,
    rules: &Rules,
    now: UnixTime,
    busy: &Busy,
) -> Result<Answer, Unfetched> {
    let unread = |because| Unfetched::Unread {
        url: begin(source),
        because,
    };
    let client = Client::new(source.ca_bundle.as_deref(), source.proxy_url.as_deref());
    let client = client.map_err(unread)?;
    let reach = Reach {
        // who may write a namespace's resources may not have this machine call into its network
        public_only: source.resource.kind == "TrustProvider",
        http_on_loopback: rules.http_on_loopback,
        allowed: &rules.allowed,
        busy,
    };
    let jwks_url = match &source.jwks_url {
        Some(url) => url.clone(),
        None => discover(&client, source, reach).await?,
    };
    let (document, max_age) = read(&client, &jwks_url, reach).await?;
    let unfit = |because| Unfetched::Unfit {
        url: jwks_url.clone(),
        because,
    };
    let keys = Jwks::read(&document).map_err(unfit)?.keys;
    if keys.is_empty() {
        return Err(unfit(
            "expected a key that verifies signatures, got none".to_owned(),
        ));
    }
    let keys = FetchedKeys {
        keys,
        jwks_url,
        fetched_at: now,
    };
    Ok(Answer { keys, max_age })
}

async fn discover(
    client: &Client,
    source: &KeySource,
    reach: Reach<'_>,
) -> Result<String, Unfetched> {
    let url = begin(source);
    let (document, _) = read(client, &url, reach).await?;
    let member = |name: &str| {
        let text = document
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned);
        text.ok_or_else(|| Unfetched::Unfit {
            url: url.clone(),
            because: format!("expected the member `{name}`, got none"),
        })
    };
    let got = member("issuer")?;
    if got != source.issuer {
        return Err(Unfetched::OtherIssuer {
            url: url.clone(),
            expected: source.issuer.clone(),
            got: got.chars().take(200).collect(),
        });
    }
    member("jwks_uri")
}

async fn read(
    client: &Client,
    url: &str,
    reach: Reach<'_>,
) -> Result<(Value, Option<u64>), Unfetched> {
    let answer = client.get(url, reach).await;
    let answer = answer.map_err(|because| Unfetched::Unread {
        url: url.to_owned(),
        because,
    })?;
    let document = json::strict(&answer.body, LIMITS).map_err(|malformed| Unfetched::Unfit {
        url: url.to_owned(),
        because: malformed.to_string(),
    })?;
    Ok((document, answer.max_age))
}

/// Says of those whose keys were kept that they are, and until when.
pub fn tell_kept(diagnostics: &mut [Diagnostic], kept: &BTreeMap<ResourceId, UnixTime>) {
    for one in diagnostics.iter_mut().filter(|one| one.code == Code::Keys) {
        if let (true, Some(until)) = (is_failure(one), kept.get(&one.resource)) {
            one.severity = Severity::Warning;
            one.help = Some(format!(
                "the keys that were published last are kept, at most until {until}; then its tokens are \
                 answered 503"
            ));
        }
    }
}

const FAILED: &str = "the keys could not be fetched: ";

fn is_failure(diagnostic: &Diagnostic) -> bool {
    diagnostic.message.starts_with(FAILED)
}

/// Whether a diagnostic says no more than that a provider's keys were not fetched.
pub fn is_want_of_keys(diagnostic: &Diagnostic) -> bool {
    diagnostic.code == Code::Keys
        && diagnostic.severity == Severity::Warning
        && diagnostic.path == FieldPath::spec().name("keys")
}

/// What is said of a provider whose keys were not fetched.
pub fn diagnostic(source: &KeySource, why: &Unfetched, rules: &Rules) -> Diagnostic {
    let spec = FieldPath::spec();
    let path = match &source.jwks_url {
        Some(_) => spec.name("keys").name("jwksURL"),
        None => spec.name("issuer"),
    };
    Diagnostic {
        resource: source.resource.clone(),
        path,
        span: None,
        code: Code::Keys,
        severity: Severity::Error,
        message: if rules.discreet && source.resource.kind == "TrustProvider" {
            format!("{FAILED}the controller's log says why")
        } else {
            format!("{FAILED}{why}")
        },
        help: Some(
            "its tokens are answered 503 until they can be; `spec.keys.inline` needs no network"
                .to_owned(),
        ),
    }
}
