//! Whatever is given, nothing panics.

use super::object;
use crate::resources::Resources;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use serde_json::{Map, Value};

fn anything() -> impl Strategy<Value = Value> {
    let words =
        "[a-z]{0,4}|v1|List|AccessPolicy|ClusterTrustProvider|countersign.dev/v1alpha1|Google";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    let names = "apiVersion|kind|metadata|name|namespace|spec|items|rules|from|to|claims|keys|inline|type|issuer|[a-z]{0,3}";
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(names, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_anything_without_a_panic(manifests in prop::collection::vec(anything(), 0..4)) {
        if let Ok(resources) = Resources::read(&manifests) {
            let _ = (resources.key_sources(), resources.insecure_providers());
        }
    }

    #[test]
    fn reads_any_spec_of_ours_without_a_panic(spec in anything(), kind in 0_usize..5) {
        let kinds = ["AccessPolicy", "ClusterAccessPolicy", "AccessRole", "TrustProvider",
            "ClusterTrustProvider"];
        let manifest = object(kinds[kind], "a", &spec);
        if let Ok(resources) = Resources::read(&[manifest]) {
            let _ = crate::compile(&resources, &std::collections::BTreeMap::new());
            let _ = (resources.key_sources(), resources.insecure_providers());
        }
    }
}
