//! Which type of token it is: an ID token is no key to a service because it has a good signature.

use super::invalid::Invalid;
use super::trusted::Trusted;
use crate::claims::{Fact, lookup};
use countersign_ruleset::provider::{TokenForm, TokenType};
use serde_json::{Map, Value};

/// Steps 14 and 15: "If more than one kind of JWT can be issued by the same issuer, the validation
/// rules for those JWTs MUST be written such that they are mutually exclusive, rejecting JWTs of the
/// wrong kind." (RFC 8725 §3.12). A token that fits two types is of none that could be told. A login
/// takes `only` an ID token, whatever services take.
pub(super) fn expect_accepted(
    trusted: &Trusted,
    only: Option<TokenType>,
    typ: Option<&str>,
    members: &Map<String, Value>,
) -> Result<(), Invalid> {
    // 14. Whatever its `typ`: an object `events` makes it a security event (RFC 8417 §2.2), such as
    // a logout token (OIDC Back-Channel Logout §2.4), and none of those grants anything.
    if members.get("events").is_some_and(Value::is_object) {
        return Err(Invalid::WrongTokenType);
    }
    // 15. By the forms of the provider.
    let provider = trusted.provider();
    let mut fitting = provider
        .forms
        .iter()
        .filter(|form| fits(form, typ, members));
    let shown = fitting.next().ok_or(Invalid::WrongTokenType)?.token_type;
    let taken = match &only {
        Some(only) => std::slice::from_ref(only),
        None => provider.token_types.as_slice(),
    };
    if fitting.any(|other| other.token_type != shown) || !taken.contains(&shown) {
        return Err(Invalid::WrongTokenType);
    }
    Ok(())
}

/// A claim of the wrong type on the way neither shows that the form's claim is there nor that it is
/// not.
fn fits(form: &TokenForm, typ: Option<&str>, members: &Map<String, Value>) -> bool {
    let has_typ = match typ {
        None => form.typ.iter().any(String::is_empty),
        Some(typ) => !typ.is_empty() && form.typ.iter().any(|listed| listed == typ),
    };
    let is_there = |path: &Vec<String>| matches!(lookup::at(members, path), Fact::Known(_));
    let is_not = |path: &Vec<String>| lookup::at(members, path) == Fact::Absent;
    has_typ
        && form
            .present
            .iter()
            .all(|one_of| one_of.iter().any(is_there))
        && form.absent.iter().all(is_not)
}
