//! Which section takes what: the tables that Gateway API's own text implies.

use super::{Asked, Sections};
use countersign_ruleset::host::Host;
use countersign_ruleset::kleene::Kleene::{self, False, True, Unknown};
use countersign_ruleset::path::CanonicalPath;
use countersign_ruleset::rules::Application;
use http::Method;
use serde_json::json;
use std::sync::Arc;

/// A route of that host, with sections in JSON.
fn route(name: &str, hosts: &[&str], sections: &str) -> Application {
    let sections: serde_json::Value = serde_json::from_str(sections).unwrap();
    let application = json!({"id": format!("HTTPRoute.gateway.networking.k8s.io/{name}"), "hosts": hosts,
        "sections": sections, "policies": [], "forward": [], "disclose": "Code"});
    serde_json::from_value(application).unwrap()
}

fn alone(sections: &str) -> Arc<Sections> {
    Sections::of(&[route("shop", &["shop.example.com"], sections)]).remove(0)
}

fn asks(sections: &Sections, name: Option<&str>, host: Option<&str>, line: &str) -> Kleene {
    let (method, path) = line.split_once(' ').unwrap();
    let (method, path): (Method, _) = (
        method.parse().unwrap(),
        CanonicalPath::parse(path.as_bytes()),
    );
    let host = host.map(|host| Host::parse(host).unwrap());
    let asked = Asked {
        host: host.as_ref(),
        method: &method,
        path: &path.unwrap(),
    };
    sections.takes(name, asked)
}

fn takes(sections: &Sections, name: &str, line: &str) -> Kleene {
    asks(sections, Some(name), Some("shop.example.com"), line)
}

#[test]
fn the_most_specific_match_wins() {
    let route = alone(
        r#"[{"name":"all","matches":[{"path":"/**","unknown":false}]},
            {"name":"v1","matches":[{"path":"/v1/**","unknown":false}]},
            {"name":"ping","matches":[{"path":"/v1/ping","unknown":false},{"path":"/","unknown":false}]},
            {"name":"get","matches":[{"path":"/v2/**","method":"GET","unknown":false}]},
            {"name":"shadowed","matches":[]},
            {"matches":[{"path":"/v2/**","unknown":false},{"path":"/v3/**","method":"PUT","unknown":false}]}]"#,
    );
    for (line, section) in [
        ("GET /", "ping"),
        ("GET /v10", "all"),
        ("GET /v1", "v1"),
        ("GET /v1/", "v1"),
        ("GET /v1/orders", "v1"),
        ("GET /v1/ping", "ping"),
        ("GET /v1/ping/", "v1"),
        ("GET /v1/ping/x", "v1"),
        ("GET /V1", "all"),
        ("GET /v2/orders", "get"),
        ("HEAD /v2/orders", ""),
        ("GET /v3", "all"),
        ("PUT /v3", ""),
    ] {
        for name in ["all", "v1", "ping", "get", "shadowed"] {
            let expected = if name == section { True } else { False };
            assert_eq!(takes(&route, name, line), expected, "{name}: {line}");
        }
    }
    assert_eq!(takes(&route, "absent", "GET /"), Unknown);
}

#[test]
fn what_more_is_asked_counts_only_where_nothing_more_specific_takes_it() {
    let route = alone(
        r#"[{"name":"a","matches":[{"path":"/a/**","unknown":false}]},
            {"name":"b","matches":[{"path":"/b/**","unknown":false}]},
            {"name":"canary","matches":[{"path":"/b/**","unknown":true},{"path":"/c/**","unknown":true}]},
            {"name":"low","matches":[{"path":"/**","unknown":true}]}]"#,
    );
    for (name, line, expected) in [
        ("b", "GET /b", Unknown),
        ("canary", "GET /b", Unknown),
        ("canary", "GET /c", Unknown),
        ("canary", "GET /a", False),
        ("low", "GET /a", False),
        ("low", "GET /b", False),
        ("low", "GET /c", Unknown),
        ("a", "GET /a", True),
        ("a", "GET /c", False),
    ] {
        assert_eq!(takes(&route, name, line), expected, "{name}: {line}");
    }
}

