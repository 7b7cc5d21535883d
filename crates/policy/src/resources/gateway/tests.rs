//! Of what a route names, what its Gateway gives it.

use crate::resources::Resources;
use countersign_ruleset::kleene::Kleene::{self, False, True, Unknown};
use countersign_ruleset::rules::Pending;
use serde_json::{Value, json};

/// The hosts of a route of `shop`, accepted by the Gateway `edge` of `infra` with these listeners.
fn hosts(names: &[&str], parent: &Value, listeners: &Value) -> Vec<String> {
    let mut reference = json!({"name": "edge", "namespace": "infra"});
    for (name, value) in parent.as_object().unwrap() {
        reference[name] = value.clone();
    }
    let read = |kind: &str| read(kind, names, &reference, listeners);
    let (hosts, _) = read("HTTPRoute");
    assert_eq!(read("GRPCRoute").0, hosts);
    hosts
}

/// The hosts of a route of that kind, and for which it is pending beside.
fn read(
    kind: &str,
    names: &[&str],
    reference: &Value,
    listeners: &Value,
) -> (Vec<String>, Option<Pending>) {
    let accepted = json!([{"type": "Accepted", "status": "True"}]);
    let manifests = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"env": "prod"}}}),
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": "edge", "namespace": "infra"}, "spec": {"listeners": listeners}}),
        json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": kind,
            "metadata": {"name": "r", "namespace": "shop"}, "spec": {"hostnames": names},
            "status": {"parents": [{"parentRef": reference, "conditions": accepted}]}}),
    ];
    let resources = Resources::read(&manifests).unwrap();
    let route = resources.routes.values().next().unwrap();
    let hosts = resources.hosts_of("shop", route).unwrap();
    let pending = resources.pending("shop", route, &hosts);
    (hosts.iter().map(ToString::to_string).collect(), pending)
}

/// A listener for that host, of which namespaces.
fn listener(name: &str, hostname: Option<&str>, namespaces: &Value) -> Value {
    let mut listener = json!({"name": name, "port": 443, "protocol": "HTTPS",
        "allowedRoutes": {"namespaces": namespaces}});
    if let Some(hostname) = hostname {
        listener["hostname"] = json!(hostname);
    }
    listener
}

fn all() -> Value {
    json!({"from": "All"})
}

#[test]
fn a_route_has_of_its_hostnames_those_of_its_listeners() {
    let wide = json!([listener("w", Some("*.example.com"), &all())]);
    let names = [
        "a.example.com",
        "payroll.example.org",
        "*.b.example.com",
        "example.com",
    ];
    assert_eq!(
        hosts(&names, &json!({}), &wide),
        ["*.b.example.com", "a.example.com"]
    );
    let narrow = json!([listener("n", Some("a.example.com"), &all())]);
    assert_eq!(
        hosts(&["*.example.com", "b.example.com"], &json!({}), &narrow),
        ["a.example.com"]
    );
    let any = json!([
        listener("any", None, &all()),
        listener("n", Some("b.example.com"), &all())
    ]);
    assert_eq!(
        hosts(&names[..2], &json!({}), &any),
        ["a.example.com", "payroll.example.org"]
    );
    assert_eq!(
        hosts(&[], &json!({}), &narrow),
        ["a.example.com"],
        "its listener's"
    );
    assert_eq!(
        hosts(&[], &json!({}), &any),
        Vec::<String>::new(),
        "any, and so none that is known"
    );
}

/// Or a route could claim the host of a listener that is not for its namespace.
#[test]
fn a_listener_counts_that_takes_the_routes_of_the_namespace() {
    let names = ["payroll.example.com"];
    let of = |namespaces: Value| {
        let listeners = json!([
            listener("p", Some("payroll.example.com"), &namespaces),
            listener("o", Some("other.example.com"), &all())
        ]);
        !hosts(&names, &json!({}), &listeners).is_empty()
    };
    let labels = |labels: Value| json!({"from": "Selector", "selector": labels});
    for (namespaces, counts) in [
        (all(), true),
        (json!({}), false),
        (json!({"from": "Same"}), false),
        (json!({"from": "None"}), false),
        (json!({"from": null}), false),
        (labels(json!({"matchLabels": {"env": "prod"}})), true),
        (labels(json!({"matchLabels": {"env": "test"}})), false),
        (
            labels(json!({"matchLabels": {"kubernetes.io/metadata.name": "shop"}})),
            true,
        ),
        (
            labels(json!({"matchLabels": {"kubernetes.io/metadata.name": "ops"}})),
            false,
        ),
        (labels(json!({"matchLabels": {"team": "a"}})), false),
        (
            labels(json!({"matchLabels": {"env": "prod"}, "matchExpressions": []})),
            false,
        ),
        (labels(json!({})), false),
        (labels(json!(null)), false),
    ] {
        assert_eq!(of(namespaces.clone()), counts, "{namespaces}");
    }
    let listeners = json!([listener("p", None, &json!({"from": "Same"}))]);
    assert!(hosts(&names, &json!({}), &listeners).is_empty());
}

