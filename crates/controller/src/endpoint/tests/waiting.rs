//! Long polls: over with a change, with their time, or with the endpoint.

use super::super::answer;
use super::{Desk, get};
use bytes::Bytes;
use http::StatusCode;
use std::time::Duration;
use tokio::sync::oneshot;

#[tokio::test(start_paused = true)]
async fn what_is_known_is_not_told_again_and_a_wait_ends_with_a_change() {
    let desk = Desk::new();
    let (path, token) = ("/v1/shop/manifest.json", desk.authority.token("shop"));
    let tag = answer::tag(b"manifest of shop");
    let known = [("if-none-match", tag.to_str().unwrap())];
    let at_once = desk.ask(get(path, Some(&token), &known)).await;
    assert_eq!(
        (at_once.status, at_once.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    assert_eq!(at_once.header("preference-applied"), "");
    let waits = [known[0], ("prefer", "wait=50")];
    let begun = tokio::time::Instant::now();
    let waited = desk.ask(get(path, Some(&token), &waits)).await;
    assert_eq!(waited.status, StatusCode::NOT_MODIFIED);
    assert_eq!(waited.header("preference-applied"), "wait=50");
    let seconds = begun.elapsed().as_secs();
    assert!((37..=50).contains(&seconds), "{seconds}");
    let begun = tokio::time::Instant::now();
    let change = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        desk.memory.manifests.send_modify(|all| {
            all.insert("bank".parse().unwrap(), Bytes::from_static(b"another's"));
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        desk.memory.manifests.send_modify(|all| {
            all.insert("shop".parse().unwrap(), Bytes::from_static(b"next"));
        });
    };
    let (changed, ()) = tokio::join!(desk.ask(get(path, Some(&token), &waits)), change);
    assert_eq!(
        (changed.status, &*changed.body),
        (StatusCode::OK, &b"next"[..])
    );
    assert_eq!(begun.elapsed().as_secs(), 10);
}

/// An edge may come before its namespace has a policy.
#[tokio::test(start_paused = true)]
async fn who_knows_nothing_waits_for_the_first() {
    let desk = Desk::new();
    let (path, token) = ("/v1/bank/manifest.json", desk.authority.token("bank"));
    let change = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        desk.memory.manifests.send_modify(|all| {
            all.insert("bank".parse().unwrap(), Bytes::from_static(b"first"));
        });
    };
    let asked = desk.ask(get(path, Some(&token), &[("prefer", "wait=50")]));
    let (first, ()) = tokio::join!(asked, change);
    assert_eq!(
        (first.status, &*first.body),
        (StatusCode::OK, &b"first"[..])
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_go_who_waits() {
    let desk = Desk::new();
    let token = desk.authority.token("shop");
    let tag = answer::tag(b"manifest of shop");
    let waits = [
        ("if-none-match", tag.to_str().unwrap()),
        ("prefer", "wait=50"),
    ];
    let (parts, ()) = get("/v1/shop/manifest.json", Some(&token), &waits).into_parts();
    let (stop, stopped) = oneshot::channel::<()>();
    drop(stop);
    let begun = tokio::time::Instant::now();
    let stopping = async { drop(stopped.await) };
    let response = desk.exchange.answer(&parts, stopping).await;
    assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}