#[test]
fn what_a_regular_expression_takes_is_never_known() {
    let route = alone(
        r#"[{"name":"a","matches":[{"path":"/a","unknown":false}]},
            {"name":"re","matches":[{"method":"GET","unknown":true}]},
            {"name":"odd","matches":[{"method":"PUT","unknown":false}]}]"#,
    );
    assert_eq!(takes(&route, "a", "GET /a"), Unknown);
    assert_eq!(takes(&route, "re", "GET /a"), Unknown);
    assert_eq!(takes(&route, "a", "POST /a"), True);
    assert_eq!(takes(&route, "re", "POST /a"), False);
    assert_eq!(
        takes(&route, "odd", "PUT /b"),
        Unknown,
        "no path is not every path"
    );
}

#[test]
fn of_two_that_are_equally_specific_neither_is_taken_for_the_one() {
    let route = alone(
        r#"[{"name":"a","matches":[{"path":"/a/**","unknown":false}]},
            {"name":"b","matches":[{"path":"/a/**","unknown":false}]}]"#,
    );
    assert_eq!(takes(&route, "a", "GET /a"), Unknown);
    assert_eq!(takes(&route, "b", "GET /a"), Unknown);
    assert_eq!(takes(&route, "a", "GET /c"), False, "nobody takes it");
}

/// "Characters in a matching service", then "in a matching method" (`GRPCRouteRule.matches`).
#[test]
fn of_grpc_the_service_counts_before_the_method() {
    let route = alone(
        r#"[{"name":"call","matches":[{"path":"/shop.v1.Orders/Get","method":"POST","unknown":false}]},
            {"name":"service","matches":[{"path":"/shop.v1.Orders/*","method":"POST","unknown":false},
                                         {"path":"/shop.v1.Orders/**","unknown":true}]},
            {"name":"method","matches":[{"path":"/*/Get","method":"POST","unknown":false}]},
            {"name":"all","matches":[{"path":"/*/*","method":"POST","unknown":false}]}]"#,
    );
    for (line, section) in [
        ("POST /shop.v1.Orders/Get", "call"),
        ("POST /shop.v1.Orders/List", "service"),
        ("POST /shop.v1.Carts/Get", "method"),
        ("POST /shop.v1.Carts/List", "all"),
        ("POST /shop.v1.Carts", ""),
        ("GET /shop.v1.Carts/Get", ""),
    ] {
        for name in ["call", "service", "method", "all"] {
            let expected = if name == section { True } else { False };
            assert_eq!(takes(&route, name, line), expected, "{name}: {line}");
        }
    }
    assert_eq!(takes(&route, "service", "GET /shop.v1.Orders/Get"), Unknown);
}

const ALL: &str = r#"[{"name":"all","matches":[{"path":"/**","unknown":false}]}]"#;
const ADMIN: &str = r#"[{"matches":[{"path":"/admin/**","unknown":false}]}]"#;

#[test]
fn another_route_of_the_host_takes_its_part() {
    let both = Sections::of(&[
        route("shop", &["shop.example.com", "only.example.com"], ALL),
        route("admin", &["shop.example.com"], ADMIN),
    ]);
    let on = |n: usize, host, line| asks(&both[n], None, Some(host), line);
    assert_eq!(on(0, "shop.example.com", "GET /"), True);
    assert_eq!(on(0, "shop.example.com", "GET /admin"), False);
    assert_eq!(on(1, "shop.example.com", "GET /admin"), True);
    assert_eq!(on(1, "shop.example.com", "GET /"), False);
    assert_eq!(on(0, "only.example.com", "GET /admin"), True);
    let foreign = |line| asks(&both[0], Some("all"), None, line);
    assert_eq!(
        foreign("GET /admin"),
        Unknown,
        "which host it is for is not known"
    );
    assert_eq!(foreign("GET /"), True);
}

#[test]
fn the_more_specific_hostname_counts_before_the_path() {
    let admin = |hosts: &[&str]| {
        Sections::of(&[
            route(
                "shop",
                &["*.example.com"],
                r#"[{"name":"all","matches":[{"path":"/admin/x","unknown":false}]}]"#,
            ),
            route("admin", hosts, ADMIN),
        ])
        .remove(0)
    };
    for (hosts, expected) in [
        (&["shop.example.com"][..], False),
        (&["*.com"], True),
        (&["*.example.com"], True),
        (&["other.example.com"], True),
        (&["*.shop.example.com"], True),
        (&[], Unknown),
    ] {
        assert_eq!(
            takes(&admin(hosts), "all", "GET /admin/x"),
            expected,
            "{hosts:?}"
        );
    }
}