#[test]
fn a_listener_counts_that_the_route_names() {
    let listeners = json!([
        listener("one", Some("a.example.com"), &all()),
        listener("two", Some("b.example.com"), &all())
    ]);
    let names = ["a.example.com", "b.example.com"];
    assert_eq!(
        hosts(&names, &json!({"sectionName": "two"}), &listeners),
        ["b.example.com"]
    );
    assert_eq!(
        hosts(&names, &json!({"sectionName": "three"}), &listeners),
        Vec::<String>::new()
    );
    assert_eq!(hosts(&names, &json!({}), &listeners), names);
    assert_eq!(
        hosts(&names, &json!({"name": "unseen"}), &json!([])),
        names,
        "it is not among the manifests"
    );
    assert_eq!(
        hosts(&names, &json!({}), &json!(null)),
        Vec::<String>::new()
    );
}

/// Or a route could claim the host of a listener that takes TLS, or calls of gRPC only.
#[test]
fn a_listener_counts_that_takes_the_kind_of_the_route() {
    let name = ["a.example.com"];
    let pending = Some(Pending::Hosts(vec!["a.example.com".parse().unwrap()]));
    let told = |kind: &str, more: &Value| {
        let mut one = listener("one", Some("a.example.com"), &all());
        for (pointer, value) in more.as_object().unwrap() {
            match pointer.as_str() {
                "kinds" => one["allowedRoutes"]["kinds"] = value.clone(),
                name => one[name] = value.clone(),
            }
        }
        let reference = json!({"name": "edge", "namespace": "infra"});
        let listeners = json!([one, listener("other", Some("b.example.com"), &all())]);
        match read(kind, &name, &reference, &listeners) {
            (hosts, None) => Kleene::from(!hosts.is_empty()),
            (hosts, perhaps) => {
                assert_eq!((hosts, &perhaps), (vec![], &pending), "{more}");
                Unknown
            }
        }
    };
    let kinds = |kinds: Value| json!({"kinds": kinds});
    for (more, http, grpc) in [
        (json!({"protocol": "HTTP"}), True, True),
        (json!({"tls": {"mode": "Terminate"}}), True, True),
        (json!({"tls": {"mode": "Passthrough"}}), False, False),
        (json!({"tls": {"mode": null}}), Unknown, Unknown),
        (json!({"protocol": "TLS"}), False, False),
        (json!({"protocol": "TCP"}), False, False),
        (json!({"protocol": "example.com/quic"}), Unknown, Unknown),
        (json!({"protocol": null}), Unknown, Unknown),
        (kinds(json!([])), True, True),
        (kinds(json!([{"kind": "HTTPRoute"}])), True, False),
        (
            kinds(
                json!([{"kind": "TLSRoute"}, {"kind": "GRPCRoute", "group": "gateway.networking.k8s.io"}]),
            ),
            False,
            True,
        ),
        (
            kinds(json!([{"kind": "HTTPRoute", "group": "example.com"}])),
            False,
            False,
        ),
        (kinds(json!([{"kind": "HTTPRoute"}, {}])), True, Unknown),
        (
            kinds(json!([{"kind": "HTTPRoute", "group": null}])),
            Unknown,
            Unknown,
        ),
        (kinds(json!(null)), Unknown, Unknown),
        (kinds(json!({"kind": "HTTPRoute"})), Unknown, Unknown),
        (json!({"hostname": null}), Unknown, Unknown),
        (json!({"name": 7}), Unknown, Unknown),
    ] {
        assert_eq!(told("HTTPRoute", &more), http, "{more}");
        assert_eq!(told("GRPCRoute", &more), grpc, "{more}");
    }
}

#[test]
fn a_listener_counts_that_is_at_the_port_the_route_names() {
    let mut web = listener("web", Some("a.example.com"), &all());
    web["port"] = json!(80);
    let listeners = json!([web, listener("tls", Some("b.example.com"), &all())]);
    let names = ["a.example.com", "b.example.com"];
    assert_eq!(hosts(&names, &json!({"port": 80}), &listeners), names[..1]);
    assert_eq!(hosts(&names, &json!({"port": 443}), &listeners), names[1..]);
    assert_eq!(hosts(&names, &json!({"port": null}), &listeners), names);
    let both = json!({"port": 80, "sectionName": "tls"});
    assert_eq!(hosts(&names, &both, &listeners), Vec::<String>::new());
}

