//! Flags: which go together, what they mean, and what is refused by its name.

use super::{Args, Parts, Unfit, command};
use crate::source::TrustedProxies;
use clap::Parser;
use clap::error::ErrorKind;
use countersign_enforcer::load::Place;
use countersign_enforcer::store::Target;
use std::path::Path;
use std::time::Duration;

/// What every edge is told, and more of it.
fn read(trust_root: &Path, more: &[&str]) -> Result<Args, ErrorKind> {
    let root = trust_root.display().to_string();
    let always = [
        "countersign-edge",
        "--trust-root",
        &root,
        "--upstream",
        "http://127.0.0.1:9000",
        "--listen",
        "127.0.0.1:0",
    ];
    let all = always.iter().chain(more);
    Args::try_parse_from(all).map_err(|error| error.kind())
}

fn parts(more: &[&str]) -> Result<Parts, Unfit> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("1.json");
    std::fs::write(&root, b"trust").unwrap();
    read(&root, more).unwrap().parts()
}

const ORDERS: [&str; 8] = [
    "--rulesets",
    "published",
    "--cluster",
    "prod",
    "--scope",
    "shop",
    "--target",
    "Service/orders",
];

#[test]
fn the_command_is_sound() {
    command().debug_assert();
}

#[test]
fn an_edge_stands_in_front_of_one_application_or_of_hosts() {
    let orders = parts(&ORDERS).unwrap();
    let application = Target::Application("Service/orders".parse().unwrap());
    assert_eq!(
        (orders.target, orders.sources.trust_root),
        (application, b"trust".to_vec())
    );
    let mut hosts = ORDERS[..6].to_vec();
    assert_eq!(
        read(Path::new("x"), &hosts).unwrap_err(),
        ErrorKind::MissingRequiredArgument
    );
    hosts.push("--route-by-host");
    let parts = parts(&hosts).unwrap();
    assert_eq!((parts.target, parts.scopes.len()), (Target::ByHost, 1));
    let both = [&ORDERS[..], &["--route-by-host"]].concat();
    assert_eq!(
        read(Path::new("x"), &both).unwrap_err(),
        ErrorKind::ArgumentConflict
    );
}

#[test]
fn an_application_is_of_one_scope() {
    let two = [&ORDERS[..], &["--scope", "bank"]].concat();
    assert!(matches!(parts(&two), Err(Unfit::Scopes(2))));
}

/// Who may write in one namespace must not take the hosts of another: see `Target::ByHost`.
#[test]
fn hosts_may_be_of_several_scopes() {
    let mut two = ORDERS[..6].to_vec();
    two.extend(["--route-by-host", "--scope", "bank"]);
    let parts = parts(&two).unwrap();
    assert_eq!((parts.target, parts.scopes.len()), (Target::ByHost, 2));
}

/// The keys of `countersign dev` lie on somebody's laptop.
#[test]
fn the_cluster_of_a_laptop_is_refused() {
    let mut dev = ORDERS;
    dev[3] = "dev";
    assert!(matches!(parts(&dev), Err(Unfit::Development)));
}

#[test]
fn a_carrier_of_another_kind_is_refused() {
    let mut url = ORDERS;
    url[1] = "ftp://rulesets.example.com";
    let refused = parts(&url).unwrap_err().to_string();
    assert!(
        refused.contains("got `ftp://rulesets.example.com`"),
        "{refused}"
    );
    url[1] = "http://127.0.0.1:8080/";
    let refused = parts(&url).unwrap_err().to_string();
    assert!(
        refused.contains("--danger-allow-http-rulesets"),
        "{refused}"
    );
    let danger = [&url[..], &["--danger-allow-http-rulesets"]].concat();
    assert_eq!(parts(&danger).unwrap().sources.places.len(), 1);
}

