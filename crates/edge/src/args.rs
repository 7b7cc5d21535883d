//! The flags of `countersign-edge`, each with a twin in the environment.

use crate::config::Config;
use crate::source::TrustedProxies;
use crate::upstream::Upstream;
use clap::{ArgGroup, CommandFactory, Parser, ValueEnum};
use countersign_enforcer::load::{NotAPlace, Place, Sources};
use countersign_enforcer::store::Target;
use countersign_ruleset::names::{ApplicationId, Cluster, Scope};
use countersign_ruleset::time::Seconds;
use countersign_ruleset::verifier::{Options, Order};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The cluster of `countersign dev`, whose keys lie on somebody's laptop.
const DEVELOPMENT: &str = "dev";

/// The oldest that a ruleset may be, in seconds, where every start is a first start and whoever carries
/// it could bring an older one: 1 hour.
const MAX_AGE: u64 = 3_600;

/// Puts signed access policies in front of a service.
///
/// Every request is decided by the ruleset in force: let in, and sent on to the upstream, or answered
/// with 401, 403, 400 or 503 and a reason. Audit lines go to standard output, logs to standard error
/// (`RUST_LOG` sets what is logged).
#[derive(Debug, Parser)]
#[command(name = "countersign-edge", version)]
#[command(group(ArgGroup::new("what").required(true).args(["target", "route_by_host"])))]
pub struct Args {
    /// Where rulesets are published: a directory with trust/ and a folder for each scope, a mounted
    /// ConfigMap, a controller at `https://HOST/`, the same files below `https://HOST/PATH/` or in a
    /// bucket at `gs://`, `s3://` or `az://`. The newest that verifies is in force.
    #[arg(
        long,
        env = "COUNTERSIGN_RULESETS",
        value_name = "DIR|configmap:DIR|URL",
        value_delimiter = ',',
        required = true
    )]
    pub rulesets: Vec<String>,
    /// The token that the server of the rulesets is told, such as a projected service-account token;
    /// the file is read anew for each request.
    #[arg(long, env = "COUNTERSIGN_RULESETS_TOKEN", value_name = "FILE")]
    pub rulesets_token: Option<PathBuf>,
    /// The certificates, in PEM, of whoever vouches for the server of the rulesets; without it, the
    /// web's authorities. The file may change while the edge runs.
    #[arg(long, env = "COUNTERSIGN_RULESETS_CA", value_name = "FILE")]
    pub rulesets_ca: Option<PathBuf>,
    /// Take rulesets over plain http, too, from an address of this machine alone.
    #[arg(long, env = "COUNTERSIGN_DANGER_ALLOW_HTTP_RULESETS")]
    pub danger_allow_http_rulesets: bool,
    /// A namespace whose ruleset is enforced, with its UID if that is to be pinned.
    #[arg(
        long,
        env = "COUNTERSIGN_SCOPE",
        value_name = "SCOPE[@UID]",
        value_delimiter = ',',
        required = true
    )]
    pub scope: Vec<PinnedScope>,
    /// The installation; a ruleset of another one is refused.
    #[arg(long, env = "COUNTERSIGN_CLUSTER", value_name = "NAME")]
    pub cluster: Cluster,
    /// The pinned trust document, such as trust/1.json.
    #[arg(long, env = "COUNTERSIGN_TRUST_ROOT", value_name = "FILE")]
    pub trust_root: PathBuf,
    /// The application that this edge stands in front of, such as Host/orders.example.com or
    /// Service.serving.knative.dev/orders.
    #[arg(long, env = "COUNTERSIGN_TARGET", value_name = "KIND[.GROUP]/NAME")]
    pub target: Option<ApplicationId>,
    /// Find the application by the host that is called. Of several scopes only the hosts of routes count
    /// that a Gateway accepted.
    #[arg(long, env = "COUNTERSIGN_ROUTE_BY_HOST")]
    pub route_by_host: bool,
    /// Where callers are served; without it, port PORT of every address, or 8080.
    #[arg(long, env = "COUNTERSIGN_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// The service behind this edge.
    #[arg(long, env = "COUNTERSIGN_UPSTREAM", value_name = "URL")]
    pub upstream: Upstream,
    /// Where /healthz, /readyz and /metrics are told.
    #[arg(
        long,
        env = "COUNTERSIGN_ADMIN_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:9901"
    )]
    pub admin_listen: SocketAddr,
    /// A unix socket on which /ruleset and /decisions are told, too.
    #[arg(long, env = "COUNTERSIGN_ADMIN_SOCKET", value_name = "PATH")]
    pub admin_socket: Option<PathBuf>,
    /// Where floors and the ruleset in force are kept, so that a restart accepts nothing older.
    #[arg(long, env = "COUNTERSIGN_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The oldest that a ruleset may be, such as 1h. Without it, as old as it says itself; but 1h, if
    /// it comes over a network and there is no state directory.
    #[arg(long, env = "COUNTERSIGN_MAX_AGE", value_name = "DURATION")]
    pub max_age: Option<Seconds>,
    /// The least place that a ruleset must have, for an edge without a state directory.
    #[arg(long, env = "COUNTERSIGN_SERIAL_FLOOR", value_name = "TRUST:SERIAL")]
    pub serial_floor: Option<Order>,
    /// The proxies whose X-Forwarded-For counts: networks, or none if there are none. Without it
    /// nobody knows where a request comes from, and rules that ask are unknown.
    #[arg(long, env = "COUNTERSIGN_TRUSTED_PROXIES", value_name = "CIDR,…|none")]
    pub trusted_proxies: Option<TrustedProxies>,
    /// How long a stop waits for what is in flight.
    #[arg(
        long,
        env = "COUNTERSIGN_GRACE",
        value_name = "DURATION",
        default_value = "30s"
    )]
    pub grace: Seconds,
    /// How logs are written.
    #[arg(long, env = "COUNTERSIGN_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// The port that a platform assigns.
    #[arg(long, env = "PORT", value_name = "PORT", hide = true)]
    pub port: Option<u16>,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// A scope, and its UID if it is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedScope {
    scope: Scope,
    uid: Option<String>,
}

