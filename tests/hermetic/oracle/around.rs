//! Random surroundings: what policies are for, which of it each names, and where the edge stands.

use super::pool::{self, HOST, NAMESPACE};
use super::routes::{SECTIONS, rules};
use super::scenes::{resource, set};
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

const GATEWAY: &str = "gateway.networking.k8s.io";
const KNATIVE: &str = "serving.knative.dev";

/// What may be named: of a group, a kind and a name.
const TARGETS: [[&str; 3]; 7] = [
    [GATEWAY, "HTTPRoute", "shop"],
    [GATEWAY, "GRPCRoute", "shop"],
    [GATEWAY, "HTTPRoute", "site"],
    [GATEWAY, "GRPCRoute", "rpc"],
    ["", "Service", "orders"],
    [KNATIVE, "Service", "orders"],
    ["", "Host", HOST],
];

/// What policies are for, and where the edge stands.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    resources: Vec<Value>,
    /// What each policy names.
    named: Vec<Named>,
    edge: Option<String>,
}

#[derive(Debug, Clone)]
enum Named {
    Hosts(Value),
    References(Value),
    Both(Value, Value),
}

/// Perhaps other targets than the one host.
pub(crate) fn around() -> BoxedStrategy<Option<Around>> {
    let main = prop_oneof![
        6 => Just(0_usize), 5 => Just(1), 1 => Just(2), 1 => Just(3), 3 => Just(4), 4 => Just(5), 1 => Just(6),
    ];
    let named = vec(vec((weighted(0.25, 0..TARGETS.len()), section()), 1..3), 4);
    let odd = vec(weighted(0.06, odd()), 4);
    let by_host = weighted(0.3, Just(()));
    let gone = weighted(0.06, Just(()));
    let all = (main, named, odd, by_host, there(), gone);
    weighted(pool::TARGETS, all)
        .prop_map(|around| {
            let (main, named, odd, by_host, there, gone) = around?;
            let (routes, some, mut resources) = there;
            let is_there =
                |number: &usize| some.contains(number) || *number == main && gone.is_none();
            let routes = routes.into_iter().enumerate();
            let routes = routes.filter(|(number, _)| is_there(number));
            resources.extend(routes.map(|(_, route)| route));
            let edge = TARGETS.get(main).map(|target| id(*target));
            let named = named.into_iter().zip(odd);
            let named = named.map(|(those, odd)| odd.unwrap_or_else(|| references(main, those)));
            Some(Around {
                resources,
                named: named.collect(),
                edge: edge.filter(|_| by_host.is_none() || main == 4),
            })
        })
        .boxed()
}

impl Around {
    /// Lets the policies name what they are for; and where the edge stands.
    pub(crate) fn stand(self, resources: &mut Vec<Value>) -> Option<String> {
        for (policy, named) in resources.iter_mut().zip(&self.named) {
            aim(policy, named);
        }
        resources.extend(self.resources);
        self.edge
    }
}

/// What was wrong stays.
fn aim(policy: &mut Value, named: &Named) {
    let spec = policy["spec"].as_object_mut();
    let Some(hosts) = spec.and_then(|spec| spec.remove("hosts")) else {
        return;
    };
    let (field, value) = match named {
        _ if hosts != json!([HOST]) => ("targetRefs", &hosts),
        Named::Hosts(hosts) => ("hosts", hosts),
        Named::References(references) => ("targetRefs", references),
        Named::Both(hosts, references) => {
            policy["spec"]["hosts"] = hosts.clone();
            ("targetRefs", references)
        }
    };
    policy["spec"][field] = value.clone();
}

fn id([group, kind, name]: [&str; 3]) -> String {
    let dot = if group.is_empty() { "" } else { "." };
    format!("{kind}{dot}{group}/{name}")
}

fn references(main: usize, those: Vec<(Option<usize>, Option<Value>)>) -> Named {
    let reference = |(other, section): (Option<usize>, Option<Value>)| {
        let [group, kind, name] = *TARGETS.get(other.unwrap_or(main))?;
        let mut reference = json!({"group": group, "kind": kind, "name": name});
        // Only a route has sections; that of a Service is a mistake, and seldom made.
        let section = section.filter(|it| kind != "Service" || *it == json!("gone"));
        set(&mut reference, "sectionName", section);
        (kind != "Host").then_some(reference)
    };
    let references: Vec<Value> = those.into_iter().filter_map(reference).collect();
    if references.is_empty() {
        Named::Hosts(json!([HOST]))
    } else {
        Named::References(json!(references))
    }
}

