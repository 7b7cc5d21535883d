//! An example of several sets of resources: each is published by the real program after the other.

use super::page::{Scene, World};
use anyhow::{Context, Result};
use countersign_enforcer::load::{Loader, Sources};
use countersign_enforcer::store::{Enforcer, Target};
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Options;
use std::fs;
use std::sync::Arc;
use tests::ground::{self, CLUSTER, Ground};
use tests::trial::Trial;

/// What is published in the end.
pub(super) struct Published {
    ground: Ground,
    now: UnixTime,
    pub(super) scene: World,
}

impl Published {
    /// Writes each set in place of the one before, and compiles; whether that works is for the
    /// answers to show.
    pub(super) async fn of(several: &[String], scene: &Scene) -> Result<Self> {
        let ground = Ground::new().await?;
        let first = several.first().context("a set")?;
        let scene = scene.world(first);
        let providers = scene.resources.iter();
        let providers: Vec<_> = providers
            .filter(|it| {
                it["kind"]
                    .as_str()
                    .is_some_and(|kind| kind.ends_with("TrustProvider"))
            })
            .cloned()
            .collect();
        ground.write(&providers)?;
        for said in several {
            fs::write(ground.path("manifests/said.yaml"), manifests(said))?;
            ground.compile().await?;
        }
        let now = ground::now()?;
        Ok(Self { ground, now, scene })
    }

    /// An edge that loads what is published.
    pub(super) fn trial(&self, scope: &str, target: &str) -> Trial {
        let target = Target::Application(target.parse().expect("KIND/NAME"));
        let scopes = vec![scope.parse().expect("a scope")];
        let enforcer = Arc::new(Enforcer::new(target, scopes.clone()));
        let trust = self.ground.path("keys/trust/1.json");
        let sources = Sources {
            trust_root: fs::read(trust).expect("the trust document"),
            options: Options::new(CLUSTER.parse().expect("a cluster")),
            scopes,
            places: vec![self.ground.path("published").into()],
            state: None,
        };
        let ignored = Arc::new(|_: &_| {});
        let loader = Loader::start(sources, Arc::clone(&enforcer), ignored, self.now);
        loader.expect("the trust is good").cycle(self.now);
        Trial::around(enforcer, self.now)
    }
}

/// The manifests as they are written, which may be in no way to be read: rules become a policy.
fn manifests(said: &str) -> String {
    let documents = said.split("---\n").map(|document| {
        let head = "apiVersion: countersign.dev/v1alpha1\n";
        if document.starts_with("- ") {
            let rules = document.replace('\n', "\n  ");
            format!(
                "{head}kind: AccessPolicy\nmetadata: {{name: orders, namespace: shop}}\nspec:\n  hosts: [orders.example.com]\n  rules:\n  {}\n",
                rules.trim_end()
            )
        } else {
            format!("{head}{document}")
        }
    });
    documents.collect::<Vec<_>>().join("---\n")
}
