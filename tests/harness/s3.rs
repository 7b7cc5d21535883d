//! A stand-in for a service that speaks as S3 does: signed requests, writes on conditions, lists in pages.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The only bucket.
pub const BUCKET: &str = "rulesets";

/// The only one who may ask: an id and a secret.
pub const ACCESS: [&str; 2] = ["AKIDTEST", "a secret of the tests"];

const REGION: &str = "us-east-1";

/// The most entries of one answer, so that lists have several pages.
const PAGE: usize = 2;

type Objects = Arc<Mutex<BTreeMap<String, Bytes>>>;

/// The stand-in. It ends when this is dropped.
#[derive(Debug)]
pub struct S3 {
    address: SocketAddr,
    objects: Objects,
    serving: JoinHandle<()>,
}

impl S3 {
    /// With an empty bucket.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let objects = Objects::default();
        let kept = Arc::clone(&objects);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let service = service_fn(|request| answer(request, Arc::clone(&kept)));
                    let server = Builder::new(TokioExecutor::new());
                    // a connection that breaks is the other side's affair
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Ok(Self {
            address,
            objects,
            serving,
        })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The names of all objects.
    pub fn names(&self) -> BTreeSet<String> {
        lock(&self.objects).keys().cloned().collect()
    }

    /// Puts an object there, as if somebody else had.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        lock(&self.objects).insert(name.to_owned(), bytes);
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// An answer: its status, its headers, its body.
type Said = (u16, Vec<(&'static str, String)>, Bytes);

async fn answer(
    request: Request<Incoming>,
    objects: Objects,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let said = if is_signed(&parts, &body) {
        asked(&parts, &body, &mut lock(&objects))
    } else {
        failed(403, "SignatureDoesNotMatch")
    };
    let (status, headers, body) = said;
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Full::new(body)).expect("a response"))
}

fn asked(parts: &Parts, body: &Bytes, objects: &mut BTreeMap<String, Bytes>) -> Said {
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, name) = path.split_once('/').unwrap_or((path, ""));
    let query = query(parts);
    if bucket != BUCKET {
        return failed(404, "NoSuchBucket");
    }
    match (&parts.method, name) {
        (&Method::GET, "") if query.contains_key("list-type") => list(&query, objects),
        (&Method::POST, "") if query.contains_key("delete") => delete(body, objects),
        (&Method::PUT, _) => put(name, &parts.headers, body, objects),
        (&Method::GET | &Method::HEAD, _) => get(parts, objects.get(name)),
        (&Method::DELETE, _) => {
            objects.remove(name);
            (204, Vec::new(), Bytes::new())
        }
        _ => failed(400, "InvalidRequest"),
    }
}

fn get(parts: &Parts, found: Option<&Bytes>) -> Said {
    let Some(bytes) = found else {
        return failed(404, "NoSuchKey");
    };
    let e_tag = e_tag(bytes);
    if header(&parts.headers, "if-none-match") == Some(&e_tag) {
        return (304, vec![("etag", e_tag)], Bytes::new());
    }
    let modified = "Tue, 24 Nov 2026 12:00:00 GMT".to_owned();
    let mut headers = vec![("etag", e_tag), ("last-modified", modified)];
    if parts.method == Method::HEAD {
        headers.push(("content-length", bytes.len().to_string()));
        return (200, headers, Bytes::new());
    }
    (200, headers, bytes.clone())
}

/// `If-None-Match: *` and `If-Match`, as S3 has them.
fn put(name: &str, sent: &HeaderMap, body: &Bytes, objects: &mut BTreeMap<String, Bytes>) -> Said {
    let there = objects.get(name).map(e_tag);
    if header(sent, "if-none-match") == Some("*") && there.is_some() {
        return failed(412, "PreconditionFailed");
    }
    if let Some(expected) = header(sent, "if-match") {
        match there {
            None => return failed(404, "NoSuchKey"),
            Some(there) if there != expected => return failed(412, "PreconditionFailed"),
            Some(_) => {}
        }
    }
    let e_tag = e_tag(body);
    objects.insert(name.to_owned(), body.clone());
    (200, vec![("etag", e_tag)], Bytes::new())
}

