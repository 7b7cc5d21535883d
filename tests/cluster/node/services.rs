//! A stand-in for kube-proxy: the addresses of Services are loopback's, and lead to where pods listen.

use anyhow::{Context, Result};
use std::net::{Ipv4Addr, TcpListener as Probe};
use std::sync::atomic::{AtomicU16, Ordering};
use tests::cluster::Cluster;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The address of a Service, and what it leads to, until this is dropped.
#[derive(Debug)]
pub(super) struct Led {
    pub(super) address: String,
    leading: JoinHandle<()>,
}

impl Led {
    /// Leads a Service's port to a port of this machine.
    pub(super) async fn start(
        cluster: &Cluster,
        (namespace, name): (&str, &str),
        port: u16,
        to: u16,
    ) -> Result<Self> {
        let address = [
            "get",
            "service",
            name,
            "--output=jsonpath={.spec.clusterIP}",
        ];
        let address = cluster.kubectl(&[&address[..], &["--namespace", namespace]].concat(), "")?;
        let listener = TcpListener::bind((address.as_str(), port)).await;
        let listener = listener.with_context(|| format!("{name} at {address}:{port}"))?;
        let leading = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                tokio::spawn(async move {
                    // A connection that breaks is for its two sides to see.
                    if let Ok(mut into) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await {
                        let _ = copy_bidirectional(&mut from, &mut into).await;
                    }
                });
            }
        });
        Ok(Self { address, leading })
    }
}

impl Drop for Led {
    fn drop(&mut self) {
        self.leading.abort();
    }
}

/// Ports that nobody has, each time others, below those that the kernel gives to whoever calls out.
pub(super) fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU16 = AtomicU16::new(30_000);
    [(); N].map(|()| {
        loop {
            let port = NEXT.fetch_add(1, Ordering::Relaxed);
            if Probe::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return port;
            }
        }
    })
}
