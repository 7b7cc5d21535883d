//! The real programs over sockets: keys, compile, verify, an edge, and a service behind it.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tests::cast::{Cast, Order};
use tests::ground;
use tests::program;
use tests::wire::{Caller, Version};

mod changes;
mod life;
mod network;
mod objects;
mod published;
mod raw;
mod requests;
mod survival;

const HOST: &str = "orders.example.com";
const TARGET: &str = "Host/orders.example.com";

/// One provider, and one policy that lets a group of it in.
fn manifests(group: &str) -> Vec<Value> {
    let provider = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterTrustProvider",
        "metadata": {"name": "okta"},
        "spec": {
            "type": "OIDC", "issuer": "https://okta.example.com", "algorithms": ["EdDSA"],
            "tokenTypes": ["AccessToken"], "claims": {"groups": {"path": ["groups"]}},
        },
    });
    let policy = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "hosts": [HOST],
            "rules": [
                {
                    "name": "callers", "to": [{"paths": ["/v1/**"]}],
                    "from": [{"providerRef": {"name": "okta"}, "groups": [group]}],
                },
                {"name": "public", "from": [{"anyone": true}], "to": [{"paths": ["/healthz", "/slow"]}]},
            ],
        },
    });
    vec![provider, policy]
}

/// The token of somebody in the group `support`.
fn support(cast: &Cast) -> anyhow::Result<String> {
    let claims = json!({"groups": ["support"]});
    let order = Order {
        by: "okta".to_owned(),
        claims: claims.as_object().cloned().unwrap_or_default(),
        ..Order::default()
    };
    Ok(cast.token(&order, &format!("https://{HOST}"), ground::now()?))
}

fn get(path: &str, token: Option<&str>) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::get(format!("http://{HOST}{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    Ok(request.body(Full::default())?)
}

/// Waits until the edge is as ready as is expected.
async fn ready(admin: SocketAddr, status: u16) -> anyhow::Result<()> {
    let mut caller = Caller::new(admin, Version::H1);
    program::until("readiness", async || {
        let answer = caller.send(get("/readyz", None).ok()?).await.ok()?;
        (answer.status == status).then_some(())
    })
    .await
}
