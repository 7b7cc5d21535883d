//! Who signed what is published: a key that is withdrawn too early leaves edges with nothing.

use anyhow::Result;
use countersign_controller::publication::{Key, Store};
use serde::Deserialize;
use std::time::Duration;

/// How often what is published is looked at until it is signed anew, and for how long.
const PATIENCE: (u32, Duration) = (120, Duration::from_millis(500));

/// An envelope, as far as it says whose signatures it bears. It is not verified: nothing but how long
/// to wait hangs on it.
#[derive(Deserialize)]
struct Envelope {
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    keyid: String,
}

/// Waits until nothing is published that this key alone has signed.
pub(super) async fn by_others_than(store: &dyn Store, key_id: &str) -> Result<()> {
    let (times, pause) = PATIENCE;
    let mut left = Vec::new();
    for _ in 0..times {
        left = only_by(store, key_id).await?;
        if left.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
    }
    anyhow::bail!(
        "expected all that is published to be signed by another key within a minute, got {} by this one \
         alone: edges would be left without a ruleset. Does the controller sign with another? If the key \
         was stolen: --stolen",
        left.join(", ")
    )
}

/// The namespaces whose ruleset nobody else has signed.
async fn only_by(store: &dyn Store, key_id: &str) -> Result<Vec<String>> {
    let mut left = Vec::new();
    for scope in store.scopes().await? {
        let there = store.read(&Key::Manifest(scope.clone())).await?;
        let envelope = there.and_then(|it| serde_json::from_slice::<Envelope>(&it.bytes).ok());
        let signatures = envelope.map(|it| it.signatures).unwrap_or_default();
        let mut all = signatures.iter().map(|it| it.keyid.starts_with(key_id));
        if !signatures.is_empty() && all.all(|is_it| is_it) {
            left.push(scope.to_string());
        }
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::{by_others_than, only_by};
    use crate::signing;
    use countersign_controller::publication::{Directory, Expected, Key, Store};
    use serde_json::json;

    #[test]
    fn a_key_is_left_alone_as_long_as_it_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Directory::new(folder.path().to_owned());
        let runtime = signing::runtime().unwrap();
        runtime.block_on(async {
            for (scope, signers) in [
                ("both", &["0123456789", "ffff"][..]),
                ("new", &["ffff"]),
                ("old", &["0123456789"]),
                ("unsigned", &[]),
            ] {
                let signatures: Vec<_> = signers
                    .iter()
                    .map(|id| json!({"keyid": id, "sig": ""}))
                    .collect();
                let bytes = json!({"signatures": signatures}).to_string();
                let key = Key::Manifest(scope.parse().unwrap());
                let written = store.write(&key, bytes.as_bytes(), Expected::Absent);
                written.await.unwrap();
            }
            assert_eq!(only_by(&store, "01234567").await.unwrap(), ["old"]);
            assert_eq!(only_by(&store, "ffff").await.unwrap(), ["new"]);
            by_others_than(&store, "eeeeeeee").await.unwrap();
        });
    }
}
