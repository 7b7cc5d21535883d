//! What is published of a namespace, as its ConfigMap has it.

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_ruleset::digest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::rules::Rules;
use serde_json::Value;
use tests::cluster::Cluster;
use tests::controller::{NAMESPACE, resource};

/// A manifest, not verified: that is for edges.
pub(in super::super) struct Published {
    pub(in super::super) serial: u64,
    pub(in super::super) scope_uid: String,
    /// The digest of its rules.
    pub(in super::super) rules: String,
    scope: Scope,
}

impl Published {
    pub(in super::super) fn read(cluster: &Cluster, scope: &str) -> Result<Self> {
        let map = resource(cluster, NAMESPACE, &format!("configmap/ruleset-{scope}"))?;
        let envelope = map["binaryData"]["manifest.json"]
            .as_str()
            .context("a manifest")?;
        let envelope: Value = serde_json::from_slice(&STANDARD.decode(envelope)?)?;
        let payload = envelope["payload"].as_str().context("a payload")?;
        let manifest: Value = serde_json::from_slice(&STANDARD.decode(payload)?)?;
        let blobs = manifest["blobs"].as_array().context("blobs")?;
        let rules = blobs
            .iter()
            .find(|it| it["name"] == "rules")
            .context("rules")?;
        Ok(Self {
            serial: manifest["serial"].as_u64().context("a serial")?,
            scope_uid: manifest["scopeUID"].as_str().context("a UID")?.to_owned(),
            rules: rules["digest"].as_str().context("a digest")?.to_owned(),
            scope: scope.parse()?,
        })
    }

    /// Whether it lets nobody in, as it has no rules.
    pub(in super::super) fn is_empty(&self) -> bool {
        let empty = Rules::empty(self.scope.clone()).to_bytes().expect("bytes");
        self.rules.ends_with(&Digest::of(&empty).to_string())
    }
}
