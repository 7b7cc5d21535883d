//! The flags of the endpoint, each with a twin in the environment.

use super::server::{Config, Limits, NotServing};
use super::tls::{Certificates, Files};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where edges fetch their rulesets.
#[derive(Debug, Clone, clap::Args)]
pub struct EndpointArgs {
    /// Where edges are served: trust documents, manifests with long poll, blobs. Without it they are not.
    #[arg(long, env = "COUNTERSIGN_ENDPOINT_LISTEN", value_name = "ADDR")]
    pub endpoint_listen: Option<SocketAddr>,
    /// The endpoint's certificate and those after it, in PEM; the file may change while it runs.
    #[arg(
        long,
        env = "COUNTERSIGN_ENDPOINT_CERT",
        value_name = "FILE",
        requires = "endpoint_key"
    )]
    pub endpoint_cert: Option<PathBuf>,
    /// The private key of the endpoint's certificate, in PEM.
    #[arg(
        long,
        env = "COUNTERSIGN_ENDPOINT_KEY",
        value_name = "FILE",
        requires = "endpoint_cert"
    )]
    pub endpoint_key: Option<PathBuf>,
}

impl EndpointArgs {
    /// What they ask for; `None` is no endpoint.
    ///
    /// # Errors
    /// If the certificate cannot be read.
    pub fn config(&self) -> Result<Option<Config>, NotServing> {
        let Some(listen) = self.endpoint_listen else {
            return Ok(None);
        };
        let files = self.endpoint_cert.clone().zip(self.endpoint_key.clone());
        let certificates = files
            .map(|(certificate, key)| Certificates::read(Files { certificate, key }).map(Arc::new));
        Ok(Some(Config {
            listen,
            certificates: certificates.transpose()?,
            limits: Limits::default(),
        }))
    }
}