/// `ListObjectsV2`: what lies below a folder is one entry, and entries come in pages.
fn list(query: &BTreeMap<String, String>, objects: &BTreeMap<String, Bytes>) -> Said {
    let asked = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let (prefix, after) = (asked("prefix"), asked("continuation-token"));
    let mut entries = BTreeMap::new();
    for (name, bytes) in objects {
        let Some(rest) = name.strip_prefix(prefix) else {
            continue;
        };
        match rest.split_once('/').filter(|_| asked("delimiter") == "/") {
            Some((folder, _)) => entries.insert(format!("{prefix}{folder}/"), None),
            None => entries.insert(name.clone(), Some(bytes)),
        };
    }
    let mut left = entries.iter().filter(|(name, _)| name.as_str() > after);
    let page: Vec<_> = left.by_ref().take(PAGE).collect();
    let mut xml = "<ListBucketResult>".to_owned();
    for (name, bytes) in &page {
        let written = match bytes {
            None => write!(
                xml,
                "<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"
            ),
            Some(bytes) => write!(
                xml,
                "<Contents><Key>{name}</Key><Size>{}</Size><ETag>{}</ETag>\
                 <LastModified>2026-11-24T12:00:00.000Z</LastModified></Contents>",
                bytes.len(),
                e_tag(bytes),
            ),
        };
        written.expect("a text");
    }
    if let (Some((last, _)), true) = (page.last(), left.next().is_some()) {
        let next = write!(xml, "<NextContinuationToken>{last}</NextContinuationToken>");
        next.expect("a text");
    }
    xml.push_str("</ListBucketResult>");
    (200, Vec::new(), xml.into())
}

/// `DeleteObjects`.
fn delete(body: &[u8], objects: &mut BTreeMap<String, Bytes>) -> Said {
    let text = String::from_utf8_lossy(body);
    let mut xml = "<DeleteResult>".to_owned();
    for part in text.split("<Key>").skip(1) {
        let name = part.split("</Key>").next().unwrap_or_default();
        objects.remove(name);
        let done = write!(xml, "<Deleted><Key>{name}</Key></Deleted>");
        done.expect("a text");
    }
    xml.push_str("</DeleteResult>");
    (200, Vec::new(), xml.into())
}

fn failed(status: u16, code: &str) -> Said {
    let body = format!("<Error><Code>{code}</Code><Message>as the test has it</Message></Error>");
    (status, Vec::new(), body.into())
}

/// AWS Signature Version 4, of the very request that came, with its body.
fn is_signed(parts: &Parts, body: &[u8]) -> bool {
    let get = |name| header(&parts.headers, name);
    let hash = hex(digest(&SHA256, body).as_ref());
    let authorization = get("authorization").unwrap_or_default();
    let Some(fields) = authorization.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return false;
    };
    let fields = fields.split(',').filter_map(|it| it.trim().split_once('='));
    let fields: BTreeMap<_, _> = fields.collect();
    let field = |name| fields.get(name).copied().unwrap_or_default();
    let time = get("x-amz-date").unwrap_or_default();
    let day = time.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    let names: Vec<&str> = field("SignedHeaders").split(';').collect();
    let needed = ["host", "x-amz-content-sha256", "x-amz-date"];
    if field("Credential") != format!("{}/{scope}", ACCESS[0])
        || get("x-amz-content-sha256") != Some(&hash)
        || !needed.iter().all(|name| names.contains(name))
    {
        return false;
    }
    let lines = names.iter().map(|name| {
        let value = get(name).unwrap_or_default();
        format!("{name}:{}\n", value.trim())
    });
    let canonical = [
        parts.method.as_str(),
        parts.uri.path(),
        &canonical_query(parts),
        &lines.collect::<String>(),
        field("SignedHeaders"),
        &hash,
    ];
    let canonical = hex(digest(&SHA256, canonical.join("\n").as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{canonical}");
    let first = format!("AWS4{}", ACCESS[1]).into_bytes();
    let steps = [day, REGION, "s3", "aws4_request", &text];
    let signature = steps.iter().fold(first, |key, step| {
        let key = Key::new(HMAC_SHA256, &key);
        sign(&key, step.as_bytes()).as_ref().to_vec()
    });
    field("Signature") == hex(&signature)
}

fn canonical_query(parts: &Parts) -> String {
    let pairs = query(parts);
    let pairs = pairs.iter();
    let mut pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn query(parts: &Parts) -> BTreeMap<String, String> {
    let pairs = parts.uri.query().unwrap_or_default().split('&');
    let pairs = pairs.filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts
        .next()
        .unwrap_or_default()
        .replace('+', " ")
        .into_bytes();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).expect("two hex digits");
        bytes.push(u8::from_str_radix(hex, 16).expect("two hex digits"));
        bytes.extend(rest.replace('+', " ").bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let written = write!(encoded, "%{byte:02X}");
            written.expect("a text");
        }
    }
    encoded
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Of other bytes another.
fn e_tag(bytes: &Bytes) -> String {
    let digest = hex(digest(&SHA256, bytes).as_ref());
    format!("\"{}\"", digest.get(..32).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in bytes {
        let written = write!(hex, "{byte:02x}");
        written.expect("a text");
    }
    hex
}

fn lock(objects: &Mutex<BTreeMap<String, Bytes>>) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
    objects.lock().unwrap_or_else(PoisonError::into_inner)
}
