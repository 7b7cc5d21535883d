//! Where private keys are in a cluster, and where none is.

use super::{Installation, KEYS};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use countersign_ruleset::sign::SigningKey;
use serde_json::Value;
use std::fmt::Write;
use std::fs;

/// The only signing key of the controller, as a thief would read it.
pub(super) fn signing_keys(it: &Installation) -> Result<SigningKey> {
    let secret = it.secret().context("the Secret")?;
    let data = secret["data"].as_object().context("its data")?;
    ensure!(data.len() == 1, "expected one key, got {}", data.len());
    let pem = data.values().next().and_then(Value::as_str);
    let pem = STANDARD.decode(pem.context("a key")?)?;
    Ok(SigningKey::from_pem(std::str::from_utf8(&pem)?)?)
}

/// The root key is in no Secret and no ConfigMap, in no form; the signing keys are in one Secret alone.
pub(super) fn the_root_key_is_nowhere(it: &Installation) -> Result<()> {
    let root = fs::read_to_string(it.outside.path().join("root/root.pem"))?;
    let found = holders(it, &root)?;
    ensure!(found.is_empty(), "the root key is in {found:?}");
    let secret = it.secret().context("the Secret")?;
    let data = secret["data"].as_object().context("its data")?;
    for pem in data.values().filter_map(Value::as_str) {
        let pem = String::from_utf8(STANDARD.decode(pem)?)?;
        // what is looked for is found where it is
        assert_eq!(holders(it, &pem)?, [format!("Secret/{KEYS}")]);
    }
    Ok(())
}

/// The objects that hold a private key, or the seed that it is made of.
fn holders(it: &Installation, pem: &str) -> Result<Vec<String>> {
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = STANDARD.decode(&body)?;
    // RFC 8410 §7: an Ed25519 key's seed stands behind these two octet strings
    let begin = der.windows(4).position(|it| it == [0x04, 0x22, 0x04, 0x20]);
    let begin = begin.context("an Ed25519 key")? + 4;
    let seed = &der[begin..begin + 32];
    let mut hex = String::new();
    for byte in seed {
        write!(hex, "{byte:02x}")?;
    }
    let forms: Vec<Vec<u8>> = vec![
        seed.to_vec(),
        hex.into_bytes(),
        body.into_bytes(),
        STANDARD_NO_PAD.encode(seed).into_bytes(),
        URL_SAFE_NO_PAD.encode(seed).into_bytes(),
    ];
    let arguments = [
        "get",
        "secrets,configmaps",
        "--all-namespaces",
        "--output=json",
    ];
    let all: Value = serde_json::from_str(&it.cluster.kubectl(&arguments, "")?)?;
    let all = all["items"].as_array().context("a list")?;
    ensure!(all.len() > 5, "only {} were looked at", all.len());
    let mut found = Vec::new();
    for object in all {
        let texts = texts(object);
        let has = |form: &Vec<u8>| {
            let is_in = |text: &Vec<u8>| text.windows(form.len()).any(|part| part == &form[..]);
            texts.iter().any(is_in)
        };
        if forms.iter().any(has) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
            found.push(format!("{kind}/{name}"));
        }
    }
    Ok(found)
}

/// The whole object, and each of its values by itself, decoded where it can be.
fn texts(object: &Value) -> Vec<Vec<u8>> {
    let mut texts = vec![object.to_string().into_bytes()];
    for data in [&object["data"], &object["binaryData"]] {
        for text in data.as_object().into_iter().flatten() {
            let Some(text) = text.1.as_str() else {
                continue;
            };
            texts.push(text.as_bytes().to_vec());
            if let Ok(decoded) = STANDARD.decode(text) {
                texts.push(decoded);
            }
        }
    }
    texts
}
