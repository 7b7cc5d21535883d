//! What the chart renders, with little and with everything: to be taken by the API server, and by the
//! controller.

use super::{RELEASE, chart, helm};
use clap::Parser;
use countersign_controller::args::Args;
use serde_json::Value;
use std::collections::BTreeSet;
use tests::cluster::Cluster;
use tests::files;

/// The file that gives each value.
pub(super) fn everything() -> String {
    let file = files::root().join("tests/cluster/chart/everything.yaml");
    file.to_string_lossy().into_owned()
}

/// The manifests that are rendered with those arguments more.
pub(super) fn rendered(cluster: &Cluster, more: &[&str]) -> Vec<Value> {
    let chart = chart();
    let arguments = [&["template", RELEASE, &chart], more].concat();
    let text = cluster.helm(&arguments).expect("it is rendered");
    let all: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    all.into_iter().filter(|it| !it.is_null()).collect()
}

/// The paths of all values, lists and what people name apart.
fn paths(way: &str, value: &Value, into: &mut BTreeSet<String>) {
    const NAMED_BY_PEOPLE: [&str; 9] = [
        ".affinity",
        ".dashboard.labels",
        ".nodeSelector",
        ".podAnnotations",
        ".podLabels",
        ".resources.limits",
        ".resources.requests",
        ".serviceAccount.annotations",
        ".serviceMonitor.labels",
    ];
    match value {
        Value::Object(members) if !NAMED_BY_PEOPLE.contains(&way) => {
            for (name, member) in members {
                paths(&format!("{way}.{name}"), member, into);
            }
        }
        _ => {
            into.insert(way.to_owned());
        }
    }
}

#[test]
fn everything_is_everything() {
    let of = |path: &str| {
        let text = std::fs::read_to_string(path).expect("a file");
        let value = serde_saphyr::from_str(&text).expect("YAML");
        let mut all = BTreeSet::new();
        paths("", &value, &mut all);
        all
    };
    let defaults = of(&format!("{}/values.yaml", chart()));
    assert!(defaults.len() > 40, "{defaults:?}");
    assert_eq!(of(&everything()), defaults);
}

#[test]
fn nothing_is_complained_about() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let (chart, everything) = (chart(), everything());
    for more in [&["--set", "cluster=prod"][..], &["--values", &everything]] {
        let arguments = [&["lint", "--strict", &chart], more].concat();
        cluster.helm(&arguments).expect("nothing is found");
    }
}

/// Each manifest is held against the API server's own schemas, strictly, and not kept.
#[tokio::test]
async fn the_api_server_takes_everything() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let namespace = cluster.namespace("chart").await.expect("a namespace");
    let more = ["--namespace", &namespace, "--values", &everything()];
    let all = rendered(cluster, &more);
    let kinds: BTreeSet<&str> = all.iter().filter_map(|it| it["kind"].as_str()).collect();
    let expected = [
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustProvider",
        "ConfigMap",
        "CustomResourceDefinition",
        "Deployment",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Role",
        "RoleBinding",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    assert_eq!(kinds, BTreeSet::from(expected));
    // a kind of others, which is not there
    let known = all.iter().filter(|it| it["kind"] != "ServiceMonitor");
    let text: Vec<String> = known.map(Value::to_string).collect();
    let arguments = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--dry-run=server",
        "--validate=strict",
        "--filename=-",
    ];
    let taken = cluster.kubectl(&arguments, &text.join("\n---\n"));
    taken.expect("all of it is taken");
}

#[test]
fn a_misspelt_value_is_refused_by_name() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    for (value, said) in [
        (
            "replicsa=3",
            "at '': additional properties 'replicsa' not allowed",
        ),
        (
            "trust.evalution=true",
            "at '/trust': additional properties 'evalution' not allowed",
        ),
        (
            "networkPolicy.form=a",
            "at '/networkPolicy': additional properties 'form' not allowed",
        ),
        ("replicas=0", "at '/replicas': minimum: got 0, want 1"),
        ("ruleset.validFor=1d", "at '/ruleset/validFor'"),
        ("cluster=dev", "at '/cluster'"),
        (
            "cluster=",
            "cluster: the name of this installation is needed",
        ),
        (
            "trust.evaluation=true,signing.secretName=a",
            "trust.evaluation makes keys of its own",
        ),
        (
            "signing.secretName=a,signing.kmsKeys={projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1}",
            "signing: expected secretName or kmsKeys, got both",
        ),
    ] {
        let rendered = helm(cluster, "template", &chart(), &[value]);
        let refusal = rendered.map(drop).expect_err(value);
        let text = refusal.to_string();
        assert!(text.contains(said), "{value}: {text}");
    }
}

