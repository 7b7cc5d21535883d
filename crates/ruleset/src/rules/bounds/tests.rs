//! So many and no more, list by list; and the cluster's guardrails name the cluster's alone.

use super::{MAX_LIST, MAX_OBJECTS};
use crate::condition::MAX_NODES;
use crate::rules::{Invalid, Rules};
use serde_json::{Value, json};

/// One of everything that is counted.
fn whole() -> Value {
    let matchers = json!([
        {"anyOf": [[{"groups": ["a"]}]]},
        {"claim": {"path": ["a"], "anyOf": ["b"]}},
        {"serviceAccounts": [{"namespace": "a", "name": "b"}]},
    ]);
    let entry = json!({"identity": {"provider": "ClusterTrustProvider/okta", "all": matchers}});
    let to = json!({"hosts": ["a.example"], "methods": ["GET"], "paths": ["/a"],
        "mcp": {"tools": ["a"], "methods": ["b"]}});
    let yes = json!({"literal": {"bool": true}});
    let body = json!([yes, {"list": [0]}]);
    let exists = json!({"exists": {"list": 0, "body": body}});
    let when = json!([yes, {"all": [0]}, exists]);
    let require = json!({"scopes": ["a"], "acrValues": ["b"], "amr": ["c"],
        "proofOfPossession": false, "unknown": false});
    let rule = json!({"name": "r", "effect": "Allow", "from": [entry], "to": [to], "when": when, "require": require});
    json!({
        "scope": "shop",
        "applications": [{
            "id": "Service/orders", "hosts": ["a.example"],
            "sections": [{"matches": [{"path": "/**", "unknown": false}]}],
            "policies": [{"id": "AccessPolicy/p", "mode": "Enforce", "audiences": ["a"], "rules": [rule]}],
            "forward": [], "disclose": "Code",
        }],
        "guardrails": [],
        "roles": {"AccessRole/a": [entry]},
        "revocations": [{"provider": "ClusterTrustProvider/okta", "revoked": {"jti": "a"}}],
        "audit": {},
    })
}

fn count(at: &str, copies: usize) -> Result<(), Invalid> {
    let mut value = whole();
    let list = value.pointer_mut(at).unwrap().as_array_mut().unwrap();
    *list = vec![list[0].clone(); copies];
    serde_json::from_value::<Rules>(value).unwrap().count()
}

#[test]
fn there_are_so_many_of_each_and_no_more() {
    let rule = "/applications/0/policies/0/rules/0";
    for (at, list, most) in [
        ("/revocations", "revocations", MAX_OBJECTS),
        ("/applications/0/hosts", "hosts", MAX_LIST),
        ("/applications/0/sections", "sections", MAX_LIST),
        (
            "/applications/0/sections/0/matches",
            "matches of a section",
            MAX_LIST,
        ),
        ("/applications/0/policies", "policies", MAX_LIST),
        (
            "/applications/0/policies/0/audiences",
            "audiences",
            MAX_LIST,
        ),
        ("/roles/AccessRole~1a", "members of a role", MAX_LIST),
        ("R/from", "entries of `from`", MAX_LIST),
        ("R/from/0/identity/all", "matchers", MAX_LIST),
        ("R/from/0/identity/all/0/anyOf", "alternatives", MAX_LIST),
        (
            "R/from/0/identity/all/0/anyOf/0/0/groups",
            "values of a matcher",
            MAX_LIST,
        ),
        (
            "R/from/0/identity/all/1/claim/path",
            "keys of a claim",
            MAX_LIST,
        ),
        (
            "R/from/0/identity/all/1/claim/anyOf",
            "values of a matcher",
            MAX_LIST,
        ),
        (
            "R/from/0/identity/all/2/serviceAccounts",
            "values of a matcher",
            MAX_LIST,
        ),
        ("R/to", "entries of `to`", MAX_LIST),
        ("R/to/0/hosts", "hosts", MAX_LIST),
        ("R/to/0/methods", "methods", MAX_LIST),
        ("R/to/0/paths", "paths", MAX_LIST),
        ("R/to/0/mcp/tools", "tools", MAX_LIST),
        ("R/to/0/mcp/methods", "methods", MAX_LIST),
        ("R/when/1/all", "places of a node", MAX_NODES),
        ("R/when/2/exists/body/1/list", "places of a node", MAX_NODES),
        ("R/require/scopes", "scopes", MAX_LIST),
        ("R/require/acrValues", "acrValues", MAX_LIST),
        ("R/require/amr", "amr", MAX_LIST),
    ] {
        let at = at.replacen('R', rule, usize::from(at.starts_with('R')));
        let got = most + 1;
        assert_eq!(count(&at, most), Ok(()), "{at}");
        assert_eq!(
            count(&at, got),
            Err(Invalid::TooMany { list, most, got }),
            "{at}"
        );
    }
}

#[test]
fn what_is_the_clusters_names_nothing_of_a_namespace() {
    let inspect = |role: &str, entry: Value| {
        let mut value = whole();
        let deny = json!({"name": "d", "effect": "Deny", "from": [entry], "to": []});
        value["guardrails"] =
            json!([{"policy": "ClusterAccessPolicy/g", "mode": "Enforce", "deny": [deny]}]);
        value["roles"] =
            json!({ role: [{"identity": {"provider": "TrustProvider/own", "all": []}}] });
        serde_json::from_value::<Rules>(value)
            .unwrap()
            .cluster_only()
    };
    let refused = |of: &str, named: &str| {
        let (of, named) = (of.to_owned(), named.to_owned());
        Err(Invalid::NotOfTheCluster { of, named })
    };
    let identity = |provider: &str| json!({"identity": {"provider": provider, "all": []}});
    let (guardrail, role) = ("ClusterAccessPolicy/g", "AccessRole/a");
    for (entry, named) in [
        (identity("TrustProvider/own"), "TrustProvider/own"),
        (json!({"role": "AccessRole/a"}), "AccessRole/a"),
    ] {
        assert_eq!(inspect(role, entry), refused(guardrail, named));
    }
    for entry in [
        identity("ClusterTrustProvider/okta"),
        json!({"role": "ClusterAccessRole/a"}),
        json!({"missing": "TrustProvider/own"}),
    ] {
        assert_eq!(inspect(role, entry), Ok(()));
    }
    let cluster = "ClusterAccessRole/a";
    assert_eq!(
        inspect(cluster, json!("anyone")),
        refused(cluster, "TrustProvider/own")
    );
}
