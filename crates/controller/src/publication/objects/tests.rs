//! Object stores in memory and on a local file system; and what a place's name comes to.

use super::{Objects, mirror_at};
use crate::publication::conformance::{conforms, does_not_read_what_is_too_large, manifest};
use crate::publication::store::{Key, Store};
use object_store::ObjectStoreExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use std::fs;
use std::sync::Arc;

/// The stand-in that the end-to-end tests load from, too.
#[cfg(feature = "aws")]
#[expect(unreachable_pub, reason = "elsewhere it is a module that others use")]
#[path = "../../../../../tests/harness/s3.rs"]
mod s3;

#[tokio::test]
async fn a_service_that_writes_on_conditions_conforms_as_a_store() {
    for prefix in ["", "team/rulesets"] {
        let memory = Arc::new(InMemory::new());
        let prefix = Path::parse(prefix).unwrap();
        let store = Objects::new(memory, prefix, "memory://", true);
        conforms(&store).await;
    }
}

#[tokio::test]
async fn a_local_file_system_conforms_and_says_that_it_does_not_fence() {
    let folder = tempfile::tempdir().unwrap();
    let local = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
    let store = Objects::new(Arc::new(local), Path::default(), "file://", false);
    conforms(&store).await;
    assert!(!store.fences());
}

#[tokio::test]
async fn does_not_read_more_than_may_be_there() {
    let memory = Arc::new(InMemory::new());
    let key = manifest("shop");
    let path = Path::parse(key.path()).unwrap();
    memory
        .put(&path, vec![b'x'; key.most() + 1].into())
        .await
        .unwrap();
    let store = Objects::new(memory, Path::default(), "m://", true);
    does_not_read_what_is_too_large(&store, &key).await;
}

#[tokio::test]
async fn a_place_is_named_by_its_scheme() {
    let folder = tempfile::tempdir().unwrap();
    let place = format!("file://{}", folder.path().display());
    let store = mirror_at(&place).unwrap();
    let key = Key::Trust(1);
    store
        .write(&key, b"one", super::Expected::Absent)
        .await
        .unwrap();
    assert_eq!(
        fs::read(folder.path().join("trust/1.json")).unwrap(),
        b"one"
    );
    for bad in [
        "",
        "published",
        "file://published",
        "s3://",
        "ftp://x/y",
        "gs:///x",
        "s3://b/a//b",
    ] {
        let refused = mirror_at(bad).unwrap_err().to_string();
        assert!(
            refused.starts_with("expected file:///PATH, "),
            "{bad}: {refused}"
        );
    }
}

#[cfg(not(feature = "aws"))]
#[test]
fn what_is_left_out_of_this_build_is_said_by_name() {
    let refused = mirror_at("s3://bucket/rulesets").unwrap_err().to_string();
    assert_eq!(
        refused,
        "s3://bucket/rulesets: this build reaches no s3://; it is the feature `aws`"
    );
}

#[cfg(feature = "aws")]
fn bucket(server: &s3::S3, secret: &str) -> Objects {
    let [id, _] = s3::ACCESS;
    let builder = object_store::aws::AmazonS3Builder::new()
        .with_endpoint(server.url())
        .with_allow_http(true)
        .with_bucket_name(s3::BUCKET)
        .with_access_key_id(id)
        .with_secret_access_key(secret);
    let store = Arc::new(builder.build().unwrap());
    Objects::new(store, Path::from("team/rulesets"), "s3://", true)
}

#[cfg(feature = "aws")]
#[tokio::test]
async fn a_service_that_speaks_as_s3_does_conforms_as_a_store() {
    let server = s3::S3::start().await.unwrap();
    let [_, secret] = s3::ACCESS;
    let store = bucket(&server, secret);
    conforms(&store).await;
    assert!(server.names().contains("team/rulesets/shop/manifest.json"));
    let key = manifest("large-2");
    let large = vec![b'x'; key.most() + 1];
    server.put(&format!("team/rulesets/{}", key.path()), &large);
    does_not_read_what_is_too_large(&store, &key).await;
}

/// Whoever is refused has not found that nothing is there.
#[cfg(feature = "aws")]
#[tokio::test]
async fn a_refusal_is_never_taken_for_absence() {
    let server = s3::S3::start().await.unwrap();
    let store = bucket(&server, "another secret");
    let key = manifest("shop");
    let read = store.read(&key).await.unwrap_err().to_string();
    let scopes = store.scopes().await.unwrap_err().to_string();
    let written = store.write(&key, b"m", super::Expected::Absent).await;
    for said in [read, scopes, written.unwrap_err().to_string()] {
        assert!(said.contains("SignatureDoesNotMatch"), "{said}");
    }
    assert!(server.names().is_empty());
}