/// Which of two routes is older stands in no manifest.
#[test]
fn of_two_routes_that_are_equally_specific_neither_is_known_to_take_it() {
    let both = Sections::of(&[
        route("one", &["shop.example.com"], ALL),
        route("two", &["shop.example.com"], ALL),
    ]);
    for sections in &both {
        assert_eq!(takes(sections, "all", "GET /"), Unknown);
    }
}

#[test]
fn what_is_no_route_takes_part_in_nothing() {
    let both = Sections::of(&[
        route("one", &["shop.example.com"], ALL),
        route("two", &["shop.example.com"], "[]"),
    ]);
    assert_eq!(takes(&both[0], "all", "GET /"), True);
    assert!(both[0].is_route() && !both[1].is_route());
    assert_eq!(takes(&both[1], "all", "GET /"), Unknown);
}

#[test]
fn of_too_many_matches_nothing_is_known() {
    let many: Vec<_> = (0..4_096)
        .map(|n| json!({"path": format!("/p{n}"), "unknown": false}))
        .collect();
    let text = |many: &[_]| json!([{"name": "all", "matches": many}]).to_string();
    assert_eq!(takes(&alone(&text(&many)), "all", "GET /p7"), True);
    let more = [&many[..], &[json!({"path": "/more", "unknown": false})]].concat();
    assert_eq!(takes(&alone(&text(&more)), "all", "GET /p7"), Unknown);
}

/// It may already take what its Gateway has not said yet that it does: neither is it known that it does.
#[test]
fn a_rival_that_waits_for_its_gateway_takes_perhaps() {
    let all = r#"[{"name": "all", "matches": [{"path": "/**", "unknown": false}]}]"#;
    let admin = r#"[{"name": "all", "matches": [{"path": "/admin/**", "unknown": false}]}]"#;
    let with = |hosts: &[&str], pending: serde_json::Value| {
        let mut rival = serde_json::to_value(route("rival", hosts, admin)).unwrap();
        rival["pending"] = pending;
        let rival = serde_json::from_value(rival).unwrap();
        let own = route("shop", &["shop.example.com"], all);
        let sections = Sections::of(&[own, rival]).remove(0);
        [
            takes(&sections, "all", "GET /admin"),
            takes(&sections, "all", "GET /x"),
        ]
    };
    let this = json!({"hosts": ["shop.example.com"]});
    assert_eq!(with(&[], this.clone()), [Unknown, True]);
    assert_eq!(with(&["other.example.com"], this.clone()), [Unknown, True]);
    assert_eq!(with(&["*.example.com"], this), [Unknown, True]);
    assert_eq!(with(&["other.example.com"], json!("any")), [Unknown, True]);
    assert_eq!(
        with(&["other.example.com"], json!({"hosts": ["a.example.com"]})),
        [True, True]
    );
    assert_eq!(
        with(&["shop.example.com"], json!({"hosts": ["*.example.com"]})),
        [False, True]
    );
    assert_eq!(
        with(&["other.example.com"], serde_json::Value::Null),
        [True, True]
    );
}

/// Who may write routes must not have every edge busy with each of each.
#[test]
fn many_routes_are_made_ready_at_once() {
    let one = r#"[{"name": "all", "matches": [{"path": "/**", "unknown": false}]}]"#;
    let of = |n: usize, host: &str| route(&format!("r{n}"), &[host], one);
    let apart = |n| of(n, &format!("r{n}.example.com"));
    let below = |n| of(n, &format!("*.r{n}.example.net"));
    let together = |n| of(n, "shop.example.com");
    let mut many: Vec<Application> = (0..20_000).map(apart).collect();
    many.extend((20_000..40_000).map(below));
    many.extend((40_000..44_096).map(together));
    let sections = Sections::of(&many);
    let sharing = |n: usize| sections[n].sharing.as_ref().unwrap();
    for alone in [0, 20_000] {
        assert_eq!(sharing(alone).len(), 1);
    }
    assert_eq!(sharing(40_000).len(), 4_096);
    assert!(Arc::ptr_eq(sharing(40_000), sharing(44_095)));
    // one more is too many, for all that share the host
    many.push(together(44_096));
    let sections = Sections::of(&many);
    assert!(sections[40_000].sharing.is_none());
    assert_eq!(takes(&sections[40_000], "all", "GET /"), Unknown);
    assert_eq!(asks(&sections[0], Some("all"), None, "GET /"), True);
}