/// Whoever has the token may speak for this edge: it is for one server, and for nobody else.
#[test]
fn a_token_is_for_one_server() {
    let token = ["--rulesets-token", "token", "--rulesets-ca", "ca.pem"];
    assert!(matches!(
        parts(&[&ORDERS[..], &token].concat()),
        Err(Unfit::Token(0))
    ));
    let mut url = ORDERS;
    url[1] = "https://a.example.com";
    let one = parts(&[&url[..], &token].concat()).unwrap().sources.places;
    let [Place::Https(endpoint)] = one.as_slice() else {
        panic!("{one:?}");
    };
    assert_eq!(endpoint.token.as_deref(), Some(Path::new("token")));
    assert_eq!(endpoint.ca.as_deref(), Some(Path::new("ca.pem")));
    url[1] = "https://a.example.com,https://b.example.com,published";
    assert!(matches!(
        parts(&[&url[..], &token].concat()),
        Err(Unfit::Token(2))
    ));
}

/// Without a state directory every start is a first start, and whoever carries rulesets could go back.
#[test]
fn what_comes_over_a_network_to_an_edge_without_memory_is_an_hour_old_at_most() {
    let age = |words: &[&str]| parts(words).unwrap().sources.options.max_age;
    let mut url = ORDERS;
    assert_eq!(age(&url), None);
    url[1] = "configmap:/rulesets";
    assert_eq!(age(&url), None);
    url[1] = "published,https://a.example.com";
    assert_eq!(age(&url), Some(3_600));
    assert_eq!(age(&[&url[..], &["--max-age", "2h"]].concat()), Some(7_200));
    assert_eq!(age(&[&url[..], &["--state-dir", "state"]].concat()), None);
}

#[test]
fn a_trust_document_that_is_not_there_is_named() {
    let args = read(Path::new("nowhere/1.json"), &ORDERS).unwrap();
    let refusal = args.parts().unwrap_err();
    assert!(matches!(&refusal, Unfit::TrustRoot { path, .. } if path == "nowhere/1.json"));
}

#[test]
fn what_is_pinned_and_limited_reaches_who_holds_it() {
    let more = [
        "--scope",
        "shop@6f1d",
        "--max-age",
        "1h",
        "--serial-floor",
        "2:40",
        "--trusted-proxies",
        "10.0.0.0/8",
        "--grace",
        "5s",
        "--state-dir",
        "state",
    ];
    let pinned = [&ORDERS[..4], &ORDERS[6..], &more].concat();
    let parts = parts(&pinned).unwrap();
    let options = &parts.sources.options;
    let uid = options.scope_uids.get(&parts.scopes[0]);
    assert_eq!(uid.map(String::as_str), Some("6f1d"));
    assert_eq!(options.max_age, Some(3_600));
    assert_eq!(options.serial_floor, Some("2:40".parse().unwrap()));
    assert_eq!(parts.sources.state.as_deref(), Some(Path::new("state")));
    assert_eq!(parts.config.grace, Duration::from_secs(5));
    let networks = TrustedProxies::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(parts.config.trusted_proxies, networks);
}

/// What is not said of proxies is not known; it does not mean that there are none.
#[test]
fn without_a_word_on_proxies_nothing_is_known_of_them() {
    let parts = parts(&ORDERS).unwrap();
    assert_eq!(parts.config.trusted_proxies, TrustedProxies::Unknown);
    assert_eq!(
        parts.config.admin_listen,
        Some("127.0.0.1:9901".parse().unwrap())
    );
    assert_eq!(parts.config.admin_socket, None);
}

#[test]
fn a_value_that_means_nothing_is_refused() {
    for bad in [
        ["--scope", "Shop"],
        ["--scope", "../shop"],
        ["--upstream", "https://a:1"],
        ["--trusted-proxies", "all"],
        ["--max-age", "soon"],
        ["--serial-floor", "7"],
        ["--admin-listen", "9901"],
    ] {
        let kind = read(Path::new("x"), &[&ORDERS[..], &bad].concat()).unwrap_err();
        let refused = matches!(
            kind,
            ErrorKind::ValueValidation | ErrorKind::ArgumentConflict
        );
        assert!(refused, "{bad:?}: {kind:?}");
    }
}