impl FromStr for PinnedScope {
    type Err = <Scope as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scope, uid) = match text.split_once('@') {
            Some((scope, uid)) => (scope, Some(uid.to_owned())),
            None => (text, None),
        };
        let scope = scope.parse()?;
        Ok(Self { scope, uid })
    }
}

/// Flags that each can be read and do not go together, or a file that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// A carrier that is not read.
    #[error("--rulesets: {0}")]
    Carrier(#[from] NotAPlace),
    /// A token goes to one server, for whoever has it may speak for this edge.
    #[error(
        "--rulesets-token: expected one URL in --rulesets beside it, got {0}: a token is for one server"
    )]
    Token(usize),
    /// The trust of a laptop.
    #[error(
        "--cluster: `{DEVELOPMENT}` is the cluster of `countersign dev`, whose keys guard nothing: name your own"
    )]
    Development,
    /// An application is of one scope.
    #[error("--target: expected one --scope beside it, got {0}: an application is of one scope")]
    Scopes(usize),
    /// The trust document.
    #[error("--trust-root: {path}: {error}")]
    TrustRoot {
        /// Its path.
        path: String,
        /// Why it cannot be read.
        error: std::io::Error,
    },
}

/// What an edge is started with.
#[derive(Debug)]
pub struct Parts {
    /// The edge's own.
    pub config: Config,
    /// What it stands in front of.
    pub target: Target,
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// Where rulesets come from.
    pub sources: Sources,
}

/// The command, for completions and pages.
pub fn command() -> clap::Command {
    Args::command()
}

impl Args {
    /// What the flags ask for.
    ///
    /// # Errors
    /// If they do not go together, or the trust document cannot be read.
    pub fn parts(self) -> Result<Parts, Unfit> {
        if self.cluster.as_str() == DEVELOPMENT {
            return Err(Unfit::Development);
        }
        let places = self.places()?;
        if self.target.is_some() && self.scope.len() != 1 {
            return Err(Unfit::Scopes(self.scope.len()));
        }
        let trust_root = std::fs::read(&self.trust_root).map_err(|error| Unfit::TrustRoot {
            path: self.trust_root.display().to_string(),
            error,
        })?;
        let port = self.port.unwrap_or(8080);
        let everywhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port);
        let mut config = Config::new(self.listen.unwrap_or(everywhere), self.upstream);
        config.admin_listen = Some(self.admin_listen);
        config.admin_socket = self.admin_socket;
        config.grace = Duration::from_secs(self.grace.0);
        if let Some(proxies) = self.trusted_proxies {
            config.trusted_proxies = proxies;
        }
        let mut options = Options::new(self.cluster);
        let remote = places.iter().any(Place::is_remote);
        let fresh = (remote && self.state_dir.is_none()).then_some(MAX_AGE);
        options.max_age = self.max_age.map(|age| age.0).or(fresh);
        options.serial_floor = self.serial_floor;
        let mut scopes = Vec::with_capacity(self.scope.len());
        for PinnedScope { scope, uid } in self.scope {
            if let Some(uid) = uid {
                options.scope_uids.insert(scope.clone(), uid);
            }
            scopes.push(scope);
        }
        let sources = Sources {
            trust_root,
            options,
            scopes: scopes.clone(),
            places,
            state: self.state_dir,
        };
        let target = self.target.map_or(Target::ByHost, Target::Application);
        Ok(Parts {
            config,
            target,
            scopes,
            sources,
        })
    }

    /// Where rulesets are published, and what is told there.
    fn places(&self) -> Result<Vec<Place>, Unfit> {
        let mut places = Vec::with_capacity(self.rulesets.len());
        for text in &self.rulesets {
            let mut place: Place = text.parse()?;
            match &mut place {
                Place::ConfigMap(_) | Place::Directory(_) => {}
                Place::Https(endpoint) => {
                    endpoint.permit(self.danger_allow_http_rulesets)?;
                    endpoint.token.clone_from(&self.rulesets_token);
                    endpoint.ca.clone_from(&self.rulesets_ca);
                }
                #[cfg(feature = "objects")]
                Place::Objects(bucket) => {
                    bucket.http_on_loopback = self.danger_allow_http_rulesets;
                }
            }
            places.push(place);
        }
        let asked = |place: &&Place| matches!(place, Place::Https(_));
        let servers = places.iter().filter(asked).count();
        if self.rulesets_token.is_some() && servers != 1 {
            return Err(Unfit::Token(servers));
        }
        Ok(places)
    }
}

#[cfg(test)]
mod tests;
