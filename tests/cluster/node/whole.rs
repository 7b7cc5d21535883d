//! From `helm install` to `helm uninstall`: a policy guards a service in a real pod, by real tokens.

use super::calls::{Stream, call, call_from_a_pod, caller, token};
use super::installation::{ENDPOINT, Installation, SYSTEM};
use super::names::Told;
use super::sidecar::{SHOP, Sidecar};
use serde_json::{Value, json};
use std::time::Duration;
use tests::cluster::Cluster;
use tests::controller::{resource, until_said};
use tests::program::within;
use tests::wire::Answer;

const POLICY: (&str, &str) = (SHOP, "accesspolicy/orders");

/// How long a change may take until edges enforce it, which after failures ask once in a minute.
const TAKES_EFFECT: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_guards_a_service_from_install_to_uninstall() {
    let Some(cluster) = Cluster::with_node() else {
        return;
    };
    let installed = Installation::prepare(cluster)
        .await
        .expect("images, a namespace");
    installed.helm("install", "24h").expect("it is installed");
    let sidecar = Sidecar::of_the_example().expect("the example");
    sidecar
        .announce(cluster)
        .expect("a service, and its policy");

    // Nobody has vouched for the controller's key yet, and so nothing is published.
    until_said(cluster, POLICY, "Programmed", ("False", "AwaitingTrust"))
        .await
        .expect("it waits for trust");
    let trust = installed.adopt().expect("its key is signed in");
    until_said(cluster, POLICY, "Programmed", ("True", "Programmed"))
        .await
        .expect("it is published");

    let endpoint = installed.lead().await.expect("the endpoint's address");
    let told = Told::start(ENDPOINT, &endpoint.address)
        .await
        .expect("its name");
    let runs = sidecar.run(cluster, &installed.authority, &trust);
    runs.expect("the service and its edge run");
    callers_are_told_apart(cluster, sidecar.port).await;
    pods_are_told_apart(cluster, sidecar.port).await;
    it_is_in_force_everywhere(cluster).await;
    the_chart_is_changed_while_requests_go_on(cluster, &installed, sidecar.port).await;
    what_is_uninstalled_leaves_what_it_should(cluster, &installed, sidecar.port).await;
    installed
        .helm("install", "24h")
        .expect("it is installed again");
    // its Service has another address
    let endpoint = installed.lead().await.expect("the endpoint's address");
    told.moved(&endpoint.address).expect("an address");
    what_there_was_is_taken_up(cluster, sidecar.port).await;
}

/// What the problem document says, if it is one.
fn reason(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.problem("reason"))
}

async fn callers_are_told_apart(cluster: &Cluster, port: u16) {
    let mut edge = caller(port);
    let checkout = token(cluster, "checkout", None).expect("a token");
    let let_in = call(&mut edge, Some(&checkout)).await.expect("an answer");
    assert_eq!(let_in.status, 200, "{let_in:?}");
    // the service was called, and was not told the token
    assert_eq!(let_in.body, "orders /v1/orders token=false\n");

    let billing = token(cluster, "billing", None).expect("a token");
    let turned_away = call(&mut edge, Some(&billing)).await.expect("an answer");
    assert_eq!(reason(&turned_away), (403, json!("NoRuleMatched")));

    let nobody = call(&mut edge, None).await.expect("an answer");
    assert_eq!(reason(&nobody), (401, json!("NoToken")));

    let elsewhere = token(cluster, "checkout", Some("https://billing.example.com"));
    let elsewhere = elsewhere.expect("a token");
    let turned_away = call(&mut edge, Some(&elsewhere)).await.expect("an answer");
    assert_eq!(reason(&turned_away), (401, json!("AudienceMismatch")));
}

/// The same with the tokens that pods have, in files of their own.
async fn pods_are_told_apart(cluster: &Cluster, port: u16) {
    for (account, expected) in [
        ("checkout", "HTTP/1.1 200 OK"),
        ("billing", "HTTP/1.1 403 Forbidden"),
    ] {
        let said = call_from_a_pod(cluster, account, port).await;
        assert_eq!(said.expect("the pod calls").trim(), expected, "{account}");
    }
}