/// What is attached elsewhere may be for every host that it names.
#[test]
fn a_parent_that_is_no_gateway_may_give_it_every_host() {
    let listeners = json!([listener("one", Some("a.example.com"), &all())]);
    let names = ["a.example.com", "b.example.com"];
    for reference in [
        json!({"kind": "ListenerSet"}),
        json!({"group": "", "kind": "Service"}),
        json!({"name": 7}),
        json!({"port": "443"}),
        json!({"sectionName": ["one"]}),
    ] {
        assert_eq!(hosts(&names, &reference, &listeners), names, "{reference}");
    }
    let gateway = json!({"group": "gateway.networking.k8s.io", "kind": "Gateway"});
    assert_eq!(hosts(&names, &gateway, &listeners), names[..1]);
}

/// It may give a rival what it names: `matchExpressions` are not read, and labels that are not there.
#[test]
fn of_a_listener_that_cannot_be_told_the_hosts_are_pending() {
    let reference = json!({"name": "edge", "namespace": "infra"});
    let names = ["a.example.com", "b.example.com"];
    let pending = |selector: Value| {
        let namespaces = json!({"from": "Selector", "selector": selector});
        let listeners = json!([
            listener("a", Some("a.example.com"), &all()),
            listener("b", Some("b.example.com"), &namespaces)
        ]);
        let (hosts, pending) = read("HTTPRoute", &names, &reference, &listeners);
        assert!(hosts.contains(&names[0].to_owned()));
        pending
    };
    let b = Some(Pending::Hosts(vec!["b.example.com".parse().unwrap()]));
    assert_eq!(pending(json!({"matchExpressions": []})), b);
    assert_eq!(pending(json!({"matchLabels": {"env": "prod"}})), None);
    assert_eq!(pending(json!({"matchLabels": {"env": "test"}})), None);
}

/// A Gateway that has not spoken yet may already send it what it names.
#[test]
fn what_no_gateway_has_spoken_of_is_pending() {
    let read = |names: &[&str], asked: Value, parents: Value| {
        let gateway = |name: &str, hostname: &str| {
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
                "metadata": {"name": name, "namespace": "shop"},
                "spec": {"listeners": [{"name": "web", "port": 80, "protocol": "HTTP", "hostname": hostname}]}})
        };
        let manifests = [
            gateway("a", "*.example.com"),
            gateway("b", "*.example.org"),
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
                "metadata": {"name": "r", "namespace": "shop", "generation": 2},
                "spec": {"hostnames": names, "parentRefs": asked}, "status": {"parents": parents}}),
        ];
        let resources = Resources::read(&manifests).unwrap();
        let route = resources.routes.values().next().unwrap();
        let hosts = resources.hosts_of("shop", route).unwrap_or_default();
        let pending = resources.pending("shop", route, &hosts);
        let hosts: Vec<_> = hosts.iter().map(ToString::to_string).collect();
        (hosts, pending)
    };
    let word = |name: &str, status: &str, generation: u64| {
        json!({"parentRef": {"name": name},
            "conditions": [{"type": "Accepted", "status": status, "observedGeneration": generation}]})
    };
    let names = ["x.example.com", "x.example.org"];
    let both = json!([{"name": "a"}, {"name": "b"}]);
    let pending = |names: &[&str]| {
        let names = names.iter().map(|it| it.parse().unwrap());
        Some(Pending::Hosts(names.collect()))
    };
    let com = vec!["x.example.com".to_owned()];
    let accepted = word("a", "True", 2);
    assert_eq!(
        read(&names, both.clone(), json!([accepted])),
        (com.clone(), pending(&["x.example.org"]))
    );
    assert_eq!(
        read(
            &names,
            both.clone(),
            json!([accepted, word("b", "False", 1)])
        ),
        (com.clone(), pending(&["x.example.org"]))
    );
    assert_eq!(
        read(
            &names,
            both.clone(),
            json!([accepted, word("b", "False", 2)])
        ),
        (com.clone(), None)
    );
    assert_eq!(
        read(&names, both.clone(), json!([])),
        (vec![], pending(&names))
    );
    assert_eq!(
        read(&[], both.clone(), json!([])),
        (vec![], Some(Pending::Any))
    );
    let mut stale = accepted;
    stale["conditions"][0]["observedGeneration"] = json!(1);
    assert_eq!(
        read(&names, json!([{"name": "a"}]), json!([stale])),
        (com, pending(&["x.example.org"]))
    );
}
