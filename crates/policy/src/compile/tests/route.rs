//! Lines 22, 23 and 24: routes, their sections, and what stands behind them.

use super::{Reason, applications, compiled_yaml, found, reason, resource, texts};
use crate::compile::Compilation;
use countersign_ruleset::rules::{Application, Policy};

pub(super) const RULES: &str = "rules: [{name: allow, from: [{providerRef: {name: okta}}]}, {name: deny, action: Deny, from: [{anyone: true}], to: [{paths: [/x]}]}]";
const ACCEPTED: &str = "{parents: [{conditions: [{type: Accepted, status: 'True'}]}]}";
const REFUSED: &str = "{parents: [{conditions: [{type: Accepted, status: 'False'}]}]}";

/// A route of `shop` with three rules, of which one has no name.
pub(super) fn route(name: &str, hostnames: &str, status: &str) -> String {
    format!(
        "\n---\n{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: {name}, namespace: shop}}, spec: {{{hostnames}rules: [{{name: api, matches: [{{path: {{value: /v1}}}}], backendRefs: [{{name: orders, port: 80}}]}}, {{name: site, backendRefs: [{{name: web}}, {{name: ledger, namespace: ops}}]}}, {{matches: [{{path: {{value: /old}}}}]}}]}}, status: {status}}}\n"
    )
}

pub(super) fn shop(status: &str) -> String {
    route(
        "shop",
        "hostnames: [shop.example.com, '*.shop.example.com', shop.example.net], ",
        status,
    )
}

/// A policy that names these.
pub(super) fn names(name: &str, references: &[&str], spec: &str) -> String {
    let references = references.join(", ");
    resource(
        "AccessPolicy",
        name,
        &format!("{{targetRefs: [{references}], {spec}}}"),
    )
}

pub(super) const SHOP: &str = "{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop}";
pub(super) const API: &str =
    "{group: gateway.networking.k8s.io, kind: HTTPRoute, name: shop, sectionName: api}";

pub(super) fn application<'c>(compilation: &'c Compilation, name: &str) -> &'c Application {
    let id = format!("HTTPRoute.gateway.networking.k8s.io/{name}");
    let mut all = applications(compilation).iter();
    all.find(|it| it.id.as_str() == id)
        .unwrap_or_else(|| panic!("no {id}"))
}

pub(super) fn policies(application: &Application) -> Vec<(&str, Option<&str>)> {
    let policies = application.policies.iter();
    policies
        .map(|it| (it.id.as_str(), it.section.as_deref()))
        .collect()
}

pub(super) fn allows(policy: &Policy) -> bool {
    !policy.rules[0].to[0].unknown
}

#[test]
fn a_route_is_for_its_hosts_and_hears_those_without_a_wildcard() {
    for (status, accepted) in [("{}", false), (ACCEPTED, true)] {
        let compilation = compiled_yaml(&format!("{}{}", shop(status), names("p", &[SHOP], RULES)));
        let shop = application(&compilation, "shop");
        let hosts: Vec<_> = shop.hosts.iter().map(ToString::to_string).collect();
        assert_eq!(
            hosts,
            ["*.shop.example.com", "shop.example.com", "shop.example.net"]
        );
        assert_eq!(shop.accepted, accepted);
        assert_eq!(policies(shop), [("AccessPolicy/p", None)]);
        let audiences = texts(&["https://shop.example.com", "https://shop.example.net"]);
        assert_eq!(shop.policies[0].audiences, audiences);
        assert!(allows(&shop.policies[0]));
        assert_eq!(found(&compilation), Vec::<String>::new());
        let outcome = compilation
            .statuses
            .iter()
            .find(|(id, _)| id.name == "p")
            .unwrap()
            .1;
        assert_eq!((&outcome.audiences, &outcome.hosts), (&audiences, &hosts));
    }
}

