//! A stand-in for Google's Cloud KMS and for a machine's metadata server: their interface, real keys, and faults.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The only version of a key that there is.
pub const NAME: &str =
    "projects/shop/locations/europe-west3/keyRings/rulesets/cryptoKeys/signing/cryptoKeyVersions/1";

/// What goes wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with that status.
    Status(u16),
    /// It is by another key.
    OtherKey,
    /// It is said to be of another version.
    OtherName,
    /// Its checksum is another's.
    Damaged,
    /// What was sent was not held against its checksum.
    NotHeld,
    /// It never comes.
    Never,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

struct State {
    pair: Pair,
    /// What goes wrong, and how often yet.
    fault: Option<(Fault, u32)>,
    /// How many signatures were asked for.
    asked: u32,
    /// How many tokens were given; the last one counts.
    tokens: u32,
}

/// The stand-in. It ends when this is dropped.
#[derive(Debug)]
pub struct Kms {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl Kms {
    /// With a key of its own, on P-256 or for Ed25519.
    ///
    /// # Errors
    /// If it cannot listen.
    pub async fn start(p256: bool) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            pair: pair(p256),
            fault: None,
            asked: 0,
            tokens: 0,
        }));
        let kept = Arc::clone(&state);
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
            state,
            serving,
        })
    }

    /// Its address, as `--danger-kms-endpoint`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What goes wrong from now on, so often.
    pub fn fail(&self, fault: Fault, times: u32) {
        lock(&self.state).fault = Some((fault, times));
    }

    /// How many signatures were asked for since this was asked last.
    pub fn asked(&self) -> u32 {
        std::mem::take(&mut lock(&self.state).asked)
    }

    /// How many access tokens were given.
    pub fn tokens(&self) -> u32 {
        lock(&self.state).tokens
    }

    /// The token that was given last is no longer taken.
    pub fn end_token(&self) {
        lock(&self.state).tokens += 1;
    }
}

impl Drop for Kms {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let path = parts.uri.path();
    let said = if path.starts_with("/computeMetadata/") {
        token(&parts, &mut lock(&state))
    } else if !is_let_in(&parts, &lock(&state)) {
        Err(401)
    } else if parts.method == Method::GET && path == format!("/v1/{NAME}/publicKey") {
        Ok(public(&lock(&state).pair))
    } else if parts.method == Method::POST && path == format!("/v1/{NAME}:asymmetricSign") {
        let fault = fault(&mut lock(&state));
        if fault == Some(Fault::Never) {
            std::future::pending::<()>().await;
        }
        signed(&body, fault, &lock(&state).pair)
    } else {
        Err(404)
    };
    Ok(match said {
        Ok(said) => Response::builder()
            .header("metadata-flavor", "Google")
            .body(Full::from(said.to_string()))
            .expect("a response"),
        Err(status) => {
            let error = json!({"error": {"code": status, "message": "as the test has it"}});
            let mut response = Response::new(Full::from(error.to_string()));
            *response.status_mut() = StatusCode::from_u16(status).expect("a status");
            response
        }
    })
}

fn token(parts: &Parts, state: &mut State) -> Result<Value, u16> {
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    let flavor = parts.headers.get("metadata-flavor");
    if parts.uri.path() != path || flavor.is_none_or(|it| it != "Google") {
        return Err(403);
    }
    state.tokens += 1;
    let token = format!("token-{}", state.tokens);
    Ok(json!({"access_token": token, "expires_in": 3_599, "token_type": "Bearer"}))
}

fn is_let_in(parts: &Parts, state: &State) -> bool {
    let expected = format!("Bearer token-{}", state.tokens);
    let sent = parts.headers.get("authorization");
    sent.is_some_and(|sent| *sent == *expected)
}

fn fault(state: &mut State) -> Option<Fault> {
    state.asked += 1;
    let (fault, left) = state.fault?;
    state.fault = (left > 1).then(|| (fault, left - 1));
    Some(fault)
}

