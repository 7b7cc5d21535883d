//! `countersign dev`: everything on one machine, and nothing of it stubbed.
//!
//! ```text
//! folder ─► compile ─► sign ─► published/ ─► the verifier ─► edge ─► sample service, or --upstream
//!   ▲ watched                (in memory: a root,                ▲
//!   └ and again at a change   of the cluster `dev`)        tokens of the development issuer
//! ```

use crate::args::Dev;
use crate::report::{Answer, Report};
use crate::{Clock, Exit, Misused};
use anyhow::{Context, Result};
use countersign_edge::Upstream;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpListener;

mod audit;
mod cast;
mod eyes;
mod issuer;
mod loopback;
mod sample;
mod session;
mod show;
mod stage;
mod stop;
#[cfg(test)]
mod tests;
mod tokens;
mod tries;
mod trust;

use eyes::Eyes;
use issuer::Issuer;
use session::{Ended, Session};
use stage::Stage;
use stop::Stop;

/// Where the issuer is, if nobody else is: so that scripts need not ask.
const ISSUER_PORT: u16 = 4455;

/// How often rulesets are signed and tokens minted anew though nothing changes.
const AGAIN: Duration = Duration::from_mins(5);

/// Runs until it is told to stop.
pub(crate) fn run(args: &Dev, clock: Clock, report: &Report) -> Exit {
    match play(args, clock, report) {
        Ok(()) => Exit::Fine,
        Err(error) => report.answer(Answer::failure(&error)),
    }
}

fn play(args: &Dev, clock: Clock, report: &Report) -> Result<()> {
    let upstream = args
        .upstream
        .as_deref()
        .map(str::parse::<Upstream>)
        .transpose();
    let upstream = upstream.map_err(|error| Misused(format!("--upstream: {error}")))?;
    if !args.folder.exists() {
        let folder = args.folder.display();
        return Err(Misused(format!(
            "{folder}: expected a folder with manifests, got none"
        ))
        .into());
    }
    Report::logs();
    let stage = Stage::new(args.folder.clone(), clock)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let played = runtime.block_on(until_stopped(args, upstream, &stage, clock, report));
    // the edge has finished what was in flight; a sample's connection may still be open
    runtime.shutdown_timeout(Duration::from_secs(1));
    played
}

async fn until_stopped(
    args: &Dev,
    upstream: Option<Upstream>,
    stage: &Stage,
    clock: Clock,
    report: &Report,
) -> Result<()> {
    // from the first moment, or what comes early kills
    let stop = Stop::listen()?;
    let (_sample, upstream) = if let Some(upstream) = upstream {
        (None, upstream)
    } else {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let upstream = format!("http://{}", listener.local_addr()?).parse()?;
        (Some(sample::serve(listener)), upstream)
    };
    let (_issuing, issuer) = issue(stage.issuer.clone(), clock).await?;
    let mut session = Session::new(stage, clock, report.clone(), upstream, issuer, stop);
    let mut eyes = Eyes::open(&args.folder)?;
    let mut listen = args.listen;
    session.take();
    loop {
        let (edge, ended) = session.serve(listen, &mut eyes).await?;
        // the same port again, though any was asked for at first
        listen = edge;
        if ended == Ended::Stopped {
            return Ok(());
        }
    }
}

/// Serves the issuer on its own port, or on any if that is taken.
async fn issue(issuer: Issuer, clock: Clock) -> Result<(loopback::Serving, SocketAddr)> {
    let own = TcpListener::bind((Ipv4Addr::LOCALHOST, ISSUER_PORT)).await;
    let listener = match own {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .context("the issuer")?,
    };
    let address = listener.local_addr()?;
    Ok((
        issuer::serve(listener, address, issuer, clock.seconds),
        address,
    ))
}
