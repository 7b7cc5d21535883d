//! What a line of the audit log says, and what it never does.

use super::issuer::{bearer, token};
use super::rules::{APPLICATION, HOST, NOW, PROVIDER, Said};
use super::service::Service;
use super::world::{World, soon};
use countersign_ruleset::digest::Digest;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::mpsc;
use tokio::sync::oneshot;

#[tokio::test]
async fn a_line_says_what_was_asked_and_what_decided() {
    let service = Service::start().await;
    let mut world = World::before(&service).await;
    let ana = bearer(&json!({"act": {"sub": "agent-7"}}));
    assert_eq!(world.get("/open/%6Cist?q=secret", &[]).await.status, 200);
    let mut line = world.audited().await;
    let members = line.as_object_mut().unwrap();
    assert_eq!(members.remove("id").unwrap().as_str().unwrap().len(), 32);
    assert_eq!(
        members.remove("ruleset").unwrap().as_str().unwrap().len(),
        64
    );
    assert_eq!(
        line,
        json!({
            "time": NOW.to_string(), "verdict": "allow", "reason": "Allowed",
            "rules": [{"policy": "AccessPolicy/orders", "rule": "open"}],
            "scope": "shop", "serial": 1, "application": APPLICATION,
            "method": "GET", "host": HOST, "path": "/open/list"
        })
    );
    let fields = [("authorization", ana.as_str())];
    assert_eq!(world.get("/open/shut/x", &fields).await.status, 403);
    let line = world.audited().await;
    assert_eq!(
        (&line["verdict"], &line["reason"], &line["status"]),
        (&"deny".into(), &"DeniedByRule".into(), &403.into())
    );
    assert_eq!(
        line["rules"],
        json!([{"policy": "AccessPolicy/orders", "rule": "shut"}])
    );
    assert_eq!(
        (&line["provider"], &line["actor"]),
        (&PROVIDER.into(), &"agent-7".into())
    );
    assert_eq!(
        line.get("claims"),
        None,
        "none is said to be one that may be told"
    );
}

#[tokio::test]
async fn claims_are_told_as_the_rules_list_them_and_no_others() {
    let service = Service::start().await;
    let audit = json!({PROVIDER: {"sub": "plain", "email": "hash", "nothing": "plain"}});
    let said = Said {
        audit,
        ..Said::default()
    };
    let mut world = World::with(service.address, |it| it.said = Some(said)).await;
    let ana = bearer(&json!({}));
    let fields = [("authorization", ana.as_str())];
    assert_eq!(world.get("/mine/orders", &fields).await.status, 200);
    let salted = format!("{PROVIDER}\0ana@example.com");
    let hash = format!("sha256:{}", Digest::of(salted.as_bytes()).as_str());
    let line = world.audited().await;
    assert_eq!(line["claims"], json!({"sub": "ana", "email": hash}));
}

#[tokio::test]
async fn no_secret_of_a_caller_is_in_any_line() {
    let service = Service::start().await;
    let mut world = World::before(&service).await;
    let good = token(&json!({}));
    let bad = token(&json!({"exp": NOW.0 - 3_000, "iat": NOW.0 - 6_000}));
    let secrets = [
        ("cookie", "session=cookie-secret"),
        ("x-goog-iap-jwt-assertion", "iap-secret"),
        ("proxy-authorization", "Basic proxy-secret"),
    ];
    let mut called = 0;
    for credential in [
        format!("Bearer {good}"),
        format!("Bearer {bad}"),
        "Basic basic-secret".into(),
        "Bearer half-secret, Bearer x".into(),
    ] {
        for target in ["/open/list", "/mine/x", "/admin/x", "/open/%2fx"] {
            let mut fields = vec![("authorization", credential.as_str())];
            fields.extend(secrets);
            world
                .get(&format!("{target}?access_token=query-secret"), &fields)
                .await;
            called += 1;
        }
    }
    // each part of a token by itself is a secret, too; the header is everybody's
    let parts = [&good, &bad].map(|token| token.split('.').skip(1).collect::<Vec<_>>());
    for _ in 0..called {
        let line = world.line().await;
        serde_json::from_str::<Value>(&line).unwrap();
        assert!(
            !line.contains("secret") && !line.contains("access_token"),
            "{line}"
        );
        assert!(
            !parts.iter().flatten().any(|part| line.contains(part)),
            "{line}"
        );
    }
    assert_eq!(world.lines().await, Vec::<String>::new());
}

/// A path is a caller's text: it cannot begin a line of its own.
#[tokio::test]
async fn a_caller_cannot_write_a_line() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    for target in ["/open/%0A%7B%22verdict%22:%22allow%22%7D", "/open/%22,%5C"] {
        world.get(target, &[]).await;
    }
    let lines = world.lines().await;
    assert_eq!(lines.len(), 2);
    for line in lines {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["id"].is_string());
    }
}

/// A log that says when it is written to, and then waits for a test.
struct Stuck(Option<oneshot::Sender<()>>, mpsc::Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(reached) = self.0.take() {
            let _ = reached.send(());
        }
        // Returns when the test lets go.
        let _ = self.1.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_log_that_is_stuck_holds_no_request_and_its_lines_are_counted() {
    let service = Service::start().await;
    let (held, stuck) = mpsc::channel();
    let (reached, is_stuck) = oneshot::channel();
    let world = World::with(service.address, |it| {
        it.config.limits.audit_queue = 2;
        it.audit = Some(Box::new(Stuck(Some(reached), stuck)));
    })
    .await;
    assert_eq!(world.get("/open/list", &[]).await.status, 200);
    soon(is_stuck).await.unwrap();
    // two wait, and the rest is lost
    for _ in 0..20 {
        assert_eq!(world.get("/open/list", &[]).await.status, 200);
    }
    let dropped = world.number("countersign_audit_dropped_total").await;
    assert_eq!(dropped, 18);
    drop(held);
    soon(world.stop()).await.unwrap();
}

/// Whoever wants the last lines stops the edge: they are written before it has stopped.
#[tokio::test]
async fn what_was_decided_is_written_before_the_end() {
    let service = Service::start().await;
    let world = World::before(&service).await;
    for _ in 0..50 {
        assert_eq!(world.get("/open/list", &[]).await.status, 200);
    }
    assert_eq!(world.lines().await.len(), 50);
}

struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_log_that_is_full_is_counted_and_holds_no_request() {
    let service = Service::start().await;
    let world = World::with(service.address, |it| it.audit = Some(Box::new(Full))).await;
    assert_eq!(world.get("/open/list", &[]).await.status, 200);
    world.until("countersign_audit_dropped_total", 1).await;
}
