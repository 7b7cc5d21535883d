//! `explain`: what it says of a request, with a real token of an issuer whose key is in the manifests.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output};

/// 2026-11-24T12:00:00Z.
const NOW: u64 = 1_795_521_600;
const AT: &str = "2026-11-24T12:00:00Z";

struct Desk {
    folder: tempfile::TempDir,
    key: Ed25519KeyPair,
}

impl Desk {
    fn new() -> Self {
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let x = URL_SAFE_NO_PAD.encode(key.public_key());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": x});
        let provider = json!({
            "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterTrustProvider",
            "metadata": {"name": "idp"},
            "spec": {"type": "OIDC", "issuer": "https://id.example.com", "algorithms": ["EdDSA"],
                "tokenTypes": ["AccessToken"], "claims": {"groups": {"path": ["groups"]}},
                "keys": {"inline": {"keys": [jwk]}}}
        });
        let entry = |group: &str| json!([{"providerRef": {"name": "idp"}, "groups": [group]}]);
        let policy = |name: &str, host: &str| {
            json!({
                "apiVersion": "countersign.dev/v1alpha1", "kind": "AccessPolicy",
                "metadata": {"name": name, "namespace": name},
                "spec": {"hosts": [host], "rules": [
                    {"name": "support", "from": entry("order-support"), "to": [{"paths": ["/v1/**"]}]},
                    {"name": "search", "from": entry("order-support"),
                        "to": [{"paths": ["/mcp"], "mcp": {"tools": ["search"]}}]},
                ]}
            })
        };
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            key,
        };
        let both = [
            policy("shop", "orders.example.com"),
            policy("other", "both.example.com"),
        ];
        let [shop, other] = both.map(|policy| policy.to_string());
        desk.write("manifests/idp.json", &provider.to_string());
        desk.write("manifests/shop.json", &shop);
        desk.write("manifests/other.json", &other);
        let again = other.replace(r#""namespace":"other""#, r#""namespace":"third""#);
        desk.write("manifests/third.json", &again);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes the token of somebody in these groups, and says it.
    fn token(&self, groups: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": "1", "typ": "at+jwt"});
        let claims = json!({"iss": "https://id.example.com", "sub": "ana", "groups": groups,
            "aud": "https://orders.example.com", "iat": NOW - 60, "exp": NOW + 600});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        self.write("token", &format!("{token}\n"));
        token
    }

    fn explain(&self, arguments: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(["explain", "manifests", "--at", AT])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .output()
            .unwrap();
        Said(output)
    }
}

#[derive(Debug)]
struct Said(Output);

impl Said {
    fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
}

const TARGET: [&str; 2] = ["--target", "Host/orders.example.com"];
const REQUEST: [&str; 2] = [
    "--request",
    "GET https://orders.example.com/v1/orders/7?page=2",
];
const TOKEN: [&str; 2] = ["--token-file", "token"];

#[test]
fn a_request_that_is_allowed_ends_with_0() {
    let desk = Desk::new();
    let token = desk.token(&json!(["order-support"]));
    let said = desk.explain(&[TARGET, REQUEST, TOKEN].concat());
    assert_eq!((said.code(), said.err()), (0, String::new()));
    let expected = "\
allowed: 200 Allowed: a rule lets it in
  request  GET orders.example.com/v1/orders/7
  target   Host/orders.example.com
  token    ClusterTrustProvider/idp
  rule     AccessPolicy/shop/support

AccessPolicy/shop/support, an Allow, lets it in:
  ✓ from
    ✓ provider: ClusterTrustProvider/idp
    ✓ groups: [order-support]
  ✓ to
    ✓ paths: /v1/orders/7
  ✓ audience: [https://orders.example.com]
";
    assert!(said.out().starts_with(expected), "{}", said.out());
    assert!(!said.out().contains(&token));
}

#[test]
fn a_request_that_is_denied_ends_with_1_and_says_which_part_failed() {
    let desk = Desk::new();
    desk.token(&json!(["staff"]));
    let said = desk.explain(&[TARGET, REQUEST, TOKEN].concat());
    assert_eq!((said.code(), said.err()), (1, String::new()));
    assert!(
        said.out().starts_with("denied: 403 NoRuleMatched: "),
        "{}",
        said.out()
    );
    let part = "✗ groups: expected order-support, got [staff]";
    assert!(said.out().contains(part), "{}", said.out());
    let said = desk.explain(&[TARGET, REQUEST].concat());
    assert_eq!(said.code(), 1);
    assert!(
        said.out().starts_with("denied: 401 NoToken: "),
        "{}",
        said.out()
    );
    let said = desk.explain(
        &[
            &TARGET,
            &REQUEST,
            &TOKEN,
            &["--at", "2026-11-25T12:00:00Z"][..],
        ]
        .concat(),
    );
    assert_eq!(said.code(), 2, "an argument twice: {}", said.err());
}

#[test]
fn is_written_for_programs_too() {
    let desk = Desk::new();
    desk.token(&json!(["staff"]));
    let said = desk.explain(&[&TARGET, &REQUEST, &TOKEN, &["--output", "json"][..]].concat());
    assert_eq!(said.code(), 1);
    let json: Value = serde_json::from_str(&said.out()).unwrap();
    assert_eq!(json["allowed"], false);
    assert_eq!(json["reason"], "NoRuleMatched");
    assert_eq!(json["rules"][0]["rule"], "AccessPolicy/shop/support");
    let groups = &json["rules"][0]["parts"][0]["parts"][1];
    let expected =
        json!({"name": "groups", "truth": "false", "expected": "order-support", "got": "[staff]"});
    assert_eq!(groups, &expected);
    assert_eq!(json["findings"], json!([]));
}

#[test]
fn a_body_a_header_and_a_path_alone_are_taken() {
    let desk = Desk::new();
    desk.token(&json!(["order-support"]));
    let call = |tool: &str| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}});
    desk.write("search", &call("search").to_string());
    desk.write("delete", &call("delete").to_string());
    let of = |more: &[&str]| {
        let said = desk.explain(&[&TARGET, &["--request", "POST /mcp"], &TOKEN, more].concat());
        (said.code(), said.out())
    };
    assert_eq!(of(&["--body", "search"]).0, 0);
    let (code, out) = of(&["--body", "delete"]);
    assert_eq!(code, 1);
    assert!(
        out.contains("✗ mcp: expected the tool search, got the tool delete"),
        "{out}"
    );
    let (code, out) = of(&[]);
    assert_eq!(code, 1);
    assert!(
        out.contains("? mcp: expected the tool search, got unknown: the body was not read"),
        "{out}"
    );
    assert_eq!(
        of(&["--body", "search", "-H", "Content-Encoding: gzip"]).0,
        1
    );
    assert_eq!(
        of(&["--body", "search", "-H", "Content-Type: application/json"]).0,
        0
    );
}

