//! The flags of `explain`.

use countersign_ruleset::names::{ApplicationId, Scope};
use countersign_ruleset::time::UnixTime;
use std::net::IpAddr;
use std::path::PathBuf;

/// Flags of `explain`.
#[derive(Debug, clap::Args)]
pub struct Explain {
    /// The folders, or files, with the manifests.
    #[arg(value_name = "DIR", required = true)]
    pub folders: Vec<PathBuf>,
    /// The target that is called, such as `Service.serving.knative.dev/orders` or
    /// `Host/orders.example.com`.
    #[arg(
        long,
        value_name = "KIND/NAME",
        env = "COUNTERSIGN_TARGET",
        hide_env_values = true
    )]
    pub target: ApplicationId,
    /// Its namespace; needed only if several have a target of that name.
    #[arg(long, env = "COUNTERSIGN_SCOPE", hide_env_values = true)]
    pub scope: Option<Scope>,
    /// The request: its method and its URL, as in `GET https://orders.example.com/v1/orders/7`;
    /// without a host, the target's own.
    #[arg(
        long,
        value_name = "METHOD URL",
        env = "COUNTERSIGN_REQUEST",
        hide_env_values = true
    )]
    pub request: String,
    /// A header of the request. Repeatable.
    #[arg(
        short = 'H',
        long = "header",
        value_name = "NAME: VALUE",
        env = "COUNTERSIGN_HEADER",
        hide_env_values = true
    )]
    pub headers: Vec<String>,
    /// The caller's token: a file that holds it and nothing else. It is not printed.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_TOKEN_FILE",
        hide_env_values = true
    )]
    pub token_file: Option<PathBuf>,
    /// The body, of which rules with `mcp` ask for the calls. Without one it counts as not read.
    #[arg(
        long,
        value_name = "FILE",
        env = "COUNTERSIGN_BODY",
        hide_env_values = true
    )]
    pub body: Option<PathBuf>,
    /// The caller's address, as an edge behind trusted proxies establishes it.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "COUNTERSIGN_SOURCE",
        hide_env_values = true
    )]
    pub source: Option<IpAddr>,
    /// What time it is, such as `2026-11-24T12:00:00Z`; now, if it is not given.
    #[arg(long, value_name = "RFC3339", value_parser = instant, env = "COUNTERSIGN_AT", hide_env_values = true)]
    pub at: Option<UnixTime>,
    /// Fetch providers' keys over plain http, too, from this machine only.
    #[arg(
        long,
        env = "COUNTERSIGN_DANGER_ALLOW_HTTP_ISSUERS",
        hide_env_values = true
    )]
    pub danger_allow_http_issuers: bool,
}

/// An instant of RFC 3339.
fn instant(text: &str) -> Result<UnixTime, String> {
    let expected = || format!("expected a time such as 2026-11-24T12:00:00Z, got `{text}`");
    let instant: jiff::Timestamp = text.parse().map_err(|_| expected())?;
    u64::try_from(instant.as_second())
        .map(UnixTime)
        .map_err(|_| expected())
}
