//! The certificate is replaced while the endpoint runs, and plain http does not leave the machine.

use super::super::server::{Bound, Config, Limits, NotServing};
use super::super::tls::{Certificates, Files};
use rcgen::{CertificateParams, KeyPair};
use std::fs;
use std::path::Path;

fn write(folder: &Path, key: &KeyPair) {
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.self_signed(key).unwrap();
    fs::write(folder.join("tls.crt"), certificate.pem()).unwrap();
    fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
}

fn files(folder: &Path) -> Files {
    Files {
        certificate: folder.join("tls.crt"),
        key: folder.join("tls.key"),
    }
}

#[test]
fn a_certificate_is_replaced_and_the_last_good_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &KeyPair::generate().unwrap());
    let shown = Certificates::read(files(folder.path())).unwrap();
    assert!(!shown.reread().unwrap());
    write(folder.path(), &KeyPair::generate().unwrap());
    assert!(shown.reread().unwrap());
    // half of a change: another's key
    let other = KeyPair::generate().unwrap().serialize_pem();
    fs::write(folder.path().join("tls.key"), &other).unwrap();
    fs::write(folder.path().join("tls.crt"), "nonsense").unwrap();
    let error = shown.reread().unwrap_err().to_string();
    assert!(error.contains("expected a certificate"), "{error}");
    let secret = other.lines().nth(1).unwrap();
    assert!(!format!("{shown:?}{error}").contains(secret));
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &KeyPair::generate().unwrap());
    let other = KeyPair::generate().unwrap().serialize_pem();
    fs::write(folder.path().join("tls.key"), other).unwrap();
    let error = Certificates::read(files(folder.path()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("the key that it is of"), "{error}");
}

/// Tokens would go over a wire that others read.
#[tokio::test]
async fn plain_http_is_for_this_machine_alone() {
    let config = |listen: &str| Config {
        listen: listen.parse().unwrap(),
        certificates: None,
        limits: Limits::default(),
    };
    let refused = Bound::bind(config("0.0.0.0:0")).await.unwrap_err();
    assert!(matches!(refused, NotServing::Plain(_)), "{refused}");
    let bound = Bound::bind(config("127.0.0.1:0")).await.unwrap();
    assert!(bound.local_addr().ip().is_loopback());
}