fn section() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        10 => Just(None),
        8 => select(&SECTIONS[..]).prop_map(|name| Some(json!(name))),
        1 => select(vec![json!("gone"), json!(null), json!(7), json!("")]).prop_map(Some),
    ]
}

/// Several hosts, and what is no target.
fn odd() -> impl Strategy<Value = Named> {
    let reference = |field: &str, value: Value| {
        let mut one = json!({"group": GATEWAY, "kind": "HTTPRoute", "name": "shop"});
        one[field] = value;
        Named::References(json!([one]))
    };
    let good = json!([{"group": GATEWAY, "kind": "HTTPRoute", "name": "shop"}]);
    let shop = good[0].clone();
    select(vec![
        Named::Hosts(json!([HOST, "new.example.com"])),
        Named::Hosts(json!(["new.example.com"])),
        Named::Hosts(json!(["Orders.Example.com"])),
        Named::Hosts(json!([HOST, "not a host"])),
        Named::Both(json!([HOST]), good),
        reference("group", json!("gateway.example.com")),
        reference("group", json!(null)),
        reference("kind", json!("Route")),
        reference("name", json!("Shop")),
        reference("name", json!("gone")),
        reference("namespace", json!(NAMESPACE)),
        Named::References(json!([shop, null])),
        Named::References(json!([shop, {}])),
        Named::References(json!([{"kind": "Service", "name": "orders"}])),
    ])
}

/// Every route, those that are there whatever the target is, and Gateways and Services.
type There = (Vec<Value>, Vec<usize>, Vec<Value>);

fn there() -> BoxedStrategy<There> {
    let both = (route("HTTPRoute", "shop"), route("GRPCRoute", "shop"));
    let others = (route("HTTPRoute", "site"), route("GRPCRoute", "rpc"));
    let url = prop_oneof![
        4 => Just(Some(json!("https://orders.example.com"))),
        1 => select(vec![json!("http://orders.example.com"), json!("https://new.example.com/"), json!(null)]).prop_map(Some),
        1 => Just(None),
    ];
    let gateways = (
        weighted(0.8, gateway("edge")),
        weighted(0.3, gateway("inner")),
    );
    let services = (weighted(0.95, Just(())), weighted(0.95, url));
    let routes = subsequence(vec![0_usize, 1, 2, 3], 0..=2);
    ((both, others), routes, gateways, services)
        .prop_map(
            |(((a, b), (c, d)), routes, (edge, inner), (service, url))| {
                let mut there: Vec<Value> = edge.into_iter().chain(inner).collect();
                there.extend(service.map(|()| manifest("v1", "Service", "orders")));
                there.extend(url.map(|url| {
                    let version = format!("{KNATIVE}/v1");
                    let mut service = manifest(&version, "Service", "orders");
                    set(&mut service, "status", url.map(|url| json!({"url": url})));
                    service
                }));
                (vec![a, b, c, d], routes, there)
            },
        )
        .boxed()
}

fn manifest(version: &str, kind: &str, name: &str) -> Value {
    let mut manifest = resource(kind, Some(NAMESPACE), name, &json!({}));
    manifest["apiVersion"] = json!(version);
    manifest
}

fn route(kind: &'static str, name: &'static str) -> BoxedStrategy<Value> {
    let hostnames = prop_oneof![
        12 => Just(Some(json!([HOST]))),
        3 => Just(Some(json!(["*.example.com"]))),
        2 => Just(Some(json!([HOST, "*.example.com"]))),
        1 => select(vec![json!(["new.example.com"]), json!(["*.orders.example.com"]), json!([HOST, HOST])]).prop_map(Some),
        1 => select(vec![json!(["Orders.Example.com"]), json!([HOST, 7]), json!(null), json!([])]).prop_map(Some),
        1 => Just(None),
    ];
    let asks = weighted(0.3, vec(parent(), 1..3));
    (hostnames, rules(kind), asks, weighted(0.45, status()))
        .prop_map(move |(hostnames, rules, asks, status)| {
            let mut route = manifest(&format!("{GATEWAY}/v1"), kind, name);
            set(&mut route["spec"], "hostnames", hostnames);
            set(&mut route["spec"], "rules", Some(rules));
            set(&mut route["spec"], "parentRefs", asks.map(Value::Array));
            if let Some((generation, status)) = status {
                set(&mut route["metadata"], "generation", generation);
                route["status"] = status;
            }
            route
        })
        .boxed()
}

