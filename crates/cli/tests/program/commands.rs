//! The program itself: its answers, its exit codes, and the way from keys to what an edge takes.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const POLICY: &str = "\
apiVersion: countersign.dev/v1alpha1
kind: ClusterTrustProvider
metadata: {name: idp}
spec:
  type: OIDC
  issuer: https://id.example.com
  claims: {groups: {path: [groups]}}
  keys:
    inline:
      keys:
      - kty: EC
        crv: P-256
        kid: '1'
        x: MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4
        'y': 4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM
---
apiVersion: countersign.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [orders.example.com]
  rules:
  - name: support
    from: [{providerRef: {name: idp}, groups: [order-support]}]
";

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("manifests/orders.yaml", POLICY);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a command line in the folder.
    fn run(&self, line: &str) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(line.split(' '))
            .current_dir(self.0.path())
            .env_clear()
            .output()
            .unwrap();
        Said(output)
    }

    fn keys(&self) {
        let said = self.run("keys generate --cluster prod --out keys");
        assert_eq!(said.code(), 0, "{said:?}");
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

    fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout).unwrap()
    }
}

const COMPILE: &str = "compile manifests --cluster prod --sign-with keys/signing.pem --trust keys/trust/1.json --out published";
const VERIFY: &str = "verify published --trust-root keys/trust/1.json --cluster prod";

#[test]
fn what_is_compiled_is_what_verifies() {
    let desk = Desk::new();
    desk.keys();
    let said = desk.run(COMPILE);
    assert_eq!(said.code(), 0, "{said:?}");
    assert!(said.out().starts_with("shop: 1 rule; serial "), "{said:?}");
    assert!(said.out().ends_with("1 ruleset published\n"), "{said:?}");
    let said = desk.run(&format!("{VERIFY} --scope shop --output json"));
    assert_eq!(said.code(), 0, "{said:?}");
    let shop = &said.json()["scopes"][0];
    assert_eq!(
        (&shop["scope"], &shop["rules"], &shop["providers"]),
        (&"shop".into(), &1.into(), &1.into())
    );

    let before = shop["serial"].as_u64();
    desk.run(COMPILE);
    let after = desk.run(&format!("{VERIFY} --output json")).json()["scopes"][0]["serial"].as_u64();
    assert!(after > before, "{after:?} {before:?}");
}

#[test]
fn what_was_changed_after_it_was_signed_is_refused_by_name() {
    let desk = Desk::new();
    desk.keys();
    desk.run(COMPILE);
    let blobs = fs::read_dir(desk.path("published/shop/blobs/sha256")).unwrap();
    for blob in blobs {
        let path = blob.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        bytes[0] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    let said = desk.run(VERIFY);
    assert_eq!(said.code(), 1, "{said:?}");
    assert!(
        said.err().starts_with("shop: refused: BlobDigest: "),
        "{said:?}"
    );
    assert!(said.err().contains("publish it anew"), "{said:?}");
    let said = desk.run(&VERIFY.replace("prod", "stage"));
    assert!(said.err().contains("refused: WrongCluster: "), "{said:?}");
    assert_eq!(desk.run(&format!("{VERIFY} --scope ops")).code(), 1);
    assert_eq!(
        desk.run("verify manifests --trust-root keys/trust/1.json --cluster prod")
            .code(),
        1
    );
}

#[test]
fn what_is_wrong_gives_no_access_and_what_cannot_be_read_publishes_nothing() {
    let desk = Desk::new();
    desk.keys();
    desk.write(
        "manifests/orders.yaml",
        &POLICY.replace("groups: [order", "gruops: [order"),
    );
    let said = desk.run("check manifests");
    assert_eq!(said.code(), 1, "{said:?}");
    assert!(said.err().contains("did you mean `groups`?"), "{said:?}");
    assert!(said.err().contains("2 resources in 1 file: "), "{said:?}");
    assert!(
        !said.err().contains('\u{1b}'),
        "no colour but on a terminal"
    );
    let said = desk.run(&format!("{COMPILE} --output json"));
    assert_eq!(said.code(), 0, "{said:?}");
    assert_eq!(said.json()["findings"][0]["code"], "AP0001");
    assert_eq!(said.json()["findings"][0]["line"], 24);

    let manifest = fs::read(desk.path("published/shop/manifest.json")).unwrap();
    desk.write("manifests/more.yaml", "kind: [");
    for line in ["check manifests", COMPILE] {
        let said = desk.run(line);
        assert_eq!(said.code(), 1, "{said:?}");
        assert!(said.err().contains("more.yaml:1:"), "{said:?}");
    }
    assert_eq!(
        fs::read(desk.path("published/shop/manifest.json")).unwrap(),
        manifest
    );
}

#[test]
fn manifests_with_nothing_wrong_are_fine() {
    let desk = Desk::new();
    let said = desk.run("check manifests");
    assert_eq!(
        (said.code(), said.out().as_str()),
        (0, "2 resources in 1 file: nothing is wrong\n")
    );
    let said = desk.run("check manifests --output json");
    assert_eq!(
        said.json(),
        serde_json::json!({"files": 1, "resources": 2, "findings": []})
    );
}

#[test]
fn findings_can_be_read_by_code_scanning_and_test_reports() {
    let desk = Desk::new();
    desk.write(
        "manifests/orders.yaml",
        &POLICY.replace("groups: [order", "gruops: [order"),
    );
    let said = desk.run("check manifests --output sarif");
    assert_eq!(said.code(), 1);
    let result = &said.json()["runs"][0]["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&"AP0001".into(), &"error".into())
    );
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "manifests/orders.yaml");
    assert_eq!(place["region"]["startLine"], 24);
    let said = desk.run("check manifests --output junit");
    assert_eq!(said.code(), 1);
    assert!(
        said.out()
            .contains("<testcase name=\"manifests/orders.yaml:24:"),
        "{said:?}"
    );
    assert!(
        said.out()
            .contains("<failure message=\"there is no field `gruops` here\"/>"),
        "{said:?}"
    );
    assert_eq!(desk.run(&format!("{VERIFY} --output sarif")).code(), 2);
}