#[test]
fn a_route_that_no_gateway_accepted_has_no_hosts() {
    let audience = format!("audiences: [api], {RULES}");
    for (status, hosts, expected) in [
        (
            REFUSED,
            "hostnames: [shop.example.com], ",
            "no Gateway accepted the route",
        ),
        (
            "{parents: []}",
            "hostnames: [shop.example.com], ",
            "no Gateway accepted the route",
        ),
        ("{}", "", "the route names no hostname"),
        (
            "{}",
            "hostnames: [Shop.example.com], ",
            "a hostname of the route is none",
        ),
    ] {
        let route = route("shop", hosts, status);
        let compilation = compiled_yaml(&format!("{route}{}", names("p", &[SHOP], &audience)));
        let shop = application(&compilation, "shop");
        assert!(shop.hosts.is_empty() && !shop.accepted);
        assert!(
            allows(&shop.policies[0]),
            "a pinned edge has no need of them"
        );
        assert_eq!(
            found(&compilation),
            ["warning RouteHosts spec.targetRefs[0]"]
        );
        let message = &compilation.diagnostics[0].message;
        assert!(message.contains(expected), "{message}");
        let silent = compiled_yaml(&format!("{route}{}", names("p", &[SHOP], RULES)));
        assert_eq!(
            reason(&silent, "AccessPolicy", "p"),
            (false, Reason::AudienceRequired)
        );
    }
}

#[test]
fn a_route_that_is_not_there_or_cannot_be_read_allows_nothing() {
    let compilation = compiled_yaml(&names(
        "p",
        &[SHOP, API],
        &format!("audiences: [a], {RULES}"),
    ));
    let shop = application(&compilation, "shop");
    assert!(!shop.policies.iter().any(allows) && shop.policies.len() == 2);
    let missing = [
        "TargetNotFound spec.targetRefs[0]",
        "TargetNotFound spec.targetRefs[1]",
    ];
    assert_eq!(found(&compilation), missing);
    let many: Vec<String> = (0..65).map(|n| format!("{{name: r{n}}}")).collect();
    let huge = format!(
        "\n---\n{{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {{name: shop, namespace: shop}}, spec: {{hostnames: [shop.example.com], rules: [{}]}}}}\n",
        many.join(", ")
    );
    for (route, code) in [
        (huge.clone(), "TooMany"),
        (
            huge.replace(&many.join(", "), "").replace("[]", "7"),
            "SectionUnclear",
        ),
    ] {
        let compilation = compiled_yaml(&format!("{route}{}", names("p", &[API], RULES)));
        let shop = application(&compilation, "shop");
        assert!(!allows(&shop.policies[0]));
        assert!(shop.sections[0].matches[0].unknown);
        assert_eq!(found(&compilation), [format!("{code} spec.targetRefs[0]")]);
    }
}

#[test]
fn of_a_host_that_two_routes_share_neither_hears_it() {
    let split = route("admin", "hostnames: [shop.example.com], ", "{}");
    let admin = SHOP.replace("name: shop", "name: admin");
    let policies = format!(
        "{}{}",
        names("p", &[SHOP], RULES),
        names("q", &[&admin], RULES)
    );
    let compilation = compiled_yaml(&format!("{}{split}{policies}", shop("{}")));
    let heard = |name| &application(&compilation, name).policies[0].audiences;
    assert_eq!(heard("shop"), &["https://shop.example.net"]);
    assert_eq!(heard("admin"), &Vec::<String>::new());
    let expected = [
        "warning AudienceRequired spec.audiences",
        "AudienceRequired spec.audiences",
    ];
    assert_eq!(found(&compilation), expected);
    let one = names("p", &[SHOP, API], RULES);
    let compilation = compiled_yaml(&format!("{}{one}", shop("{}")));
    assert_eq!(
        found(&compilation),
        Vec::<String>::new(),
        "two sections are one target"
    );
}