#[test]
fn each_flag_is_one_of_the_controller() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let key =
        "signing.kmsKeys={projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1}";
    for more in [
        &["--set", "cluster=prod"][..],
        &["--values", &everything()],
        &["--set", "cluster=prod,trust.evaluation=true"],
        &["--set", "cluster=prod", "--set", key],
    ] {
        let all = rendered(cluster, more);
        let deployment = all.iter().find(|it| it["kind"] == "Deployment");
        let container =
            &deployment.expect("a Deployment")["spec"]["template"]["spec"]["containers"][0];
        let arguments = container["args"].as_array().expect("arguments");
        let arguments = arguments.iter().filter_map(Value::as_str);
        let program = std::iter::once("countersign-controller");
        let args = Args::try_parse_from(program.chain(arguments));
        let args = args.unwrap_or_else(|error| panic!("{more:?}: {error}"));
        let ports = container["ports"].as_array().expect("ports");
        let port = |name: &str| {
            let it = ports.iter().find(|it| it["name"] == name)?;
            it["containerPort"].as_u64()
        };
        assert_eq!(port("admin"), Some(args.admin_listen.port().into()));
        let endpoint = args.endpoint.endpoint_listen.map(|it| it.port().into());
        assert_eq!(port("rulesets"), endpoint);
    }
}

/// Whatever else is changed: no right to everything, and none to Secrets but to its own.
#[test]
fn no_role_has_everything() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let all = rendered(
        cluster,
        &["--set", "cluster=prod,publication.configMaps=true"],
    );
    let roles = all.iter().filter(|it| {
        let kind = it["kind"].as_str().unwrap_or_default();
        kind.ends_with("Role")
    });
    let rules = roles.flat_map(|role| {
        let rules = role["rules"].as_array().expect("rules");
        rules.iter().map(move |rule| (&role["kind"], rule))
    });
    let mut of_secrets = Vec::new();
    for (kind, rule) in rules {
        assert!(!rule.to_string().contains(r#""*""#), "{rule}");
        let resources = rule["resources"].as_array().into_iter().flatten();
        if resources.into_iter().any(|it| it == "secrets") {
            assert_eq!(kind, "Role", "{rule}");
            of_secrets.push((rule["verbs"].to_string(), rule["resourceNames"].to_string()));
        }
    }
    let text = |(verbs, names): (&str, &str)| (verbs.to_owned(), names.to_owned());
    let expected = [
        (r#"["get","update"]"#, r#"["countersign-signing-keys"]"#),
        (r#"["create"]"#, "null"),
    ];
    assert_eq!(of_secrets, expected.map(text));
}

/// What nobody said may not be read from everywhere.
#[test]
fn metrics_are_told_to_nobody_who_is_not_named() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let ingress = |more: &[&str]| {
        let all = rendered(cluster, &[&["--set", "cluster=prod"], more].concat());
        let mut policies = all.iter().filter(|it| it["kind"] == "NetworkPolicy");
        let policy = policies.next().expect("a NetworkPolicy");
        assert_eq!(
            policy["spec"]["policyTypes"],
            serde_json::json!(["Ingress"])
        );
        let rules = policy["spec"]["ingress"].as_array().expect("rules").iter();
        let of = |rule: &Value| (rule["ports"][0]["port"].clone(), rule["from"].clone());
        rules.map(of).collect::<Vec<_>>()
    };
    assert_eq!(ingress(&[]), []);
    let all = serde_json::json!([{"namespaceSelector": {}}]);
    let served = ingress(&["--set", "endpoint.tlsSecretName=tls"]);
    assert_eq!(served, [("rulesets".into(), all)]);
    let named = "networkPolicy.metricsFrom[0].podSelector.matchLabels.app=prometheus";
    let scraped = serde_json::json!([{"podSelector": {"matchLabels": {"app": "prometheus"}}}]);
    assert_eq!(ingress(&["--set", named]), [("admin".into(), scraped)]);
}