#[test]
fn a_command_that_cannot_be_carried_out_is_2() {
    let desk = Desk::new();
    for line in [
        "check",
        "frobnicate",
        "compile manifests",
        "keys generate --cluster Prod --out keys",
        "keys generate --cluster dev --out keys",
        "dev nowhere",
        "dev manifests --upstream ftp://127.0.0.1:1",
        &format!("{COMPILE} --valid-for 1d"),
    ] {
        assert_eq!(desk.run(line).code(), 2, "{line}");
    }
    assert_eq!(desk.run("--help").code(), 0);
    assert_eq!(desk.run("--version").code(), 0);
    let said = desk.run(COMPILE);
    assert_eq!(said.code(), 1, "there is no key: {said:?}");
    assert!(
        said.err()
            .starts_with("error: --sign-with: keys/signing.pem: "),
        "{said:?}"
    );
}

#[test]
fn an_issuer_over_plain_http_counts_only_where_the_danger_is_asked_for() {
    let desk = Desk::new();
    desk.keys();
    desk.write(
        "manifests/orders.yaml",
        &POLICY.replace("https://id.example.com", "http://127.0.0.1:1"),
    );
    let keys = || {
        let blobs = fs::read_dir(desk.path("published/shop/blobs/sha256")).unwrap();
        let texts = blobs.map(|blob| fs::read_to_string(blob.unwrap().path()).unwrap());
        texts.filter(|text| text.contains("MKBCTNIcKUSD")).count()
    };
    let said = desk.run(&format!("{COMPILE} --output json"));
    assert_eq!(said.code(), 0, "{said:?}");
    let finding = &said.json()["findings"][0];
    assert_eq!(
        (&finding["severity"], &finding["path"]),
        (&"error".into(), &"spec.issuer".into())
    );
    assert_eq!(keys(), 0);
    let said = desk.run(&format!("{COMPILE} --danger-allow-http-issuers"));
    assert_eq!(said.code(), 0, "{said:?}");
    assert_eq!(keys(), 1, "its keys are inline");
}

#[test]
fn flags_can_be_variables() {
    let desk = Desk::new();
    desk.keys();
    let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["compile", "manifests"])
        .current_dir(desk.path(""))
        .env_clear()
        .env("COUNTERSIGN_CLUSTER", "prod")
        .env("COUNTERSIGN_SIGN_WITH", "keys/signing.pem")
        .env("COUNTERSIGN_TRUST", "keys/trust/1.json")
        .env("COUNTERSIGN_OUT", "published")
        .env("COUNTERSIGN_SCOPE_UID", "shop=0b5c")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(desk.run(VERIFY).code(), 0);
}
