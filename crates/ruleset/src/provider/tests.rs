//! The keys blob: so many providers and keys, in one order, and public parts only.

use super::{Keys, MAX_KEYS, MAX_PROVIDERS};
use crate::golden::provider;
use crate::rules::{Invalid, MAX_LIST};

fn read(keys: &Keys) -> Result<Keys, Invalid> {
    Keys::from_bytes(&serde_json::to_vec(keys).unwrap())
}

#[test]
fn providers_are_in_order_and_each_once() {
    let providers = vec![provider(), provider()];
    let refusal = read(&Keys { providers }).unwrap_err();
    let id = provider().id.to_string();
    let (list, first, second) = ("providers", id.clone(), id);
    assert_eq!(
        refusal,
        Invalid::Disordered {
            list,
            first,
            second
        }
    );
}

#[test]
fn there_are_so_many_providers_and_keys_and_no_more() {
    let mut one = provider();
    one.keys = vec![one.keys[0].clone(); MAX_KEYS + 1];
    let (list, most, got) = ("keys", MAX_KEYS, MAX_KEYS + 1);
    let providers = vec![one];
    assert_eq!(
        read(&Keys { providers }),
        Err(Invalid::TooMany { list, most, got })
    );
    let providers = vec![provider(); MAX_PROVIDERS + 1];
    let (list, most, got) = ("providers", MAX_PROVIDERS, MAX_PROVIDERS + 1);
    assert_eq!(
        read(&Keys { providers }),
        Err(Invalid::TooMany { list, most, got })
    );
}

/// A private part that was published by mistake does not get into a ruleset by this type.
#[test]
fn a_key_has_no_place_for_a_private_part() {
    let providers = vec![provider()];
    let text = serde_json::to_string(&Keys { providers }).unwrap();
    for private in ["d", "k", "p", "dp"] {
        let with = text.replace(r#"{"kty":"#, &format!(r#"{{"{private}":"x","kty":"#));
        assert_ne!(with, text);
        let refusal = Keys::from_bytes(with.as_bytes()).unwrap_err();
        assert!(matches!(refusal, Invalid::Malformed(_)), "{refusal:?}");
    }
}

fn asking(scopes: &[&str]) -> Keys {
    let mut one = provider();
    let client = one.client.as_mut().unwrap();
    client.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
    let providers = vec![one];
    Keys { providers }
}

#[test]
fn the_scopes_of_a_client_are_in_order_and_each_once() {
    let canonical = asking(&["email", "openid"]);
    assert_eq!(read(&canonical), Ok(canonical.clone()));
    for other in [&["openid", "email"][..], &["email", "email", "openid"]] {
        let other = asking(other);
        assert_eq!(other.to_bytes().unwrap(), canonical.to_bytes().unwrap());
        assert_eq!(read(&other), Err(Invalid::NotCanonical));
    }
}

#[test]
fn a_client_asks_for_so_many_scopes_and_no_more() {
    let scopes: Vec<String> = (0..=MAX_LIST).map(|n| format!("{n:05}")).collect();
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let (list, most, got) = ("scopes", MAX_LIST, MAX_LIST + 1);
    assert_eq!(
        read(&asking(&scopes)),
        Err(Invalid::TooMany { list, most, got })
    );
    assert!(read(&asking(&scopes[..MAX_LIST])).is_ok());
}

/// An ID token for nobody would be for everybody.
#[test]
fn a_client_has_an_id_and_scopes_and_nothing_else() {
    let mut one = provider();
    one.client.as_mut().unwrap().id.clear();
    let (id, providers) = (one.id.clone(), vec![one]);
    assert_eq!(read(&Keys { providers }), Err(Invalid::ClientWithoutId(id)));
    let text = serde_json::to_string(&asking(&["openid"])).unwrap();
    for (was, is) in [
        (
            r#""scopes":["openid"]"#,
            r#""scopes":["openid"],"secret":"x""#,
        ),
        (r#","scopes":["openid"]"#, ""),
    ] {
        let other = text.replace(was, is);
        assert_ne!(other, text);
        let refusal = Keys::from_bytes(other.as_bytes()).unwrap_err();
        assert!(matches!(refusal, Invalid::Malformed(_)), "{refusal:?}");
    }
}
