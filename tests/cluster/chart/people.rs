//! Who administers a namespace writes its policies; who views it reads them.

use super::policy;
use super::rights::person_may;
use kube::Client;
use tests::cluster::Cluster;
use tests::controller::DEADLINE;
use tests::program::within;

/// What is asked, and whether an admin, an editor and a viewer of `shop` may do it.
const RIGHTS: &[(&str, [bool; 3])] = &[
    (
        "get accesspolicies.countersign.dev in SHOP",
        [true, true, true],
    ),
    (
        "list accessroles.countersign.dev in SHOP",
        [true, true, true],
    ),
    (
        "watch trustproviders.countersign.dev in SHOP",
        [true, true, true],
    ),
    ("get rulesets.countersign.dev in SHOP", [true, true, true]),
    (
        "create accesspolicies.countersign.dev in SHOP",
        [true, false, false],
    ),
    (
        "update accesspolicies.countersign.dev in SHOP",
        [true, false, false],
    ),
    (
        "patch accessroles.countersign.dev in SHOP",
        [true, false, false],
    ),
    // whose word counts is more than who may call
    ("create trustproviders.countersign.dev in SHOP", [false; 3]),
    ("patch trustproviders.countersign.dev in SHOP", [false; 3]),
    ("delete trustproviders.countersign.dev in SHOP", [false; 3]),
    (
        "deletecollection accesspolicies.countersign.dev in SHOP",
        [true, false, false],
    ),
    // what is said of a policy is the controller's word
    (
        "patch accesspolicies.countersign.dev/status in SHOP",
        [false; 3],
    ),
    (
        "update accesspolicies.countersign.dev/status in SHOP",
        [false; 3],
    ),
    ("create rulesets.countersign.dev in SHOP", [false; 3]),
    ("patch rulesets.countersign.dev/status in SHOP", [false; 3]),
    ("delete rulesets.countersign.dev in SHOP", [false; 3]),
    // another's namespace, and what is the whole cluster's
    ("get accesspolicies.countersign.dev in default", [false; 3]),
    (
        "create accesspolicies.countersign.dev in default",
        [false; 3],
    ),
    ("list accesspolicies.countersign.dev", [false; 3]),
    ("create clusteraccesspolicies.countersign.dev", [false; 3]),
    ("patch clusteraccesspolicies.countersign.dev", [false; 3]),
    ("create clusteraccessroles.countersign.dev", [false; 3]),
    ("create clustertrustproviders.countersign.dev", [false; 3]),
    (
        "patch clustertrustproviders.countersign.dev:kubernetes",
        [false; 3],
    ),
    (
        "get secrets:countersign-signing-keys in countersign-system",
        [false; 3],
    ),
    ("create configmaps in countersign-system", [false; 3]),
];

pub(super) async fn have_what_is_theirs(cluster: &Cluster) {
    let shop = cluster.namespace("people").await.expect("a namespace");
    let people = [("ana", "admin"), ("eve", "edit"), ("vic", "view")];
    for (person, role) in people {
        let (role, user) = (format!("--clusterrole={role}"), format!("--user={person}"));
        let bound = [
            "create",
            "rolebinding",
            person,
            &role,
            &user,
            "--namespace",
            &shop,
        ];
        cluster.kubectl(&bound, "").expect("it is bound");
    }
    let client = cluster.client().await.expect("a client");
    // it takes a moment until one role has what another brings
    let first = "create accesspolicies.countersign.dev in SHOP".replace("SHOP", &shop);
    let aggregated = within(DEADLINE, "the roles are aggregated", async || {
        person_may(&client, "ana", &first).await.then_some(())
    });
    aggregated.await.expect("an admin has the right");
    for (what, expected) in RIGHTS {
        let what = what.replace("SHOP", &shop);
        for ((person, role), expected) in people.into_iter().zip(expected) {
            let may = person_may(&client, person, &what).await;
            assert_eq!(may, *expected, "{role}: {what}");
        }
    }
    an_own_provider_is_given_apart(cluster, &client, &shop).await;
    let try_as = |person: &str, namespace: &str| {
        let who = format!("--as={person}");
        let create = ["create", "--dry-run=server", "--filename=-", &who];
        cluster.kubectl(&create, &policy(namespace, "orders").to_string())
    };
    try_as("ana", &shop).expect("it is theirs");
    for (person, namespace) in [("ana", "default"), ("eve", &shop), ("vic", &shop)] {
        let refusal = try_as(person, namespace).expect_err(person).to_string();
        assert!(refusal.contains("cannot create resource"), "{refusal}");
    }
}

async fn an_own_provider_is_given_apart(cluster: &Cluster, client: &Client, shop: &str) {
    let role = "--clusterrole=countersign-trust-providers";
    let bound = [
        "create",
        "rolebinding",
        "bob",
        role,
        "--user=bob",
        "--namespace",
        shop,
    ];
    cluster.kubectl(&bound, "").expect("it is bound");
    for (what, expected) in [
        ("create trustproviders.countersign.dev in SHOP", true),
        ("get trustproviders.countersign.dev in SHOP", true),
        ("create trustproviders.countersign.dev in default", false),
        ("create accesspolicies.countersign.dev in SHOP", false),
        ("create clustertrustproviders.countersign.dev", false),
    ] {
        let what = what.replace("SHOP", shop);
        assert_eq!(person_may(client, "bob", &what).await, expected, "{what}");
    }
}