fn parent() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => Just(json!({"name": "edge"})),
        2 => Just(json!({"name": "inner"})),
        1 => Just(json!({"name": "edge", "sectionName": "web"})),
        1 => Just(json!({"name": "edge", "port": 80})),
        1 => Just(json!({"name": "unseen"})),
        1 => Just(json!({"kind": "ListenerSet", "name": "more"})),
    ]
}

/// What the Gateways say, and of which generation it is now.
fn status() -> BoxedStrategy<(Option<Value>, Value)> {
    let word = prop_oneof![5 => Just("True"), 3 => Just("False"), 1 => Just("Unknown")];
    let observed = weighted(0.3, select(vec![1, 2]));
    let one = (parent(), word, observed).prop_map(|(parent, word, observed)| {
        let mut accepted = json!({"type": "Accepted", "status": word});
        set(
            &mut accepted,
            "observedGeneration",
            observed.map(|it| json!(it)),
        );
        let resolved = json!({"type": "ResolvedRefs", "status": "True"});
        json!({"parentRef": parent, "conditions": [resolved, accepted]})
    });
    let parents = prop_oneof![
        16 => vec(one, 1..3).prop_map(Value::Array),
        2 => Just(json!([])),
        1 => Just(json!(null)),
    ];
    let generation = weighted(0.4, Just(json!(2)));
    (generation, parents)
        .prop_map(|(generation, parents)| (generation, json!({"parents": parents})))
        .boxed()
}

fn gateway(name: &'static str) -> BoxedStrategy<Value> {
    vec(listener(), 1..3)
        .prop_map(move |mut listeners| {
            for (listener, name) in listeners.iter_mut().zip(["web", "other"]) {
                listener["name"] = json!(name);
            }
            let mut gateway = manifest(&format!("{GATEWAY}/v1"), "Gateway", name);
            gateway["spec"]["listeners"] = json!(listeners);
            gateway
        })
        .boxed()
}

fn listener() -> BoxedStrategy<Value> {
    let hostname = weighted(
        0.7,
        select(vec![
            HOST,
            "*.example.com",
            "new.example.com",
            "*.example.net",
        ]),
    );
    let protocol = prop_oneof![6 => Just(Some("HTTPS")), 2 => Just(Some("HTTP")), 1 => Just(Some("TLS")), 1 => Just(None)];
    let port = select(vec![80, 443]);
    let selector = |name: &str| json!({"matchLabels": {"kubernetes.io/metadata.name": name}});
    let namespaces = select(vec![
        json!({"from": "Same"}),
        json!({"from": "All"}),
        json!({"from": "None"}),
        json!({"from": "Selector", "selector": selector(NAMESPACE)}),
        json!({"from": "Selector", "selector": selector("ops")}),
        json!({"from": "Selector", "selector": {"matchLabels": {"env": "test"}}}),
    ]);
    let kinds = select(vec![
        json!([{"kind": "HTTPRoute"}]),
        json!([{"kind": "GRPCRoute"}]),
    ]);
    let allowed = (weighted(0.4, namespaces), weighted(0.2, kinds));
    (hostname, protocol, port, allowed)
        .prop_map(|(hostname, protocol, port, (namespaces, kinds))| {
            let mut listener = json!({"port": port});
            set(&mut listener, "hostname", hostname.map(|it| json!(it)));
            set(&mut listener, "protocol", protocol.map(|it| json!(it)));
            if namespaces.is_some() || kinds.is_some() {
                let mut allowed = json!({});
                set(&mut allowed, "namespaces", namespaces);
                set(&mut allowed, "kinds", kinds);
                listener["allowedRoutes"] = allowed;
            }
            listener
        })
        .boxed()
}
