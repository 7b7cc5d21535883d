//! What a caller reads who is not let in.

use super::caller::Answer;
use super::issuer::bearer;
use super::rules::{NOW, PROVIDER, Said};
use super::service::Service;
use super::world::World;
use crate::body::whole;
use countersign_ruleset::time::UnixTime;
use http::Method;
use serde_json::{Value, json};

/// The answer of the edge's own, its `decision` taken out and compared.
fn problem(answer: &Answer) -> Value {
    assert_eq!(answer.field("content-type"), "application/problem+json");
    assert_eq!(answer.field("cache-control"), "no-store");
    let mut document = answer.json();
    let decision = document.as_object_mut().unwrap().remove("decision");
    assert_eq!(
        decision,
        Some(answer.field("x-countersign-decision").into())
    );
    document
}

#[tokio::test]
async fn without_a_token_it_is_401_and_a_bare_challenge() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let answer = world.get("/mine/orders", &[]).await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        problem(&answer),
        json!({"type": "about:blank", "title": "Unauthorized", "status": 401, "reason": "NoToken"})
    );
    let challenge = r#"Bearer realm="orders.example.com""#;
    assert_eq!(answer.field("www-authenticate"), challenge);
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn a_bad_token_is_401_even_where_none_is_needed() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let expired = bearer(&json!({"exp": NOW.0 - 3_000, "iat": NOW.0 - 6_000}));
    for target in ["/mine/orders", "/open/list"] {
        let answer = world.get(target, &[("authorization", &expired)]).await;
        assert_eq!(answer.status, 401);
        assert_eq!(problem(&answer)["reason"], "Expired");
        let challenge = r#"Bearer realm="orders.example.com", error="invalid_token""#;
        assert_eq!(answer.field("www-authenticate"), challenge);
    }
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn a_known_caller_who_may_not_is_403() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let ana = bearer(&json!({}));
    let answer = world.get("/admin/keys", &[("authorization", &ana)]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(
        problem(&answer),
        json!({"type": "about:blank", "title": "Forbidden", "status": 403, "reason": "NoRuleMatched"})
    );
    assert_eq!(answer.field("www-authenticate"), "");
    let answer = world.get("/open/shut/x", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), &problem(&answer)["reason"]),
        (403, &"DeniedByRule".into())
    );
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn missing_scopes_are_403_and_named_in_full() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let ana = bearer(&json!({}));
    let answer = world.get("/scoped/x", &[("authorization", &ana)]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(problem(&answer)["reason"], "InsufficientScope");
    assert_eq!(
        answer.field("www-authenticate"),
        r#"Bearer realm="orders.example.com", error="insufficient_scope", scope="orders:read orders:write""#
    );
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_400() {
    let mut service = Service::start().await;
    let world = World::before(&service).await;
    let ana = bearer(&json!({}));
    for (target, fields, reason) in [
        ("/open/%2e%2e%2fadmin", &[][..], "PathMalformed"),
        (
            "/open/list",
            &[("authorization", ana.as_str()), ("authorization", &ana)],
            "CredentialTwice",
        ),
        (
            "/open/list",
            &[("authorization", "Bearer a,b")],
            "CredentialMalformed",
        ),
    ] {
        let answer = world.get(target, fields).await;
        assert_eq!((answer.status.as_u16(), target), (400, target));
        assert_eq!(problem(&answer)["reason"], reason);
        assert_eq!(answer.field("www-authenticate"), "");
    }
    let delete = Method::from_bytes(b"delete").unwrap();
    let answer = world.call(delete, "/open/list", &[], whole("")).await;
    assert_eq!(answer.status, 400);
    assert_eq!(problem(&answer)["reason"], "MethodCase");
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn without_a_ruleset_it_is_503_and_to_be_tried_again() {
    let mut service = Service::start().await;
    let world = World::with(service.address, |it| it.said = None).await;
    let answer = world.get("/open/list", &[]).await;
    assert_eq!(answer.status, 503);
    assert_eq!(
        problem(&answer),
        json!({"type": "about:blank", "title": "Service Unavailable", "status": 503, "reason": "NoRuleset"})
    );
    assert_eq!(answer.field("retry-after"), "5");
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn past_its_term_a_ruleset_lets_nobody_in() {
    const fn late() -> UnixTime {
        UnixTime(NOW.0 + 3_601)
    }
    let mut service = Service::start().await;
    let world = World::with(service.address, |it| it.clock = late).await;
    let answer = world.get("/open/list", &[]).await;
    assert_eq!(answer.status, 503);
    assert_eq!(problem(&answer)["reason"], "RulesetExpired");
    assert!(service.saw_nothing());
}

#[tokio::test]
async fn a_reason_is_explained_only_where_a_policy_says_so() {
    let service = Service::start().await;
    let said = Said {
        disclose: "Reason",
        ..Said::default()
    };
    let world = World::with(service.address, |it| it.said = Some(said)).await;
    let answer = world.get("/mine/orders", &[]).await;
    let mut document = problem(&answer);
    let detail = document.as_object_mut().unwrap().remove("detail");
    assert_eq!(detail, Some("no rule lets it in without a token".into()));
}

#[tokio::test]
async fn an_answer_and_its_audit_line_have_one_name() {
    let mut service = Service::start().await;
    let mut world = World::before(&service).await;
    let denied = world.get("/mine/orders", &[]).await;
    let line = world.audited().await;
    assert_eq!(line["id"], denied.field("x-countersign-decision"));
    let permitted = world.get("/open/list", &[]).await;
    let line = world.audited().await;
    let id = permitted.field("x-countersign-decision");
    assert_eq!(line["id"], id);
    assert_eq!(service.seen().await.fields("x-countersign-decision"), [id]);
}

/// It keeps no sessions: a browser that it sent to log in would come back as nobody, and be sent again.
#[tokio::test]
async fn a_browser_reads_the_401_that_everyone_else_does() {
    let mut service = Service::start().await;
    let said = Said {
        login: Some(PROVIDER),
        ..Said::default()
    };
    let mut world = World::with(service.address, |it| it.said = Some(said)).await;
    let navigates = [
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let answer = world.get("/mine/orders", &navigates).await;
    assert_eq!(answer.status, 401);
    assert_eq!(problem(&answer)["reason"], "NoToken");
    let challenge = r#"Bearer realm="orders.example.com""#;
    assert_eq!(answer.field("www-authenticate"), challenge);
    let line = world.audited().await;
    assert_eq!(
        (&line["status"], &line["reason"]),
        (&json!(401), &json!("NoToken"))
    );
    assert!(service.saw_nothing());
}

/// One request that panics must end as a denial, and no other must notice.
#[tokio::test]
async fn a_panic_is_a_denial() {
    fn broken() -> UnixTime {
        panic!("a clock that has no time")
    }
    let mut service = Service::start().await;
    let world = World::with(service.address, |it| it.clock = broken).await;
    for _ in 0..2 {
        let answer = world.get("/open/list", &[]).await;
        assert_eq!(answer.status, 503);
        assert_eq!(problem(&answer)["reason"], "InternalError");
    }
    assert!(service.saw_nothing());
}