async fn it_is_in_force_everywhere(cluster: &Cluster) {
    until_said(cluster, POLICY, "InForce", ("True", "InForce"))
        .await
        .expect("it is in force");
    let ruleset = resource(cluster, SHOP, "ruleset/countersign").expect("a Ruleset");
    let edges = &ruleset["status"]["edges"];
    assert_eq!(
        (&edges["total"], &edges["inForce"]),
        (&json!(1), &json!(1)),
        "{ruleset:#}"
    );
}

/// `helm upgrade` and `helm rollback` restart the controller; nobody who calls the service notices.
async fn the_chart_is_changed_while_requests_go_on(
    cluster: &Cluster,
    installed: &Installation<'_>,
    port: u16,
) {
    let checkout = token(cluster, "checkout", None).expect("a token");
    let stream = Stream::start(port, checkout);
    installed.helm("upgrade", "12h").expect("it is upgraded");
    assert!(
        installed
            .arguments()
            .expect("arguments")
            .contains("--valid-for=12h")
    );
    another_is_let_in(cluster, port).await;
    installed
        .release("rollback", &["1"])
        .expect("it is rolled back");
    installed.available().expect("it runs");
    assert!(
        installed
            .arguments()
            .expect("arguments")
            .contains("--valid-for=24h")
    );
    it_is_in_force_everywhere(cluster).await;
    let (sent, failed) = stream.end().await.expect("it ends");
    assert!(sent > 100, "only {sent} requests were sent");
    assert!(failed.is_empty(), "{} of {sent}: {failed:?}", failed.len());
}

/// The controller that has come after works: what is changed now is enforced.
async fn another_is_let_in(cluster: &Cluster, port: u16) {
    let add = json!([{
        "op": "add", "path": "/spec/rules/0/from/0/serviceAccounts/-",
        "value": {"namespace": SHOP, "name": "billing"},
    }]);
    change(cluster, &add);
    until_billing_gets(cluster, port, 200).await;
}

/// Changes the policy.
fn change(cluster: &Cluster, patch: &Value) {
    let patch = patch.to_string();
    let changed = ["patch", "accesspolicy", "orders", "--namespace", SHOP];
    let changed = [&changed[..], &["--type=json", "--patch", &patch]].concat();
    cluster
        .kubectl(&changed, "")
        .expect("the policy is changed");
}

async fn until_billing_gets(cluster: &Cluster, port: u16, status: u16) {
    let billing = token(cluster, "billing", None).expect("a token");
    let mut edge = caller(port);
    let enforced = within(TAKES_EFFECT, "the change is enforced", async || {
        let answer = call(&mut edge, Some(&billing)).await.ok()?;
        (answer.status == status).then_some(())
    });
    enforced.await.expect("the change is enforced");
}

/// What people wrote stays, and so do the keys; and an edge needs no controller to decide.
async fn what_is_uninstalled_leaves_what_it_should(
    cluster: &Cluster,
    installed: &Installation<'_>,
    port: u16,
) {
    installed
        .release("uninstall", &["--wait"])
        .expect("it is uninstalled");
    let gone = cluster.kubectl(
        &["get", "deployment", "countersign", "--namespace", SYSTEM],
        "",
    );
    assert!(gone.is_err(), "{gone:?}");
    for (namespace, kept) in [
        (SHOP, "accesspolicy/orders"),
        (SYSTEM, "secret/countersign-signing-keys"),
        (SYSTEM, "configmap/countersign-trust"),
        (SYSTEM, "configmap/ruleset-shop"),
    ] {
        resource(cluster, namespace, kept).expect(kept);
    }
    let mut edge = caller(port);
    let checkout = token(cluster, "checkout", None).expect("a token");
    let let_in = call(&mut edge, Some(&checkout)).await.expect("an answer");
    assert_eq!(let_in.status, 200, "{let_in:?}");
    let nobody = call(&mut edge, None).await.expect("an answer");
    assert_eq!(reason(&nobody), (401, json!("NoToken")));
}

/// Nobody has to sign anything again: the keys are those of before, and so edges believe what comes.
async fn what_there_was_is_taken_up(cluster: &Cluster, port: u16) {
    let remove = json!([{"op": "remove", "path": "/spec/rules/0/from/0/serviceAccounts/1"}]);
    change(cluster, &remove);
    until_billing_gets(cluster, port, 403).await;
    it_is_in_force_everywhere(cluster).await;
}
