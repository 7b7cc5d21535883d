//! A bucket in memory, and what may be said of one that refuses.

use super::super::place::{Bucket, Place};
use super::{Objects, amazon, refusal};
use crate::load::remote::Known;
use crate::load::tests::server::{Server, response};
use countersign_ruleset::names::Scope;
use countersign_ruleset::verifier::{Fetched, Wanted};
use object_store::aws::AmazonS3Builder;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt as _};
use std::sync::{Arc, Mutex};

fn shop() -> Scope {
    "shop".parse().unwrap()
}

fn bucket() -> (Arc<InMemory>, Objects) {
    let memory = Arc::new(InMemory::new());
    let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&memory);
    let objects = Objects {
        bucket: "gs://rules/eu".parse().unwrap(),
        store: Mutex::new(Some(store)),
    };
    (memory, objects)
}

async fn put(memory: &InMemory, path: &str, bytes: &[u8]) {
    let payload = bytes.to_vec().into();
    memory.put(&Path::from(path), payload).await.unwrap();
}

#[tokio::test]
async fn what_lies_below_the_prefix_is_fetched_and_a_manifest_not_twice() {
    let (memory, objects) = bucket();
    let mut known = Known::default();
    let absent = objects.fetch(&shop(), &Wanted::Manifest, &mut known).await;
    assert_eq!(absent, Fetched::NotFound);
    put(&memory, "eu/shop/manifest.json", b"first").await;
    put(&memory, "eu/trust/2.json", b"trust").await;
    let first = objects.fetch(&shop(), &Wanted::Manifest, &mut known).await;
    assert_eq!(first, Fetched::Bytes(b"first".to_vec()));
    assert!(known.etag.is_some());
    // not modified: what is known is what there is
    let again = objects.fetch(&shop(), &Wanted::Manifest, &mut known).await;
    assert_eq!(again, first);
    put(&memory, "eu/shop/manifest.json", b"second").await;
    let second = objects.fetch(&shop(), &Wanted::Manifest, &mut known).await;
    assert_eq!(second, Fetched::Bytes(b"second".to_vec()));
    let trust = objects.fetch(&shop(), &Wanted::Trust(2), &mut known).await;
    assert_eq!(trust, Fetched::Bytes(b"trust".to_vec()));
    let next = objects.fetch(&shop(), &Wanted::Trust(3), &mut known).await;
    assert_eq!(next, Fetched::NotFound);
}

/// One byte more than may be there is read, and no more.
#[tokio::test]
async fn too_much_is_not_held() {
    let (memory, objects) = bucket();
    put(&memory, "eu/shop/manifest.json", &vec![b'{'; 1 << 20]).await;
    let mut known = Known::default();
    let fetched = objects.fetch(&shop(), &Wanted::Manifest, &mut known).await;
    let Fetched::Bytes(bytes) = fetched else {
        panic!("nothing was read");
    };
    assert_eq!(u64::try_from(bytes.len()).unwrap(), Wanted::Manifest.most());
}

#[test]
fn a_bucket_is_named_and_nothing_leads_out_of_its_prefix() {
    for (text, prefix) in [
        ("gs://rules", ""),
        ("s3://rules/", ""),
        ("az://rules/eu/prod/", "eu/prod/"),
    ] {
        let Ok(Place::Objects(bucket)) = text.parse() else {
            panic!("{text}");
        };
        assert_eq!(bucket.prefix(), prefix, "{text}");
    }
    for bad in [
        "gs://",
        "gs:///a",
        "s3://b/../c",
        "s3://u:p@b/c",
        "gs://b/a//b",
        "gs://b/a?c",
    ] {
        assert!(bad.parse::<Bucket>().is_err(), "{bad}");
    }
}

/// A URL may hold a signature in its query, and a log is read by many.
#[test]
fn what_is_said_of_a_failure_holds_no_signature() {
    let error = Error::Generic {
        store: "MicrosoftAzure",
        source: "GET https://a.blob.core.windows.net/c/t?sig=SECRET&se=1 failed".into(),
    };
    let said = refusal(&error);
    assert!(
        said.contains("https://a.blob.core.windows.net/c/t failed"),
        "{said}"
    );
    assert!(!said.contains("SECRET"), "{said}");
}

fn of(endpoint: &str, danger: bool) -> Objects {
    let builder = AmazonS3Builder::new()
        .with_url("s3://rules")
        .with_endpoint(endpoint)
        .with_access_key_id("AKIDEXAMPLE")
        .with_secret_access_key("SECRET")
        .with_region("eu-central-1");
    let plain = ClientOptions::new().with_allow_http(true);
    let secure = ClientOptions::new().with_allow_http(false);
    let store = amazon(builder, danger.then_some(plain), secure).unwrap();
    Objects {
        bucket: "s3://rules/eu".parse().unwrap(),
        store: Mutex::new(Some(store)),
    }
}

/// A stand-in that speaks as Amazon's does: signed requests, tags, `NoSuchKey`.
#[tokio::test]
async fn a_store_that_speaks_as_amazons_does_is_read() {
    let server = Server::new(|path, head| match path {
        "/rules/eu/shop/manifest.json" if head.contains("if-none-match: \"1\"") => {
            response("304 Not Modified", "", b"")
        }
        "/rules/eu/shop/manifest.json" => {
            let fields = "etag: \"1\"\r\nlast-modified: Wed, 25 Nov 2026 12:00:00 GMT\r\n";
            response("200 OK", fields, b"manifest")
        }
        "/rules/eu/trust/3.json" => response("403 Forbidden", "", b"<Error/>"),
        _ => response(
            "404 Not Found",
            "",
            b"<Error><Code>NoSuchKey</Code></Error>",
        ),
    });
    let objects = of(&format!("http://{}", server.address), true);
    let mut known = Known::default();
    for _ in 0..2 {
        let manifest = objects.fetch(&shop(), &Wanted::Manifest, &mut known).await;
        assert_eq!(manifest, Fetched::Bytes(b"manifest".to_vec()));
    }
    let absent = objects.fetch(&shop(), &Wanted::Trust(2), &mut known).await;
    assert_eq!(absent, Fetched::NotFound);
    // who may not list is told the same of what is not there: it must not count as that
    let forbidden = objects.fetch(&shop(), &Wanted::Trust(3), &mut known).await;
    let says = |fetched: &Fetched| matches!(fetched, Fetched::Failed(why) if why.contains("list"));
    assert!(says(&forbidden), "{forbidden:?}");
    let asked = server.asked("manifest");
    assert!(
        asked[0].1.contains("authorization: aws4-hmac-sha256"),
        "{asked:?}"
    );
    assert!(!format!("{objects:?}").contains("SECRET"));
}

/// Credentials would go over a wire that others read.
#[tokio::test]
async fn a_store_is_not_asked_by_plain_http_unless_it_is_here_and_asked_for() {
    let server = Server::new(|_, _| response("200 OK", "", b"mine"));
    let here = of(&format!("http://{}", server.address), false);
    let elsewhere = of(&format!("http://localhost:{}", server.address.port()), true);
    for objects in [here, elsewhere] {
        let fetched = objects
            .fetch(&shop(), &Wanted::Trust(2), &mut Known::default())
            .await;
        assert!(matches!(fetched, Fetched::Failed(_)), "{fetched:?}");
    }
    assert!(server.asked("").is_empty());
}
