//! What browsers log in as at a provider.
//!
//! It restricts nobody: where it cannot be read nobody is sent to log in, and the provider's tokens
//! count as before.

use super::super::{Said, Sink, short};
use crate::diagnostic::{Code, FieldPath};
use crate::field::{Field, List};
use crate::preset::{Platform, Preset};
use crate::v1alpha1::ClientSpec;
use countersign_ruleset::provider::{Client, TokenType};

const FIELDS: [&str; 2] = ["id", "scopes"];

/// The longest id, and the longest scope.
const MAX_TEXT: usize = 256;

/// The most scopes.
const MAX_SCOPES: usize = 16;

/// OpenID Connect Core §3.1.2.1: without it there is no ID token, and so nobody has logged in.
const OPENID: &str = "openid";

/// The client, if there is one and all of it can be read.
pub(super) fn client(
    path: &FieldPath,
    preset: &Preset,
    field: &Field<ClientSpec>,
    sink: &mut Sink,
) -> Option<Client> {
    let Said::Known(written) = sink.field(path, field) else {
        return None;
    };
    let is_whole = !sink.unread(path, &written.unread, &FIELDS);
    let has_login = has_login(preset);
    if !has_login {
        let message = format!("nobody logs in at a provider of the type {}", preset.name);
        sink.error(path, Code::InvalidValue, message, None);
    }
    let id = id(&path.name("id"), &written.id, sink);
    let scopes = scopes(&path.name("scopes"), &written.scopes, sink);
    let (id, scopes) = (id?, scopes?);
    (is_whole && has_login).then_some(Client { id, scopes })
}

/// A login ends with an ID token, which comes to whoever asked for it (OpenID Connect Core §3.1.3.3);
/// those of jobs, and those that a proxy puts into a header, are had by no login.
fn has_login(preset: &Preset) -> bool {
    let by_people = preset.header.is_none() && preset.platform != Some(Platform::Github);
    by_people && preset.has(TokenType::IDToken)
}

/// RFC 6749 appendix A.1.
fn id(path: &FieldPath, field: &Field<String>, sink: &mut Sink) -> Option<String> {
    let id = sink.required(path, field)?;
    let can_be = is_within(id) && id.bytes().all(|c| (b' '..=b'~').contains(&c));
    if !can_be {
        let message = format!(
            "expected 1 to {MAX_TEXT} printable characters of ASCII, got `{}`",
            short(id)
        );
        sink.error(path, Code::InvalidValue, message, None);
    }
    can_be.then(|| id.clone())
}

/// The scopes, in order. If nothing is said, those without which nobody logs in.
fn scopes(path: &FieldPath, field: &Field<List<String>>, sink: &mut Sink) -> Option<Vec<String>> {
    let written = match sink.field(path, field) {
        Said::Absent => return Some(vec![OPENID.to_owned()]),
        Said::Unknown => return None,
        Said::Known(written) => written,
    };
    let written: Vec<&String> = written.iter().collect();
    if written.len() > MAX_SCOPES {
        let message = format!(
            "expected at most {MAX_SCOPES} scopes, got {}",
            written.len()
        );
        sink.error(path, Code::TooMany, message, None);
        return None;
    }
    let mut can_be = true;
    for (n, scope) in written
        .iter()
        .enumerate()
        .filter(|(_, scope)| !is_scope(scope))
    {
        let message = format!("expected one scope such as `email`, got `{}`", short(scope));
        let help = (scope.contains(' ')).then(|| "write each scope by itself".to_owned());
        sink.error(&path.index(n), Code::InvalidValue, message, help);
        can_be = false;
    }
    let mut scopes: Vec<String> = written.into_iter().cloned().collect();
    scopes.sort_unstable();
    scopes.dedup();
    if can_be && scopes.iter().all(|scope| scope != OPENID) {
        let message = "without the scope `openid` there is no ID token, and nobody can log in";
        let help = format!("write `scopes: [{OPENID}, {}]`", scopes.join(", "));
        sink.error(path, Code::InvalidValue, message, Some(short(&help)));
        return None;
    }
    can_be.then_some(scopes)
}

/// RFC 6749 §3.3: a scope is one word.
fn is_scope(text: &str) -> bool {
    let can_be = |c: u8| c.is_ascii_graphic() && c != b'"' && c != b'\\';
    is_within(text) && text.bytes().all(can_be)
}

const fn is_within(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_TEXT
}
