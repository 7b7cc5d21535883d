//! What must be survived: each fault has a clear answer, and the last good ruleset stays in force.

use super::changes::ask;
use super::{TARGET, manifests, ready, support};
use anyhow::{Result, ensure};
use tests::cast::Cast;
use tests::ground::{Edge, Ground};
use tests::upstream::Upstream;

mod carrier;
mod credentials;
mod keys;
mod written;

/// An installation whose edge lets the group `support` in.
struct Town {
    ground: Ground,
    cast: Cast,
    token: String,
    edge: Edge,
    upstream: Upstream,
}

impl Town {
    async fn new() -> Result<Self> {
        let ground = Ground::new().await?;
        let cast = ground.publish(&manifests("support")).await?;
        let token = support(&cast)?;
        let upstream = Upstream::start().await?;
        let edge = ground.edge(TARGET, &upstream).await?;
        ready(edge.admin, 200).await?;
        let town = Self {
            ground,
            cast,
            token,
            edge,
            upstream,
        };
        town.stands("before anything").await?;
        Ok(town)
    }

    /// Expects that what was in force is in force: one is let in, and one without a token is not.
    async fn stands(&self, after: &str) -> Result<()> {
        let with = ask(self.edge.address, Some(&self.token)).await?;
        let without = ask(self.edge.address, None).await?;
        let said = self.edge.program.text();
        ensure!(
            (with, without) == (200, 401),
            "after {after}: {with} and {without}\n{said}"
        );
        Ok(())
    }
}
