//! The edge, as a program.

use anyhow::Context;
use clap::Parser;
use countersign_edge::args::{Args, LogFormat};
use countersign_edge::{Edge, Stopped};
use countersign_enforcer::load::{Loader, watch};
use countersign_enforcer::store::Enforcer;
use countersign_ruleset::time::UnixTime;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// How often directories are looked at where nothing tells of a change.
const POLL: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let args = Args::parse();
    log(args.log_format);
    match run(args) {
        Ok(Stopped::Finished) => ExitCode::SUCCESS,
        Ok(Stopped::CutOff(connections)) => {
            tracing::warn!(connections, "the grace is over: connections were cut off");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    tracing::error!("{error:#}");
    ExitCode::FAILURE
}

fn run(args: Args) -> anyhow::Result<Stopped> {
    let parts = args.parts()?;
    let enforcer = Arc::new(Enforcer::new(parts.target, parts.scopes));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    runtime.block_on(async {
        let upstream = parts.config.upstream.to_string();
        let edge = Edge::bind(parts.config, Arc::clone(&enforcer), now, std::io::stdout()).await?;
        let mut loader = Loader::start(parts.sources, enforcer, edge.observer(), now())
            .map_err(|refusal| anyhow::anyhow!("{}: {refusal}", refusal.as_str()))?;
        // what lies there is in force before the first request is answered
        loader.cycle(now());
        let _watch = watch(loader, now, POLL).context("rulesets cannot be watched")?;
        let admin = edge.admin_addr().map(tracing::field::display);
        tracing::info!(listen = %edge.local_addr(), admin, upstream, "listening");
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping: what is in flight is finished");
        };
        Ok(edge.run(stop).await)
    })
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Json => logs.json().init(),
        LogFormat::Text => logs.init(),
    }
}

/// Whole seconds since 1970. A clock before that makes every token and ruleset one of the future.
fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixTime(since.map_or(0, |since| since.as_secs()))
}