fn public(pair: &Pair) -> Value {
    // RFC 8410 §4, RFC 5480 §2
    let (algorithm, before, key) = match pair {
        Pair::Ed25519(pair) => (
            "EC_SIGN_ED25519",
            "MCowBQYDK2VwAyEA",
            pair.public_key().as_ref(),
        ),
        Pair::P256(pair) => (
            "EC_SIGN_P256_SHA256",
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=",
            pair.public_key().as_ref(),
        ),
    };
    let spki = [&STANDARD.decode(before).expect("base64"), key].concat();
    let body = STANDARD.encode(spki);
    let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    for line in body.as_bytes().chunks(64) {
        pem.push_str(std::str::from_utf8(line).expect("ASCII"));
        pem.push('\n');
    }
    pem.push_str("-----END PUBLIC KEY-----\n");
    json!({
        "pem": pem, "algorithm": algorithm, "pemCrc32c": crc32c(pem.as_bytes()).to_string(),
        "name": NAME, "protectionLevel": "HSM",
    })
}

/// Refuses what the interface does not have, or was damaged.
fn signed(body: &[u8], fault: Option<Fault>, pair: &Pair) -> Result<Value, u16> {
    if let Some(Fault::Status(status)) = fault {
        return Err(status);
    }
    let body: Value = serde_json::from_slice(body).map_err(|_| 400_u16)?;
    let (what, sum, held) = match pair {
        Pair::Ed25519(_) => (&body["data"], &body["dataCrc32c"], "verifiedDataCrc32c"),
        Pair::P256(_) => (
            &body["digest"]["sha256"],
            &body["digestCrc32c"],
            "verifiedDigestCrc32c",
        ),
    };
    let what = what.as_str().and_then(|it| STANDARD.decode(it).ok());
    let what = what.ok_or(400_u16)?;
    if sum.as_str() != Some(&*crc32c(&what).to_string()) {
        return Err(400);
    }
    let other;
    let pair = if fault == Some(Fault::OtherKey) {
        other = self::pair(matches!(pair, Pair::P256(_)));
        &other
    } else {
        pair
    };
    let signature = signature(pair, &what)?;
    let sum = crc32c(&signature);
    let sum = if fault == Some(Fault::Damaged) {
        sum ^ 1
    } else {
        sum
    };
    let name = if fault == Some(Fault::OtherName) {
        NAME.replace("Versions/1", "Versions/2")
    } else {
        NAME.to_owned()
    };
    Ok(json!({
        "signature": STANDARD.encode(&signature), "signatureCrc32c": sum.to_string(),
        "name": name, held: fault != Some(Fault::NotHeld), "protectionLevel": "HSM",
    }))
}

fn signature(pair: &Pair, what: &[u8]) -> Result<Vec<u8>, u16> {
    match pair {
        Pair::Ed25519(pair) => Ok(pair.sign(what).as_ref().to_vec()),
        Pair::P256(pair) => {
            let digest = Digest::import_less_safe(what, &SHA256).map_err(|_| 400_u16)?;
            let signature = pair.sign_digest(&digest).map_err(|_| 500_u16)?;
            Ok(signature.as_ref().to_vec())
        }
    }
}

fn pair(p256: bool) -> Pair {
    if p256 {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
        Pair::P256(pair.expect("randomness"))
    } else {
        Pair::Ed25519(Ed25519KeyPair::generate().expect("randomness"))
    }
}

/// CRC-32C by polynomial division, most significant bit first: another way than the one under test.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut rest = u32::MAX;
    for byte in bytes {
        rest ^= u32::from(byte.reverse_bits()) << 24;
        for _ in 0..8 {
            let over = rest >> 31 == 1;
            rest <<= 1;
            if over {
                rest ^= 0x1edc_6f41;
            }
        }
    }
    !rest.reverse_bits()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