#[test]
fn what_cannot_be_explained_ends_with_2() {
    let desk = Desk::new();
    let of = |arguments: &[&str]| {
        let said = desk.explain(arguments);
        (said.code(), said.err())
    };
    let gone = ["--target", "Host/gone.example.com"];
    let (code, err) = of(&[gone, REQUEST].concat());
    let expected = "error: expected --target to be one that a policy names, of Host/both.example.com, \
                    Host/orders.example.com, Host/both.example.com, got `Host/gone.example.com`\n";
    assert_eq!((code, err.as_str()), (2, expected));
    let both = ["--target", "Host/both.example.com"];
    let (code, err) = of(&[both, REQUEST].concat());
    let expected = "error: expected --scope, for Host/both.example.com is in other, third\n";
    assert_eq!((code, err.as_str()), (2, expected));
    assert_eq!(of(&[both, REQUEST, ["--scope", "third"]].concat()).0, 1);
    let (code, err) = of(&[both, REQUEST, ["--scope", "shap"]].concat());
    assert_eq!(code, 2);
    assert_eq!(
        err,
        "error: expected --scope to be one of other, shop, third, got `shap`\n"
    );
    for wrong in [
        ["--request", "GET"],
        ["--request", "G@T https://a/"],
        ["--request", "GET https://a b/"],
    ] {
        assert_eq!(of(&[TARGET, wrong].concat()).0, 2, "{wrong:?}");
    }
    let (code, err) = of(&[TARGET, REQUEST, ["-H", "no-colon-s3cret"]].concat());
    assert_eq!(code, 2);
    assert!(!err.contains("s3cret"), "{err}");
    assert_eq!(
        of(&[TARGET, REQUEST, ["--token-file", "gone"]].concat()).0,
        2
    );
    desk.write("manifests/broken.yaml", "a: [");
    let (code, err) = of(&[TARGET, REQUEST].concat());
    assert_eq!(code, 2);
    assert!(err.contains("nothing was explained"), "{err}");
}

#[test]
fn a_request_that_cannot_be_read_in_one_way_is_denied() {
    let desk = Desk::new();
    let request = ["--request", "GET https://orders.example.com/a%2fb"];
    let said = desk.explain(&[TARGET, request].concat());
    assert_eq!(said.code(), 1);
    assert!(said.out().starts_with("denied: 400 "), "{}", said.out());
}

/// Whoever has no token needs no key: nobody is asked for one, and nobody's silence is reported.
#[test]
fn keys_are_fetched_only_where_a_token_may_be() {
    let desk = Desk::new();
    desk.token(&json!(["staff"]));
    let down = json!({
        "apiVersion": "countersign.dev/v1alpha1", "kind": "ClusterTrustProvider",
        "metadata": {"name": "down"},
        "spec": {"type": "OIDC", "issuer": "http://127.0.0.1:1"},
    });
    desk.write("manifests/down.json", &down.to_string());
    let http = ["--danger-allow-http-issuers"];
    let failed = "the keys could not be fetched";
    let said = desk.explain(&[&TARGET[..], &REQUEST, &http].concat());
    assert!(!said.err().contains(failed), "{}", said.err());
    for more in [&TOKEN[..], &["--header", "Authorization: Bearer a.b.c"]] {
        let said = desk.explain(&[&TARGET[..], &REQUEST, &http, more].concat());
        assert!(said.err().contains(failed), "{more:?}: {}", said.err());
    }
}
