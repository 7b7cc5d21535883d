//! A controller's endpoint in this process, which serves a published folder.

use anyhow::{Context, Result};
use bytes::Bytes;
use countersign_controller::endpoint::{
    AUDIENCE, Acknowledgements, Bound, Certificates, Config, Files, Issuer, Limits, Parts, Source,
};
use countersign_policy::jwks::{FetchedKeys, Jwks};
use countersign_ruleset::manifest::Digest;
use countersign_ruleset::names::Scope;
use countersign_ruleset::time::UnixTime;
use countersign_ruleset::verifier::Order;
use futures::FutureExt;
use futures::future::BoxFuture;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tests::ground::{self, Ground};
use tests::issuer;
use tests::program::until;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// Whoever vouches for servers.
pub(super) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(super) fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(
            params,
            KeyPair::generate()?,
        )?))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Writes the certificate of a server of this machine, and its key.
    pub(super) fn write(&self, folder: &Path) -> Result<Files> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
        let certificate = params.signed_by(&key, &self.0)?;
        let files = Files {
            certificate: folder.join("tls.crt"),
            key: folder.join("tls.key"),
        };
        fs::write(&files.certificate, certificate.pem())?;
        fs::write(&files.key, key.serialize_pem())?;
        Ok(files)
    }
}

/// The cluster's own issuer of service-account tokens.
pub(super) struct Authority(issuer::Issuer);

impl Authority {
    pub(super) fn mint(&self, namespace: &str, audience: &str) -> Result<String> {
        let now = ground::now()?.0;
        let claims = json!({
            "iss": ISSUER, "aud": [audience], "exp": now + 3_000, "iat": now - 60, "nbf": now - 60,
            "sub": format!("system:serviceaccount:{namespace}:orders"),
            "kubernetes.io": {
                "namespace": namespace, "serviceaccount": {"name": "orders", "uid": "sa"},
                "pod": {"name": "orders-1", "uid": format!("uid-of-{namespace}")},
            },
        });
        let header = json!({"alg": self.0.algorithm(), "kid": "cluster"});
        Ok(self.0.sign(&header.to_string(), &claims.to_string()))
    }

    /// Writes the projected token of a pod of that namespace, as a kubelet does.
    pub(super) fn write(&self, folder: &Path, namespace: &str) -> Result<()> {
        let token = self.mint(namespace, AUDIENCE)?;
        fs::write(folder.join("next-token"), token)?;
        Ok(fs::rename(folder.join("next-token"), folder.join("token"))?)
    }

    fn issuer(&self) -> Result<Issuer> {
        let keys = Jwks::read(&self.0.jwks()).map_err(anyhow::Error::msg)?.keys;
        Ok(Issuer {
            name: ISSUER.to_owned(),
            keys: FetchedKeys {
                keys,
                jwks_url: format!("{ISSUER}/openid/v1/jwks"),
                fetched_at: ground::now()?,
            },
        })
    }
}

/// What a controller is started with again and again.
pub(super) struct Place {
    pub(super) authority: Authority,
    files: Files,
}

/// An endpoint that runs.
pub(super) struct Controller {
    pub(super) address: SocketAddr,
    acknowledgements: Arc<Acknowledgements>,
    changes: watch::Sender<()>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), countersign_controller::endpoint::NotServing>>,
    _issuer: watch::Sender<Option<Arc<Issuer>>>,
}

impl Place {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let ca = Ca::new()?;
        fs::write(folder.join("ca.pem"), ca.pem())?;
        Ok(Self {
            authority: Authority(issuer::Issuer::p256("cluster")),
            files: ca.write(folder)?,
        })
    }

    /// Serves what is published, where it was served before or on a free port.
    pub(super) async fn serve(
        &self,
        ground: &Ground,
        at: Option<SocketAddr>,
    ) -> Result<Controller> {
        let certificates = Certificates::read(self.files.clone())?;
        let config = Config {
            listen: at.map_or_else(|| "127.0.0.1:0".parse(), Ok)?,
            certificates: Some(Arc::new(certificates)),
            limits: Limits::default(),
        };
        let bound = Bound::bind(config).await?;
        let address = bound.local_addr();
        let (changes, seen) = watch::channel(());
        let (tell, issuer) = watch::channel(Some(Arc::new(self.authority.issuer()?)));
        let acknowledgements = Arc::<Acknowledgements>::default();
        let parts = Parts {
            source: Arc::new(Folder {
                path: ground.path("published"),
                changes: seen,
            }),
            acknowledgements: Arc::clone(&acknowledgements),
            issuer,
            clock: now,
        };
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(bound.run(parts, stopped.map(drop)));
        Ok(Controller {
            address,
            acknowledgements,
            changes,
            stop,
            serving,
            _issuer: tell,
        })
    }
}

impl Controller {
    pub(super) fn url(&self) -> String {
        format!("https://{}/", self.address)
    }

    /// Tells that something else is published.
    pub(super) fn tell(&self) {
        self.changes.send_replace(());
    }

    /// What the edge said last that it has in force.
    pub(super) fn order(&self) -> Option<Order> {
        let shop: Scope = "shop".parse().ok()?;
        let said = self.acknowledgements.of(&shop, now());
        said.edges.values().next().map(|it| it.order)
    }

    pub(super) async fn acknowledged(&self) -> Result<Order> {
        until("an acknowledgement", async || self.order()).await
    }

    pub(super) async fn stop(self) -> Result<()> {
        let _ = self.stop.send(());
        Ok(self.serving.await.context("it panicked")??)
    }
}

fn now() -> UnixTime {
    ground::now().expect("a clock after 1970")
}

/// A published folder, as a controller serves its own copy.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    changes: watch::Receiver<()>,
}

impl Folder {
    fn file(&self, name: &str) -> Option<Bytes> {
        fs::read(self.path.join(name)).ok().map(Bytes::from)
    }
}

impl Source for Folder {
    fn manifest(&self, scope: &Scope) -> Option<Bytes> {
        self.file(&format!("{scope}/manifest.json"))
    }

    fn trust(&self, version: u64) -> Option<Bytes> {
        self.file(&format!("trust/{version}.json"))
    }

    fn blob(&self, scope: &Scope, digest: &Digest) -> Option<Bytes> {
        self.file(&format!("{scope}/blobs/sha256/{digest}"))
    }

    fn changed<'s>(&'s self, scope: &'s Scope, known: Option<Bytes>) -> BoxFuture<'s, ()> {
        let mut changes = self.changes.clone();
        Box::pin(async move {
            while self.manifest(scope) == known && changes.changed().await.is_ok() {}
        })
    }
}
