//! The service behind the edge: its address, and the connections that are kept to it.

use crate::body::{AnyBody, BodyError};
use crate::config::Limits;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::fmt;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower_service::Service;

/// How long a connection that nobody uses is kept: less than servers keep theirs (the shortest common
/// one is 5 s), for a request that is sent while the other end closes is lost.
const IDLE: Duration = Duration::from_secs(4);

/// Where the service is: `http://HOST:PORT`.
///
/// The edge stands beside it, on loopback or in one pod: the way there is not encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream(Authority);

/// A text that is no upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an upstream like `http://127.0.0.1:9000`, without path or query, got `{0}`")]
pub struct NotAnUpstream(String);

impl FromStr for Upstream {
    type Err = NotAnUpstream;

    fn from_str(text: &str) -> Result<Self, NotAnUpstream> {
        let refused = || NotAnUpstream(text.chars().take(80).collect());
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let plain = uri.scheme() == Some(&Scheme::HTTP)
            && uri.query().is_none()
            && matches!(uri.path(), "" | "/");
        let authority = uri.authority().filter(|_| plain).ok_or_else(refused)?;
        // user information would be sent nowhere, and shown in logs
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(refused());
        }
        Ok(Self(authority.clone()))
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl Upstream {
    fn place(&self) -> Uri {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.0.clone());
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        // of a scheme, an authority and a path a URI can be made
        Uri::from_parts(parts).unwrap_or_default()
    }

    /// Whether it accepts connections, for readiness.
    pub(crate) async fn accepts(&self, within: Duration) -> bool {
        let port = self.0.port_u16().unwrap_or(80);
        let host = self.0.host().trim_start_matches('[').trim_end_matches(']');
        let connected = tokio::time::timeout(within, TcpStream::connect((host, port))).await;
        matches!(connected, Ok(Ok(_)))
    }
}

/// The service, with connections that are used again.
#[derive(Debug)]
pub(crate) struct Pool {
    upstream: Upstream,
    http1: Client<Pinned, AnyBody>,
    http2: Client<Pinned, AnyBody>,
}

/// Connects to the service, whatever host a request names: the authority is the caller's word, and
/// must not choose who gets his request.
#[derive(Debug, Clone)]
struct Pinned {
    connector: HttpConnector,
    place: Uri,
}

impl Service<Uri> for Pinned {
    type Response = <HttpConnector as Service<Uri>>::Response;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = <HttpConnector as Service<Uri>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, _called: Uri) -> Self::Future {
        self.connector.call(self.place.clone())
    }
}

/// How the service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge, as gRPC needs it.
    Http2,
}

impl Speech {
    /// The version of HTTP.
    pub(crate) const fn version(self) -> Version {
        match self {
            Self::Http1 => Version::HTTP_11,
            Self::Http2 => Version::HTTP_2,
        }
    }
}

/// Why there is no answer of the service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// It could not be connected to, or broke off.
    #[error("the upstream gave no answer: {0}")]
    Broken(BodyError),
    /// It did not begin its answer in time.
    #[error("the upstream did not begin its answer in time")]
    TooLate,
}

impl Pool {
    pub(crate) fn new(upstream: Upstream, limits: &Limits) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(limits.connect_time));
        let connector = Pinned {
            connector,
            place: upstream.place(),
        };
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .timer(TokioTimer::new());
        // the authority is what was decided on, not where the service happens to be
        builder.set_host(false);
        let http1 = builder.build(connector.clone());
        let http2 = builder.http2_only(true).build(connector);
        Self {
            upstream,
            http1,
            http2,
        }
    }

    pub(crate) const fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The target on the way to the service.
    pub(crate) fn target(&self, path: PathAndQuery) -> Result<Uri, http::Error> {
        let uri = Uri::builder().scheme(Scheme::HTTP);
        uri.authority(self.upstream.0.clone())
            .path_and_query(path)
            .build()
    }

    pub(crate) async fn send(
        &self,
        request: Request<AnyBody>,
        speech: Speech,
    ) -> Result<Response<Incoming>, Unanswered> {
        let client = match speech {
            Speech::Http1 => &self.http1,
            Speech::Http2 => &self.http2,
        };
        client.request(request).await.map_err(unanswered)
    }
}

fn unanswered(error: Error) -> Unanswered {
    if error.is_connect() && timed_out(&error) {
        return Unanswered::TooLate;
    }
    Unanswered::Broken(error.into())
}

fn timed_out(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::Upstream;

    #[test]
    fn is_a_place_and_nothing_more() {
        for good in [
            "http://127.0.0.1:9000",
            "http://localhost:80/",
            "http://[::1]:1",
        ] {
            assert!(good.parse::<Upstream>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "127.0.0.1:9000",
            "https://a:1",
            "http://a:1/path",
            "http://a:1/?q",
            "http://user:secret@a:1",
        ] {
            assert!(bad.parse::<Upstream>().is_err(), "{bad}");
        }
    }
}
