//! `vectors/end-to-end/requests.yaml`: what is answered, what reaches the service, what is logged.

use super::{HOST, TARGET, ready};
use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use tests::cast::{Cast, Order};
use tests::files;
use tests::ground::{self, Edge, Ground};
use tests::program::{Stream, until};
use tests::upstream::{Seen, Upstream};
use tests::wire::{Answer, Caller, Version};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    resources: Vec<Value>,
    requests: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    title: String,
    /// `METHOD PATH`, as it is sent.
    request: String,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    only: Option<Spoken>,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    token: Option<Order>,
    #[serde(default)]
    body: String,
    /// Path and query as the service sees them.
    reached: Option<String>,
    /// What the service is told of the caller.
    carried: Option<BTreeMap<String, String>>,
    /// What `WWW-Authenticate` has in it.
    challenge: Option<String>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    reason: String,
    status: u16,
}

#[derive(Deserialize, Clone, Copy)]
enum Spoken {
    H1,
    H2,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_request_is_answered_and_logged_and_only_the_allowed_reach_the_service() -> Result<()>
{
    let path = files::root().join("tests/vectors/end-to-end/requests.yaml");
    let table: Table = serde_saphyr::from_str(&fs::read_to_string(path)?)?;
    let ground = Ground::new().await?;
    let cast = ground.publish(&table.resources).await?;
    let upstream = Upstream::start().await?;
    let edge = ground.edge(TARGET, &upstream).await?;
    ready(edge.admin, 200).await?;
    let (mut wrong, mut reasons, mut secrets) = (Vec::new(), Vec::new(), Vec::new());
    for version in [Version::H1, Version::H2] {
        let mut caller = Caller::new(edge.address, version);
        for row in table.requests.iter().filter(|row| row.is_spoken(version)) {
            let token = row.token(&cast)?;
            let answer = caller.send(row.built(token.as_deref())?).await;
            let answer = answer.with_context(|| format!("{version:?}: {}", row.title))?;
            let faults = row.faults(&answer, &upstream.take());
            wrong.extend(
                faults
                    .into_iter()
                    .map(|fault| format!("{version:?}: {}: {fault}", row.title)),
            );
            reasons.push(row.expect.reason.clone());
            secrets.extend(token);
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        reasons.len() > 120,
        "only {} requests were sent",
        reasons.len()
    );
    assert_eq!(logged(&edge, reasons.len()).await?, reasons);
    assert_eq!(leaks(&edge.program.text(), &secrets), Vec::<&str>::new());
    Ok(())
}

/// What leaks is found: the check above can fail.
#[test]
fn a_part_of_a_token_is_a_leak() {
    let secrets = ["eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl".to_owned()];
    assert_eq!(leaks("nothing", &secrets), Vec::<&str>::new());
    assert_eq!(
        leaks("sub=eyJzdWIiOiJhbmEifQ;", &secrets),
        ["eyJzdWIiOiJhbmEifQ"]
    );
    assert_eq!(leaks("?code=hush-hush", &secrets), ["hush-hush"]);
}

impl Row {
    fn is_spoken(&self, version: Version) -> bool {
        match self.only {
            None => true,
            Some(Spoken::H1) => version == Version::H1,
            Some(Spoken::H2) => version == Version::H2,
        }
    }

    fn token(&self, cast: &Cast) -> Result<Option<String>> {
        let now = ground::now()?;
        Ok(self
            .token
            .as_ref()
            .map(|order| cast.token(order, &format!("https://{HOST}"), now)))
    }

    fn built(&self, token: Option<&str>) -> Result<Request<Full<Bytes>>> {
        let (method, path) = self.request.split_once(' ').context("METHOD PATH")?;
        let host = self.host.as_deref().unwrap_or(HOST);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{host}{path}"));
        for (name, values) in &self.headers {
            let values = match values {
                OneOrMany::One(value) => std::slice::from_ref(value),
                OneOrMany::Many(values) => values,
            };
            for value in values {
                request = request.header(name, value);
            }
        }
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Ok(request.body(Full::from(self.body.clone()))?)
    }

    /// What is otherwise than it should be.
    fn faults(&self, answer: &Answer, seen: &[Seen]) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expect = |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
            let [expected, got] = [expected, got].map(|one| format!("{one:?}"));
            if expected != got {
                faults.push(format!("{what}: expected {expected}, got {got}"));
            }
        };
        let allowed = self.reached.is_some();
        expect("status", &self.expect.status, &answer.status.as_u16());
        if !allowed {
            let reason = answer.problem("reason");
            expect("reason", &Value::from(self.expect.reason.as_str()), &reason);
        }
        let challenge = answer
            .headers
            .get("www-authenticate")
            .and_then(|value| value.to_str().ok());
        let expected = self.challenge.as_deref();
        let challenged = expected
            .zip(challenge)
            .is_some_and(|(part, all)| all.contains(part));
        expect("a challenge", &expected.is_some(), &challenge.is_some());
        expect(
            "challenge",
            &expected.is_some(),
            &(challenged && challenge.is_some()),
        );
        let reached: Vec<&str> = seen.iter().map(|seen| seen.target.as_str()).collect();
        expect(
            "reached",
            &self.reached.iter().collect::<Vec<_>>(),
            &reached,
        );
        for seen in seen {
            let (method, _) = self.request.split_once(' ').unwrap_or_default();
            expect("method", &method, &seen.method.as_str());
            expect("body", &self.body.as_bytes(), &&*seen.body);
            if let Some(carried) = &self.carried {
                expect("carried", carried, &told(&seen.headers));
            }
            expect(
                "credentials",
                &false,
                &seen.headers.contains_key("authorization"),
            );
        }
        faults
    }
}

/// What an edge tells a service of the caller, by whatever name the service may read it.
fn told(headers: &HeaderMap) -> BTreeMap<String, String> {
    let own = headers.iter().filter(|(name, _)| {
        let name = name.as_str().replace('_', "-");
        name.starts_with("x-countersign-") && name != "x-countersign-decision"
    });
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    own.map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

/// The reasons of the audit lines, in order, once there are so many.
async fn logged(edge: &Edge, count: usize) -> Result<Vec<String>> {
    let lines = until("audit lines", async || {
        let lines = edge.program.lines(Stream::Out);
        (lines.len() >= count).then_some(lines)
    });
    let reason = |line: String| {
        let line: Value = serde_json::from_str(&line)?;
        Ok(line["reason"].as_str().context("a reason")?.to_owned())
    };
    lines.await?.into_iter().map(reason).collect()
}

/// The parts of tokens, and the query, that a text has in it.
fn leaks<'s>(text: &str, secrets: &'s [String]) -> Vec<&'s str> {
    let parts = secrets.iter().flat_map(|token| token.split('.').skip(1));
    let parts = parts.filter(|part| part.len() > 8).chain(["hush-hush"]);
    parts.filter(|part| text.contains(part)).collect()
}