/// What no policy covers is denied, also where it shares a host with what one covers.
#[test]
fn a_route_beside_one_that_is_named_takes_its_part() {
    let beside = |hostnames: &str, status: &str| {
        let other = route("other", hostnames, status);
        let compilation = compiled_yaml(&format!(
            "{}{other}{}",
            shop("{}"),
            names("p", &[SHOP], RULES)
        ));
        let all = applications(&compilation).iter();
        all.filter(|it| it.policies.is_empty())
            .map(|it| (it.hosts.len(), it.sections.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(beside("hostnames: [shop.example.com], ", "{}"), [(1, 3)]);
    assert_eq!(beside("hostnames: [a.shop.example.com], ", "{}"), [(1, 3)]);
    assert_eq!(beside("", "{}"), [(0, 3)], "it may be for any");
    assert_eq!(beside("hostnames: [other.example.com], ", "{}"), []);
    assert_eq!(beside("hostnames: [shop.example.com], ", REFUSED), []);
    for status in [
        "{parents: []}",
        "{parents: [{conditions: [{type: Accepted, status: Unknown}]}]}",
    ] {
        let taken = [(0, 3)];
        assert_eq!(beside("hostnames: [shop.example.com], ", status), taken);
        assert_eq!(beside("hostnames: [other.example.com], ", status), []);
        assert_eq!(beside("", status), taken, "it may be for any");
    }
}

#[test]
fn a_deny_of_one_door_is_said_to_be_none_of_the_other() {
    let orders =
        "\n---\n{apiVersion: v1, kind: Service, metadata: {name: orders, namespace: shop}}\n";
    let service = "{group: '', kind: Service, name: orders}";
    let open = "audiences: [a], rules: [{name: a, from: [{providerRef: {name: okta}}]}]";
    let denying = format!("audiences: [a], {RULES}");
    let with = |policies: &str| found(&compiled_yaml(&format!("{}{orders}{policies}", shop("{}"))));
    let warned = ["warning NotCascading spec.rules[1]"];
    assert_eq!(
        with(&format!(
            "{}{}",
            names("p", &[SHOP], &denying),
            names("q", &[service], open)
        )),
        warned
    );
    assert_eq!(
        with(&format!(
            "{}{}",
            names("p", &[API], &denying),
            names("q", &[service], open)
        )),
        warned
    );
    assert_eq!(
        with(&format!(
            "{}{}",
            names("p", &[SHOP], open),
            names("q", &[service], &denying)
        )),
        warned
    );
    let site = API.replace("sectionName: api", "sectionName: site");
    assert_eq!(
        with(&format!(
            "{}{}",
            names("p", &[&site], &denying),
            names("q", &[service], open)
        )),
        Vec::<String>::new()
    );
    assert_eq!(
        with(&names("p", &[SHOP, service], &denying)),
        Vec::<String>::new(),
        "it stands at both"
    );
    assert_eq!(
        with(&names("p", &[SHOP], &denying)),
        Vec::<String>::new(),
        "the Service has none"
    );
    let observed = format!("mode: Observe, {denying}");
    let both = format!(
        "{}{}{}",
        names("p", &[SHOP], &observed),
        names("q", &[service], open),
        names("r", &[SHOP], open)
    );
    assert_eq!(with(&both), Vec::<String>::new(), "it decides nothing");
}

#[test]
fn a_target_that_is_only_observed_is_said_to_be_closed() {
    let observed = format!("mode: Observe, {RULES}");
    let compilation = compiled_yaml(&format!("{}{}", shop("{}"), names("p", &[SHOP], &observed)));
    assert_eq!(found(&compilation), ["warning ObservedOnly spec.mode"]);
    let both = format!(
        "{}{}",
        names("p", &[SHOP], &observed),
        names("q", &[SHOP], RULES)
    );
    assert_eq!(
        found(&compiled_yaml(&format!("{}{both}", shop("{}")))),
        Vec::<String>::new()
    );
}
