//! Other carriers: a mounted ConfigMap that is swapped, and a web server that knows no long poll.

use super::Net;
use crate::end_to_end::changes::{answers, ask};
use crate::end_to_end::{TARGET, manifests, ready};
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Writes what is published as a kubelet mounts it: into a folder of its own, then the link is moved.
fn mount(published: &Path, mounted: &Path, version: &str) -> Result<()> {
    let data = mounted.join(version);
    fs::create_dir_all(&data)?;
    let trust = fs::read(published.join("trust/1.json"))?;
    fs::write(data.join("trust.1.json"), trust)?;
    let scope = published.join("shop");
    fs::copy(scope.join("manifest.json"), data.join("shop.manifest.json"))?;
    for entry in fs::read_dir(scope.join("blobs/sha256"))? {
        let entry = entry?;
        let digest = entry.file_name().into_string().ok().context("a digest")?;
        fs::copy(entry.path(), data.join(format!("shop.sha256.{digest}")))?;
    }
    let next = mounted.join("..data_tmp");
    symlink(version, &next)?;
    Ok(fs::rename(next, mounted.join("..data"))?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mounted_config_map_is_followed_when_it_is_swapped() -> Result<()> {
    let net = Net::new().await?;
    let (published, mounted) = (net.ground.path("published"), net.ground.path("mounted"));
    mount(&published, &mounted, "..2026_1")?;
    let from = ["--rulesets", "configmap:mounted"];
    let edge = net.ground.edge_from(&from, TARGET, &net.upstream).await?;
    ready(edge.admin, 200).await?;
    assert_eq!(ask(edge.address, Some(&net.token)).await?, 200);
    net.ground.publish(&manifests("admins")).await?;
    mount(&published, &mounted, "..2026_2")?;
    answers(&edge, &net.token, 403).await
}
